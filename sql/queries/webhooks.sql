-- Webhooks as people see them: endpoints, deliveries, attempts. What senders and the reader of events do is in
-- sql/queries/webhooks_sending.sql.

------------------------------------------------------------------------------------------------------------
-- Endpoints

-- $1 id, $2 url, $3 description, $4 types of events, $5 names of headers, $6 headers sealed, $7 rate, $8 ordered, $9 secret sealed,
-- $10 enabled.
-- name: webhooks_create :exec
WITH made AS (
	INSERT INTO webhook_endpoints (tenant_id, id, url, description, event_types, header_names, headers_sealed, rate_limit, is_ordered,
				       secret_sealed, disabled_at, disabled_reason)
	VALUES (current_tenant(), $1, $2, $3, $4::text[], $5::text[], $6::bytea, $7, $8, $9::bytea,
		CASE WHEN NOT $10 THEN now() END, CASE WHEN NOT $10 THEN 'request' END)
	RETURNING tenant_id, id
)
INSERT INTO webhook_states (tenant_id, endpoint_id) SELECT tenant_id, id FROM made;

-- Nobody has others told of what they may not see themselves.  $1 id, $2 types of events, $3 the permission that each takes.
-- name: webhooks_may_tell :exec
SELECT refuse('ZY403', format('You cannot have a webhook told of %s: you do not hold %s', t.type, t.permission), t.permission)
FROM webhook_endpoints w
JOIN unnest($2::text[], $3::text[]) AS t (type, permission) ON webhook_wants(w.event_types, t.type)
WHERE w.id = $1 AND lacks(t.permission)
LIMIT 1;

-- name: webhooks_get :one  reply: Webhook  noun: Webhook
SELECT w.id, w.url, w.description, w.event_types AS "eventTypes", w.header_names AS "headerNames", w.rate_limit AS "rateLimit",
       w.is_ordered AS "ordered", w.disabled_at IS NULL AS "enabled", w.disabled_reason AS "disabledReason", w.disabled_at AS "disabledAt",
       s.failing_since AS "failingSince", s.last_success_at AS "lastSuccessAt", s.last_failure_at AS "lastFailureAt",
       CASE WHEN w.old_secret_expires_at > now() THEN w.old_secret_expires_at END AS "oldSecretExpiresAt",
       w.created_at AS "createdAt", w.updated_at AS "updatedAt", w.version
FROM webhook_endpoints w
JOIN webhook_states s ON s.tenant_id = w.tenant_id AND s.endpoint_id = w.id
WHERE w.id = $1 AND w.deleted_at IS NULL;

-- $1 text to find in url or description, as LIKE wants it; $2 whether enabled; $3 a type of event that it gets.
-- name: webhooks_list :page  reply: Webhook
-- sort: createdAt w.created_at timestamptz, url w.url text
-- id: w.id
SELECT w.id, w.url, w.description, w.event_types AS "eventTypes", w.header_names AS "headerNames", w.rate_limit AS "rateLimit",
       w.is_ordered AS "ordered", w.disabled_at IS NULL AS "enabled", w.disabled_reason AS "disabledReason", w.disabled_at AS "disabledAt",
       s.failing_since AS "failingSince", s.last_success_at AS "lastSuccessAt", s.last_failure_at AS "lastFailureAt",
       CASE WHEN w.old_secret_expires_at > now() THEN w.old_secret_expires_at END AS "oldSecretExpiresAt",
       w.created_at AS "createdAt", w.updated_at AS "updatedAt", w.version
FROM webhook_endpoints w
JOIN webhook_states s ON s.tenant_id = w.tenant_id AND s.endpoint_id = w.id
WHERE w.deleted_at IS NULL
  AND ($1::text IS NULL OR w.url ILIKE $1 OR w.description ILIKE $1)
  AND ($2::boolean IS NULL OR (w.disabled_at IS NULL) = $2)
  AND ($3::text IS NULL OR webhook_wants(w.event_types, $3));

-- $1 id, $2 If-Match; then for each field whether it is given, and its value: url, description, types of events, rate, ordered, whether
-- enabled; headers: whether given, names, sealed.
-- name: webhooks_update :one  noun: Webhook
UPDATE webhook_endpoints
SET url = CASE WHEN $3 THEN $4 ELSE url END,
    description = CASE WHEN $5 THEN $6 ELSE description END,
    event_types = CASE WHEN $7 THEN $8::text[] ELSE event_types END,
    rate_limit = CASE WHEN $9 THEN $10 ELSE rate_limit END,
    is_ordered = CASE WHEN $11 THEN $12 ELSE is_ordered END,
    disabled_at = CASE WHEN NOT $13 THEN disabled_at WHEN NOT $14 THEN coalesce(disabled_at, now()) END,
    enabled_at = CASE WHEN $13 AND $14 AND disabled_at IS NOT NULL THEN now() ELSE enabled_at END,
    disabled_reason = CASE WHEN NOT $13 THEN disabled_reason WHEN NOT $14 THEN coalesce(disabled_reason, 'request') END,
    header_names = CASE WHEN $15 THEN $16::text[] ELSE header_names END,
    headers_sealed = CASE WHEN $15 THEN $17::bytea ELSE headers_sealed END,
    updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- One that begins anew has never failed.  $1 id.
