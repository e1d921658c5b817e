-- Realtime: tickets to connect with, and notices to those who hold connections. src/realtime/README.md has the idea.

-- One-time tickets (POST /api/auth/ws-ticket): a connection's address may be seen by others, so what stands in it is good once, for seconds.
CREATE TABLE ws_tickets (
	token_hash bytea CONSTRAINT ws_tickets_pkey PRIMARY KEY,
	session_id uuid NOT NULL CONSTRAINT ws_tickets_session_id_fkey REFERENCES sessions ON DELETE CASCADE,
	active_tenant_id uuid NOT NULL, -- the tenant that it was asked for in; looked at when it is used
	expires_at timestamptz NOT NULL
);
CREATE INDEX ws_tickets_session_id_idx ON ws_tickets (session_id);
CREATE INDEX ws_tickets_expires_at_idx ON ws_tickets (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON ws_tickets TO zygo_identity;

-- enter() for who brings a ticket, which is used up; the session behind it is proven as always.
CREATE FUNCTION enter_ticket(p_ticket bytea, p_read_only boolean)
RETURNS TABLE (session_id uuid, account_id uuid, tenant_id uuid, user_id uuid, is_global_admin boolean, is_stale boolean)
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	t record;
BEGIN
	DELETE FROM public.ws_tickets w WHERE w.token_hash = p_ticket AND w.expires_at > now()
	RETURNING w.session_id, w.active_tenant_id INTO t;
	IF NOT FOUND THEN
		PERFORM public.refuse('ZY461', 'Invalid or expired ticket');
	END IF;
	RETURN QUERY SELECT e.* FROM public.enter(t.session_id, NULL, t.active_tenant_id, false, 'member', NULL, false, p_read_only) AS e;
END
$$;
GRANT CREATE ON SCHEMA public TO zygo_identity;
ALTER FUNCTION enter_ticket OWNER TO zygo_identity;
REVOKE CREATE ON SCHEMA public FROM zygo_identity;
REVOKE EXECUTE ON FUNCTION enter_ticket FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter_ticket TO zygo_app;

------------------------------------------------------------------------------------------------------------
-- Notices: what a request would find out by enter(), told to those who hold connections. Written by triggers in the transaction that made
-- it true, so nobody can forget it. A process reads those whose transaction was not over when it last looked, so none is missed.

CREATE TABLE realtime_notices (
	seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT realtime_notices_pkey PRIMARY KEY,
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	at timestamptz NOT NULL DEFAULT now(),
	-- Exactly one of these.
	session_id uuid,       -- is over
	closed_tenant_id uuid, -- is suspended or deleted
	seat_id uuid,          -- may do other things from now on …
	permissions text[]     -- … namely these; NULL: nothing any more
);
CREATE INDEX realtime_notices_xid_idx ON realtime_notices (xid);
CREATE INDEX realtime_notices_at_idx ON realtime_notices (at);
GRANT SELECT ON realtime_notices TO zygo_system;

-- Old ones go as new ones come. The notification is the same each time, so that a transaction sends one.
CREATE FUNCTION notify_realtime(p_session uuid, p_tenant uuid, p_seat uuid, p_permissions text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
	INSERT INTO realtime_notices (session_id, closed_tenant_id, seat_id, permissions) VALUES (p_session, p_tenant, p_seat, p_permissions);
	DELETE FROM realtime_notices
	WHERE seq IN (SELECT seq FROM realtime_notices WHERE at < now() - interval '1 hour' ORDER BY at LIMIT 2 FOR UPDATE SKIP LOCKED);
	SELECT pg_notify('zygo_realtime', '');
$$;
REVOKE EXECUTE ON FUNCTION notify_realtime FROM PUBLIC;

CREATE FUNCTION notice_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
	PERFORM notify_realtime(OLD.id, NULL, NULL, NULL);
	RETURN NULL;
END
$$;
CREATE TRIGGER notice_revoked AFTER UPDATE OF revoked_at ON sessions
	FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION notice_session();
CREATE TRIGGER notice_deleted AFTER DELETE ON sessions
	FOR EACH ROW WHEN (OLD.revoked_at IS NULL) EXECUTE FUNCTION notice_session();

CREATE FUNCTION notice_tenant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
	PERFORM notify_realtime(NULL, NEW.id, NULL, NULL);
	RETURN NULL;
END
$$;
CREATE TRIGGER notice_closed AFTER UPDATE OF status, deleted_at ON tenants
	FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active' OR OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
	EXECUTE FUNCTION notice_tenant();

CREATE FUNCTION notice_seat() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
	PERFORM notify_realtime(NULL, NULL, NEW.id,
		CASE WHEN NEW.status = 'active' AND NEW.deleted_at IS NULL THEN NEW.permissions END);
	RETURN NULL;
END
$$;
CREATE TRIGGER notice_changed AFTER UPDATE OF status, permissions, deleted_at ON users
	FOR EACH ROW WHEN (OLD.status = 'active' AND OLD.deleted_at IS NULL
			   AND (NEW.status <> 'active' OR NEW.deleted_at IS NOT NULL OR OLD.permissions <> NEW.permissions))
	EXECUTE FUNCTION notice_seat();

------------------------------------------------------------------------------------------------------------
-- Rooms

-- Whether the tenant has such a row. p_table stands in src/realtime/rooms.c and nowhere else; row-level security keeps to the tenant.
CREATE FUNCTION has_resource(p_table text, p_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE
AS $$
DECLARE
	has boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id = $1)', p_table) INTO has USING p_id;
	RETURN has;
END
$$;

-- Where an event stands in the log, by its id: what a client has seen last.
CREATE INDEX event_log_event_id_idx ON event_log (event_id);

-- Who connects is told of all that is numbered from then on.
GRANT SELECT (last_position) ON event_spine TO zygo_identity;
