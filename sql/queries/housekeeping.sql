-- What nobody needs any more, some at a time: each is run until it finds fewer than it may take ($1). A row is removed from the place where
-- it was locked, so its key need not be said; of a partitioned table that place would be many.

-- Replies kept for Idempotency-Key are replayed for 24 hours.
-- name: housekeeping_idempotency_keys :many  role: system
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING key;

-- name: housekeeping_account_idempotency_keys :many  role: identity
DELETE FROM account_idempotency_keys WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM account_idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING key;

-- Sessions that ended a week ago, and their refresh tokens with them. Until then a token that comes again is known as one; and who is idle may
-- come back with a token that is still good.
-- name: housekeeping_sessions :many  role: identity
DELETE FROM sessions WHERE ctid = ANY (ARRAY(
	SELECT s.ctid FROM sessions s
	WHERE least(s.idle_expires_at, s.expires_at, s.revoked_at) < now() - interval '7 days'
	  AND (least(s.expires_at, s.revoked_at) < now() - interval '7 days'
	       OR NOT EXISTS (SELECT FROM refresh_tokens t WHERE t.session_id = s.id AND t.uses = 0 AND t.expires_at > now()))
	LIMIT $1 FOR UPDATE OF s SKIP LOCKED))
RETURNING id;

-- Of sessions that live on.
-- name: housekeeping_refresh_tokens :many  role: identity
DELETE FROM refresh_tokens WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM refresh_tokens WHERE expires_at < now() - interval '7 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING session_id;

-- Notifications: what was read is kept for 90 days, and so is what was only mailed; the rest for 400.
-- name: housekeeping_notifications_read :many  role: system
DELETE FROM notifications WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM notifications WHERE (read_at IS NOT NULL OR NOT is_shown) AND created_at < now() - interval '90 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id;

-- name: housekeeping_notifications :many  role: system
DELETE FROM notifications WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM notifications WHERE created_at < now() - interval '400 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id;

-- name: housekeeping_login_attempts :many  role: identity
DELETE FROM login_attempts WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM login_attempts WHERE last_at < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING realm_id;

-- Webhooks: what was sent, and to whom, is kept for 30 days; the message a day longer, since deliveries need it.
-- name: housekeeping_webhook_deliveries :many  role: system
DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM webhook_deliveries WHERE created_at < now() - interval '30 days' AND state <> 'active' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id;

-- name: housekeeping_webhook_messages :many  role: system
DELETE FROM webhook_messages WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM webhook_messages WHERE created_at < now() - interval '31 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id;

-- Endpoints that are deleted, behind their deliveries.
-- name: housekeeping_webhook_endpoints :many  role: system
DELETE FROM webhook_endpoints WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM webhook_endpoints WHERE deleted_at < now() - interval '32 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id;

-- name: housekeeping_webhook_stats :many  role: system
DELETE FROM webhook_stats WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM webhook_stats WHERE hour < now() - interval '90 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING endpoint_id;

-- name: housekeeping_webhook_senders :many  role: system
DELETE FROM webhook_senders WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM webhook_senders WHERE minute < now() - interval '2 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING sender;
