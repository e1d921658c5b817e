-- If-Match with a list; a first second factor for who has just logged in; a new JWT_SECRET without new API keys.

-- True when the row has a version that If-Match named, or none was named; else 412 (RFC 9110 section 13.1.1). version_matches() stays
-- for the binaries of before.
CREATE FUNCTION version_is_wanted(p_version bigint, p_wanted bigint[]) RETURNS boolean LANGUAGE plpgsql
AS $$
BEGIN
	IF p_wanted IS NULL OR p_version = ANY (p_wanted) THEN
		RETURN true;
	END IF;
	RETURN refuse('ZY412', 'The resource has changed since it was read');
END
$$;

------------------------------------------------------------------------------------------------------------
-- Hashes that outlive JWT_SECRET. These tables are locked before sessions, as requests by API keys do.

-- Under which JWT_SECRET a hash was made (token_mark() in src/crypto/token.h); NULL: the one of before this migration.
ALTER TABLE api_key_secrets ADD COLUMN keyed_by bytea;
ALTER TABLE recovery_codes ADD COLUMN keyed_by bytea;

------------------------------------------------------------------------------------------------------------
-- A recent log-in

-- When the password was given again in it; NULL: not since it began.
ALTER TABLE sessions ADD COLUMN password_at timestamptz;

-- As in 0014, and p_need may be 'recent': account, of which a second factor, or else the log-in or the password, is of the last 15 minutes.
CREATE OR REPLACE FUNCTION enter(p_session uuid, p_token bytea, p_tenant uuid, p_tenant_named boolean, p_need text, p_permission text,
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

	SELECT x.id, x.account_id, a.is_global_admin, a.mfa_enabled, t.id AS tenant_id, t.status AS tenant_status,
	       t.deletion_at IS NOT NULL AS is_ending, u.id AS user_id,
	       u.status AS user_status, u.permissions, t.mfa_required_at <= now() AS is_mfa_due,
	       coalesce(x.mfa_at > now() - interval '15 minutes', false) AS is_mfa_fresh,
	       greatest(x.created_at, x.password_at) > now() - interval '15 minutes' AS is_recent,
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
		ELSIF s.is_ending AND p_permission IS DISTINCT FROM 'canDeleteTenant' THEN
			PERFORM public.refuse('ZY451', 'Tenant is about to be deleted; who may delete it may take that back');
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
	ELSIF p_need = 'recent' AND NOT s.mfa_enabled AND NOT s.is_recent THEN
		PERFORM public.refuse('ZY454', 'Give your password again (POST /api/auth/password/confirm), or log in again');
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
