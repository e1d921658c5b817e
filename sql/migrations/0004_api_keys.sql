-- Roles that tenants make for themselves, and API keys.

------------------------------------------------------------------------------------------------------------
-- Roles

CREATE INDEX roles_created_at_idx ON roles (tenant_id, created_at, id);
CREATE INDEX roles_name_idx ON roles (tenant_id, name, id);

-- Nobody gives what they do not hold: refuses permissions that do not exist, naming the field that they came in, and those
-- that the acting seat lacks. An owner holds all there are. A global admin without a seat may give any.
CREATE FUNCTION may_give(p_permissions text[], p_field text) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	wrong text;
BEGIN
	SELECT p INTO wrong FROM unnest(p_permissions) AS p
	WHERE NOT EXISTS (SELECT FROM builtin_roles WHERE key = 'owner' AND p = ANY (permissions))
	LIMIT 1;
	IF FOUND THEN
		PERFORM refuse('ZY400', format('There is no permission "%s"', wrong), '', p_field);
	END IF;
	SELECT p INTO wrong FROM unnest(p_permissions) AS p
	WHERE current_seat() IS NOT NULL AND p <> ALL (current_permissions())
	LIMIT 1;
	IF FOUND THEN
		PERFORM refuse('ZY403', format('You cannot give %s: you do not hold it', wrong), wrong);
	END IF;
END
$$;

-- Refuses a role that is built in, or that holds a permission which the acting seat lacks. The lock keeps it as it was judged. A role
-- that is not there is for the next statement to miss.
CREATE FUNCTION may_change_role(p_role uuid) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	r record;
	beyond text;
BEGIN
	SELECT key, builtin_key, permissions INTO r FROM roles WHERE tenant_id = current_tenant() AND id = p_role FOR UPDATE;
	IF r.builtin_key IS NOT NULL THEN
		PERFORM refuse('ZY422', format('The role "%s" is built in and cannot be changed', r.key));
	END IF;
	SELECT p INTO beyond FROM unnest(r.permissions) AS p
	WHERE current_seat() IS NOT NULL AND p <> ALL (current_permissions())
	LIMIT 1;
	IF FOUND THEN
		PERFORM refuse('ZY403', format('You cannot change the role "%s", which holds %s', r.key, beyond), beyond);
	END IF;
END
$$;

------------------------------------------------------------------------------------------------------------
-- API keys: a program acts as the seat that made its key, with no more than the key's scopes.

CREATE TABLE api_keys (
	tenant_id uuid NOT NULL CONSTRAINT api_keys_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	user_id uuid NOT NULL,
	name varchar(100) NOT NULL,
	hint text NOT NULL,                         -- how the newest secret begins: "zk_live_4fGh"
	scopes text[] NOT NULL
		CONSTRAINT api_keys_scopes_check CHECK (cardinality(scopes) > 0 AND 'canManageApiKeys' <> ALL (scopes)),
	allowed_ips inet[] NOT NULL DEFAULT '{}',   -- none: from everywhere
	rate_limit integer CONSTRAINT api_keys_rate_limit_check CHECK (rate_limit > 0), -- requests a minute; NULL: its maker's
	expires_at timestamptz,
	revoked_at timestamptz,
	last_used_at timestamptz,                   -- to the minute
	last_used_ip inet,
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id),
	CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX api_keys_created_at_idx ON api_keys (tenant_id, created_at, id);
CREATE INDEX api_keys_name_idx ON api_keys (tenant_id, name, id);
CREATE INDEX api_keys_user_id_idx ON api_keys (tenant_id, user_id);
CALL isolate('api_keys');

-- What opens a key: one secret, or two while the older of a rotation is still good. Kept as a keyed hash (crypto/token.h).
CREATE TABLE api_key_secrets (
	tenant_id uuid NOT NULL CONSTRAINT api_key_secrets_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	api_key_id uuid NOT NULL,
	hash bytea NOT NULL CONSTRAINT api_key_secrets_hash_key UNIQUE,
	expires_at timestamptz,                     -- NULL: the newest one, which ends with its key
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT api_key_secrets_pkey PRIMARY KEY (tenant_id, api_key_id, hash),
	CONSTRAINT api_key_secrets_api_key_id_fkey FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys ON DELETE CASCADE
);
CALL isolate('api_key_secrets');

CREATE FUNCTION api_key_status(p_revoked_at timestamptz, p_expires_at timestamptz) RETURNS text LANGUAGE sql STABLE
AS $$ SELECT CASE WHEN p_revoked_at IS NOT NULL THEN 'revoked' WHEN p_expires_at <= now() THEN 'expired' ELSE 'active' END $$;

-- A key acts for a seat and holds nothing that this seat lacks: refuses scopes beyond that. What would make a key outlive its own
-- revocation, making others, is no scope.
CREATE FUNCTION may_scope(p_scopes text[]) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	IF 'canManageApiKeys' = ANY (p_scopes) THEN
		PERFORM refuse('ZY400', 'An API key cannot manage API keys', '', 'scopes');
	ELSIF current_seat() IS NULL THEN
		PERFORM refuse('ZY422', 'An API key acts for a user of the tenant, and you are none');
	END IF;
	PERFORM may_give(p_scopes, 'scopes');
END
$$;

