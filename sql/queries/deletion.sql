-- Tenants that are deleted, step by step, and people who are erased. docs/admin.md says what stays.

------------------------------------------------------------------------------------------------------------
-- Asking for a tenant's deletion, looking at it, taking it back. In each, tenant NULL: the one that is acted in.

-- $1 tenant, $2 the deletion's id, $3 the slug that whoever asks has typed, or NULL; $4 reason, $5 grace period in microseconds.
-- One that is under way violates tenant_deletions_tenant_id_key.
-- name: deletion_request :one  noun: Tenant
INSERT INTO tenant_deletions (tenant_id, id, slug, name, requested_by, reason, deletes_at)
SELECT t.id, $2, t.slug, t.name, current_account(), $4, now() + $5::bigint * interval '1 microsecond'
FROM tenants t
WHERE t.id = coalesce($1, current_tenant()) AND t.deleted_at IS NULL
  AND ($3::text IS NULL OR t.slug = $3 OR refuse('ZY422', 'This is not the tenant''s slug', '', 'confirm'))
RETURNING id;

-- Into a job that was just added: who has asked for it and, if $2, whose it is.  $1 job.
-- name: deletion_sign_job :exec
UPDATE jobs
SET payload = payload || jsonb_build_object('requestedBy', current_account())
		      || CASE WHEN $2 THEN jsonb_build_object('tenantId', tenant_id) ELSE '{}' END
WHERE tenant_id = coalesce(current_tenant(), platform_tenant()) AND id = $1;

-- The newest of a tenant; $2: only one that is under way.
-- name: deletion_get :one  reply: TenantDeletion  noun: Deletion
SELECT d.id, d.tenant_id AS "tenantId", d.state, d.step, coalesce(j.progress, 0)::integer AS "progress", d.reason,
       d.requested_by AS "requestedBy", d.deletes_at AS "deletesAt", d.archive, d.archive_bytes AS "archiveBytes",
       d.archive_sha256 AS "archiveSha256", d.created_at AS "createdAt", d.finished_at AS "finishedAt"
FROM tenant_deletions d
LEFT JOIN jobs j ON j.tenant_id = d.tenant_id AND j.id = d.id
WHERE d.tenant_id = coalesce($1, current_tenant()) AND (NOT $2 OR d.state = 'pending')
ORDER BY d.created_at DESC
LIMIT 1;

-- While the grace period lasts. The tenant is as it was.  $1 tenant.
-- name: deletion_cancel :one  noun: Deletion
UPDATE tenant_deletions d
SET state = 'cancelled', finished_at = now()
WHERE d.tenant_id = coalesce($1, current_tenant()) AND d.state = 'pending'
  AND ((d.deletes_at > now() AND d.step IN ('requested', 'verified', 'notified', 'ended', 'revoked'))
       OR refuse('ZY409', 'The grace period is over: the tenant is being deleted', '', 'state'))
RETURNING id;

-- name: deletion_cancel_tenant :exec
UPDATE tenants
SET deletion_at = NULL, updated_at = now(), version = version + 1
WHERE id = coalesce($1, current_tenant()) AND deletion_at IS NOT NULL;

-- Jobs of deletions that were cancelled. One that runs stops at its next step.
-- name: deletion_cancel_job :exec
UPDATE jobs j
SET cancel_requested_at = now(), state = CASE WHEN j.state = 'active' THEN j.state ELSE 'cancelled' END,
    finished_at = CASE WHEN j.state = 'active' THEN j.finished_at ELSE now() END
FROM tenant_deletions d
WHERE d.tenant_id = coalesce($1, current_tenant()) AND d.state = 'cancelled' AND j.tenant_id = d.tenant_id AND j.id = d.id
  AND j.finished_at IS NULL;

------------------------------------------------------------------------------------------------------------
-- Its steps

-- $1 id.
-- name: deletion_find :opt
SELECT d.state, d.step, d.slug, d.requested_by, d.deletes_at, now() AS now, d.digests, jsonb_array_length(j.errors) AS failures
FROM tenant_deletions d
LEFT JOIN jobs j ON j.tenant_id = d.tenant_id AND j.id = d.id
WHERE d.tenant_id = current_tenant() AND d.id = $1;

