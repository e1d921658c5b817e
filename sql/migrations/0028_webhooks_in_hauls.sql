-- Webhooks: whose turn it is, all at once, and retries in turns too.

-- As in 0011, as one walk that goes round, with a plan that is kept: an SQL function makes its own each time that it is called.
CREATE OR REPLACE FUNCTION waiting_tenants(p_after uuid, p_room integer) RETURNS SETOF uuid LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
BEGIN
	RETURN QUERY
	WITH RECURSIVE walk AS (
		SELECT p_after AS tenant_id, false AS waits
		UNION -- where it comes to somebody a second time, it ends
		SELECT n.tenant_id, true
		FROM walk w
		CROSS JOIN LATERAL (
			(SELECT d.tenant_id FROM webhook_deliveries d
			 WHERE d.state = 'waiting' AND d.tenant_id > w.tenant_id
			 ORDER BY d.tenant_id LIMIT 1)
			UNION ALL
			(SELECT d.tenant_id FROM webhook_deliveries d WHERE d.state = 'waiting' ORDER BY d.tenant_id LIMIT 1)
			LIMIT 1
		) AS n
	)
	SELECT w.tenant_id FROM walk w WHERE w.waits LIMIT p_room;
END
$$;

-- Planned as take_webhooks() says, which alone calls it.
CREATE OR REPLACE FUNCTION waiting_endpoints(p_tenant uuid) RETURNS SETOF uuid LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	WITH RECURSIVE walk AS (
		SELECT platform_tenant() AS endpoint_id, false AS waits -- an id before all others
		UNION ALL
		SELECT n.endpoint_id, true
		FROM walk w
		CROSS JOIN LATERAL (
			SELECT d.endpoint_id FROM webhook_deliveries d
			WHERE d.state = 'waiting' AND d.tenant_id = p_tenant AND d.endpoint_id > w.endpoint_id
			ORDER BY d.endpoint_id LIMIT 1
		) AS n
	)
	SELECT w.endpoint_id FROM walk w WHERE w.waits;
END
$$;

-- Takes up to p_room deliveries that nobody else has, in turns among tenants, and among the endpoints of each: tenants have an equal share
-- of the room, and so have their endpoints in that. 100 tenants are looked at though there is room for fewer, since what some have may be
-- held back. When all is, the only row has no id; no row: nothing waits. The caller begins the next round behind the tenant of the last row.
--
-- p_each: the most of one endpoint that may be under way at a time; a tenth of that while it fails, and about five times that of a tenant.
-- That of an endpoint, its rate (a bucket of one second) and its order are exact over all senders, because its state is locked; an endpoint
-- that another sender looks at is left out. What waits for one that is off came beside the job that cancels, and is cancelled.
CREATE FUNCTION take_webhooks(p_sender text, p_room integer, p_each integer, p_lease interval, p_after uuid)
RETURNS TABLE (tenant_id uuid, id uuid, endpoint_id uuid, tries integer, attempts integer, message_id uuid, payload text, url text,
	       headers_sealed bytea, secret_sealed bytea, old_secret_sealed bytea)
LANGUAGE plpgsql
-- Planned once a connection, for a table that may be empty then and large later: by the indexes, always.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	tenants uuid[];
	endpoints uuid[];
	shares bigint[];
	last uuid;
