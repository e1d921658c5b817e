-- Events in order, for whoever reads them behind the transaction that wrote them; and events by the month, so that old ones are dropped
-- and not deleted. src/events/README.md has the idea.

-- The least UUIDv7 of a moment, or so many seconds after: a range of ids is a range of time. Immutable down to the last function in it, so
-- that the planner knows which partitions are meant.
CREATE FUNCTION uuid_at(p_at timestamptz, p_seconds integer DEFAULT 0) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT (lpad(to_hex(((extract(epoch FROM CASE WHEN p_at < '1971-01-01Z' THEN '1971-01-01Z' WHEN p_at > '9999-01-01Z' THEN '9999-01-01Z'
						      ELSE p_at END AT TIME ZONE 'UTC') + p_seconds) * 1000)::bigint), 12, '0')
		|| repeat('0', 20))::uuid
$$;

-- When a UUIDv7 was made.
CREATE FUNCTION uuid_time(p_id uuid) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT to_timestamp(('x' || translate(left(p_id::text, 13), '-', ''))::bit(48)::bigint / 1000.0) $$;

-- An event's id as its host made it, unless that host's clock is an hour off: then with the time of the database. So what is asked for by
-- created_at is looked for by id.
CREATE FUNCTION event_id(p_id uuid) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_id BETWEEN uuid_at(now(), -3600) AND uuid_at(now(), 3600) THEN p_id
		    ELSE overlay(p_id::text PLACING left(uuid_at(clock_timestamp())::text, 13) FROM 1)::uuid END
$$;

------------------------------------------------------------------------------------------------------------
-- Partitions: one a month of ids (UTC), and one for ids of no month that was foreseen.

-- Makes the partition of a month, moves there what waited in the default one; false: it is there already. p_key: the column with the
-- event's id. Nobody is granted anything on a partition: it is reached through its table, and isolated all the same.
CREATE FUNCTION make_event_partition(p_parent text, p_key name, p_at timestamptz) RETURNS boolean LANGUAGE plpgsql SET timezone = 'UTC'
AS $$
DECLARE
	begins timestamptz := date_trunc('month', p_at);
	name text := p_parent || to_char(begins, '_YYYY_MM');
	first_id uuid := uuid_at(begins);
	end_id uuid := uuid_at(begins + interval '1 month');
BEGIN
	IF to_regclass(name) IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', p_parent || '_default');
	EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name, p_parent);
	EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %2$I < %4$L RETURNING *) INSERT INTO %5$I SELECT * FROM moved',
		       p_parent || '_default', p_key, first_id, end_id, name);
	EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', p_parent, name, first_id, end_id);
	CALL isolate_partition(p_parent, name);
	RETURN true;
END
$$;

CREATE PROCEDURE isolate_partition(p_parent text, p_name text) LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM pg_attribute WHERE attrelid = p_parent::regclass AND attname = 'tenant_id' AND NOT attisdropped;
	IF FOUND THEN
		CALL isolate(p_name::regclass, 'tenant_id', false);
		EXECUTE format('REVOKE ALL ON %I FROM zygo_app, zygo_identity, zygo_system', p_name);
	END IF;
END
$$;

-- The first partitions of a new table: the default one, those from p_first's month on, and the next two.
CREATE FUNCTION partition_by_month(p_parent text, p_key name, p_first timestamptz) RETURNS void LANGUAGE plpgsql SET timezone = 'UTC'
AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', p_parent || '_default', p_parent);
	CALL isolate_partition(p_parent, p_parent || '_default');
	PERFORM make_event_partition(p_parent, p_key, m)
	FROM generate_series(date_trunc('month', least(p_first, now())), now() + interval '2 months', interval '1 month') AS m;
END
$$;

------------------------------------------------------------------------------------------------------------
-- The events that there are move into partitions.

ALTER TABLE events RENAME TO events_before;
ALTER INDEX events_pkey RENAME TO events_before_pkey;
ALTER INDEX events_tenant_id_created_at_idx RENAME TO events_before_tenant_id_created_at_idx;
ALTER INDEX events_created_at_idx RENAME TO events_before_created_at_idx;

