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

-- Where the event stands that a client has seen last, and whether as many of the tenant's events, or more, came behind it; no row: it is not
-- known any more.  $1 event, $2 the last position, $3 how many.
-- name: realtime_since :opt
SELECT s.position,
       EXISTS (SELECT FROM event_log l
	       WHERE l.tenant_id = s.tenant_id AND l.position > s.position AND l.position <= $2
	       ORDER BY l.position OFFSET $3 - 1 LIMIT 1) AS is_long_ago
FROM event_log s
WHERE s.event_id = $1;

-- What a room has missed since that event.  $1 event, $2 the last position, $3 noun of the types, $4 subject, $5 how many,
-- $6 among how many of the tenant's.
-- name: realtime_history :many
SELECT l.position, e.id, e.type, e.subject_id, e.data, e.created_at
FROM (SELECT l.tenant_id, l.position, l.event_id
      FROM event_log since
      JOIN event_log l ON l.tenant_id = since.tenant_id AND l.position > since.position AND l.position <= $2
      WHERE since.event_id = $1
      ORDER BY l.position
      LIMIT $6) AS l
JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
WHERE ($3::text IS NULL OR e.type LIKE $3 || '.%') AND ($4::uuid IS NULL OR e.subject_id = $4)
ORDER BY l.position
LIMIT $5;

-- How far events are numbered.
-- name: realtime_head :one  role: system
SELECT last_position AS position FROM event_spine;

-- What was committed since the last time, whenever it began: each notice once. At least one row, for what is seen now.
-- $1 what was seen the last time; NULL: no notice.
-- name: realtime_notices :many  role: system
SELECT now.seen::text AS seen, n.session_id, n.closed_tenant_id, n.seat_id, n.permissions
FROM (SELECT pg_current_snapshot() AS seen) AS now
LEFT JOIN realtime_notices n
	ON n.xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(n.xid, $1::pg_snapshot)
ORDER BY n.seq;

-- Events that did not come by themselves.  $1 tenants, $2 after which position each, $3 and up to which, $4 how many of all.
-- name: realtime_missed :many  role: system
SELECT l.position, l.tenant_id, e.id, e.type, e.subject_id, e.data, e.created_at
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS asked (tenant_id, after, up_to)
JOIN event_log l ON l.tenant_id = asked.tenant_id AND l.position > asked.after AND l.position <= asked.up_to
JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
ORDER BY l.position
LIMIT $4;

-- Of these connections, the numbers of those whom enter() would not let in any more, or not as one of the platform's own people. These stay
-- with a tenant that is about to be removed, until it is.
-- $1 sessions, $2 tenants, $3 numbers, $4 whether as one of the platform's.
-- name: realtime_over :many  role: identity
SELECT held.number
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[]) AS held (session_id, tenant_id, number, is_of_platform)
WHERE NOT EXISTS (
	SELECT FROM sessions s
	JOIN accounts a ON a.id = s.account_id AND a.deleted_at IS NULL AND a.locked_at IS NULL
	JOIN tenants t ON t.id = held.tenant_id AND (t.deleted_at IS NULL OR held.is_of_platform)
	LEFT JOIN users u ON u.tenant_id = t.id AND u.account_id = a.id AND u.deleted_at IS NULL AND u.status = 'active'
	WHERE s.id = held.session_id AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now()
	  AND (a.is_global_admin AND a.mfa_enabled
	       OR NOT held.is_of_platform AND u.id IS NOT NULL AND t.status = 'active' AND t.deletion_at IS NULL
		  AND (a.mfa_enabled OR coalesce(t.mfa_required_at > now(), true))));

-- name: realtime_listen :exec
LISTEN zygo_realtime;