BEGIN
	IF p_room <= 0 THEN
		RETURN;
	END IF;

	WITH tenants AS MATERIALIZED (
		SELECT t.tenant_id, t.turn,
		       least(greatest(1, p_room / count(*) OVER ()), 5 * p_each - (
				SELECT count(*) FROM webhook_deliveries d WHERE d.state = 'active' AND d.tenant_id = t.tenant_id)) AS share
		FROM waiting_tenants(p_after, greatest(p_room, 100)) WITH ORDINALITY AS t (tenant_id, turn)
	), turns AS MATERIALIZED (
		SELECT t.turn, t.tenant_id, e.endpoint_id, greatest(1, t.share / e.n) AS share
		FROM tenants t
		CROSS JOIN LATERAL (
			SELECT w AS endpoint_id, count(*) OVER () AS n
			FROM waiting_endpoints(t.tenant_id) AS w
			ORDER BY random()
			LIMIT greatest(0, t.share)
		) AS e
	), locked AS MATERIALIZED (
		SELECT t.turn, t.tenant_id, t.endpoint_id, t.share
		FROM turns t
		JOIN webhook_states s ON s.tenant_id = t.tenant_id AND s.endpoint_id = t.endpoint_id
		FOR NO KEY UPDATE OF s SKIP LOCKED
	)
	SELECT array_agg(l.tenant_id ORDER BY l.turn), array_agg(l.endpoint_id ORDER BY l.turn), array_agg(l.share ORDER BY l.turn),
	       (SELECT t.tenant_id FROM tenants t ORDER BY t.turn DESC LIMIT 1)
	INTO tenants, endpoints, shares, last
	FROM locked l;

	-- A statement of its own, which sees what others took before they let go of the locks.
	RETURN QUERY
	WITH turns AS MATERIALIZED (
		SELECT t.turn, t.share, s.tenant_id, s.endpoint_id, s.failing_since, p.rate_at, e.rate_limit, e.is_ordered, e.url,
		       e.headers_sealed, e.secret_sealed,
		       CASE WHEN e.old_secret_expires_at > now() THEN e.old_secret_sealed END AS old_secret_sealed,
		       e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL AS is_off,
		       (SELECT count(*) FROM webhook_deliveries d
			WHERE d.state = 'active' AND d.tenant_id = s.tenant_id AND d.endpoint_id = s.endpoint_id) AS active,
		       floor(extract(epoch FROM clock_timestamp() - p.rate_at) * e.rate_limit)::bigint AS within_rate
		FROM unnest(tenants, endpoints, shares) WITH ORDINALITY AS t (tenant_id, endpoint_id, share, turn)
		JOIN webhook_states s ON s.tenant_id = t.tenant_id AND s.endpoint_id = t.endpoint_id
		JOIN webhook_endpoints e ON e.tenant_id = s.tenant_id AND e.id = s.endpoint_id
		CROSS JOIN LATERAL (SELECT greatest(s.rate_at, clock_timestamp() - interval '1 second') AS rate_at) AS p
		WHERE s.disable_as IS NULL OR e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL
	), chosen AS MATERIALIZED (
		SELECT t.turn, t.tenant_id, t.endpoint_id, t.is_off, n.ctid
		FROM turns t
		CROSS JOIN LATERAL (SELECT CASE
			WHEN t.is_off THEN t.share
			WHEN NOT t.is_ordered THEN
				least(t.share, t.within_rate, CASE WHEN t.failing_since IS NULL THEN p_each ELSE greatest(1, p_each / 10) END - t.active)
			WHEN t.active > 0 OR EXISTS (SELECT FROM webhook_deliveries d WHERE d.state = 'delayed' AND d.tenant_id = t.tenant_id
						     AND d.endpoint_id = t.endpoint_id) THEN 0
			ELSE least(1, t.within_rate) END AS n) AS may
		CROSS JOIN LATERAL (
			SELECT d.ctid FROM webhook_deliveries d
			WHERE d.state = 'waiting' AND d.tenant_id = t.tenant_id AND d.endpoint_id = t.endpoint_id
			ORDER BY d.position, d.id
			LIMIT greatest(0, may.n)
			FOR UPDATE SKIP LOCKED
		) AS n
		LIMIT p_room
	), cancelled AS (
		UPDATE webhook_deliveries d
		SET state = 'cancelled', finished_at = clock_timestamp(), error = 'The webhook was disabled or deleted'
		FROM chosen c
		WHERE d.ctid = c.ctid AND c.is_off
	), paced AS (
		UPDATE webhook_states s
		SET rate_at = t.rate_at + c.n * interval '1 second' / t.rate_limit
		FROM (SELECT turn, count(*) AS n FROM chosen WHERE NOT is_off GROUP BY turn) AS c
		JOIN turns t ON t.turn = c.turn AND t.rate_limit IS NOT NULL
		WHERE s.tenant_id = t.tenant_id AND s.endpoint_id = t.endpoint_id
	), mine AS (
		UPDATE webhook_deliveries d
		SET state = 'active', sender = p_sender, leased_until = clock_timestamp() + p_lease
		FROM chosen c
		WHERE d.ctid = c.ctid AND NOT c.is_off
		RETURNING c.turn, d.position, d.id, d.tries, d.attempts, d.message_id
	)
	SELECT t.tenant_id, d.id, t.endpoint_id, d.tries, d.attempts, m.id, m.payload, t.url::text, t.headers_sealed, t.secret_sealed,
	       t.old_secret_sealed
	FROM mine d
	JOIN turns t ON t.turn = d.turn
	JOIN webhook_messages m ON m.tenant_id = t.tenant_id AND m.id = d.message_id
	ORDER BY d.turn, d.position, d.id;

	IF NOT FOUND AND last IS NOT NULL THEN
		tenant_id := last;
		RETURN NEXT;
	END IF;
