-- The spine: events get their positions, readers read them. sql/migrations/0010 has the functions, src/events/README.md the idea.

-- name: spine_listen :exec
LISTEN zygo_events;

-- Readers that are new begin where the log ends.  $1 names.
-- name: spine_readers_put :exec  role: system
INSERT INTO event_readers (name, position)
SELECT n, s.last_position FROM unnest($1::text[]) AS n CROSS JOIN event_spine s
ON CONFLICT DO NOTHING;

-- $1 how many at most. NULL: another host is at it.
-- name: spine_take :one  role: system
SELECT take_events($1) AS taken;

-- Who writes from now on calls.
-- name: spine_sleeps :exec  role: system
UPDATE event_spine SET is_asleep = true WHERE NOT is_asleep;

-- Those that have something to read.  $1 names.
-- name: spine_behind :many  role: system
SELECT r.name
FROM event_readers r
JOIN event_spine s ON r.position < s.last_position
WHERE r.name = ANY ($1);

-- $1 reader, $2 how many events at most.
-- name: spine_begin :exec  role: system
SELECT begin_reading($1, $2);

-- No row: there was nothing to read, or another host is at it.  $1 reader.
-- name: spine_end :opt  role: system
UPDATE event_readers
SET position = current_setting('app.events_to')::bigint, failed_at = NULL, failure = NULL
WHERE name = $1 AND position < current_setting('app.events_to')::bigint
RETURNING position;

-- $1 reader, $2 why.
-- name: spine_failed :exec  role: system
UPDATE event_readers SET failed_at = coalesce(failed_at, now()), failure = $2 WHERE name = $1;

-- What the realtime server is told (src/events/live.c): "after" is the tenant's event before it, so that who did not hear of that one knows.
-- name: spine_live :many  role: system
SELECT position,
       coalesce(lag(position) OVER (PARTITION BY tenant_id ORDER BY position),
		(SELECT max(l.position) FROM event_log l WHERE l.tenant_id = e.tenant_id AND l.position < e.position), 0) AS "after",
       id, type, tenant_id AS "tenantId", subject_id AS "subjectId", user_id AS "userId", data, created_at AS "at"
FROM events_at_hand() e
ORDER BY position;

-- Makes coming partitions, drops those of months that ended $1 days ago.
-- name: spine_roll_partitions :many  role: system
SELECT partition, what FROM roll_event_partitions($1::bigint * interval '1 day');

-- How far each reader is behind, in events and in seconds since the oldest that it has not read; why, where it fails. Beside them the
-- spine, with what waits to be numbered.  $1 names.
-- name: spine_lag :many  role: system  reply: EventReader
SELECT r.name, greatest(0, s.last_position - r.position) AS lag,
       coalesce((SELECT greatest(0, extract(epoch FROM now() - e.created_at))::bigint
		 FROM event_log l
		 JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
		 WHERE l.position > r.position
		 ORDER BY l.position LIMIT 1), 0) AS "lagSeconds",
       r.failed_at AS "failedAt", r.failure
FROM event_readers r
CROSS JOIN event_spine s
WHERE r.name = ANY ($1)
UNION ALL
SELECT 'spine', count(*), coalesce(greatest(0, extract(epoch FROM now() - min(uuid_time(event_id)))), 0)::bigint, NULL, NULL
FROM event_inbox
ORDER BY 1;
