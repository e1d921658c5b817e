-- Notifications. Whose they are is current_seat(): a global admin without a seat has none.

------------------------------------------------------------------------------------------------------------
-- One's own

-- $1 only unread, $2 kind.
-- name: notifications_list :page  reply: Notification
-- sort: -createdAt created_at timestamptz
SELECT id, kind, title, body, subject_id AS "subjectId", event_id AS "eventId", read_at AS "readAt", created_at AS "createdAt"
FROM notifications
WHERE user_id = current_seat() AND is_shown AND archived_at IS NULL
  AND (NOT coalesce($1, false) OR read_at IS NULL)
  AND ($2::text IS NULL OR kind = $2);

-- name: notifications_unread :one  reply: UnreadCount
SELECT count(*) AS "unread"
FROM notifications
WHERE user_id = current_seat() AND is_shown AND archived_at IS NULL AND read_at IS NULL;

-- Read once, it stays read since then.  $1 id, $2 read, else unread.
-- name: notifications_mark :one  reply: Notification  noun: Notification
UPDATE notifications
SET read_at = CASE WHEN $2 THEN coalesce(read_at, now()) END
WHERE id = $1 AND user_id = current_seat() AND is_shown AND archived_at IS NULL
RETURNING id, kind, title, body, subject_id AS "subjectId", event_id AS "eventId", read_at AS "readAt", created_at AS "createdAt";

-- What came up to a moment, NULL: so far; what comes meanwhile stays unread.  $1 moment.
-- name: notifications_mark_all :one  reply: NotificationsRead
WITH marked AS (
	UPDATE notifications
	SET read_at = now()
	WHERE user_id = current_seat() AND is_shown AND archived_at IS NULL AND read_at IS NULL
	  AND date_trunc('milliseconds', created_at) <= coalesce($1, now()) -- as createdAt shows it
	RETURNING id
)
SELECT count(*) AS "marked" FROM marked;

-- $1 id.
-- name: notifications_archive :one  noun: Notification
UPDATE notifications
SET archived_at = now(), read_at = coalesce(read_at, now())
WHERE id = $1 AND user_id = current_seat() AND is_shown AND archived_at IS NULL
RETURNING id;

-- The person's other pages are told how many are unread now.  $1 queue, $2 kind, $3 attempts of the job that does.
-- name: notifications_tell :exec
SELECT add_job(current_tenant(), $1, $2, $3, jsonb_build_object('user', current_seat())) WHERE current_seat() IS NOT NULL;

------------------------------------------------------------------------------------------------------------
-- Preferences

-- $1 kinds (notification_kinds_json()).
-- name: notifications_preferences :many  reply: NotificationPreference
SELECT k.kind, k.about, k.is_security AS "isSecurity", coalesce(p.in_app, k.in_app) AS "inApp", coalesce(p.email, k.email) AS "email"
FROM jsonb_to_recordset($1::jsonb) AS k (place integer, kind text, about text, is_security boolean, in_app boolean, email text)
LEFT JOIN notification_preferences p ON p.user_id = current_seat() AND p.kind = k.kind
ORDER BY k.place;

-- Refuses who has no seat to keep them for.  $1 kind, $2 shown or NULL, $3 mail or NULL: what is NULL stays as it is.
-- name: notifications_prefer :exec
INSERT INTO notification_preferences AS p (tenant_id, user_id, kind, in_app, email)
SELECT current_tenant(), current_seat(), $1, $2, $3
WHERE current_seat() IS NOT NULL OR refuse('ZY422', 'You are no user of this tenant, so nobody is told for you')
ON CONFLICT ON CONSTRAINT notification_preferences_pkey DO UPDATE
SET in_app = coalesce(excluded.in_app, p.in_app), email = coalesce(excluded.email, p.email);

