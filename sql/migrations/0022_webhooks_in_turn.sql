-- Webhooks: since when an endpoint is enabled, and turns that nobody can hold up.

-- Where an endpoint was disabled before: since when it is told of events again. NULL: since it was made.
ALTER TABLE webhook_endpoints ADD COLUMN enabled_at timestamptz;

-- For a tenant's own jobs: up to where events have become deliveries. Behind that they will.
GRANT SELECT (name, position) ON event_readers TO zygo_app;

-- Whether the acting seat, with the key that it acts by, does not hold a permission. A global admin without a seat lacks none.
CREATE FUNCTION lacks(p_permission text) RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT current_seat() IS NOT NULL AND p_permission <> ALL (current_permissions()) $$;

-- As in 0011. What is new: an endpoint that fails has a tenth of p_each, and a tenant about five times p_each, so that endpoints which let
-- everybody wait do not take all places; what waits for an endpoint that is off is cancelled by who would send it; and 100 tenants are
-- looked at though there is room for fewer, since what some have may be held back by a rate, an order or a limit.
CREATE OR REPLACE FUNCTION claim_webhooks(p_sender text, p_room integer, p_each integer, p_lease interval, p_after uuid)
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
	tenant uuid;
	room_of_tenant integer;
BEGIN
	IF p_room <= 0 THEN
		RETURN;
	END IF;

	FOR next IN
		WITH tenants AS MATERIALIZED (
			SELECT t AS tenant_id, row_number() OVER () AS turn FROM waiting_tenants(p_after, greatest(p_room, 100)) AS t
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
		IF tenant IS DISTINCT FROM next.tenant_id THEN
			tenant := next.tenant_id;
			SELECT 5 * p_each - count(*) INTO room_of_tenant
			FROM webhook_deliveries d
			WHERE d.state = 'active' AND d.tenant_id = next.tenant_id;
		END IF;
		CONTINUE WHEN room_of_tenant <= 0;

		SELECT e.url, e.rate_limit, e.is_ordered, e.headers_sealed, e.secret_sealed,
		       CASE WHEN e.old_secret_expires_at > now() THEN e.old_secret_sealed END AS old_secret_sealed,
		       greatest(s.rate_at, clock_timestamp() - interval '1 second') AS rate_at,
		       CASE WHEN s.failing_since IS NULL THEN p_each ELSE greatest(1, p_each / 10) END AS each,
		       s.disable_as IS NOT NULL AS is_to_stop, e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL AS is_off
		INTO w
		FROM webhook_states s
		JOIN webhook_endpoints e ON e.tenant_id = s.tenant_id AND e.id = s.endpoint_id
		WHERE s.tenant_id = next.tenant_id AND s.endpoint_id = next.endpoint_id
		FOR NO KEY UPDATE OF s SKIP LOCKED;
		CONTINUE WHEN NOT FOUND OR (w.is_to_stop AND NOT w.is_off);

		IF w.is_off THEN -- what came to wait beside the job that cancels
			WITH rest AS MATERIALIZED (
				SELECT n.id FROM webhook_deliveries n
				JOIN webhook_endpoints e ON e.tenant_id = n.tenant_id AND e.id = n.endpoint_id
				WHERE n.state = 'waiting' AND n.tenant_id = next.tenant_id AND n.endpoint_id = next.endpoint_id
				  AND (e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL)
				LIMIT 1000
				FOR UPDATE OF n SKIP LOCKED
			)
			UPDATE webhook_deliveries d
			SET state = 'cancelled', finished_at = clock_timestamp(), error = 'The webhook was disabled or deleted'
			FROM rest
			WHERE d.tenant_id = next.tenant_id AND d.id = rest.id;
			CONTINUE;
		END IF;

		may := least(left_over, next.share, room_of_tenant, w.each - (
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
		room_of_tenant := room_of_tenant - taken;
		IF w.rate_limit IS NOT NULL AND taken > 0 THEN
			UPDATE webhook_states s SET rate_at = w.rate_at + taken * interval '1 second' / w.rate_limit
			WHERE s.tenant_id = next.tenant_id AND s.endpoint_id = next.endpoint_id;
		END IF;
	END LOOP;
END
$$;

-- As in 0008, with a limit for tenants whose own says none.
CREATE OR REPLACE FUNCTION within_limit() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	most bigint;
	are bigint;
BEGIN
	SELECT coalesce(limits ->> TG_ARGV[0], TG_ARGV[3])::bigint INTO most FROM tenants WHERE id = NEW.tenant_id;
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
-- Each event becomes as many deliveries as there are endpoints that want it.
DROP TRIGGER within_limit ON webhook_endpoints;
CREATE TRIGGER within_limit AFTER INSERT ON webhook_endpoints
	FOR EACH ROW EXECUTE FUNCTION within_limit('webhooks', 'deleted_at IS NULL', 'webhooks', '100');

-- As in 0010, and what is too long keeps its type, so that it fits its schema.
CREATE OR REPLACE FUNCTION shown_value(p_column text, p_value jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_value = 'null' THEN p_value
		    WHEN p_column ~ '(hash|secret|sealed|token|password)' OR starts_with(p_value #>> '{}', '\x') THEN '"[redacted]"'
		    WHEN right(p_column, 3) = '_at' AND p_value #>> '{}' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)?$'
		    THEN to_jsonb(to_char((p_value #>> '{}')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
		    WHEN length(p_value::text) > 4000 THEN CASE jsonb_typeof(p_value) WHEN 'array' THEN '["[long]"]'
									       WHEN 'object' THEN '{"[long]": true}'
									       ELSE '"[long]"' END::jsonb
		    ELSE p_value END
$$;