END
$$;

-- For senders of the release before, which know no row without an id.
CREATE OR REPLACE FUNCTION claim_webhooks(p_sender text, p_room integer, p_each integer, p_lease interval, p_after uuid)
RETURNS TABLE (tenant_id uuid, id uuid, endpoint_id uuid, tries integer, attempts integer, message_id uuid, payload text, url text,
	       headers_sealed bytea, secret_sealed bytea, old_secret_sealed bytea)
LANGUAGE sql
AS $$ SELECT t.* FROM take_webhooks(p_sender, p_room, p_each, p_lease, p_after) AS t WHERE t.id IS NOT NULL $$;

-- Who has a delivery delayed, and whose is due.
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (tenant_id, endpoint_id, due_at) WHERE state = 'delayed';
DROP INDEX webhook_deliveries_later_idx;

-- Lets deliveries whose delay is over wait for a sender: the p_most oldest. When there are more, then of each tenant that has any the same
-- share of as many again, and of its endpoints the same of that: so one tenant's many are not in the way of others' few.
CREATE FUNCTION promote_webhooks(p_most integer) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
	promoted integer;
BEGIN
	WITH due AS MATERIALIZED (
		SELECT n.ctid
		FROM webhook_deliveries n
		WHERE n.state = 'delayed' AND n.due_at <= now()
		ORDER BY n.due_at
		LIMIT p_most
		FOR UPDATE SKIP LOCKED
	)
	UPDATE webhook_deliveries d SET state = 'waiting' FROM due WHERE d.ctid = due.ctid;
	GET DIAGNOSTICS promoted = ROW_COUNT;
	IF promoted < p_most THEN
		RETURN;
	END IF;

	WITH RECURSIVE endpoints AS ( -- each with its oldest
		(SELECT d.tenant_id, d.endpoint_id, d.due_at FROM webhook_deliveries d
		 WHERE d.state = 'delayed'
		 ORDER BY d.tenant_id, d.endpoint_id, d.due_at LIMIT 1)
		UNION ALL
		SELECT n.tenant_id, n.endpoint_id, n.due_at
		FROM endpoints e
		CROSS JOIN LATERAL (
			SELECT d.tenant_id, d.endpoint_id, d.due_at FROM webhook_deliveries d
			WHERE d.state = 'delayed' AND (d.tenant_id, d.endpoint_id) > (e.tenant_id, e.endpoint_id)
			ORDER BY d.tenant_id, d.endpoint_id, d.due_at LIMIT 1
		) AS n
	), late AS MATERIALIZED (
		SELECT e.tenant_id, e.endpoint_id, count(*) OVER (PARTITION BY e.tenant_id) AS n
		FROM endpoints e
		WHERE e.due_at <= now()
	), due AS MATERIALIZED (
		SELECT n.ctid
		FROM late l
		CROSS JOIN LATERAL (
			SELECT d.ctid FROM webhook_deliveries d
			WHERE d.state = 'delayed' AND d.tenant_id = l.tenant_id AND d.endpoint_id = l.endpoint_id AND d.due_at <= now()
			ORDER BY d.due_at
			LIMIT greatest(1, p_most / (SELECT count(DISTINCT o.tenant_id) FROM late o) / l.n)
			FOR UPDATE SKIP LOCKED
		) AS n
	)
	UPDATE webhook_deliveries d SET state = 'waiting' FROM due WHERE d.ctid = due.ctid;
END
$$;
