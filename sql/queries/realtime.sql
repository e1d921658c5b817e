-- Realtime: who may connect and join, what was missed, and what is over. The events are src/events'.

-- How a transaction of somebody begins who brings a ticket; sql/migrations/0012.
-- name: realtime_enter_ticket :one
SELECT session_id, account_id, tenant_id, user_id, is_global_admin, is_stale
FROM enter_ticket($1, $2);

-- What a connection is, for whom enter() has let in.
-- name: realtime_connect :one  role: identity
SELECT coalesce(u.permissions, '{}') AS permissions, (SELECT last_position FROM event_spine) AS position
FROM sessions s
LEFT JOIN users u ON u.tenant_id = current_tenant() AND u.id = current_seat()
WHERE s.id = current_session();

-- $1 table, $2 id.
-- name: realtime_resource :one
SELECT has_resource($1, $2) AS is_there;

-- Where the event stands that a client has seen last; no row: it is not known any more.  $1 event.
-- name: realtime_since :opt
SELECT position FROM event_log WHERE event_id = $1;

-- What a room has missed since that event.  $1 event, $2 the last position, $3 noun of the types, $4 subject, $5 how many.
-- name: realtime_history :many
SELECT l.position, e.id, e.type, e.subject_id, e.data, e.created_at
FROM event_log since
JOIN event_log l ON l.position > since.position AND l.position <= $2
JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
WHERE since.event_id = $1 AND ($3::text IS NULL OR e.type LIKE $3 || '.%') AND ($4::uuid IS NULL OR e.subject_id = $4)
ORDER BY l.position
LIMIT $5;

-- How far events are numbered, and from which transaction on notices are to be read the next time.
-- name: realtime_head :one  role: system
SELECT last_position AS position, pg_snapshot_xmin(pg_current_snapshot())::text AS horizon FROM event_spine;

-- $1 the horizon of the last time.
-- name: realtime_notices :many  role: system
SELECT session_id, closed_tenant_id, seat_id, permissions FROM realtime_notices WHERE xid >= $1::xid8 ORDER BY seq;

-- Events that did not come by themselves.  $1 tenants, $2 after which position each, $3 and up to which, $4 how many of all.
-- name: realtime_missed :many  role: system
SELECT l.position, l.tenant_id, e.id, e.type, e.subject_id, e.data, e.created_at
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS asked (tenant_id, after, up_to)
JOIN event_log l ON l.tenant_id = asked.tenant_id AND l.position > asked.after AND l.position <= asked.up_to
JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
ORDER BY l.position
LIMIT $4;

-- Of these connections, the numbers of those whom enter() would not let in any more.  $1 sessions, $2 tenants, $3 numbers.
-- name: realtime_over :many  role: identity
SELECT held.number
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS held (session_id, tenant_id, number)
WHERE NOT EXISTS (
	SELECT FROM sessions s
	JOIN accounts a ON a.id = s.account_id AND a.deleted_at IS NULL AND a.locked_at IS NULL
	JOIN tenants t ON t.id = held.tenant_id AND t.deleted_at IS NULL
	LEFT JOIN users u ON u.tenant_id = t.id AND u.account_id = a.id AND u.deleted_at IS NULL AND u.status = 'active'
	WHERE s.id = held.session_id AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now()
	  AND (a.is_global_admin AND a.mfa_enabled
	       OR u.id IS NOT NULL AND t.status = 'active' AND (a.mfa_enabled OR coalesce(t.mfa_required_at > now(), true))));

-- name: realtime_listen :exec
LISTEN zygo_realtime;
