-- The roles of Zygo. Run once by someone who may create roles:  psql -f sql/roles.sql
-- `zygo migrate` runs it by itself where its own role may. Running it again changes nothing.
--
--   zygo_owner     owns the schema and migrates it; not used while serving
--   zygo_app       what serve and work log in as; bound by row-level security, owns nothing
--   zygo_identity  what zygo_app becomes inside identity's own transactions: accounts, sessions, seats of all tenants
--   zygo_system    what zygo_app becomes in the few paths that see all tenants (docs/security.md names them)
--
-- zygo_app is NOINHERIT: being a member of the last two gives it nothing until a transaction says so.
-- Passwords are yours to set:  ALTER ROLE zygo_app PASSWORD '…'

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zygo_owner') THEN
		CREATE ROLE zygo_owner LOGIN NOSUPERUSER NOBYPASSRLS;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zygo_app') THEN
		CREATE ROLE zygo_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zygo_identity') THEN
		CREATE ROLE zygo_identity NOLOGIN NOSUPERUSER NOBYPASSRLS;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zygo_system') THEN
		CREATE ROLE zygo_system NOLOGIN NOSUPERUSER NOBYPASSRLS;
	END IF;
END
$$;

GRANT zygo_identity, zygo_system TO zygo_app;
GRANT zygo_identity, zygo_system TO zygo_owner;

-- Here rather than in the connection's options, because PgBouncer does not pass those on.
ALTER ROLE zygo_app SET statement_timeout = '5s';
ALTER ROLE zygo_app SET lock_timeout = '2s';
ALTER ROLE zygo_app SET idle_in_transaction_session_timeout = '15s';
ALTER ROLE zygo_app SET timezone = 'UTC';
-- Statements here take well under a millisecond: compiling them never pays.
ALTER ROLE zygo_app SET jit = off;
