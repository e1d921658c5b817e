-- What the database room itself needs: transactions, roles, health, and the proof of isolation that `zygo serve` wants before
-- it starts. Read catalogs only.

-- name: system_begin :exec
BEGIN;

-- name: system_commit :exec
COMMIT;

-- name: system_rollback :exec
ROLLBACK;

-- The application's own role again, after one of the two below in the same transaction.
-- name: system_as_app :exec
SELECT set_config('role', 'none', true);

-- name: system_as_identity :exec
SELECT set_config('role', 'zygo_identity', true);

-- name: system_as_system :exec
SELECT set_config('role', 'zygo_system', true);

-- How transactions of work without a caller begin: a job, an admin's command.  $1 tenant, $2 read only.
-- A function of them would be planned anew in every transaction: 27 µs, where this takes 4.
-- name: system_enter_tenant :exec
SELECT set_config('app.tenant_id', $1::uuid::text, true),
       set_config('transaction_read_only', CASE WHEN $2 THEN 'on' ELSE 'off' END, true);

-- name: system_ping :one
SELECT true AS ok;

-- Whom one talks to, as whom, and what time it is there: for `zygo doctor`.
-- name: system_about :one
SELECT current_setting('server_version') AS version, current_user::text AS role, clock_timestamp() AS now;

-- Each row is one reason why tenants would not be kept apart, as a sentence for the admin.
-- name: system_findings :many
SELECT format('role %I is a superuser, bound by nothing: DATABASE_URL wants zygo_app', rolname) AS finding
FROM pg_roles
WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT format('role %I may become %I, which is not bound by row-level security: DATABASE_URL wants zygo_app', current_user, rolname)
FROM pg_roles
WHERE (rolsuper OR rolbypassrls) AND pg_has_role(current_user, oid, 'MEMBER')
  AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
UNION ALL
SELECT format('role %I owns tables (%s, such as %s) and could lift their policies: DATABASE_URL wants zygo_app',
	      current_user, count(*), min(c.oid::regclass::text))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'
  AND pg_has_role(current_user, c.relowner, 'MEMBER')
  AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
HAVING count(*) > 0
UNION ALL
SELECT format('table %s has tenant_id but no forced row-level security', c.oid::regclass)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
UNION ALL
SELECT 'no migration was applied: run zygo migrate'
WHERE to_regclass('schema_migrations') IS NULL;

-- $1 the migrations of this binary. Newer ones in the database are fine.
-- name: system_missing_migrations :many
SELECT format('migration %s is not applied: run zygo migrate', m.name) AS finding
FROM unnest($1::text[]) AS m (name)
WHERE NOT EXISTS (SELECT FROM schema_migrations s WHERE s.name = m.name);
