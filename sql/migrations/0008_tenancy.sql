-- Tenants beyond their founding: names that were theirs, realms of their own, limits, and those who act as somebody else.

ALTER TABLE tenants
	ADD COLUMN host varchar(253),                     -- its own host name, which log-ins may name it by
	ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',    -- {"users": 10}: what there may be at most; absent: as many as one likes
	ADD COLUMN suspended_reason varchar(500);
CREATE UNIQUE INDEX tenants_host_key ON tenants (host) WHERE deleted_at IS NULL;

------------------------------------------------------------------------------------------------------------
-- Names

-- Slugs that a tenant had: they lead to it for 90 days, unless somebody else took one.
CREATE TABLE tenant_slugs (
	tenant_id uuid NOT NULL CONSTRAINT tenant_slugs_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	slug varchar(63) NOT NULL,
	expires_at timestamptz NOT NULL DEFAULT now() + interval '90 days',
	CONSTRAINT tenant_slugs_pkey PRIMARY KEY (tenant_id, slug)
);
CREATE INDEX tenant_slugs_slug_idx ON tenant_slugs (slug);
CALL isolate('tenant_slugs');

CREATE FUNCTION tenant_slug_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM tenant_slugs WHERE tenant_id = NEW.id AND (slug IN (OLD.slug, NEW.slug) OR expires_at < now());
	INSERT INTO tenant_slugs (tenant_id, slug) VALUES (NEW.id, OLD.slug);
	RETURN NULL;
END
$$;
CREATE TRIGGER tenant_slug_changed AFTER UPDATE OF slug ON tenants
	FOR EACH ROW WHEN (NEW.slug <> OLD.slug) EXECUTE FUNCTION tenant_slug_changed();

-- The tenant that a log-in names: by id, or by its slug, its host name, or else a slug that it had. NULL: there is none.
CREATE FUNCTION tenant_named(p_name text, p_id uuid) RETURNS uuid LANGUAGE sql STABLE
AS $$
	SELECT coalesce(
		(SELECT id FROM tenants WHERE id = p_id AND deleted_at IS NULL),
		(SELECT id FROM tenants WHERE slug = lower(p_name) AND deleted_at IS NULL),
		(SELECT id FROM tenants WHERE host = lower(p_name) AND deleted_at IS NULL),
		(SELECT t.id FROM tenant_slugs s JOIN tenants t ON t.id = s.tenant_id AND t.deleted_at IS NULL
		 WHERE s.slug = lower(p_name) AND s.expires_at > now()
		 ORDER BY s.expires_at DESC LIMIT 1))
$$;

CREATE OR REPLACE FUNCTION realm_of(p_slug text, p_tenant uuid) RETURNS uuid LANGUAGE sql STABLE
AS $$
	SELECT coalesce((SELECT realm_id FROM tenants WHERE id = tenant_named(p_slug, p_tenant)),
			'00000000-0000-7000-8000-000000000000')
$$;

------------------------------------------------------------------------------------------------------------
-- Realms

GRANT INSERT ON realms TO zygo_system;

-- A seat of the platform's realm in a tenant that has its own: only by a global admin's invitation.
ALTER TABLE users ADD COLUMN is_guest boolean NOT NULL DEFAULT false;

-- The realm that a seat's account is of.
CREATE FUNCTION realm_of_seat(p_tenant uuid, p_is_guest boolean) RETURNS uuid LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN p_is_guest THEN '00000000-0000-7000-8000-000000000000'
		    ELSE (SELECT realm_id FROM tenants WHERE id = p_tenant) END
$$;

-- Whatever statement makes or fills a seat, its account is of the right realm. Only identity gives a seat its account, so the
-- table of accounts is in reach here.
CREATE FUNCTION seat_is_of_its_realm() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM accounts WHERE id = NEW.account_id AND realm_id = realm_of_seat(NEW.tenant_id, NEW.is_guest);
	IF NOT FOUND THEN
		PERFORM refuse('ZY403', 'The tenant has a realm of its own, which this account is not of');
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER seat_is_of_its_realm BEFORE INSERT OR UPDATE OF account_id, is_guest ON users
	FOR EACH ROW WHEN (NEW.account_id IS NOT NULL) EXECUTE FUNCTION seat_is_of_its_realm();

