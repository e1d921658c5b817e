-- Archives: a tenant's rows as they go into a bundle and come out of it. Tables are walked by the catalog (sql/migrations/0014).

-- All tables of tenants, each behind those that it points to.
-- name: archive_tables :many  role: system
SELECT name, is_archived FROM tenant_tables() ORDER BY turn;

-- What stands at a bundle's head.  $1 tenant.
-- name: archive_head :one  noun: Tenant  role: system
SELECT t.slug, t.name, (SELECT max(m.name) FROM schema_migrations m) AS schema, now() AS now
FROM tenants t
WHERE t.id = $1;

-- $1 table, $2 tenant, $3 the last row so far or NULL, $4 how many.
-- name: archive_rows :many  role: system
SELECT line, hash FROM archive_rows($1, $2, $3, $4);

-- The realm of a tenant that has its own, and the people in it and in its seats, without what opens their accounts.  $1 tenant.
-- name: archive_realm :opt  role: identity
SELECT to_jsonb(r)::text AS line
FROM realms r
JOIN tenants t ON t.realm_id = r.id
WHERE t.id = $1 AND r.id <> '00000000-0000-7000-8000-000000000000';

-- $1 tenant, $2 the last id so far or NULL, $3 how many.
-- name: archive_accounts :many  role: identity
SELECT a.id, jsonb_build_object('id', a.id, 'realm_id', a.realm_id, 'email', a.email, 'email_verified_at', a.email_verified_at,
				'first_name', a.first_name, 'last_name', a.last_name, 'created_at', a.created_at)::text AS line
FROM accounts a
WHERE a.id IN (SELECT u.account_id FROM users u WHERE u.tenant_id = $1) AND ($2::uuid IS NULL OR a.id > $2)
ORDER BY a.id
LIMIT $3;

------------------------------------------------------------------------------------------------------------
-- Restoring, in one transaction

-- From here on in this transaction rows come or go as a whole.
-- name: archive_moving :exec
SELECT set_config('app.moving', 'on', true), set_config('idle_in_transaction_session_timeout', '0', true);

-- name: archive_moved :exec
SELECT set_config('app.moving', '', true), set_config('app.changes', '', true);

-- Tables that point to each other in a circle are looked at when all are there.
-- name: archive_defer :exec
SET CONSTRAINTS ALL DEFERRED;

-- Refuses where there is such a tenant.  $1 tenant, $2 the slug that it shall have.
-- name: archive_is_free :exec  role: system
SELECT refuse('ZY409', CASE WHEN t.id = $1 THEN 'The tenant exists' ELSE format('Another tenant has the slug "%s": give one with --slug', $2::text) END)
FROM tenants t
WHERE t.id = $1 OR (t.slug = $2 AND t.deleted_at IS NULL);

-- Its name may be another realm's by now: then it has the tenant's, or else its id.  $1 the realm's row, $2 the slug that the tenant shall have.
-- name: archive_restore_realm :exec  role: identity
INSERT INTO realms (id, slug, name, created_at)
SELECT w.id, coalesce((SELECT s FROM unnest(ARRAY[w.slug, $2]) WITH ORDINALITY AS x (s, n)
		       WHERE NOT EXISTS (SELECT FROM realms r WHERE r.slug = s) ORDER BY n LIMIT 1), w.id::text), w.name, w.created_at
FROM jsonb_populate_record(NULL::realms, $1::jsonb) AS w
ON CONFLICT ON CONSTRAINT realms_pkey DO NOTHING;

-- An account that is there is linked. One that is gone comes back without what opened it; where its email is somebody else's by now it
-- comes back as nobody's.  $1 its row.
-- name: archive_restore_account :one  role: identity
WITH was AS (
	SELECT id, realm_id, email, email_verified_at, first_name, last_name, created_at FROM jsonb_populate_record(NULL::accounts, $1::jsonb)
), is_there AS (
	SELECT a.id FROM accounts a JOIN was USING (id)
), is_taken AS (
	SELECT a.id FROM accounts a JOIN was ON a.realm_id = was.realm_id AND a.email = was.email AND a.deleted_at IS NULL AND a.id <> was.id
), back AS (
	INSERT INTO accounts (id, realm_id, email, email_verified_at, first_name, last_name, created_at, reset_required_at)
	SELECT id, realm_id, CASE WHEN EXISTS (SELECT FROM is_taken) THEN id || '@restored.invalid' ELSE email END,
	       CASE WHEN NOT EXISTS (SELECT FROM is_taken) THEN email_verified_at END, first_name, last_name, created_at, now()
	FROM was
	WHERE NOT EXISTS (SELECT FROM is_there)
	RETURNING id
)
SELECT CASE WHEN EXISTS (SELECT FROM is_there) THEN 'linked'
	    WHEN EXISTS (SELECT FROM erased_accounts e JOIN was ON e.account_id = was.id) THEN 'erased'
	    WHEN EXISTS (SELECT FROM is_taken) THEN 'taken' ELSE 'restored' END AS what,
       (SELECT count(*) FROM back) AS rows;