-- Beside what a step does: it is done, and was not before; else nothing of it is.  $1 id, $2 from, $3 to.
-- name: deletion_step :one  noun: Pending deletion
UPDATE tenant_deletions
SET step = $3
WHERE tenant_id = current_tenant() AND id = $1 AND state = 'pending' AND step = $2
RETURNING id;

-- Whoever asked may still: owns the tenant's deletion, or is one of the platform's.  $1 account.
-- name: deletion_verify :opt  role: system
SELECT t.id
FROM tenants t
WHERE t.id = current_tenant() AND t.deleted_at IS NULL
  AND EXISTS (SELECT FROM accounts a
	      LEFT JOIN users u ON u.tenant_id = t.id AND u.account_id = a.id AND u.status = 'active' AND u.deleted_at IS NULL
	      WHERE a.id = $1 AND a.deleted_at IS NULL AND a.locked_at IS NULL
		AND (a.is_global_admin OR 'canDeleteTenant' = ANY (u.permissions)));

-- What must not go on.  $1 id.
-- name: deletion_void :exec
UPDATE tenant_deletions
SET state = 'cancelled', finished_at = now()
WHERE tenant_id = current_tenant() AND id = $1 AND state = 'pending';

-- A letter to each active user of a part, as letters_add() would add it.  $1 behind which user, $2 how many, $3 kind, $4 queue, $5 attempts.
-- name: deletion_notify :one
WITH part AS MATERIALIZED (
	SELECT part_end('users', 'id', current_tenant(), $1, $2) AS ends_at
), letters AS (
	INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, max_attempts, is_private)
	SELECT u.tenant_id, (left(uuid_at(clock_timestamp())::text, 13) || '-7' || substr(gen_random_uuid()::text, 16))::uuid, $4, $3,
	       jsonb_build_object('letter', 'tenantDeletion', 'email', u.email, 'tenant', u.tenant_id), 'waiting', $5, true
	FROM users u
	WHERE u.tenant_id = current_tenant() AND u.id > coalesce($1, platform_tenant()) AND u.id <= (SELECT ends_at FROM part)
	  AND u.status = 'active' AND u.deleted_at IS NULL
	RETURNING id
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM letters) AS done FROM part;

-- Nobody gets in from here on, but whoever may take it back (enter() in sql/migrations/0014).  $1 when it ends.
-- name: deletion_end_tenant :exec
UPDATE tenants SET deletion_at = $1, updated_at = now(), version = version + 1 WHERE id = current_tenant();

-- So many that are left.  $1 how many.
-- name: deletion_revoke_sessions :many  role: identity
UPDATE sessions
SET revoked_at = now(), revoked_reason = 'tenant deleted'
WHERE id = ANY (ARRAY(SELECT id FROM sessions WHERE active_tenant_id = current_tenant() AND revoked_at IS NULL LIMIT $1))
RETURNING id, token_hash;

-- The grace period is over: the slug is free.
-- name: deletion_close_tenant :exec
UPDATE tenants SET deleted_at = now(), updated_at = now(), version = version + 1 WHERE id = current_tenant() AND deleted_at IS NULL;

-- Whether webhooks have heard that the tenant is gone: its events are read, and what was sent of them was tried.
-- name: deletion_is_told :one  role: system
SELECT NOT EXISTS (SELECT FROM webhook_endpoints WHERE tenant_id = current_tenant() AND disabled_at IS NULL AND deleted_at IS NULL)
    OR (NOT EXISTS (SELECT FROM event_inbox WHERE tenant_id = current_tenant())
	AND coalesce((SELECT max(position) FROM event_log WHERE tenant_id = current_tenant()), 0)
	    <= (SELECT position FROM event_readers WHERE name = 'webhooks')
	AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE tenant_id = current_tenant() AND state IN ('waiting', 'active'))) AS "is";

-- How far the archive is, as its parent shows it.  $1 the parent, $2 percent, $3 message.
-- name: deletion_tell_parent :exec
UPDATE jobs SET progress = $2, message = $3 WHERE tenant_id = current_tenant() AND id = $1 AND finished_at IS NULL;

