-- Archives: a tenant's rows as they go into a bundle and come out of it. Tables are walked by the catalog (sql/migrations/0014).

-- All tables of tenants, each behind those that it points to. What outlives its tenant cannot be removed by this role; jobs go by themselves.
-- name: archive_tables :many  role: system
SELECT name, is_archived, name <> 'jobs' AND has_table_privilege(name, 'DELETE') AS is_removed FROM tenant_tables() ORDER BY turn;

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

-- By their seats, whose ids are in order; who has several may come several times.  $1 tenant, $2 the last seat so far or NULL, $3 how many.
-- name: archive_accounts :many  role: identity
SELECT u.id, jsonb_build_object('id', a.id, 'realm_id', a.realm_id, 'email', a.email, 'email_verified_at', a.email_verified_at,
				'first_name', a.first_name, 'last_name', a.last_name, 'created_at', a.created_at)::text AS line
FROM users u
JOIN accounts a ON a.id = u.account_id
WHERE u.tenant_id = $1 AND ($2::uuid IS NULL OR u.id > $2)
ORDER BY u.id
LIMIT $3;

------------------------------------------------------------------------------------------------------------
-- Restoring, in one transaction

-- From here on in this transaction rows come or go as a whole.
-- name: archive_moving :exec
SELECT set_config('app.moving', 'on', true), set_config('idle_in_transaction_session_timeout', '0', true);

-- name: archive_moved :exec
SELECT set_config('app.moving', '', true), set_config('app.changes', '', true);

-- Tables that point to each other in a circle are looked at when all are there.
-- name: archive_defer :exec  role: system
SELECT defer_circles();

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

-- An account that is there stays as it is. One that is gone comes back without what opened it; where its email is somebody else's by now it
-- comes back as nobody's.  $1 a JSON array of rows, one of which may come twice.
-- name: archive_restore_accounts :exec  role: identity
INSERT INTO accounts (id, realm_id, email, email_verified_at, first_name, last_name, created_at, reset_required_at)
SELECT w.id, w.realm_id, CASE WHEN t.id IS NULL THEN w.email ELSE w.id || '@restored.invalid' END,
       CASE WHEN t.id IS NULL THEN w.email_verified_at END, w.first_name, w.last_name, w.created_at, now()
FROM jsonb_populate_recordset(NULL::accounts, $1::jsonb) AS w
LEFT JOIN accounts t ON t.realm_id = w.realm_id AND t.email = w.email AND t.deleted_at IS NULL AND t.id <> w.id
ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING;

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

-- What waited when it was archived is sent to nobody now. Nothing is known yet of a table that was just filled: in the order of its key a part
-- is found by that key alone, and what is found is changed by its place.  $1 behind which, $2 how many, $3 tenant.
-- name: archive_quiet_deliveries :one  role: system
WITH part AS MATERIALIZED (
	SELECT part_end('webhook_deliveries', 'id', $3, $1, $2) AS ends_at
), quiet AS (
	UPDATE webhook_deliveries
	SET state = 'cancelled', finished_at = now(), sender = NULL, leased_until = NULL, error = 'The tenant was away'
	WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM webhook_deliveries d
				WHERE d.tenant_id = $3 AND d.id > coalesce($1, platform_tenant()) AND d.id <= (SELECT ends_at FROM part)
				  AND d.state IN ('waiting', 'delayed', 'active')
				ORDER BY d.id))
	RETURNING id
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM quiet) AS done FROM part;

-- The same of digests.
-- name: archive_quiet_notifications :one  role: system
WITH part AS MATERIALIZED (
	SELECT part_end('notifications', 'id', $3, $1, $2) AS ends_at
), quiet AS (
	UPDATE notifications SET awaits_digest = false
	WHERE ctid = ANY (ARRAY(SELECT n.ctid FROM notifications n
				WHERE n.tenant_id = $3 AND n.id > coalesce($1, platform_tenant()) AND n.id <= (SELECT ends_at FROM part)
				  AND n.awaits_digest
				ORDER BY n.id))
	RETURNING id
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM quiet) AS done FROM part;