-- The tenant's own row, which comes first; without a host name that is another tenant's by now, which is given back.  $1 the row, $2 the
-- slug that it shall have.
-- name: archive_restore_tenant :one  role: system
WITH lost AS (
	SELECT (SELECT t.host FROM tenants t WHERE t.host = $1::jsonb ->> 'host' AND t.deleted_at IS NULL) AS host
)
SELECT lost.host, $1::jsonb ->> 'status' AS status,
       restore_rows('tenants', jsonb_build_array($1::jsonb || jsonb_build_object('slug', $2::text, 'deletion_at', NULL, 'deleted_at', NULL)
		|| CASE WHEN lost.host IS NULL THEN '{}' ELSE '{"host": null}' END::jsonb)::text) AS rows
FROM lost;

-- Refuses what is another tenant's, or is not kept as it was given.  $1 table, $2 a JSON array of rows.
-- name: archive_restore_rows :exec  role: system
SELECT restore_rows($1, $2);

-- What waited when it was archived is sent to nobody now, and seats may what their roles say by now.  $1 tenant.
-- name: archive_quiet :exec  role: system
WITH deliveries AS (
	UPDATE webhook_deliveries
	SET state = 'cancelled', finished_at = now(), sender = NULL, leased_until = NULL, error = 'The tenant was away'
	WHERE tenant_id = $1 AND state IN ('waiting', 'delayed', 'active')
), digests AS (
	UPDATE notifications SET awaits_digest = false WHERE tenant_id = $1 AND awaits_digest
)
SELECT refresh_seats($1, array_agg(id)) FROM users WHERE tenant_id = $1;

-- Whoever was erased since then is erased again: first the seats …  $1 tenant.
-- name: archive_erase_again :one  role: system
SELECT count(erase_seat(u.tenant_id, u.id)) AS seats
FROM users u
WHERE u.tenant_id = $1 AND u.account_id IN (SELECT account_id FROM erased_accounts);

-- … then the accounts, which came back for a moment.
-- name: archive_drop_erased :exec  role: identity
DELETE FROM accounts a USING erased_accounts e WHERE a.id = e.account_id;

-- What was good when it was archived and is not any more: credentials. Seats show what their accounts have now.  $1 tenant.
-- name: archive_revoke :one  role: identity
WITH keys AS (
	UPDATE api_keys SET revoked_at = now(), updated_at = now(), version = version + 1
	WHERE tenant_id = $1 AND revoked_at IS NULL
	RETURNING id
), seats AS (
	UPDATE users u SET mfa_enabled = a.mfa_enabled
	FROM accounts a
	WHERE u.tenant_id = $1 AND a.id = u.account_id AND u.mfa_enabled <> a.mfa_enabled
	RETURNING u.id
)
SELECT (SELECT count(*) FROM keys) AS keys, (SELECT count(*) FROM seats) AS seats;

------------------------------------------------------------------------------------------------------------
-- Removing, in one transaction

-- Refuses when what is there now is not what was archived.  $1 table, $2 tenant, $3 {"<table>": {"rows": …, "digest": …}}.
-- name: archive_check :exec  role: system
SELECT still_as_archived($1, $2, $3);

-- Nobody adds to it from here on.  $1 tenant.
-- name: archive_lock :one  noun: Tenant  role: system
SELECT realm_id FROM tenants WHERE id = $1 FOR UPDATE;

-- $1 table, $2 tenant.
-- name: archive_remove :exec  role: system
SELECT remove_rows($1, $2);

-- Its jobs, but not the one that removes it, nor that one's children.  $1 tenant, $2 job.
-- name: archive_remove_jobs :exec  role: system
DELETE FROM jobs WHERE tenant_id = $1 AND id <> $2 AND parent_id IS DISTINCT FROM $2;

-- People of a realm that was the tenant's own and who sit nowhere else, and the realm when nobody and nothing is left in it.
-- $1 realm; the platform's has none to remove.
-- name: archive_remove_accounts :one  role: identity
WITH gone AS (
	DELETE FROM accounts a
	WHERE a.realm_id = $1 AND $1 <> '00000000-0000-7000-8000-000000000000'::uuid
	  AND NOT EXISTS (SELECT FROM users u WHERE u.account_id = a.id)
	RETURNING a.id
)
SELECT count(*) AS accounts FROM gone;

-- $1 realm.
-- name: archive_remove_realm :exec  role: identity
WITH attempts AS (
	DELETE FROM login_attempts WHERE realm_id = $1 AND NOT EXISTS (SELECT FROM accounts WHERE realm_id = $1)
	  AND NOT EXISTS (SELECT FROM tenants WHERE realm_id = $1) AND $1 <> '00000000-0000-7000-8000-000000000000'::uuid
)
DELETE FROM realms r
WHERE r.id = $1 AND r.id <> '00000000-0000-7000-8000-000000000000'
  AND NOT EXISTS (SELECT FROM accounts WHERE realm_id = $1) AND NOT EXISTS (SELECT FROM tenants WHERE realm_id = $1);
