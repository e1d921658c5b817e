-- What `zygo migrate` needs, on a connection of its own, as the owner.

-- One at a time: held until the connection ends. The number is "zygo" in ASCII.
-- name: migrate_lock :exec
SELECT pg_advisory_lock(2054776687);

-- In the transaction of a migration: who waits for a lock lets everybody wait behind.
-- name: migrate_hurry :exec
SELECT set_config('lock_timeout', '2s', true);

-- name: migrate_has_table :one
SELECT to_regclass('schema_migrations') IS NOT NULL AS has_table;

-- name: migrate_create_table :exec
CREATE TABLE IF NOT EXISTS schema_migrations (
	name text CONSTRAINT schema_migrations_pkey PRIMARY KEY,
	checksum text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	duration_ms bigint NOT NULL
);

-- `zygo serve` looks whether its migrations are there.
-- name: migrate_grant :exec
GRANT SELECT ON schema_migrations TO zygo_app;

-- name: migrate_roles :one
SELECT (SELECT count(*) FROM pg_roles
        WHERE rolname IN ('zygo_app', 'zygo_identity', 'zygo_system')) = 3 AS has_roles,
       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may_create_roles;

-- $1 name, $2 its text in this binary.
-- name: migrate_find :opt
SELECT checksum = encode(sha256(convert_to($2, 'UTF8')), 'hex') AS is_same,
       to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS applied_at
FROM schema_migrations
WHERE name = $1;

-- name: migrate_names :many
SELECT name
FROM schema_migrations
ORDER BY name;

-- $1 name, $2 text, $3 how long it took.
-- name: migrate_record :exec
INSERT INTO schema_migrations (name, checksum, duration_ms)
VALUES ($1, encode(sha256(convert_to($2, 'UTF8')), 'hex'), $3);