-- Seats may what their roles say by now, which is found once for all of a part that have the same ones, and show what their accounts have now.
-- $1 behind which, $2 how many, $3 tenant.
-- name: archive_refresh_seats :one  role: system
WITH part AS MATERIALIZED (
	SELECT part_end('users', 'id', $3, $1, $2) AS ends_at
), kinds AS MATERIALIZED (
	SELECT DISTINCT role_keys FROM users
	WHERE tenant_id = $3 AND id > coalesce($1, platform_tenant()) AND id <= (SELECT ends_at FROM part)
), has AS MATERIALIZED (
	SELECT k.role_keys, coalesce(array_agg(DISTINCT p ORDER BY p) FILTER (WHERE p IS NOT NULL), '{}') AS permissions
	FROM kinds k
	LEFT JOIN roles r ON r.tenant_id = $3 AND r.key = ANY (k.role_keys)
	LEFT JOIN builtin_roles b ON b.key = r.builtin_key
	LEFT JOIN LATERAL unnest(coalesce(b.permissions, r.permissions)) AS p ON true
	GROUP BY k.role_keys
), fresh AS (
	UPDATE users u
	SET permissions = has.permissions, mfa_enabled = coalesce((SELECT a.mfa_enabled FROM accounts a WHERE a.id = u.account_id), u.mfa_enabled)
	FROM has
	WHERE u.tenant_id = $3 AND u.id > coalesce($1, platform_tenant()) AND u.id <= (SELECT ends_at FROM part) AND u.role_keys = has.role_keys
	  AND (u.permissions <> has.permissions
	       OR u.mfa_enabled <> coalesce((SELECT a.mfa_enabled FROM accounts a WHERE a.id = u.account_id), u.mfa_enabled))
	RETURNING u.id
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM fresh) AS done FROM part;

-- Whoever was about to be erased is erased, as if it had been done.  $1 behind which event, $2 how many, $3 tenant.
-- name: archive_end_erasures :one  role: system
WITH part AS MATERIALIZED (
	SELECT part_end('events', 'id', $3, $1, $2) AS ends_at
), erased AS (
	INSERT INTO erased_users (tenant_id, user_id)
	SELECT DISTINCT e.tenant_id, e.subject_id
	FROM (SELECT tenant_id, subject_id FROM events
	      WHERE tenant_id = $3 AND id > coalesce($1, platform_tenant()) AND id <= (SELECT ends_at FROM part)
		AND type = 'user.erasureRequested' AND subject_id IS NOT NULL
	      ORDER BY id OFFSET 0) AS e
	ON CONFLICT ON CONSTRAINT erased_users_pkey DO NOTHING
	RETURNING user_id
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM erased) AS done FROM part;

-- Whoever was erased since then is erased again: first the seats …  $1 tenant.
-- name: archive_erased :many  role: system
SELECT u.id, u.account_id
FROM users u
WHERE u.tenant_id = $1 AND u.erased_at IS NULL
  AND (u.account_id IN (SELECT account_id FROM erased_accounts) OR u.id IN (SELECT user_id FROM erased_users WHERE tenant_id = $1));

-- … then their accounts, which came back for a moment: those that were erased, and those whose only seats these were. now() is when this
-- transaction began, so what it marks came back in it.  $1 accounts.
-- name: archive_drop_erased :exec  role: identity
DELETE FROM accounts a
WHERE a.id = ANY ($1::uuid[])
  AND (a.id IN (SELECT account_id FROM erased_accounts)
       OR (a.reset_required_at = now() AND a.xmin = pg_current_xact_id()::xid AND NOT EXISTS (SELECT FROM users u WHERE u.account_id = a.id)));

-- Who has which account now. Seat by seat, each account by its key: a join of tables that were just filled may come out as bad as it can.
-- $1 tenant.
-- name: archive_people :one  role: identity
SELECT count(DISTINCT a.id) FILTER (WHERE a.reset_required_at IS DISTINCT FROM now()) AS linked,
       count(DISTINCT a.id) FILTER (WHERE a.reset_required_at = now() AND a.email <> a.id || '@restored.invalid') AS restored,
       count(DISTINCT a.id) FILTER (WHERE a.reset_required_at = now() AND a.email = a.id || '@restored.invalid') AS taken