-- name: webhooks_forget_failures :exec
UPDATE webhook_states SET failing_since = NULL, last_failure_at = NULL, disable_as = NULL WHERE endpoint_id = $1;

-- $1 id, $2 If-Match, $3 the new secret sealed, $4 how long the old one signs still, in seconds.
-- name: webhooks_rotate_secret :one  noun: Webhook
UPDATE webhook_endpoints
SET old_secret_sealed = CASE WHEN $4::bigint > 0 THEN secret_sealed END,
    old_secret_expires_at = CASE WHEN $4::bigint > 0 THEN now() + $4::bigint * interval '1 second' END,
    secret_sealed = $3::bytea, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- $1 id, $2 If-Match.
-- name: webhooks_delete :one  noun: Webhook
UPDATE webhook_endpoints
SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- By what sending found out; no row: it is disabled already, was enabled anew meanwhile, or is not there any more.  $1 id, $2 reason.
-- name: webhooks_disable :opt
UPDATE webhook_endpoints w
SET disabled_at = now(), disabled_reason = $2, updated_at = now(), version = w.version + 1
FROM webhook_states s
WHERE w.id = $1 AND w.deleted_at IS NULL AND w.disabled_at IS NULL
  AND s.tenant_id = w.tenant_id AND s.endpoint_id = w.id AND s.disable_as = $2
RETURNING w.url;

-- Locks the endpoint that something is to be sent to.  $1 id.
-- name: webhooks_must_be_enabled :one  noun: Webhook
SELECT id
FROM webhook_endpoints
WHERE id = $1 AND deleted_at IS NULL
  AND (disabled_at IS NULL OR refuse('ZY409', 'The webhook is disabled: enable it first', '', 'enabled'))
FOR SHARE;

-- A message that is no event's, to one endpoint.  $1 endpoint, $2 delivery, $3 message, $4 type, $5 data.
-- name: webhooks_test :exec
WITH message AS (
	INSERT INTO webhook_messages (tenant_id, id, type, payload, created_at)
	VALUES (current_tenant(), $3::uuid, $4,
		webhook_payload($4, $3::uuid, now(), current_tenant(), NULL, current_seat(), $5::jsonb), now())
	RETURNING tenant_id, id, type, created_at
)
INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, type, position, due_at, created_at)
SELECT tenant_id, $2::uuid, $1::uuid, id, type, 0, now(), created_at FROM message;

-- Calls the senders, at the commit.
-- name: webhooks_call :exec
SELECT pg_notify('zygo_webhooks', '');

------------------------------------------------------------------------------------------------------------
-- Deliveries

-- $1 endpoint, $2 status, $3 type of event, $4 and $5 from when to when, $6 message, whose deliveries have its moment. Whether the endpoint
-- is there is asked once, before any row.
-- name: webhooks_deliveries :page  reply: WebhookDelivery
-- sort: -createdAt created_at timestamptz
SELECT id, endpoint_id AS "webhookId", message_id AS "messageId", type AS "eventType", state AS "status", attempts,
       status AS "responseStatus", error, CASE WHEN state IN ('waiting', 'delayed') THEN due_at END AS "nextAttemptAt",
       created_at AS "createdAt", finished_at AS "finishedAt"
FROM webhook_deliveries
WHERE ($1::uuid IS NULL OR endpoint_id = $1)
  AND ($2::text IS NULL OR state = $2)
  AND ($3::text IS NULL OR type = $3)
  AND ($4::timestamptz IS NULL OR created_at >= $4)
  AND ($5::timestamptz IS NULL OR created_at < $5)
  AND ($6::uuid IS NULL OR (message_id = $6 AND created_at = (SELECT m.created_at FROM webhook_messages m WHERE m.id = $6)))
  AND (SELECT CASE WHEN $1::uuid IS NULL OR EXISTS (SELECT FROM webhook_endpoints w WHERE w.id = $1 AND w.deleted_at IS NULL) THEN true
		   ELSE refuse('ZY404', 'Webhook not found') END);

