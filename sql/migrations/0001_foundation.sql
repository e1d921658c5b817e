-- The foundation: isolation, accounts and sessions, tenants and their users, roles, events.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO zygo_app, zygo_identity, zygo_system;

------------------------------------------------------------------------------------------------------------
-- Words that statements use

-- The tenant of this transaction, NULL when none is set. Policies spell it out as (SELECT …), so that the planner
-- evaluates it once a statement; a custom setting is '' and not NULL after the transaction that set it.
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;

-- The seat that acts in this transaction; NULL for a global admin without one, and for the platform itself.
CREATE FUNCTION current_seat() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;

-- The account and the session that act in this transaction, as enter() found them; NULL when nobody has entered.
CREATE FUNCTION current_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.account_id', true), '')::uuid $$;
CREATE FUNCTION current_session() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.session_id', true), '')::uuid $$;

-- Ends the statement with an error of ours (class ZY, src/db/sqlstate.c): for rules that need data. Boolean, so that
-- it may stand in a condition.
CREATE FUNCTION refuse(p_sqlstate text, p_message text, p_detail text DEFAULT '', p_column text DEFAULT '')
RETURNS boolean LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = p_sqlstate, MESSAGE = p_message, DETAIL = p_detail, COLUMN = p_column;
END
$$;

-- True when the row still has the version that If-Match named, or none was named; else 412.
CREATE FUNCTION version_matches(p_version bigint, p_wanted bigint) RETURNS boolean LANGUAGE plpgsql
AS $$
BEGIN
	IF p_wanted IS NULL OR p_version = p_wanted THEN
		RETURN true;
	END IF;
	RETURN refuse('ZY412', 'The resource has changed since it was read');
END
$$;

-- Makes a table a tenant table: row-level security, forced; the tenant's rows for everyone, all rows for the two roles that say
-- so. Every migration that creates a table with tenant_id ends with it; the program refuses to start otherwise.
CREATE PROCEDURE isolate(p_table regclass, p_column text DEFAULT 'tenant_id') LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
	EXECUTE format('CREATE POLICY own_tenant ON %s USING (%I = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))',
		       p_table, p_column);
	EXECUTE format('CREATE POLICY all_tenants ON %s TO zygo_identity, zygo_system USING (true)', p_table);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO zygo_app, zygo_identity, zygo_system', p_table);
END
$$;

------------------------------------------------------------------------------------------------------------
-- Accounts: a person's log-in. Global, so reached by zygo_identity alone; zygo_app has no grant on these tables.

-- Where an email is unique. Everybody is in the platform's realm, except the people of a tenant with its own.
CREATE TABLE realms (
	id uuid CONSTRAINT realms_pkey PRIMARY KEY,
	slug text NOT NULL CONSTRAINT realms_slug_key UNIQUE,
	name text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO realms (id, slug, name) VALUES ('00000000-0000-7000-8000-000000000000', 'platform', 'Platform');

CREATE TABLE accounts (
	id uuid CONSTRAINT accounts_pkey PRIMARY KEY,
	realm_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000'
		CONSTRAINT accounts_realm_id_fkey REFERENCES realms,
	email varchar(255) NOT NULL CONSTRAINT accounts_email_check CHECK (email = lower(email)),
	email_verified_at timestamptz,
	password_hash text,
	first_name varchar(100),
	last_name varchar(100),
	is_global_admin boolean NOT NULL DEFAULT false,
	mfa_enabled boolean NOT NULL DEFAULT false,
	locked_at timestamptz,         -- by the platform: neither log-in nor API key is good
	reset_required_at timestamptz, -- by the platform: the password is reset before the next log-in
	last_login_at timestamptz,
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz
);
CREATE UNIQUE INDEX accounts_realm_id_email_key ON accounts (realm_id, email) WHERE deleted_at IS NULL;

-- One log-in on one device. The cookie and the refresh tokens of a log-in are of one session, and end with it.
CREATE TABLE sessions (
	id uuid CONSTRAINT sessions_pkey PRIMARY KEY,
	account_id uuid NOT NULL CONSTRAINT sessions_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	-- The tenant that the person works in; not a foreign key, because it is looked at, with the seat, at every entry.
	active_tenant_id uuid,
	token_hash bytea CONSTRAINT sessions_token_hash_key UNIQUE,
	user_agent text,
	ip inet,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	idle_expires_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	mfa_at timestamptz, -- when a second factor was proven in it; NULL: never
	impersonator_id uuid CONSTRAINT sessions_impersonator_id_fkey REFERENCES accounts, -- who acts as the account; NULL: itself
	impersonation_reason text,
	revoked_at timestamptz,
	revoked_reason text
);
CREATE INDEX sessions_account_id_idx ON sessions (account_id, created_at) WHERE revoked_at IS NULL;
CREATE INDEX sessions_impersonator_id_idx ON sessions (impersonator_id) WHERE impersonator_id IS NOT NULL;

-- Rotated at each use; a used one that comes again ends its session.
CREATE TABLE refresh_tokens (
	token_hash bytea CONSTRAINT refresh_tokens_pkey PRIMARY KEY,
	session_id uuid NOT NULL CONSTRAINT refresh_tokens_session_id_fkey REFERENCES sessions ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	uses integer NOT NULL DEFAULT 0 -- 1: used, as it should be; more: somebody else has it too
);
CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);