FROM users u
CROSS JOIN LATERAL (SELECT id, email, reset_required_at FROM accounts WHERE id = u.account_id OFFSET 0) AS a
WHERE u.tenant_id = $1;

-- What was good when it was archived and is not any more: credentials.  $1 tenant.
-- name: archive_revoke :one  role: identity
WITH keys AS (
	UPDATE api_keys SET revoked_at = now(), updated_at = now(), version = version + 1
	WHERE tenant_id = $1 AND revoked_at IS NULL
	RETURNING id
)
SELECT count(*) AS keys FROM keys;

------------------------------------------------------------------------------------------------------------
-- Removing, in one transaction

-- Nobody adds to it from here on.  $1 tenant.
-- name: archive_lock :one  noun: Tenant  role: system
SELECT realm_id FROM tenants WHERE id = $1 FOR UPDATE;

-- The next rows of a table, and what they add to its digest. last: the last of them, to go on behind; NULL: there were none.
-- $1 table, $2 tenant, $3 the last row so far or NULL, $4 how many, $5 the digest so far.
-- name: archive_remove :one  role: system
SELECT removed, digest, last FROM remove_rows($1, $2, $3, $4, $5);

-- Refuses when what was removed is not what was archived.  $1 table, $2 {"<table>": {"rows": …, "digest": …}}, $3 rows, $4 digest.
-- name: archive_check :exec  role: system
SELECT refuse('ZY409', format('%s has changed since it was archived', $1::text))
WHERE ($2::jsonb -> $1 ->> 'rows', $2::jsonb -> $1 ->> 'digest') IS DISTINCT FROM ($3::bigint::text, $4::text);

-- Its jobs, but not the one that removes it, nor that one's children.  $1 behind which, $2 how many, $3 tenant, $4 job.
-- name: archive_remove_jobs :one  role: system
WITH part AS MATERIALIZED (
	SELECT part_end('jobs', 'id', $3, $1, $2) AS ends_at
), gone AS (
	DELETE FROM jobs
	WHERE tenant_id = $3 AND id > coalesce($1, platform_tenant()) AND id <= (SELECT ends_at FROM part)
	  AND id <> $4 AND parent_id IS DISTINCT FROM $4
	RETURNING id
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM gone) AS done FROM part;

-- People of a realm that was the tenant's own and who sit nowhere else. Who has asked to be erased is by that.  $1 behind which account,
-- $2 how many, $3 realm; the platform's has none to remove.
-- name: archive_remove_accounts :one  role: identity
WITH part AS MATERIALIZED (
	SELECT coalesce((SELECT id FROM accounts
			 WHERE realm_id = $3 AND id > coalesce($1, platform_tenant()) AND $3 <> '00000000-0000-7000-8000-000000000000'
			 ORDER BY id OFFSET $2 - 1 LIMIT 1), last_id()) AS ends_at
), gone AS (
	DELETE FROM accounts a
	WHERE a.realm_id = $3 AND $3 <> '00000000-0000-7000-8000-000000000000'
	  AND a.id > coalesce($1, platform_tenant()) AND a.id <= (SELECT ends_at FROM part)
	  AND NOT EXISTS (SELECT FROM users u WHERE u.account_id = a.id)
	RETURNING a.id, a.deletion_at
), erased AS (
	INSERT INTO erased_accounts (account_id) SELECT id FROM gone WHERE deletion_at IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT nullif(ends_at, last_id()) AS last, (SELECT count(*) FROM gone) AS done FROM part;

-- $1 realm.
-- name: archive_remove_realm :exec  role: identity
WITH attempts AS (
	DELETE FROM login_attempts WHERE realm_id = $1 AND NOT EXISTS (SELECT FROM accounts WHERE realm_id = $1)
	  AND NOT EXISTS (SELECT FROM tenants WHERE realm_id = $1) AND $1 <> '00000000-0000-7000-8000-000000000000'::uuid
)
DELETE FROM realms r
WHERE r.id = $1 AND r.id <> '00000000-0000-7000-8000-000000000000'
  AND NOT EXISTS (SELECT FROM accounts WHERE realm_id = $1) AND NOT EXISTS (SELECT FROM tenants WHERE realm_id = $1);