------------------------------------------------------------------------------------------------------------
-- Limits

-- Refuses a row more than tenants.limits says. The tenant's row makes those who add one take turns, where there is a limit.
-- Arguments: the limit's name, and what the rows are called.
CREATE FUNCTION within_limit() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	most bigint;
	are bigint;
BEGIN
	SELECT (limits ->> TG_ARGV[0])::bigint INTO most FROM tenants WHERE id = NEW.tenant_id;
	IF most IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM FROM tenants WHERE id = NEW.tenant_id FOR NO KEY UPDATE;
	EXECUTE format('SELECT count(*) FROM %s WHERE tenant_id = $1 AND %s', TG_RELID::regclass, TG_ARGV[1])
	INTO are USING NEW.tenant_id;
	IF are > most THEN
		PERFORM refuse('ZY402', format('The plan allows %s %s', most, TG_ARGV[2]));
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER within_limit AFTER INSERT ON users
	FOR EACH ROW EXECUTE FUNCTION within_limit('users', 'deleted_at IS NULL', 'users');
CREATE TRIGGER within_limit AFTER INSERT ON projects
	FOR EACH ROW EXECUTE FUNCTION within_limit('projects', 'deleted_at IS NULL', 'projects');
CREATE TRIGGER within_limit AFTER INSERT ON api_keys
	FOR EACH ROW EXECUTE FUNCTION within_limit('apiKeys', 'revoked_at IS NULL', 'API keys');

------------------------------------------------------------------------------------------------------------
-- Locked accounts, and acting as somebody else

-- Every session begins by a row, so what forbids one is asked here. The lock makes locking an account and logging in take turns.
CREATE FUNCTION session_may_begin() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	a record;
BEGIN
	SELECT locked_at, reset_required_at INTO a FROM accounts WHERE id = NEW.account_id FOR SHARE;
	IF a.locked_at IS NOT NULL THEN
		PERFORM refuse('ZY403', 'This account is locked');
	ELSIF a.reset_required_at IS NOT NULL AND NEW.impersonator_id IS NULL THEN
		PERFORM refuse('ZY403', 'Reset your password first: POST /api/auth/password/forgot');
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER session_may_begin BEFORE INSERT ON sessions
	FOR EACH ROW EXECUTE FUNCTION session_may_begin();

-- Who acts as the account of this transaction's session; NULL: the account itself. It runs as its owner, because nobody else may
-- look at sessions.
CREATE FUNCTION current_impersonator() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
AS $$ SELECT impersonator_id FROM public.sessions WHERE id = public.current_session() $$;
GRANT CREATE ON SCHEMA public TO zygo_identity;
ALTER FUNCTION current_impersonator OWNER TO zygo_identity;
REVOKE CREATE ON SCHEMA public FROM zygo_identity;
REVOKE EXECUTE ON FUNCTION current_impersonator FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_impersonator TO zygo_app, zygo_identity, zygo_system;

CREATE FUNCTION keep_impersonator_out() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	IF current_impersonator() IS NOT NULL THEN
		PERFORM refuse('ZY403', 'Who acts as somebody else cannot touch their credentials');
	END IF;
	RETURN coalesce(NEW, OLD);
END
$$;

-- Makes a table one of credentials: nobody who acts as somebody else writes it. Every migration that creates one ends with it.
CREATE PROCEDURE guard_credentials(p_table regclass) LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER keep_impersonator_out BEFORE INSERT OR UPDATE OR DELETE ON %s '
		       'FOR EACH ROW EXECUTE FUNCTION keep_impersonator_out()', p_table);
