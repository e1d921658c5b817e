-- Webhooks behind the scenes: events become deliveries, senders take them and say what became of them. src/domains/webhooks/README.md has
-- the idea.

------------------------------------------------------------------------------------------------------------
-- The reader of events

-- Not to an endpoint of the events of its own making, or of what happened before it was enabled.  $1 the types that webhooks may subscribe to.
-- name: webhooks_fan_out :exec  role: system
WITH wanted AS MATERIALIZED (
	SELECT e.position, e.tenant_id, e.id, e.type, e.subject_id, e.user_id, e.data, e.created_at, w.id AS endpoint_id
	FROM events_at_hand() AS e
	JOIN webhook_endpoints w ON w.tenant_id = e.tenant_id AND w.disabled_at IS NULL AND w.deleted_at IS NULL
	  AND coalesce(w.enabled_at, w.created_at) < e.created_at AND webhook_wants(w.event_types, e.type)
	WHERE e.type = ANY ($1::text[])
), messages AS (
	INSERT INTO webhook_messages (tenant_id, id, type, payload, created_at)
	SELECT DISTINCT ON (n.tenant_id, n.id) n.tenant_id, n.id, n.type,
	       webhook_payload(n.type, n.id, n.created_at, n.tenant_id, n.subject_id, n.user_id, n.data), n.created_at
	FROM wanted n
	ON CONFLICT ON CONSTRAINT webhook_messages_pkey DO NOTHING
), deliveries AS (
	INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, type, position, due_at, created_at)
	SELECT n.tenant_id, uuid_v7(), n.endpoint_id, n.id, n.type, n.position, now(), n.created_at
	FROM wanted n
	RETURNING id
)
SELECT pg_notify('zygo_webhooks', '') WHERE EXISTS (SELECT FROM deliveries);

------------------------------------------------------------------------------------------------------------
-- A sender

-- name: webhooks_listen :exec
LISTEN zygo_webhooks;

-- take_webhooks() in sql/migrations/0039 says what the parameters and rows are; $4 in microseconds.
-- name: webhooks_claim :many  role: system
SELECT tenant_id, id, endpoint_id, tries, attempts, message_id, payload, url, headers_sealed, secret_sealed, old_secret_sealed
FROM take_webhooks($1, $2, $3, $4::bigint * interval '1 microsecond', coalesce($5, platform_tenant()));

-- What has become of attempts; of deliveries that were given to somebody else meanwhile, nothing. delay_us: until the next try; NULL: it is
-- over. What would be tried again is cancelled when its endpoint is disabled or deleted. An endpoint fails for as long as it has given
-- nothing but failures, without a day's rest; after $3 microseconds, or when it says that it is gone, it is to be disabled.
-- $1 attempts, as a JSON array; $2 sender.
-- name: webhooks_settle :exec  role: system
WITH said AS MATERIALIZED (
	SELECT s.tenant, s.id, s.endpoint, s.number, s.delivered, s.gone, s.delay_us, s.url, s.request_headers, s.status, s.response_headers,
	       s.response_body, s.error, s.duration_us, s.started_us,
	       EXISTS (SELECT FROM webhook_endpoints w WHERE w.tenant_id = s.tenant AND w.id = s.endpoint
		       AND (w.disabled_at IS NOT NULL OR w.deleted_at IS NOT NULL)) AS is_off
	FROM jsonb_to_recordset($1::jsonb) AS s (tenant uuid, id uuid, endpoint uuid, number integer, delivered boolean, gone boolean,
		delay_us bigint, url text, request_headers jsonb, status integer, response_headers jsonb, response_body text, error text,
		duration_us bigint, started_us bigint)
), settled AS (
	UPDATE webhook_deliveries d
	SET state = CASE WHEN s.delivered THEN 'delivered' WHEN s.delay_us IS NULL THEN 'failed' WHEN s.is_off THEN 'cancelled'
		     ELSE 'delayed' END,
	    attempts = s.number, tries = d.tries + 1, status = s.status, error = s.error, sender = NULL, leased_until = NULL,
	    due_at = CASE WHEN s.delay_us IS NULL THEN d.due_at ELSE clock_timestamp() + s.delay_us * interval '1 microsecond' END,
	    finished_at = CASE WHEN s.delivered OR s.delay_us IS NULL OR s.is_off THEN clock_timestamp() END
	FROM said s
	WHERE d.tenant_id = s.tenant AND d.id = s.id AND d.state = 'active' AND d.sender = $2 AND d.attempts = s.number - 1
	RETURNING s.tenant, s.id, s.endpoint, s.number, s.delivered, s.gone, s.delay_us, s.url, s.request_headers, s.status, s.response_headers,
		s.response_body, s.error, s.duration_us, s.started_us
), noted AS (
	INSERT INTO webhook_attempts (tenant_id, delivery_id, number, url, request_headers, status, response_headers, response_body, error,
				      duration_us, started_at)
	SELECT tenant, id, number, url, request_headers, status, response_headers, response_body, error, duration_us,
	       to_timestamp(started_us / 1000000.0)
	FROM settled
	ON CONFLICT ON CONSTRAINT webhook_attempts_pkey DO NOTHING
), forgotten AS ( -- replayed for ever, a delivery has no more than are shown
	DELETE FROM webhook_attempts a
	USING settled s
	WHERE a.tenant_id = s.tenant AND a.delivery_id = s.id AND a.number <= s.number - 50
), sums AS MATERIALIZED (
	SELECT tenant, endpoint, count(*) AS attempts, count(*) FILTER (WHERE NOT delivered) AS failures,
	       count(*) FILTER (WHERE delivered) AS delivered, count(*) FILTER (WHERE NOT delivered AND delay_us IS NULL) AS given_up,
	       bool_or(gone) AS gone, sum(duration_us) AS duration_us, max(duration_us) AS duration_max_us
	FROM settled
	GROUP BY tenant, endpoint
), counted AS (
	INSERT INTO webhook_stats AS t (tenant_id, endpoint_id, hour, delivered, given_up, attempts, failures, duration_us, duration_max_us)
	SELECT tenant, endpoint, date_trunc('hour', now()), delivered, given_up, attempts, failures, duration_us, duration_max_us
	FROM sums
	ORDER BY tenant, endpoint
	ON CONFLICT ON CONSTRAINT webhook_stats_pkey DO UPDATE
	SET delivered = t.delivered + excluded.delivered, given_up = t.given_up + excluded.given_up,
	    attempts = t.attempts + excluded.attempts, failures = t.failures + excluded.failures,
	    duration_us = t.duration_us + excluded.duration_us,
	    duration_max_us = greatest(t.duration_max_us, excluded.duration_max_us)
), measured AS (
	INSERT INTO webhook_senders AS t (minute, sender, delivered, failures, duration_us)
	SELECT date_trunc('minute', now()), $2, sum(delivered), sum(failures), sum(duration_us) FROM sums HAVING count(*) > 0
	ON CONFLICT ON CONSTRAINT webhook_senders_pkey DO UPDATE
	SET delivered = t.delivered + excluded.delivered, failures = t.failures + excluded.failures,
	    duration_us = t.duration_us + excluded.duration_us
), locked AS MATERIALIZED (
	SELECT t.tenant_id, t.endpoint_id, n.failures, n.delivered, n.gone,
	       CASE WHEN n.delivered > 0 THEN NULL
		    WHEN t.last_failure_at > now() - interval '1 day' THEN coalesce(t.failing_since, now())
		    ELSE now() END AS failing_since
	FROM sums n
	JOIN webhook_states t ON t.tenant_id = n.tenant AND t.endpoint_id = n.endpoint
	ORDER BY t.tenant_id, t.endpoint_id
	FOR NO KEY UPDATE OF t
)
UPDATE webhook_states t
SET last_success_at = CASE WHEN l.delivered > 0 THEN now() ELSE t.last_success_at END,
    last_failure_at = CASE WHEN l.failures > 0 THEN now() ELSE t.last_failure_at END,
    failing_since = l.failing_since,
    disable_as = CASE WHEN l.gone THEN 'gone'
		      WHEN l.failing_since < now() - $3::bigint * interval '1 microsecond' THEN 'failing'
		      ELSE t.disable_as END