CREATE TABLE events (
	tenant_id uuid NOT NULL CONSTRAINT events_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	type text NOT NULL,             -- src/events/types.c
	subject_id uuid,                -- what it happened to
	actor_kind text NOT NULL,       -- actor_kind_name()
	account_id uuid,
	user_id uuid,
	session_id uuid,
	api_key_id uuid,                -- with actor_kind apiKey: which
	impersonated_by uuid,           -- the account behind a session that acts as another
	ip inet,
	request_id text,
	data jsonb NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (id);
SELECT partition_by_month('events', 'id', (SELECT uuid_time(id) FROM events_before ORDER BY id LIMIT 1));
INSERT INTO events
SELECT tenant_id, id, type, subject_id, actor_kind, account_id, user_id, session_id, api_key_id, impersonated_by, ip, request_id, data,
       created_at
FROM events_before;
DROP TABLE events_before;
ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (tenant_id, id);
CREATE INDEX events_tenant_id_created_at_idx ON events (tenant_id, created_at, id);
CREATE INDEX events_created_at_idx ON events (created_at, id);
CALL isolate('events', 'tenant_id', false);
REVOKE UPDATE, DELETE ON events FROM zygo_app, zygo_identity;

ALTER TABLE account_events RENAME TO account_events_before;
ALTER INDEX account_events_pkey RENAME TO account_events_before_pkey;
ALTER INDEX account_events_account_id_idx RENAME TO account_events_before_account_id_idx;

CREATE TABLE account_events (
	id uuid NOT NULL,
	account_id uuid NOT NULL CONSTRAINT account_events_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	type text NOT NULL,
	session_id uuid,
	impersonated_by uuid,
	ip inet,
	user_agent text,
	request_id text,
	data jsonb NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (id);
SELECT partition_by_month('account_events', 'id', (SELECT uuid_time(id) FROM account_events_before ORDER BY id LIMIT 1));
INSERT INTO account_events
SELECT id, account_id, type, session_id, impersonated_by, ip, user_agent, request_id, data, created_at FROM account_events_before;
DROP TABLE account_events_before;
ALTER TABLE account_events ADD CONSTRAINT account_events_pkey PRIMARY KEY (id);
CREATE INDEX account_events_account_id_idx ON account_events (account_id, created_at);
GRANT SELECT, INSERT ON account_events TO zygo_identity;
GRANT SELECT ON account_events TO zygo_system;
CREATE TRIGGER account_event_is_complete BEFORE INSERT ON account_events
	FOR EACH ROW EXECUTE FUNCTION account_event_is_complete();

------------------------------------------------------------------------------------------------------------
-- Positions: one process (src/events/spine.c) numbers what is committed.

-- Written beside each event; emptied by the spine. No foreign key: what it points to is looked at when it is taken.
CREATE TABLE event_inbox (
	tenant_id uuid NOT NULL,
	seq bigint GENERATED ALWAYS AS IDENTITY,
	event_id uuid NOT NULL,
	CONSTRAINT event_inbox_pkey PRIMARY KEY (seq)
);
-- Each row lives for milliseconds.
ALTER TABLE event_inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CALL isolate('event_inbox', 'tenant_id', false);
REVOKE SELECT, UPDATE, DELETE ON event_inbox FROM zygo_app, zygo_identity;

-- The events in order: positions without a gap, consistent with commits. Partitioned beside events, and dropped with them.
CREATE TABLE event_log (
	tenant_id uuid NOT NULL,
	position bigint NOT NULL,
	event_id uuid NOT NULL,
	CONSTRAINT event_log_pkey PRIMARY KEY (tenant_id, position, event_id)
) PARTITION BY RANGE (event_id);
CREATE INDEX event_log_position_idx ON event_log (position);
CALL isolate('event_log', 'tenant_id', false);
REVOKE INSERT, UPDATE, DELETE ON event_log FROM zygo_app, zygo_identity;
SELECT partition_by_month('event_log', 'event_id', (SELECT uuid_time(id) FROM events ORDER BY id LIMIT 1));

-- One row: how far it is numbered. Whoever locks it is the spine.
CREATE TABLE event_spine (
	is_only boolean NOT NULL DEFAULT true CONSTRAINT event_spine_pkey PRIMARY KEY CONSTRAINT event_spine_is_only_check CHECK (is_only),
	last_position bigint NOT NULL,
	is_asleep boolean NOT NULL DEFAULT false -- wants a notification
) WITH (fillfactor = 50);

-- Who reads, and how far each is.
CREATE TABLE event_readers (
	name text CONSTRAINT event_readers_pkey PRIMARY KEY, -- src/domains/readers.c
	position bigint NOT NULL,
	failed_at timestamptz, -- since when it does not get on; NULL: it does
	failure text           -- why not
) WITH (fillfactor = 50);

-- What has happened so far is numbered here; readers begin behind it.
INSERT INTO event_log (tenant_id, position, event_id)
SELECT tenant_id, row_number() OVER (ORDER BY created_at, id), id FROM events;
INSERT INTO event_spine (last_position) SELECT count(*) FROM event_log;

GRANT SELECT, UPDATE ON event_spine TO zygo_system;
GRANT SELECT (is_asleep) ON event_spine TO zygo_app, zygo_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_readers TO zygo_system;

-- As in 0009, and moments as the API writes them: in UTC, to the millisecond.
CREATE OR REPLACE FUNCTION shown_value(p_column text, p_value jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_value = 'null' THEN p_value
		    WHEN p_column ~ '(hash|secret|sealed|token|password)' OR starts_with(p_value #>> '{}', '\x') THEN '"[redacted]"'
		    WHEN right(p_column, 3) = '_at' AND p_value #>> '{}' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)?$'
		    THEN to_jsonb(to_char((p_value #>> '{}')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
		    WHEN length(p_value::text) > 4000 THEN '"[long]"'
		    ELSE p_value END
$$;

-- Completes an event, as 0009 says, and leaves word of it for the spine. Notifications make commits take turns, so only a spine that
-- sleeps is called.
CREATE OR REPLACE FUNCTION event_is_complete() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	NEW.impersonated_by := current_impersonator();
	IF NEW.subject_id IS NOT NULL AND current_setting('app.changes', true) <> '' THEN
		NEW.data := NEW.data || take_changes(NEW.subject_id);
	END IF;
	INSERT INTO event_inbox (tenant_id, event_id) VALUES (NEW.tenant_id, NEW.id);
	IF (SELECT is_asleep FROM event_spine) THEN
		PERFORM pg_notify('zygo_events', '');
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER event_is_complete BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION event_is_complete();

-- Numbers up to p_max events that are visible, in the order in which they were written; how many. NULL: another host is at it.
CREATE FUNCTION take_events(p_max integer) RETURNS integer LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
	last bigint;
	taken integer;
BEGIN
	SELECT last_position INTO last FROM event_spine FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;

	WITH visible AS MATERIALIZED (
		SELECT seq FROM event_inbox ORDER BY seq LIMIT p_max
	), mine AS (
		DELETE FROM event_inbox i USING visible v WHERE i.seq = v.seq RETURNING i.seq, i.tenant_id, i.event_id
	)
	INSERT INTO event_log (tenant_id, position, event_id)
	SELECT tenant_id, last + row_number() OVER (ORDER BY seq), event_id FROM mine;
	GET DIAGNOSTICS taken = ROW_COUNT;

	UPDATE event_spine SET last_position = last + taken, is_asleep = false WHERE taken > 0;
	RETURN taken;
END
$$;

-- What a reader's transaction begins with: locks its row and says what is at hand, at most p_max events. Nothing is where another host is
-- at it.
CREATE FUNCTION begin_reading(p_reader text, p_max integer) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	read_to bigint;
	numbered_to bigint;
BEGIN
	SELECT position INTO read_to FROM event_readers WHERE name = p_reader FOR UPDATE SKIP LOCKED;
	IF FOUND THEN
		SELECT least(read_to + p_max, last_position) INTO numbered_to FROM event_spine;
	END IF;
	PERFORM set_config('app.events_after', coalesce(read_to, 0)::text, true),
		set_config('app.events_to', coalesce(numbered_to, 0)::text, true);
END
$$;

-- The events that the reader of this transaction is to read, in order. An event of a tenant that is gone is gone with it.
CREATE FUNCTION events_at_hand()
RETURNS TABLE ("position" bigint, tenant_id uuid, id uuid, type text, subject_id uuid, actor_kind text, account_id uuid, user_id uuid,
	       session_id uuid, api_key_id uuid, impersonated_by uuid, ip inet, request_id text, data jsonb, created_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 500
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT l.position, e.tenant_id, e.id, e.type, e.subject_id, e.actor_kind, e.account_id, e.user_id, e.session_id, e.api_key_id,
	       e.impersonated_by, e.ip, e.request_id, e.data, e.created_at
	FROM event_log l
	JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
	WHERE l.position > current_setting('app.events_after')::bigint AND l.position <= current_setting('app.events_to')::bigint
	ORDER BY l.position;
END
$$;

------------------------------------------------------------------------------------------------------------
-- Keeping: coming months are made, old ones dropped.

-- Makes the partitions of this month, of the next two and of earlier ids that wait in a default one; drops those of months that ended p_keep ago.
-- A month that a reader has not read to its end, or that is not numbered, is kept for 7 days more, and no longer. Rows say what was done.
-- It waits a second at most for who uses the tables, and fails then: whoever calls it tries again.
CREATE FUNCTION roll_event_partitions(p_keep interval)
RETURNS TABLE (partition text, what text) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s'
AS $$
DECLARE
	parent record;
	month timestamptz;
	old record;
BEGIN
	FOR parent IN SELECT * FROM (VALUES ('events', 'id'), ('event_log', 'event_id'), ('account_events', 'id')) AS p (name, key) LOOP
		FOR month IN EXECUTE format('SELECT generate_series(date_trunc(''month'', now()), now() + interval ''2 months'', interval ''1 month'')'
					    ' UNION (SELECT DISTINCT date_trunc(''month'', uuid_time(%I)) FROM %I'
					    ' WHERE %1$I >= uuid_at(''1971-01-01Z'') AND %1$I < uuid_at(date_trunc(''month'', now()) + interval ''3 months'')'
					    ' LIMIT 24)',
					    parent.key, parent.name || '_default') LOOP
			IF make_event_partition(parent.name, parent.key, month) THEN
				partition := parent.name || to_char(month, '_YYYY_MM');
				what := 'made';
				RETURN NEXT;
			END IF;
		END LOOP;
	END LOOP;

	FOR old IN
		SELECT c.relname AS name, m.begins, m.ends, m.ends < now() - p_keep - interval '7 days' AS is_overdue
		FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		CROSS JOIN LATERAL (SELECT at AS begins, at + interval '1 month' AS ends
				    FROM to_timestamp(right(c.relname, 7), 'YYYY_MM') AS at) AS m
		WHERE i.inhparent IN ('events'::regclass, 'event_log'::regclass, 'account_events'::regclass)
		  AND c.relname !~ '_default$' AND m.ends < now() - p_keep
		ORDER BY c.relname DESC -- events before event_log, which says whether they were read
	LOOP
		IF old.is_overdue OR old.name ~ '^account' OR NOT is_unread(old.begins, old.ends) THEN
			EXECUTE format('DROP TABLE %I', old.name);
			partition := old.name;
			what := 'dropped';
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

-- Whether a reader, or the spine, has yet to come to an event of these ids.
CREATE FUNCTION is_unread(p_begins timestamptz, p_ends timestamptz) RETURNS boolean LANGUAGE sql STABLE
AS $$
	SELECT EXISTS (SELECT FROM event_inbox WHERE event_id >= uuid_at(p_begins) AND event_id < uuid_at(p_ends))
	    OR (SELECT min(position) FROM event_readers) < (SELECT max(position) FROM event_log
							     WHERE event_id >= uuid_at(p_begins) AND event_id < uuid_at(p_ends))
$$;

REVOKE EXECUTE ON FUNCTION roll_event_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roll_event_partitions TO zygo_system;