-- Refuses a key that is over, and one of somebody else: whoever could give it a new secret or more scopes would act in that
-- person's name. Ending it is for everybody who manages keys.
CREATE FUNCTION may_change_key(p_key uuid) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	k record;
BEGIN
	SELECT user_id, revoked_at INTO k FROM api_keys WHERE tenant_id = current_tenant() AND id = p_key FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	ELSIF k.user_id IS DISTINCT FROM current_seat() THEN
		PERFORM refuse('ZY403', 'A key is changed by the person who made it; you can revoke it');
	ELSIF k.revoked_at IS NOT NULL THEN
		PERFORM refuse('ZY409', 'The API key is revoked', '', 'status');
	END IF;
END
$$;

-- A seat's keys end with it.
CREATE FUNCTION seat_removed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE api_keys SET revoked_at = now(), updated_at = now(), version = version + 1
	WHERE tenant_id = NEW.tenant_id AND user_id = NEW.id AND revoked_at IS NULL;
	RETURN NULL;
END
$$;
CREATE TRIGGER seat_removed AFTER UPDATE OF deleted_at ON users
	FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL) EXECUTE FUNCTION seat_removed();

------------------------------------------------------------------------------------------------------------
-- Entering with a key

-- The API key that acts in this transaction, as enter_key() found it; NULL when a person does.
CREATE FUNCTION current_api_key() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.api_key_id', true), '')::uuid $$;

CREATE OR REPLACE FUNCTION current_permissions() RETURNS text[] LANGUAGE sql STABLE
AS $$
	SELECT CASE
		WHEN current_api_key() IS NULL THEN permissions_of(current_seat())
		ELSE ARRAY(SELECT unnest(permissions_of(current_seat()))
			   INTERSECT SELECT unnest(string_to_array(current_setting('app.scopes', true), ' ')))
	END
$$;

ALTER TABLE events ADD COLUMN api_key_id uuid; -- with actor_kind apiKey: which

-- What enter() is for people: finds the key by the hash of its secret and proves that it may do what the route wants, here, now
-- and from this address. What it may do is what its scopes and its maker's seat both allow; a global admin's key is no more than that.
--
-- p_need: as enter()'s, or 'person' where no key is enough.
CREATE FUNCTION enter_key(p_hash bytea, p_ip inet, p_tenant uuid, p_need text, p_permission text, p_read_only boolean)
RETURNS TABLE (api_key_id uuid, account_id uuid, tenant_id uuid, user_id uuid, rate_limit integer, is_stale boolean)
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	k record;
BEGIN
	SELECT x.id, x.tenant_id, x.user_id, x.scopes, x.allowed_ips, x.rate_limit, u.account_id, u.permissions,
	       u.status AS user_status, t.status AS tenant_status,
	       x.last_used_at IS NULL OR x.last_used_at < now() - interval '1 minute' AS is_stale
	INTO k
	FROM public.api_key_secrets s
	JOIN public.api_keys x ON x.tenant_id = s.tenant_id AND x.id = s.api_key_id
	JOIN public.tenants t ON t.id = x.tenant_id AND t.deleted_at IS NULL
	JOIN public.users u ON u.tenant_id = x.tenant_id AND u.id = x.user_id AND u.deleted_at IS NULL
	JOIN public.accounts a ON a.id = u.account_id AND a.deleted_at IS NULL AND a.locked_at IS NULL
	WHERE s.hash = p_hash AND (s.expires_at IS NULL OR s.expires_at > now())
	  AND x.revoked_at IS NULL AND (x.expires_at IS NULL OR x.expires_at > now());
	IF NOT FOUND THEN
		PERFORM public.refuse('ZY461', 'Invalid or expired API key');
	END IF;

	IF cardinality(k.allowed_ips) > 0 AND NOT coalesce(p_ip <<= ANY (k.allowed_ips), false) THEN
		PERFORM public.refuse('ZY403', 'This API key cannot be used from this address');
	ELSIF p_need NOT IN ('member', 'person') THEN
		PERFORM public.refuse('ZY403', 'API keys act in a tenant only');
	ELSIF p_tenant <> k.tenant_id THEN
		PERFORM public.refuse('ZY403', 'Tenant not found or inactive');
	ELSIF k.tenant_status <> 'active' THEN
		PERFORM public.refuse('ZY451', 'Tenant is suspended');
	ELSIF k.user_status <> 'active' THEN
		PERFORM public.refuse('ZY403', 'The access of the user who made this API key is suspended');
	ELSIF p_need = 'person' THEN
		PERFORM public.refuse('ZY403', 'This is for people: an API key has no second factor');
	ELSIF p_permission <> ALL (k.scopes) OR p_permission <> ALL (k.permissions) THEN
		PERFORM public.refuse('ZY403', 'Insufficient permissions', p_permission);
	END IF;

	api_key_id := k.id;
	account_id := k.account_id;
	tenant_id := k.tenant_id;
	user_id := k.user_id;
	rate_limit := k.rate_limit;
	is_stale := k.is_stale;

	PERFORM set_config('app.tenant_id', tenant_id::text, true),
		set_config('app.user_id', user_id::text, true),
		set_config('app.account_id', account_id::text, true),
		set_config('app.api_key_id', api_key_id::text, true),
		set_config('app.scopes', array_to_string(k.scopes, ' '), true);
	IF p_read_only THEN
		PERFORM set_config('transaction_read_only', 'on', true);
	END IF;
	RETURN NEXT;
END
$$;

-- It looks at the keys of all tenants, so it runs as the role that may.
GRANT CREATE ON SCHEMA public TO zygo_identity;
ALTER FUNCTION enter_key OWNER TO zygo_identity;
REVOKE CREATE ON SCHEMA public FROM zygo_identity;
REVOKE EXECUTE ON FUNCTION enter_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter_key TO zygo_app;