FROM locked l
WHERE t.tenant_id = l.tenant_id AND t.endpoint_id = l.endpoint_id;

-- What a sender that leaves has taken and not finished.  $1 sender.
-- name: webhooks_hand_back :exec  role: system
UPDATE webhook_deliveries SET state = 'waiting', sender = NULL, leased_until = NULL WHERE state = 'active' AND sender = $1;

------------------------------------------------------------------------------------------------------------
-- What time demands, once a second by whichever sender

-- Deliveries whose delay is over, some of each tenant's at a time.
-- name: webhooks_promote :exec  role: system
SELECT promote_webhooks(2000);

-- Deliveries whose sender is dead, or has been cut off for so long that another may try.
-- name: webhooks_rescue :exec  role: system
WITH lost AS MATERIALIZED (
	SELECT n.tenant_id, n.id
	FROM webhook_deliveries n
	WHERE n.state = 'active' AND n.leased_until < now()
	FOR UPDATE SKIP LOCKED
)
UPDATE webhook_deliveries d
SET state = 'waiting', sender = NULL, leased_until = NULL
FROM lost
WHERE d.tenant_id = lost.tenant_id AND d.id = lost.id;

-- Endpoints that a job is to disable.
-- name: webhooks_to_disable :many  role: system
SELECT s.tenant_id, s.endpoint_id, s.disable_as
FROM webhook_states s
JOIN webhook_endpoints w ON w.tenant_id = s.tenant_id AND w.id = s.endpoint_id
WHERE s.disable_as IS NOT NULL AND w.disabled_at IS NULL AND w.deleted_at IS NULL
LIMIT 100;

------------------------------------------------------------------------------------------------------------
-- Metrics

-- lagMs: of what is held back by nothing but the senders.
-- name: webhooks_metrics :one  role: system
SELECT (SELECT count(*) FROM (SELECT FROM webhook_deliveries WHERE state = 'waiting' LIMIT 100000) AS n) AS "waiting",
       (SELECT count(*) FROM (SELECT FROM webhook_deliveries WHERE state = 'delayed' LIMIT 100000) AS n) AS "delayed",
       (SELECT count(*) FROM webhook_deliveries WHERE state = 'active') AS "active",
       (SELECT coalesce(max(extract(epoch FROM now() - n.due_at) * 1000), 0)::bigint
	FROM (SELECT d.due_at
	      FROM webhook_deliveries d
	      JOIN webhook_states t ON t.tenant_id = d.tenant_id AND t.endpoint_id = d.endpoint_id
	      JOIN webhook_endpoints w ON w.tenant_id = d.tenant_id AND w.id = d.endpoint_id
	      WHERE d.state = 'waiting' AND t.failing_since IS NULL AND NOT w.is_ordered AND w.rate_limit IS NULL
	      LIMIT 1000) AS n) AS "lagMs",
       coalesce(sum(s.delivered), 0)::bigint AS "delivered", coalesce(sum(s.failures), 0)::bigint AS "failures",
       (sum(s.duration_us) / nullif(sum(s.delivered + s.failures), 0) / 1000)::bigint AS "durationMs"
FROM webhook_senders s
WHERE s.minute > now() - interval '5 minutes';
