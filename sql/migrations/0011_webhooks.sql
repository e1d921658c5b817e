-- Webhooks: events of a tenant, sent to addresses that it names. src/domains/webhooks/README.md has the idea.

-- An id made by the database, where a statement makes many rows (RFC 9562 section 5.7).
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$
	SELECT overlay(overlay(gen_random_uuid()::text PLACING '7' FROM 15) PLACING
		left(h, 8) || '-' || right(h, 4) FROM 1)::uuid
	FROM lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS h
$$;

------------------------------------------------------------------------------------------------------------
-- Endpoints

CREATE TABLE webhook_endpoints (
	tenant_id uuid NOT NULL CONSTRAINT webhook_endpoints_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	url varchar(2000) NOT NULL,
	description varchar(500),
	event_types text[] NOT NULL DEFAULT '{}',   -- none: all
	header_names text[] NOT NULL DEFAULT '{}',
	headers_sealed bytea,                       -- what is sent beside, with values, as JSON; NULL: none
	rate_limit integer CONSTRAINT webhook_endpoints_rate_limit_check CHECK (rate_limit > 0), -- deliveries a second; NULL: any
	is_ordered boolean NOT NULL DEFAULT false,
	secret_sealed bytea NOT NULL,
	old_secret_sealed bytea,                    -- signs too, until
	old_secret_expires_at timestamptz,
	disabled_at timestamptz,                    -- nothing is sent since; NULL: it is enabled
	disabled_reason text CONSTRAINT webhook_endpoints_disabled_reason_check CHECK (disabled_reason IN ('request', 'gone', 'failing')),
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (tenant_id, id)
);
CREATE INDEX webhook_endpoints_created_at_idx ON webhook_endpoints (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX webhook_endpoints_url_idx ON webhook_endpoints (tenant_id, url, id) WHERE deleted_at IS NULL;
CREATE INDEX webhook_endpoints_deleted_at_idx ON webhook_endpoints (deleted_at) WHERE deleted_at IS NOT NULL;
CALL isolate('webhook_endpoints');
CREATE TRIGGER within_limit AFTER INSERT ON webhook_endpoints
	FOR EACH ROW EXECUTE FUNCTION within_limit('webhooks', 'deleted_at IS NULL', 'webhooks');

-- What sending finds out about an endpoint. Its row is what senders lock: one at a time takes deliveries of an endpoint.
CREATE TABLE webhook_states (
	tenant_id uuid NOT NULL CONSTRAINT webhook_states_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	endpoint_id uuid NOT NULL,
	rate_at timestamptz NOT NULL DEFAULT '-infinity', -- until when its rate is used up
	failing_since timestamptz,                        -- the first of its failures without a success since; NULL: none
	last_failure_at timestamptz,
	last_success_at timestamptz,
	disable_as text,                                  -- disabled_reason that is to be: nothing more is taken
	CONSTRAINT webhook_states_pkey PRIMARY KEY (tenant_id, endpoint_id),
	CONSTRAINT webhook_states_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE INDEX webhook_states_disable_as_idx ON webhook_states (tenant_id, endpoint_id) WHERE disable_as IS NOT NULL;
CALL isolate('webhook_states', 'tenant_id', false);

-- Hour by hour what was sent.
CREATE TABLE webhook_stats (
	tenant_id uuid NOT NULL CONSTRAINT webhook_stats_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	endpoint_id uuid NOT NULL,
	hour timestamptz NOT NULL,
	delivered bigint NOT NULL DEFAULT 0,
	given_up bigint NOT NULL DEFAULT 0,
	attempts bigint NOT NULL DEFAULT 0,
	failures bigint NOT NULL DEFAULT 0,      -- attempts
	duration_us bigint NOT NULL DEFAULT 0,   -- of attempts, added up
	duration_max_us bigint NOT NULL DEFAULT 0,
	CONSTRAINT webhook_stats_pkey PRIMARY KEY (tenant_id, endpoint_id, hour),
	CONSTRAINT webhook_stats_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints ON DELETE CASCADE
) WITH (fillfactor = 50);
CALL isolate('webhook_stats', 'tenant_id', false);

------------------------------------------------------------------------------------------------------------
-- Messages and their deliveries

-- What is sent, byte for byte: once an event, however many endpoints want it and however often each is tried.
CREATE TABLE webhook_messages (
	tenant_id uuid NOT NULL CONSTRAINT webhook_messages_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,                        -- the event's; webhook-id
	type text NOT NULL,
	payload text NOT NULL,
	created_at timestamptz NOT NULL,         -- the event's
	CONSTRAINT webhook_messages_pkey PRIMARY KEY (tenant_id, id)
);
CREATE INDEX webhook_messages_sweep_idx ON webhook_messages USING brin (created_at);
CALL isolate('webhook_messages', 'tenant_id', false);

-- A message for one endpoint. No foreign key to the message: both are swept by their age, deliveries first.
CREATE TABLE webhook_deliveries (
	tenant_id uuid NOT NULL CONSTRAINT webhook_deliveries_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	endpoint_id uuid NOT NULL,
	message_id uuid NOT NULL,
	type text NOT NULL,
	position bigint NOT NULL,                -- the event's: the order among an endpoint's
	state text NOT NULL DEFAULT 'waiting' CONSTRAINT webhook_deliveries_state_check CHECK (state IN
		('waiting', 'delayed', 'active', 'delivered', 'failed', 'cancelled')),
	attempts integer NOT NULL DEFAULT 0,     -- finished, all of them
	tries integer NOT NULL DEFAULT 0,        -- of them, since it was last begun anew
	due_at timestamptz NOT NULL,
	sender text,                             -- while active: who has it,
	leased_until timestamptz,                -- and until when it is not anybody's again
	status integer,                          -- the last attempt's answer
	error text,                              -- or why there was none
	created_at timestamptz NOT NULL,         -- the message's
	finished_at timestamptz,
	CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, id),
	CONSTRAINT webhook_deliveries_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints ON DELETE CASCADE
);
-- A delivery is in one of the next at a time, or in two while it is delayed.
CREATE INDEX webhook_deliveries_waiting_idx ON webhook_deliveries (tenant_id, endpoint_id, position, id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_active_idx ON webhook_deliveries (tenant_id, endpoint_id) WHERE state = 'active';
CREATE INDEX webhook_deliveries_delayed_idx ON webhook_deliveries (due_at) WHERE state = 'delayed';
CREATE INDEX webhook_deliveries_later_idx ON webhook_deliveries (tenant_id, endpoint_id) WHERE state = 'delayed';
CREATE INDEX webhook_deliveries_created_at_idx ON webhook_deliveries (tenant_id, created_at, id);
CREATE INDEX webhook_deliveries_endpoint_id_idx ON webhook_deliveries (tenant_id, endpoint_id, created_at, id);
CREATE INDEX webhook_deliveries_sweep_idx ON webhook_deliveries USING brin (created_at);
ALTER TABLE webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0,
				    autovacuum_analyze_scale_factor = 0.2);
CALL isolate('webhook_deliveries', 'tenant_id', false);

-- What each attempt at a delivery sent and heard.
CREATE TABLE webhook_attempts (
	tenant_id uuid NOT NULL CONSTRAINT webhook_attempts_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	delivery_id uuid NOT NULL,
	number integer NOT NULL,                 -- from 1
	url text NOT NULL,
	request_headers jsonb NOT NULL,          -- values of the endpoint's own are left out
	status integer,                          -- NULL: no answer
	response_headers jsonb,
	response_body text,                      -- its beginning
	error text,                              -- NULL: it was delivered
	duration_us bigint NOT NULL,
	started_at timestamptz NOT NULL,
	CONSTRAINT webhook_attempts_pkey PRIMARY KEY (tenant_id, delivery_id, number),
	CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (tenant_id, delivery_id) REFERENCES webhook_deliveries ON DELETE CASCADE
);
CALL isolate('webhook_attempts', 'tenant_id', false);

-- Minute by minute what each sender did, for metrics.
CREATE TABLE webhook_senders (
	minute timestamptz NOT NULL,
	sender text NOT NULL,
	delivered bigint NOT NULL DEFAULT 0,
	failures bigint NOT NULL DEFAULT 0,
	duration_us bigint NOT NULL DEFAULT 0,
	CONSTRAINT webhook_senders_pkey PRIMARY KEY (minute, sender)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_senders TO zygo_system;

------------------------------------------------------------------------------------------------------------
-- Words that statements use

-- What is sent of an event, as src/events/document.c describes it: the body of Standard Webhooks. Made once, so that every attempt sends
-- and signs the same bytes.
CREATE FUNCTION webhook_payload(p_type text, p_id uuid, p_at timestamptz, p_tenant uuid, p_subject uuid, p_user uuid, p_data jsonb)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT json_build_object('type', p_type, 'id', p_id,
		'timestamp', to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'tenantId', p_tenant, 'subjectId', p_subject, 'userId', p_user, 'data', p_data)::text
$$;

-- Whether an endpoint wants events of a type: all, that one, or "project.*".
CREATE FUNCTION webhook_wants(p_event_types text[], p_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT p_event_types = '{}' OR p_event_types && ARRAY['*', p_type, split_part(p_type, '.', 1) || '.*'] $$;

-- The endpoints that have deliveries waiting, of one tenant, and of all in turns: see claim_webhooks().
CREATE FUNCTION waiting_endpoints(p_tenant uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
	WITH RECURSIVE walk AS (
		(SELECT d.endpoint_id FROM webhook_deliveries d
		 WHERE d.state = 'waiting' AND d.tenant_id = p_tenant
		 ORDER BY d.endpoint_id LIMIT 1)
		UNION ALL
		SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
			WHERE d.state = 'waiting' AND d.tenant_id = p_tenant AND d.endpoint_id > w.endpoint_id
			ORDER BY d.endpoint_id LIMIT 1)
		FROM walk w WHERE w.endpoint_id IS NOT NULL
	)
	SELECT endpoint_id FROM walk WHERE endpoint_id IS NOT NULL
$$;

-- Up to p_room tenants that have deliveries waiting: those behind p_after in the order of their ids, then from the beginning.
CREATE FUNCTION waiting_tenants(p_after uuid, p_room integer) RETURNS SETOF uuid LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
	WITH RECURSIVE later AS (
		(SELECT d.tenant_id FROM webhook_deliveries d
		 WHERE d.state = 'waiting' AND d.tenant_id > p_after
		 ORDER BY d.tenant_id LIMIT 1)
		UNION ALL
		SELECT (SELECT d.tenant_id FROM webhook_deliveries d
			WHERE d.state = 'waiting' AND d.tenant_id > l.tenant_id
			ORDER BY d.tenant_id LIMIT 1)
		FROM later l WHERE l.tenant_id IS NOT NULL
	), earlier AS (
		(SELECT d.tenant_id FROM webhook_deliveries d
		 WHERE d.state = 'waiting' AND d.tenant_id <= p_after
		 ORDER BY d.tenant_id LIMIT 1)
		UNION ALL
		SELECT (SELECT d.tenant_id FROM webhook_deliveries d
			WHERE d.state = 'waiting' AND d.tenant_id > e.tenant_id AND d.tenant_id <= p_after
			ORDER BY d.tenant_id LIMIT 1)
		FROM earlier e WHERE e.tenant_id IS NOT NULL
	)
	SELECT t.tenant_id
	FROM (SELECT tenant_id FROM later UNION ALL SELECT tenant_id FROM earlier) AS t
	WHERE t.tenant_id IS NOT NULL
	LIMIT p_room
$$;

-- Takes up to p_room deliveries that nobody else has, in turns among tenants, and among the endpoints of each: tenants have an equal
-- share of the room, and so have their endpoints in that. The caller begins the next round behind the tenant of the last row.
--
-- p_each: the most of one endpoint that may be under way at a time. That, an endpoint's rate (a bucket of one second) and its order are
-- exact over all senders, because the endpoint's state is locked; an endpoint that another sender looks at is left out.
CREATE FUNCTION claim_webhooks(p_sender text, p_room integer, p_each integer, p_lease interval, p_after uuid)
RETURNS TABLE (tenant_id uuid, id uuid, endpoint_id uuid, tries integer, attempts integer, message_id uuid, payload text, url text,
	       headers_sealed bytea, secret_sealed bytea, old_secret_sealed bytea)
LANGUAGE plpgsql
-- Planned once a connection, for a table that may be empty then and large later: by the indexes, always.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	left_over integer := p_room;
	next record;
	w record;
	may integer;
	taken integer;
BEGIN
	FOR next IN
		WITH tenants AS MATERIALIZED (
			SELECT t AS tenant_id, row_number() OVER () AS turn FROM waiting_tenants(p_after, p_room) AS t
		), share AS MATERIALIZED (
			SELECT greatest(1, p_room / greatest(1, count(*))) AS n FROM tenants
		)
		SELECT t.tenant_id, e AS endpoint_id,
		       greatest(1, (SELECT n FROM share) / count(*) OVER (PARTITION BY t.tenant_id)) AS share,
		       row_number() OVER (PARTITION BY t.tenant_id ORDER BY random()) <= (SELECT n FROM share) AS is_its_turn
		FROM tenants t CROSS JOIN LATERAL waiting_endpoints(t.tenant_id) AS e
		ORDER BY t.turn
	LOOP
		EXIT WHEN left_over <= 0;
		CONTINUE WHEN NOT next.is_its_turn;
		SELECT e.url, e.rate_limit, e.is_ordered, e.headers_sealed, e.secret_sealed,
		       CASE WHEN e.old_secret_expires_at > now() THEN e.old_secret_sealed END AS old_secret_sealed,
		       greatest(s.rate_at, clock_timestamp() - interval '1 second') AS rate_at
		INTO w
		FROM webhook_states s
		JOIN webhook_endpoints e ON e.tenant_id = s.tenant_id AND e.id = s.endpoint_id
		WHERE s.tenant_id = next.tenant_id AND s.endpoint_id = next.endpoint_id
		  AND s.disable_as IS NULL AND e.disabled_at IS NULL AND e.deleted_at IS NULL
		FOR NO KEY UPDATE OF s SKIP LOCKED;
		CONTINUE WHEN NOT FOUND;

		may := least(left_over, next.share, p_each - (
			SELECT count(*) FROM webhook_deliveries d
			WHERE d.state = 'active' AND d.tenant_id = next.tenant_id AND d.endpoint_id = next.endpoint_id));
		IF w.rate_limit IS NOT NULL THEN
			may := least(may, floor(extract(epoch FROM clock_timestamp() - w.rate_at) * w.rate_limit));
		END IF;
		IF w.is_ordered THEN
			PERFORM FROM webhook_deliveries d
			WHERE d.state IN ('active', 'delayed') AND d.tenant_id = next.tenant_id AND d.endpoint_id = next.endpoint_id;
			may := CASE WHEN FOUND THEN 0 ELSE least(may, 1) END;
		END IF;
		CONTINUE WHEN may <= 0;

		RETURN QUERY
		WITH chosen AS MATERIALIZED (
			SELECT n.id FROM webhook_deliveries n
			WHERE n.state = 'waiting' AND n.tenant_id = next.tenant_id AND n.endpoint_id = next.endpoint_id
			ORDER BY n.position, n.id
			LIMIT may
			FOR UPDATE
		), mine AS (
			UPDATE webhook_deliveries d
			SET state = 'active', sender = p_sender, leased_until = clock_timestamp() + p_lease
			FROM chosen n
			WHERE d.tenant_id = next.tenant_id AND d.id = n.id
			RETURNING d.id, d.tries, d.attempts, d.message_id
		)
		SELECT next.tenant_id, mine.id, next.endpoint_id, mine.tries, mine.attempts, m.id, m.payload, w.url::text,
		       w.headers_sealed, w.secret_sealed, w.old_secret_sealed
		FROM mine
		JOIN webhook_messages m ON m.tenant_id = next.tenant_id AND m.id = mine.message_id;
		GET DIAGNOSTICS taken = ROW_COUNT;

		left_over := left_over - taken;
		IF w.rate_limit IS NOT NULL AND taken > 0 THEN
			UPDATE webhook_states s SET rate_at = w.rate_at + taken * interval '1 second' / w.rate_limit
			WHERE s.tenant_id = next.tenant_id AND s.endpoint_id = next.endpoint_id;
		END IF;
	END LOOP;
END
$$;