END
$$;
CALL guard_credentials('totp_factors');
CALL guard_credentials('recovery_codes');
CALL guard_credentials('passkeys');
CALL guard_credentials('email_changes');
CALL guard_credentials('api_keys');
CALL guard_credentials('api_key_secrets');

CREATE TRIGGER keep_impersonator_out BEFORE UPDATE OF email, password_hash ON accounts
	FOR EACH ROW EXECUTE FUNCTION keep_impersonator_out();
-- Their own session they may end.
CREATE TRIGGER keep_impersonator_out BEFORE UPDATE OF active_tenant_id, mfa_at, revoked_at ON sessions
	FOR EACH ROW WHEN (NEW.id <> current_session() OR NEW.revoked_at IS NULL) EXECUTE FUNCTION keep_impersonator_out();
CALL guard_credentials('oauth_identities');

------------------------------------------------------------------------------------------------------------
-- Hooks: functions that an admin replaces (CREATE OR REPLACE FUNCTION, as zygo_owner); docs/hooks.md. These do nothing.

-- After an account was made with its first seat, in the same transaction: what fails here undoes the sign-up.
CREATE FUNCTION hook_after_sign_up(p_account uuid, p_tenant uuid) RETURNS void LANGUAGE sql
AS $$ SELECT $$;

-- Before an access token is made: a JSON object of claims beside ours, which it cannot replace.
CREATE FUNCTION hook_custom_claims(p_account uuid, p_tenant uuid) RETURNS jsonb LANGUAGE sql STABLE
AS $$ SELECT '{}'::jsonb $$;

-- Before a realtime room is joined by somebody whom the room's own rule has let in: false keeps them out.
CREATE FUNCTION hook_join_room(p_account uuid, p_tenant uuid, p_room text) RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT true $$;

-- What became of a hook that failed: a refusal of its own (class ZY) is said as it is, anything else as a hook that failed. The
-- reason is in PostgreSQL's log.
CREATE FUNCTION hook_failed(p_hook text, p_sqlstate text, p_message text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	RAISE LOG 'zygo: % failed: % %', p_hook, p_sqlstate, p_message;
	PERFORM refuse('ZY503', format('%s of this installation %s', p_hook,
				       CASE p_sqlstate WHEN '57014' THEN 'took too long' ELSE 'failed' END));
END
$$;

CREATE FUNCTION run_after_sign_up() RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM hook_after_sign_up(current_account(), current_tenant());
EXCEPTION WHEN query_canceled OR OTHERS THEN
	IF starts_with(SQLSTATE, 'ZY') THEN
		RAISE;
	END IF;
	PERFORM hook_failed('hook_after_sign_up', SQLSTATE, SQLERRM);
END
$$;

-- Of the session that acts, in the tenant that it works in.
CREATE FUNCTION run_custom_claims() RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	claims jsonb;
BEGIN
	SELECT hook_custom_claims(account_id, active_tenant_id) INTO claims FROM sessions WHERE id = current_session();
	IF jsonb_typeof(coalesce(claims, '{}')) <> 'object' THEN
		PERFORM hook_failed('hook_custom_claims', '22023', 'it gave no JSON object');
	END IF;
	RETURN coalesce(claims, '{}');
EXCEPTION WHEN query_canceled OR OTHERS THEN
	IF starts_with(SQLSTATE, 'ZY') THEN
		RAISE;
	END IF;
	PERFORM hook_failed('hook_custom_claims', SQLSTATE, SQLERRM);
END
$$;

CREATE FUNCTION run_join_room(p_room text) RETURNS boolean LANGUAGE plpgsql
AS $$
BEGIN
	RETURN coalesce(hook_join_room(current_account(), current_tenant(), p_room), false);
EXCEPTION WHEN query_canceled OR OTHERS THEN
	IF starts_with(SQLSTATE, 'ZY') THEN
		RAISE;
	END IF;
	PERFORM hook_failed('hook_join_room', SQLSTATE, SQLERRM);
END
$$;