-- With what was sent, and what each of the last 50 attempts has heard: the bodies for who may see such events.
-- $1 id, $2 types of events, $3 the permission that each takes.
-- name: webhooks_delivery :one  reply: WebhookDeliveryShown  noun: Delivery
SELECT d.id, d.endpoint_id AS "webhookId", d.message_id AS "messageId", d.type AS "eventType", d.state AS "status", d.attempts,
       d.status AS "responseStatus", d.error, CASE WHEN d.state IN ('waiting', 'delayed') THEN d.due_at END AS "nextAttemptAt",
       d.created_at AS "createdAt", d.finished_at AS "finishedAt",
       (SELECT m.payload FROM webhook_messages m WHERE m.tenant_id = d.tenant_id AND m.id = d.message_id AND may.see) AS "requestBody",
       (SELECT coalesce(json_agg(json_build_object(
			'number', a.number, 'url', a.url, 'requestHeaders', a.request_headers, 'responseStatus', a.status,
			'responseHeaders', a.response_headers, 'responseBody', CASE WHEN may.see THEN a.response_body END, 'error', a.error,
			'durationMs', a.duration_us / 1000,
			'startedAt', to_char(a.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY a.number), '[]')
	FROM webhook_attempts a
	WHERE a.tenant_id = d.tenant_id AND a.delivery_id = d.id AND a.number > d.attempts - 50) AS "attemptList"
FROM webhook_deliveries d
CROSS JOIN LATERAL (
	SELECT NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS t (type, permission)
			   WHERE t.type = d.type AND lacks(t.permission)) AS see
) AS may
WHERE d.id = $1;

-- Begins it anew, with all its tries before it.  $1 id.
-- name: webhooks_replay :one  reply: WebhookDelivery  noun: Delivery
UPDATE webhook_deliveries d
SET state = 'waiting', tries = 0, due_at = now(), finished_at = NULL
WHERE d.id = $1
  AND (d.state NOT IN ('waiting', 'active') OR refuse('ZY409', 'The delivery is under way already', '', 'status'))
  AND (EXISTS (SELECT FROM webhook_endpoints w WHERE w.tenant_id = d.tenant_id AND w.id = d.endpoint_id AND w.deleted_at IS NULL
	       AND w.disabled_at IS NULL)
       OR refuse('ZY409', 'The webhook is disabled or deleted', '', 'webhookId'))
RETURNING id, endpoint_id AS "webhookId", message_id AS "messageId", type AS "eventType", state AS "status", attempts,
	status AS "responseStatus", error, due_at AS "nextAttemptAt", created_at AS "createdAt", finished_at AS "finishedAt";

-- What a job replays, some at a time, in order; rows are where each is, and true. What failed and would be tried again in hours is among it:
-- whoever asks has mended what made it fail.
-- $1 endpoint, $2 and $3 from when to when, $4 also those that were delivered, $5 and $6 behind which moment and id, $7 how many.
-- name: webhooks_replay_some :many
WITH next AS MATERIALIZED (
	SELECT d.tenant_id, d.id
	FROM webhook_deliveries d
	WHERE d.endpoint_id = $1 AND d.created_at >= $2 AND d.created_at < $3
	  AND d.state IN ('failed', 'cancelled', 'delayed', CASE WHEN $4 THEN 'delivered' END)
	  AND (d.created_at, d.id) > ($5::timestamptz, coalesce($6::uuid, platform_tenant()))
	  AND EXISTS (SELECT FROM webhook_endpoints w WHERE w.id = $1 AND w.disabled_at IS NULL AND w.deleted_at IS NULL)
	ORDER BY d.created_at, d.id
	LIMIT $7
	FOR UPDATE
)
UPDATE webhook_deliveries d
SET state = 'waiting', tries = 0, due_at = now(), finished_at = NULL
FROM next s
WHERE d.tenant_id = s.tenant_id AND d.id = s.id
RETURNING d.created_at, d.id, true AS "isMade";

-- Of events that happened while the endpoint was disabled or not there: those that it would get now, and did not, as deliveries. Not of
-- those that are still to be fanned out to it, nor of those that would be swept before their last try.
-- $1 endpoint, $2 and $3 from when to when, $4 the types that there are, $5 and $6 behind which moment and id, $7 how many. Rows are the
-- events that were looked at, and whether a delivery was made of each.
-- name: webhooks_replay_missed :many
WITH next AS MATERIALIZED (
	SELECT e.tenant_id, e.id, e.type, e.subject_id, e.user_id, e.data, e.created_at, w.id AS endpoint_id
	FROM events e
	JOIN webhook_endpoints w ON w.id = $1 AND w.disabled_at IS NULL AND w.deleted_at IS NULL
	WHERE e.created_at >= greatest($2, now() - interval '28 days') AND e.created_at < $3 AND e.type = ANY ($4::text[]) AND webhook_wants(w.event_types, e.type)
	  AND (e.created_at, e.id) > ($5::timestamptz, coalesce($6::uuid, platform_tenant()))
	  AND (e.created_at <= coalesce(w.enabled_at, w.created_at)
	       OR EXISTS (SELECT FROM event_log l WHERE l.tenant_id = e.tenant_id AND l.event_id = e.id
			  AND l.position <= (SELECT r.position FROM event_readers r WHERE r.name = 'webhooks')))
	ORDER BY e.created_at, e.id
	LIMIT $7
), missed AS MATERIALIZED (
	SELECT s.tenant_id, s.id, s.type, s.subject_id, s.user_id, s.data, s.created_at, s.endpoint_id
	FROM next s
	WHERE NOT EXISTS (SELECT FROM webhook_deliveries d
			  WHERE d.tenant_id = s.tenant_id AND d.endpoint_id = s.endpoint_id AND d.created_at = s.created_at
			    AND d.message_id = s.id)
), messages AS (
	INSERT INTO webhook_messages (tenant_id, id, type, payload, created_at)
	SELECT m.tenant_id, m.id, m.type, webhook_payload(m.type, m.id, m.created_at, m.tenant_id, m.subject_id, m.user_id, m.data), m.created_at
	FROM missed m
	ON CONFLICT ON CONSTRAINT webhook_messages_pkey DO NOTHING
), deliveries AS (
	INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, type, position, due_at, created_at)
	SELECT m.tenant_id, uuid_v7(), m.endpoint_id, m.id, m.type,
	       coalesce((SELECT l.position FROM event_log l WHERE l.tenant_id = m.tenant_id AND l.event_id = m.id), 0), now(), m.created_at
	FROM missed m
)
SELECT n.created_at, n.id, EXISTS (SELECT FROM missed m WHERE m.id = n.id) AS "isMade" FROM next n;