-- Attempts to log in that have not succeeded, by a keyed hash of the email that was typed: counted alike whether it has an
-- account or not, so that being locked out tells nothing.
CREATE TABLE login_attempts (
	realm_id uuid NOT NULL CONSTRAINT login_attempts_realm_id_fkey REFERENCES realms,
	email_hash bytea NOT NULL,
	failures integer NOT NULL,
	locked_until timestamptz,
	last_at timestamptz NOT NULL,
	CONSTRAINT login_attempts_pkey PRIMARY KEY (realm_id, email_hash)
);
CREATE INDEX login_attempts_last_at_idx ON login_attempts (last_at);

-- How long the next attempt must wait after so many failures: NULL for the first four, then 1 s, doubling up to 15 minutes.
CREATE FUNCTION login_delay(p_failures integer) RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN p_failures >= 5 THEN least(900, power(2, least(p_failures, 20) - 5)) * interval '1 second' END $$;

-- Keys that sign access tokens; the private half is sealed under ENCRYPTION_KEY.
CREATE TABLE signing_keys (
	kid text CONSTRAINT signing_keys_pkey PRIMARY KEY,
	private_sealed bytea NOT NULL,
	public_pem text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	signs_from timestamptz NOT NULL DEFAULT now(), -- published before, so that every verifier knows it by then
	retires_at timestamptz                         -- not published any more
);

