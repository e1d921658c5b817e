-- Webhooks: a sender that comes beside another is told so, as take_webhooks() of 0028 did not.

-- Takes up to p_room deliveries that nobody else has, in turns among tenants, and among the endpoints of each: tenants have an equal share
-- of the room, and so have their endpoints in that. 100 tenants are looked at though there is room for fewer, since what some have may be
-- held back. No row: nothing waits. When nothing that waits can be taken, the only row has no id; and an endpoint_id, when that one was left
-- out because another sender looks at it, so that there may be something to take as soon as that sender is through. The caller begins the
-- next round behind the tenant of the last row.
--
-- p_each: the most of one endpoint that may be under way at a time; a tenth of that while it fails, and about five times that of a tenant.
-- That of an endpoint, its rate (a bucket of one second) and its order are exact over all senders, because its state is locked; an endpoint
-- that another sender looks at is left out. What waits for one that is off came beside the job that cancels, and is cancelled.
CREATE OR REPLACE FUNCTION take_webhooks(p_sender text, p_room integer, p_each integer, p_lease interval, p_after uuid)
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
	busy uuid;
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
	       (SELECT t.tenant_id FROM tenants t ORDER BY t.turn DESC LIMIT 1),
	       (SELECT t.endpoint_id FROM turns t EXCEPT SELECT o.endpoint_id FROM locked o LIMIT 1)
	INTO tenants, endpoints, shares, last, busy
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
		endpoint_id := busy;
		RETURN NEXT;
	END IF;
END
$$;