-- What is not sent any more, some at a time.  $1 endpoint, $2 how many.
-- name: webhooks_cancel_some :many
WITH rest AS MATERIALIZED (
	SELECT n.tenant_id, n.id
	FROM webhook_deliveries n
	JOIN webhook_endpoints w ON w.tenant_id = n.tenant_id AND w.id = n.endpoint_id
	WHERE n.endpoint_id = $1 AND n.state IN ('waiting', 'delayed') AND (w.disabled_at IS NOT NULL OR w.deleted_at IS NOT NULL)
	LIMIT $2
	FOR UPDATE OF n SKIP LOCKED
)
UPDATE webhook_deliveries d
SET state = 'cancelled', finished_at = now(), error = 'The webhook was disabled or deleted'
FROM rest
WHERE d.tenant_id = rest.tenant_id AND d.id = rest.id
RETURNING d.id;

------------------------------------------------------------------------------------------------------------
-- Statistics

-- Sums over hours.  $1 endpoint, $2 and $3 from when to when.
-- name: webhooks_stats :one  reply: WebhookStats  noun: Webhook
SELECT coalesce(sum(s.delivered), 0)::bigint AS "delivered", coalesce(sum(s.given_up), 0)::bigint AS "failed",
       coalesce(sum(s.attempts), 0)::bigint AS "attempts", coalesce(sum(s.failures), 0)::bigint AS "failedAttempts",
       (sum(s.duration_us) / nullif(sum(s.attempts), 0) / 1000)::bigint AS "durationMs",
       (max(s.duration_max_us) / 1000)::bigint AS "durationMaxMs",
       (SELECT count(*) FROM (SELECT FROM webhook_deliveries d
			      WHERE d.state = 'waiting' AND d.tenant_id = w.tenant_id AND d.endpoint_id = w.id LIMIT 100000) AS n) AS "waiting",
       (SELECT count(*) FROM (SELECT FROM webhook_deliveries d
			      WHERE d.state = 'delayed' AND d.tenant_id = w.tenant_id AND d.endpoint_id = w.id LIMIT 100000) AS n) AS "delayed",
       (SELECT count(*) FROM webhook_deliveries d
	WHERE d.state = 'active' AND d.tenant_id = w.tenant_id AND d.endpoint_id = w.id) AS "active",
       coalesce(json_agg(json_build_object(
			'hour', to_char(s.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'delivered', s.delivered,
			'failed', s.given_up, 'attempts', s.attempts, 'failedAttempts', s.failures,
			'durationMs', s.duration_us / greatest(s.attempts, 1) / 1000) ORDER BY s.hour)
		FILTER (WHERE s.hour IS NOT NULL), '[]') AS "hours"
FROM webhook_endpoints w
LEFT JOIN webhook_stats s ON s.tenant_id = w.tenant_id AND s.endpoint_id = w.id
  AND s.hour >= date_trunc('hour', coalesce($2, now() - interval '7 days')) AND s.hour < coalesce($3, now())
WHERE w.id = $1 AND w.deleted_at IS NULL
GROUP BY w.tenant_id, w.id;