-- No more mail of these kinds, by a link in one: all of $4 where no kind is named, as far as they come in digests.
-- $1 tenant, $2 user, $3 kind or NULL, $4 kinds (notification_kinds_json()).
-- name: notifications_unsubscribe :exec  role: system
INSERT INTO notification_preferences AS p (tenant_id, user_id, kind, email)
SELECT u.tenant_id, u.id, k.kind, 'off'
FROM users u
CROSS JOIN jsonb_to_recordset($4::jsonb) AS k (kind text, is_security boolean, email text)
LEFT JOIN notification_preferences o ON o.tenant_id = u.tenant_id AND o.user_id = u.id AND o.kind = k.kind
WHERE u.tenant_id = $1 AND u.id = $2 AND NOT k.is_security
  AND (k.kind = $3 OR ($3 IS NULL AND coalesce(o.email, k.email) = 'digest'))
ON CONFLICT ON CONSTRAINT notification_preferences_pkey DO UPDATE SET email = 'off';

------------------------------------------------------------------------------------------------------------
-- From events: who is told what. A reader of the spine (src/events/reader.h).

-- Of each event at hand, for each user whom it concerns, the first kind that says so: a row, unless neither list nor mail wants it; a job
-- for each that is mailed at once; and for each event that anybody is shown, a job that says it live.
-- $1 kinds (notification_kinds_json()), $2 mails are sent at all; $3 queue, $4 kind, $5 attempts of the mail's job; $6, $7, $8 of the live
-- one's.
-- name: notifications_of_events :exec  role: system
WITH hits AS MATERIALIZED ( -- what is said is made once an event, however many are told
	SELECT e.tenant_id, e.id AS event_id, e.subject_id, e.user_id AS actor_id, k.place, k.kind, k.audience, k.permission,
	       k.is_security, k.in_app, k.email, fill_in(k.title, said.v) AS title, fill_in(k.body, said.v) AS body
	FROM events_at_hand() e
	JOIN jsonb_to_recordset($1::jsonb) AS k (place integer, kind text, type text, audience text, permission text, is_security boolean,
						 in_app boolean, email text, title text, body text) ON k.type = e.type
	CROSS JOIN LATERAL (SELECT name, plan FROM tenants WHERE id = e.tenant_id AND deleted_at IS NULL OFFSET 0) AS t
	LEFT JOIN LATERAL (SELECT seat_name(u) AS name FROM users u WHERE u.tenant_id = e.tenant_id AND u.id = e.user_id OFFSET 0) AS actor
		ON true
	LEFT JOIN LATERAL (SELECT seat_name(u) AS name, array_to_string(u.role_keys, ', ') AS roles FROM users u
			   WHERE u.tenant_id = e.tenant_id AND u.id = e.subject_id OFFSET 0) AS seat ON true
	LEFT JOIN LATERAL (SELECT a.name, to_char(a.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') AS expires FROM api_keys a
			   WHERE a.tenant_id = e.tenant_id AND a.id = e.subject_id OFFSET 0) AS key ON true
	CROSS JOIN LATERAL (
		SELECT e.data || jsonb_build_object(
			'actor', CASE WHEN e.impersonated_by IS NULL AND e.user_id IS NOT NULL THEN coalesce(actor.name, 'Somebody')
				      WHEN e.actor_kind = 'system' THEN 'The platform' ELSE 'Somebody of the platform' END,
			'subject', coalesce(seat.name, key.name, e.data #>> '{after,name}', e.data #>> '{before,name}',
					    e.data #>> '{after,url}', e.data #>> '{before,url}', e.data ->> 'url'),
			'tenant', t.name, 'plan', t.plan, 'roles', seat.roles, 'expires', key.expires) AS v
	) AS said
), several AS MATERIALIZED ( -- looked for once a tenant, however many events there are
	SELECT u.tenant_id, h.audience, h.permission, u.id AS user_id, u.email_verified
	FROM (SELECT DISTINCT tenant_id, audience, permission FROM hits WHERE audience IN ('owners', 'holders')) AS h
	JOIN users u ON u.tenant_id = h.tenant_id AND u.status = 'active' AND u.deleted_at IS NULL
		    AND (h.permission = ANY (u.permissions) OR (h.audience = 'owners' AND 'owner' = ANY (u.role_keys)))
), candidates AS (
	SELECT h.tenant_id, h.event_id, h.place, s.user_id, s.email_verified
	FROM hits h
	JOIN several s ON s.tenant_id = h.tenant_id AND s.audience = h.audience AND s.permission IS NOT DISTINCT FROM h.permission
	UNION ALL
	SELECT h.tenant_id, h.event_id, h.place, u.id, u.email_verified
	FROM hits h
	CROSS JOIN LATERAL (
		SELECT CASE h.audience
			WHEN 'subject' THEN h.subject_id
			WHEN 'maker' THEN (SELECT a.user_id FROM api_keys a WHERE a.tenant_id = h.tenant_id AND a.id = h.subject_id)
			WHEN 'inviter' THEN (SELECT i.invited_by FROM invitations i
					     WHERE i.tenant_id = h.tenant_id AND i.user_id = h.subject_id) END AS id
	) AS one
	CROSS JOIN LATERAL (
		SELECT o.id, o.email_verified FROM users o
		WHERE o.tenant_id = h.tenant_id AND o.id = one.id AND o.account_id IS NOT NULL AND o.deleted_at IS NULL
		  AND (o.status = 'active' OR o.id = h.subject_id) -- a suspended user is told of that
		OFFSET 0
	) AS u
), told AS (
	SELECT DISTINCT ON (c.event_id, c.user_id)
	       c.tenant_id, c.event_id, c.user_id, h.kind, h.subject_id, h.actor_id, h.title, h.body,
	       h.is_security OR coalesce(p.in_app, h.in_app) AS is_shown,
	       CASE WHEN NOT $2 OR NOT c.email_verified THEN 'off' WHEN h.is_security THEN 'instant'
		    ELSE coalesce(p.email, h.email) END AS email
	FROM candidates c
	JOIN hits h ON h.event_id = c.event_id AND h.place = c.place
	LEFT JOIN LATERAL (SELECT o.in_app, o.email FROM notification_preferences o
			   WHERE o.tenant_id = c.tenant_id AND o.user_id = c.user_id AND o.kind = h.kind OFFSET 0) AS p ON true
	WHERE h.is_security OR c.user_id IS DISTINCT FROM h.actor_id
	ORDER BY c.event_id, c.user_id, h.place
), made AS (
	INSERT INTO notifications (tenant_id, id, user_id, event_id, kind, subject_id, actor_id, title, body, is_shown, email, awaits_digest)
	SELECT tenant_id, uuid_v7(), user_id, event_id, kind, subject_id, actor_id, title, body, is_shown, email, email = 'digest'
	FROM told
	WHERE is_shown OR email <> 'off'
	ON CONFLICT ON CONSTRAINT notifications_tenant_id_event_id_user_id_key DO NOTHING
	RETURNING tenant_id, id, event_id, is_shown, email
)
SELECT add_job(tenant_id, $3, $4, $5, jsonb_build_object('notification', id)) FROM made WHERE email = 'instant'
UNION ALL
SELECT add_job(tenant_id, $6, $7, $8, jsonb_build_object('event', event_id))
FROM (SELECT DISTINCT tenant_id, event_id FROM made WHERE is_shown) AS shown;

-- Of who is erased nothing is said any more, to them or to others.
-- name: notifications_forget :exec  role: system
DELETE FROM notifications n
USING events_at_hand() e
WHERE e.type = 'user.erased' AND n.tenant_id = e.tenant_id AND e.subject_id IN (n.user_id, n.subject_id, n.actor_id);

------------------------------------------------------------------------------------------------------------
-- What jobs say of them

-- Those of one event that are shown, with how many each reader has unread.  $1 event, $2 the last user so far or NULL, $3 how many.
-- name: notifications_live :many
SELECT n.user_id, n.id, n.kind, n.title, n.body, n.subject_id AS "subjectId", n.event_id AS "eventId", n.read_at AS "readAt",
       n.created_at AS "createdAt",
       (SELECT count(*) FROM notifications o
	WHERE o.user_id = n.user_id AND o.is_shown AND o.archived_at IS NULL AND o.read_at IS NULL) AS "unread"
FROM notifications n
WHERE n.event_id = $1 AND n.is_shown AND ($2::uuid IS NULL OR n.user_id > $2)
ORDER BY n.user_id
LIMIT $3;

-- $1 user.
-- name: notifications_unread_of :one
SELECT count(*) AS "unread"
FROM notifications
WHERE user_id = $1 AND is_shown AND archived_at IS NULL AND read_at IS NULL;

-- No row: nobody is there any more. Columns fill a template's {{name}} of the same name, but for user, kind and whether its reader has
-- turned such mails off meanwhile.  $1 notification.
-- name: notifications_mail :opt
SELECT u.email AS "to", coalesce(nullif(u.first_name, ''), split_part(u.email, '@', 1)) AS name, t.name AS tenant, n.title, n.body,
       n.kind, n.user_id, coalesce(p.email = 'off', false) AS is_off
FROM notifications n
JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id AND u.deleted_at IS NULL AND u.email_verified
JOIN tenants t ON t.id = n.tenant_id AND t.deleted_at IS NULL
LEFT JOIN notification_preferences p ON p.tenant_id = n.tenant_id AND p.user_id = n.user_id AND p.kind = n.kind
WHERE n.id = $1;

------------------------------------------------------------------------------------------------------------
-- Digests

-- Of some users, what waited when their day's digest was due is taken by one, and its mail enqueued: both or neither, so a day has one
-- however often this is run. What was read meanwhile needs none. A row for each user; fewer than may be taken: no more wait.
-- $1 hour (UTC), $2 how many users; $3 queue, $4 kind, $5 attempts of the mail's job.
-- name: notifications_digests :many  role: system
WITH due AS MATERIALIZED (
	SELECT DISTINCT tenant_id, user_id
	FROM notifications
	WHERE awaits_digest AND created_at < digest_due_at($1)
	LIMIT $2
), digests AS MATERIALIZED (
	SELECT tenant_id, user_id, uuid_v7() AS id FROM due
), taken AS (
	UPDATE notifications n
	SET awaits_digest = false, digest_id = CASE WHEN n.read_at IS NULL THEN d.id END
	FROM digests d
	WHERE n.tenant_id = d.tenant_id AND n.user_id = d.user_id AND n.awaits_digest AND n.created_at < digest_due_at($1)
	RETURNING n.tenant_id, n.user_id, n.digest_id
)
SELECT d.id, CASE WHEN EXISTS (SELECT FROM taken t WHERE t.digest_id = d.id)
		  THEN add_job(d.tenant_id, $3, $4, $5, jsonb_build_object('digest', d.id, 'user', d.user_id))::text END AS mailed
FROM digests d;

-- $1 user.
-- name: notifications_digest_reader :opt
SELECT u.email AS "to", coalesce(nullif(u.first_name, ''), split_part(u.email, '@', 1)) AS name, t.name AS tenant
FROM users u
JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL
WHERE u.id = $1 AND u.status = 'active' AND u.deleted_at IS NULL AND u.email_verified;

-- The newest first, and how many there are; without what its reader has turned off meanwhile.  $1 digest, $2 how many at most.
-- name: notifications_digest_items :many
SELECT n.title, n.body, count(*) OVER () AS total
FROM notifications n
WHERE n.digest_id = $1
  AND NOT EXISTS (SELECT FROM notification_preferences p
		  WHERE p.tenant_id = n.tenant_id AND p.user_id = n.user_id AND p.kind = n.kind AND p.email = 'off')
ORDER BY n.created_at DESC, n.id DESC
LIMIT $2;

------------------------------------------------------------------------------------------------------------
-- What time brings

-- Keys that run out within a week, whose makers have not been told of that moment.  $1 how many.
-- name: notifications_expiring_keys :many  role: system
WITH due AS (
	UPDATE api_keys
	SET expiry_told_for = expires_at
	WHERE (tenant_id, id) IN (
		SELECT tenant_id, id FROM api_keys
		WHERE revoked_at IS NULL AND expires_at > now() AND expires_at < now() + interval '7 days'
		  AND expiry_told_for IS DISTINCT FROM expires_at
		ORDER BY expires_at
		LIMIT $1
		FOR UPDATE SKIP LOCKED)
	RETURNING tenant_id, id, expires_at
)
INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, data)
SELECT tenant_id, uuid_v7(), 'apiKey.expiring', id, 'system',
       jsonb_build_object('expiresAt', to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
FROM due
RETURNING id;