-- $1 id, $2 where it is, $3 bytes, $4 SHA-256, $5 digests.
-- name: deletion_archived :one  noun: Pending deletion
UPDATE tenant_deletions
SET step = 'archived', archive = $2, archive_bytes = $3, archive_sha256 = $4, digests = $5
WHERE tenant_id = current_tenant() AND id = $1 AND state = 'pending' AND step = 'closed'
RETURNING id;

-- $1 id.
-- name: deletion_complete :one  noun: Pending deletion
UPDATE tenant_deletions
SET step = 'completed', state = 'completed', finished_at = now()
WHERE tenant_id = current_tenant() AND id = $1 AND state = 'pending' AND step = 'archived'
RETURNING id;

------------------------------------------------------------------------------------------------------------
-- Erasure

-- The seat ends at once, if it has not; who it was is forgotten by the job.  $1 user.
-- name: deletion_end_seat :one  noun: User
UPDATE users
SET deleted_at = coalesce(deleted_at, now()), updated_at = now(), version = version + 1
WHERE id = $1 AND erased_at IS NULL
  AND (id IS DISTINCT FROM current_seat() OR refuse('ZY422', 'You cannot erase yourself: leave the tenant, or delete your account'))
RETURNING id;

-- Seats are erased in parts (sql/migrations/0037): begun, what says who they were goes table by table, ended.  $1 tenant, $2 users.
-- name: deletion_erase_begin :one  role: system
SELECT erase_begin($1, $2) AS position;

-- $1 behind which, $2 how many, $3 whose jobs, NULL: the platform's; $4 tenant.
-- name: deletion_erase_in_letters :one  role: system
SELECT last, done FROM erase_in_letters(coalesce($3, platform_tenant()), $4, $1, $2);

-- The next three: $1 behind which, $2 how many, $3 tenant.
-- name: deletion_erase_in_notifications :one  role: system
SELECT last, done FROM erase_in_notifications($3, $1, $2);

-- name: deletion_erase_in_events :one  role: system
SELECT last, done FROM erase_in_events($3, $1, $2);

-- name: deletion_erase_in_answers :one  role: system
SELECT last, done FROM erase_in_answers($3, $1, $2);

-- How many rows of which table, as an object.  $1 tenant, $2 the position of the beginning; so far: $3 letters, $4 notifications, $5 events.
-- name: deletion_erase_end :one  role: system
SELECT erase_end($1, $2, jsonb_build_object('jobs', $3::bigint, 'notifications', $4::bigint, 'events', $5::bigint)) AS counts;

-- All seats of an account, those that were deleted included.  $1 account.
-- name: deletion_seats_of :many  role: system
SELECT tenant_id, id FROM users WHERE account_id = $1 AND erased_at IS NULL ORDER BY tenant_id, id;

-- The account that acts is to be erased after a while, in microseconds ($1).
-- name: deletion_account_request :one  role: identity  noun: Account
UPDATE accounts
SET deletion_at = now() + $1::bigint * interval '1 microsecond', updated_at = now(), version = version + 1
WHERE id = current_account()
  AND (current_impersonator() IS NULL OR refuse('ZY403', 'Who acts as somebody else cannot delete their account'))
  AND (NOT is_global_admin OR refuse('ZY422', 'This account runs the platform: somebody else has to take that from it first'))
  AND (NOT EXISTS (SELECT FROM owned_alone(id))
       OR refuse('ZY422', format('The last owner cannot go: transfer or delete first %s', (SELECT string_agg(slug, ', ') FROM owned_alone(id) AS slug))))
RETURNING id, email, deletion_at AS "deletionAt";

-- $1 account. No row: it is gone.
-- name: deletion_account_find :opt  role: identity
SELECT deletion_at, now() AS now, (SELECT string_agg(slug, ', ') FROM owned_alone(a.id) AS slug) AS alone
FROM accounts a
WHERE a.id = $1
FOR UPDATE;

-- With all that is of it alone; what of which table went, as an object.  $1 account.
-- name: deletion_erase_account :one  role: identity
SELECT erase_account($1) AS counts;