-- What happened to an account, outside any tenant: log-ins, refused attempts, password changes.
CREATE TABLE account_events (
	id uuid CONSTRAINT account_events_pkey PRIMARY KEY,
	account_id uuid NOT NULL CONSTRAINT account_events_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	type text NOT NULL,
	session_id uuid,
	ip inet,
	user_agent text,
	request_id text,
	data jsonb NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_events_account_id_idx ON account_events (account_id, created_at);

GRANT SELECT ON realms TO zygo_identity, zygo_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, sessions, refresh_tokens, login_attempts, signing_keys TO zygo_identity;
GRANT SELECT, INSERT ON account_events TO zygo_identity;
GRANT SELECT ON accounts, sessions, account_events TO zygo_system;

------------------------------------------------------------------------------------------------------------
-- Tenants

CREATE TABLE tenants (
	id uuid CONSTRAINT tenants_pkey PRIMARY KEY,
	realm_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000'
		CONSTRAINT tenants_realm_id_fkey REFERENCES realms,
	slug varchar(63) NOT NULL,
	name varchar(200) NOT NULL,
	plan varchar(40) NOT NULL DEFAULT 'free',
	settings jsonb NOT NULL DEFAULT '{}',
	status varchar(20) NOT NULL DEFAULT 'active'
		CONSTRAINT tenants_status_check CHECK (status IN ('active', 'suspended')),
	mfa_required_at timestamptz, -- from when on members need a second factor; NULL: they need none
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz
);
CREATE UNIQUE INDEX tenants_slug_key ON tenants (slug) WHERE deleted_at IS NULL;
CREATE INDEX tenants_created_at_idx ON tenants (created_at, id);
CALL isolate('tenants', 'id');
REVOKE INSERT, DELETE ON tenants FROM zygo_app;

-- The realm whose accounts log in to a tenant, named by slug or by id; the platform's when neither is given, or there is no such
-- tenant.
CREATE FUNCTION realm_of(p_slug text, p_tenant uuid) RETURNS uuid LANGUAGE sql STABLE
AS $$
	SELECT coalesce((SELECT realm_id FROM tenants WHERE deleted_at IS NULL AND (slug = p_slug OR id = p_tenant)),
			'00000000-0000-7000-8000-000000000000')
$$;

-- What each built-in role may do: src/http/permissions.c says it, `zygo migrate` writes it here. Not a tenant's.
CREATE TABLE builtin_roles (
	key text CONSTRAINT builtin_roles_pkey PRIMARY KEY,
	permissions text[] NOT NULL
);
GRANT SELECT ON builtin_roles TO zygo_app, zygo_identity, zygo_system;
GRANT INSERT, UPDATE ON builtin_roles TO zygo_system;

CREATE TABLE roles (
	tenant_id uuid NOT NULL CONSTRAINT roles_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	key varchar(63) NOT NULL,
	name varchar(100) NOT NULL,
	description varchar(500),
	builtin_key text CONSTRAINT roles_builtin_key_fkey REFERENCES builtin_roles,
	permissions text[] NOT NULL DEFAULT '{}', -- of custom roles; a built-in one has those of builtin_roles
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT roles_pkey PRIMARY KEY (tenant_id, id),
	CONSTRAINT roles_tenant_id_key_key UNIQUE (tenant_id, key)
);
CALL isolate('roles');

-- A seat: an account's place in one tenant. An invited person has no account yet.
CREATE TABLE users (
	tenant_id uuid NOT NULL CONSTRAINT users_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	account_id uuid CONSTRAINT users_account_id_fkey REFERENCES accounts,
	email varchar(255) NOT NULL CONSTRAINT users_email_check CHECK (email = lower(email)),
	first_name varchar(100),
	last_name varchar(100),
	display_name varchar(200),
	avatar text,
	phone varchar(20),
	status varchar(20) NOT NULL DEFAULT 'pending'
		CONSTRAINT users_status_check CHECK (status IN ('pending', 'active', 'suspended')),
	email_verified boolean NOT NULL DEFAULT false,
	phone_verified boolean NOT NULL DEFAULT false,
	mfa_enabled boolean NOT NULL DEFAULT false,
	last_login_at timestamptz,
	-- What its user_roles say, kept by triggers (refresh_seats): looked at by every request and every list.
	role_keys text[] NOT NULL DEFAULT '{}',
	permissions text[] NOT NULL DEFAULT '{}',
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_tenant_id_email_key ON users (tenant_id, email) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_tenant_id_account_id_key ON users (tenant_id, account_id) WHERE deleted_at IS NULL;
CREATE INDEX users_tenant_idx ON users (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX users_status_idx ON users (tenant_id, status) WHERE deleted_at IS NULL;
CREATE INDEX users_account_id_idx ON users (account_id) WHERE deleted_at IS NULL;
CALL isolate('users');

CREATE TABLE user_roles (
	tenant_id uuid NOT NULL,
	user_id uuid NOT NULL,
	role_id uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT user_roles_pkey PRIMARY KEY (tenant_id, user_id, role_id),
	CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
	CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (tenant_id, role_id) REFERENCES roles
);
CREATE INDEX user_roles_role_id_idx ON user_roles (tenant_id, role_id);
CALL isolate('user_roles');

-- Writes what the roles of these seats say into them. The roles are locked first, so that a change of a role and a change of who
-- has it take turns; then the seats, so that two changes of one seat do. The statement behind the locks has a snapshot of its own:
-- the later change sees the earlier.
CREATE FUNCTION refresh_seats(p_tenant uuid, p_users uuid[]) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM roles r JOIN user_roles ur ON ur.tenant_id = r.tenant_id AND ur.role_id = r.id
	WHERE ur.tenant_id = p_tenant AND ur.user_id = ANY (p_users)
	ORDER BY r.id FOR SHARE OF r;
	PERFORM FROM users WHERE tenant_id = p_tenant AND id = ANY (p_users) ORDER BY id FOR NO KEY UPDATE;

	UPDATE users u SET role_keys = has.keys, permissions = has.permissions
	FROM (
		SELECT w.id,
		       coalesce(array_agg(DISTINCT r.key::text ORDER BY r.key::text) FILTER (WHERE r.key IS NOT NULL), '{}') AS keys,
		       coalesce(array_agg(DISTINCT p ORDER BY p) FILTER (WHERE p IS NOT NULL), '{}') AS permissions
		FROM unnest(p_users) AS w (id)
		LEFT JOIN user_roles ur ON ur.tenant_id = p_tenant AND ur.user_id = w.id
		LEFT JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
		LEFT JOIN builtin_roles b ON b.key = r.builtin_key
		LEFT JOIN LATERAL unnest(coalesce(b.permissions, r.permissions)) AS p ON true
		GROUP BY w.id
	) AS has
	WHERE u.tenant_id = p_tenant AND u.id = has.id
	  AND (u.role_keys, u.permissions) IS DISTINCT FROM (has.keys, has.permissions);
END
$$;

CREATE FUNCTION user_roles_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	changed user_roles := coalesce(NEW, OLD);
BEGIN
	PERFORM refresh_seats(changed.tenant_id, ARRAY[changed.user_id]);
	RETURN NULL;
END
$$;
CREATE TRIGGER user_roles_changed AFTER INSERT OR DELETE ON user_roles
	FOR EACH ROW EXECUTE FUNCTION user_roles_changed();

CREATE FUNCTION roles_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM refresh_seats(NEW.tenant_id, array_agg(user_id))
	FROM user_roles WHERE tenant_id = NEW.tenant_id AND role_id = NEW.id
	HAVING count(*) > 0;
	RETURN NULL;
END
$$;
CREATE TRIGGER roles_changed AFTER UPDATE OF permissions, key ON roles
	FOR EACH ROW EXECUTE FUNCTION roles_changed();

-- A new binary's built-in roles reach the seats of all tenants. Who is being given one is waited for, and whoever comes later waits:
-- a grant that is not committed yet would not be seen here, nor would it see the change.
CREATE FUNCTION builtin_roles_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	LOCK TABLE user_roles IN SHARE MODE;
	PERFORM refresh_seats(has.tenant_id, has.users)
	FROM (SELECT ur.tenant_id, array_agg(DISTINCT ur.user_id) AS users
	      FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
	      WHERE r.builtin_key = NEW.key GROUP BY ur.tenant_id) AS has;
	RETURN NULL;
END
$$;
CREATE TRIGGER builtin_roles_changed AFTER UPDATE ON builtin_roles
	FOR EACH ROW WHEN (NEW.permissions IS DISTINCT FROM OLD.permissions) EXECUTE FUNCTION builtin_roles_changed();

-- What a seat may do, over all its roles; a seat that is not there, nothing.
CREATE FUNCTION permissions_of(p_user uuid) RETURNS text[] LANGUAGE sql STABLE
AS $$ SELECT coalesce((SELECT permissions FROM users WHERE tenant_id = current_tenant() AND id = p_user), '{}') $$;

-- What the seat that acts may do here and now: 0004 takes away what the API key that speaks for it was not given.
CREATE FUNCTION current_permissions() RETURNS text[] LANGUAGE sql STABLE
AS $$ SELECT permissions_of(current_seat()) $$;

-- Nobody grants what they do not hold: refuses role keys that do not exist, or that carry a permission which the acting seat
-- lacks.
CREATE FUNCTION may_grant(p_keys text[]) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	actor uuid := current_seat();
	unknown text;
	beyond record;
BEGIN
	SELECT k INTO unknown FROM unnest(p_keys) k
	WHERE NOT EXISTS (SELECT FROM roles WHERE tenant_id = current_tenant() AND key = k)
	LIMIT 1;
	IF FOUND THEN
		PERFORM refuse('ZY400', format('There is no role "%s"', unknown), '', 'roles');
	END IF;
	IF actor IS NULL THEN
		RETURN;
	END IF;
	SELECT r.key, p.name INTO beyond
	FROM roles r
	LEFT JOIN builtin_roles b ON b.key = r.builtin_key
	CROSS JOIN LATERAL unnest(coalesce(b.permissions, r.permissions)) AS p (name)
	WHERE r.tenant_id = current_tenant() AND r.key = ANY (p_keys)
	  AND p.name <> ALL (current_permissions())
	LIMIT 1;
	IF FOUND THEN
		PERFORM refuse('ZY403', format('You cannot grant the role "%s": you do not hold %s', beyond.key, beyond.name),
			       beyond.name);
	END IF;
END
$$;

-- Nor acts on somebody who holds more: refuses a seat with a permission that the acting seat lacks.
CREATE FUNCTION may_act_on(p_user uuid) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	actor uuid := current_seat();
	beyond text;
BEGIN
	SELECT p INTO beyond FROM unnest(permissions_of(p_user)) AS p
	WHERE actor IS NOT NULL AND p <> ALL (current_permissions())
	LIMIT 1;
	IF FOUND THEN
		PERFORM refuse('ZY403', format('You cannot change this user, who holds %s', beyond), beyond);
	END IF;
END
$$;

-- Refuses a change after which nobody active would own the tenant. It runs after the change; the lock makes two removals of the
-- last two owners take turns, and the second then sees the first.
CREATE FUNCTION keep_an_owner() RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM tenants WHERE id = current_tenant() FOR NO KEY UPDATE;
	PERFORM FROM user_roles ur
	JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id AND r.builtin_key = 'owner'
	JOIN users u ON u.tenant_id = ur.tenant_id AND u.id = ur.user_id
	WHERE ur.tenant_id = current_tenant() AND u.status = 'active' AND u.deleted_at IS NULL
	LIMIT 1;
	IF NOT FOUND THEN
		PERFORM refuse('ZY422', 'The last owner cannot go: make somebody else an owner first');
	END IF;
END
$$;

------------------------------------------------------------------------------------------------------------
-- Events: what happened, written in the transaction that made it true.

CREATE TABLE events (
	tenant_id uuid NOT NULL CONSTRAINT events_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	type text NOT NULL,             -- "project.created"
	subject_id uuid,                -- what it happened to
	actor_kind text NOT NULL,       -- session, token, system; none on an open route (sign-up)
	account_id uuid,
	user_id uuid,
	session_id uuid,
	ip inet,
	request_id text,
	data jsonb NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT events_pkey PRIMARY KEY (tenant_id, id)
);
CALL isolate('events');
REVOKE UPDATE, DELETE ON events FROM zygo_app, zygo_identity;

-- Replies kept for Idempotency-Key, beside the change that they answer.
CREATE TABLE idempotency_keys (
	tenant_id uuid NOT NULL CONSTRAINT idempotency_keys_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	account_id uuid NOT NULL,
	key varchar(255) NOT NULL,
	route text NOT NULL,            -- "POST /projects"
	digest bytea NOT NULL,          -- of the request
	status integer,
	reply text,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, account_id, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
CALL isolate('idempotency_keys');

------------------------------------------------------------------------------------------------------------
-- Entering: the first statement of every transaction that a request opens.

-- Finds the session (by id from a verified access token, or by the hash of the cookie), sets the tenant for this transaction, and
-- proves that the caller may do what the route wants; else raises, and nothing after it in the pipeline runs.
--
-- p_tenant: the tenant asked for (X-Tenant-ID, or the token's); NULL: the session's own.
-- p_need: 'account', 'member' or 'global_admin'; p_permission: what 'member' must hold beside, or NULL.
-- p_step_up: a second factor, where the account has one, must have been proven in this session within 15 minutes.
-- p_tenant_named: the tenant comes from X-Tenant-ID, so being no member of it is not a lost seat.
--
-- Names are spelled with their schema instead of SET search_path, which costs as much as the look-up itself. It is every request's
-- first statement: one query over four primary keys.
CREATE FUNCTION enter(p_session uuid, p_token bytea, p_tenant uuid, p_tenant_named boolean, p_need text, p_permission text,
		      p_step_up boolean, p_read_only boolean)
RETURNS TABLE (session_id uuid, account_id uuid, tenant_id uuid, user_id uuid, is_global_admin boolean, is_stale boolean)
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	wanted uuid := p_session;
	s record;
BEGIN
	IF p_token IS NOT NULL THEN
		SELECT x.id INTO wanted FROM public.sessions x WHERE x.token_hash = p_token;
	END IF;

	SELECT x.id, x.account_id, a.is_global_admin, a.mfa_enabled, t.id AS tenant_id, t.status AS tenant_status, u.id AS user_id,
	       u.status AS user_status, u.permissions, t.mfa_required_at <= now() AS is_mfa_due,
	       coalesce(x.mfa_at > now() - interval '15 minutes', false) AS is_mfa_fresh,
	       x.impersonator_id IS NOT NULL AND p_tenant <> x.active_tenant_id AS is_out_of_place,
	       x.last_seen_at < now() - interval '5 minutes' AS is_stale
	INTO s
	FROM public.sessions x
	JOIN public.accounts a ON a.id = x.account_id AND a.deleted_at IS NULL AND a.locked_at IS NULL
	LEFT JOIN public.tenants t ON t.id = coalesce(p_tenant, x.active_tenant_id) AND t.deleted_at IS NULL
	LEFT JOIN public.users u ON u.tenant_id = t.id AND u.account_id = x.account_id AND u.deleted_at IS NULL
	WHERE x.id = wanted AND x.revoked_at IS NULL AND x.expires_at > now() AND x.idle_expires_at > now();
	IF NOT FOUND THEN
		PERFORM public.refuse('ZY461', 'Invalid or expired token');
	END IF;

	session_id := s.id;
	account_id := s.account_id;
	is_global_admin := s.is_global_admin AND s.mfa_enabled;
	is_stale := s.is_stale;

	IF p_need = 'member' THEN
		IF s.tenant_id IS NULL THEN
			IF s.is_global_admin THEN
				PERFORM public.refuse('ZY400', 'Name the tenant to act on in X-Tenant-ID', '', 'X-Tenant-ID');
			END IF;
			PERFORM public.refuse('ZY403', 'Tenant not found or inactive');
		ELSIF s.is_out_of_place THEN
			PERFORM public.refuse('ZY403', 'Who acts as somebody else does so in one tenant');
		ELSIF s.is_global_admin AND s.mfa_enabled THEN
			NULL; -- may do everything, with a seat or without
		ELSIF s.user_id IS NULL THEN
			IF s.is_global_admin THEN
				PERFORM public.refuse('ZY452', 'Multi-factor authentication is required');
			ELSIF p_tenant_named THEN
				PERFORM public.refuse('ZY403', 'Tenant not found or inactive');
			END IF;
			PERFORM public.refuse('ZY401', 'User not found');
		ELSIF s.tenant_status <> 'active' THEN
			PERFORM public.refuse('ZY451', 'Tenant is suspended');
		ELSIF s.user_status <> 'active' THEN
			PERFORM public.refuse('ZY403', 'Your access to this tenant is suspended');
		ELSIF s.is_mfa_due AND NOT s.mfa_enabled THEN
			PERFORM public.refuse('ZY452', 'This tenant requires multi-factor authentication: set up a second factor');
		ELSIF p_permission <> ALL (s.permissions) THEN
			PERFORM public.refuse('ZY403', 'Insufficient permissions', p_permission);
		END IF;

		tenant_id := s.tenant_id;
		user_id := s.user_id;
	ELSIF p_need = 'global_admin' THEN
		IF NOT s.is_global_admin THEN
			PERFORM public.refuse('ZY403', 'Insufficient permissions');
		ELSIF NOT s.mfa_enabled THEN
			PERFORM public.refuse('ZY452', 'Multi-factor authentication is required');
		END IF;
	END IF;

	IF p_step_up AND s.mfa_enabled AND NOT s.is_mfa_fresh THEN
		PERFORM public.refuse('ZY452', 'Prove your second factor again: POST /api/auth/mfa/step-up');
	END IF;

	PERFORM set_config('app.tenant_id', coalesce(tenant_id::text, ''), true),
		set_config('app.user_id', coalesce(user_id::text, ''), true),
		set_config('app.account_id', account_id::text, true),
		set_config('app.session_id', session_id::text, true);
	IF p_read_only THEN
		PERFORM set_config('transaction_read_only', 'on', true);
	END IF;
	RETURN NEXT;
END
$$;

-- The same for work without a caller: a job, an admin's command.
CREATE FUNCTION enter_tenant(p_tenant uuid, p_read_only boolean) RETURNS void LANGUAGE sql
AS $$
	SELECT set_config('app.tenant_id', p_tenant::text, true),
	       set_config('transaction_read_only', CASE WHEN p_read_only THEN 'on' ELSE 'off' END, true)
$$;

-- enter() reads sessions of everybody, so it runs as the role that may.
GRANT CREATE ON SCHEMA public TO zygo_identity;
ALTER FUNCTION enter OWNER TO zygo_identity;
REVOKE CREATE ON SCHEMA public FROM zygo_identity;
REVOKE EXECUTE ON FUNCTION enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter TO zygo_app;
