-- What archives and erasures left open: docs/admin.md, "Ends".

------------------------------------------------------------------------------------------------------------
-- Erasure

-- Accounts whose people wanted them erased: what is older than that, an archive, does not bring them back. The id alone leads to nobody.
CREATE TABLE erased_accounts (
	account_id uuid CONSTRAINT erased_accounts_pkey PRIMARY KEY,
	erased_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON erased_accounts TO zygo_identity;
GRANT SELECT ON erased_accounts TO zygo_system;

-- As in 0014, and without whose account it was.
CREATE OR REPLACE FUNCTION without_person(p_data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value)
		WHEN 'object' THEN without_person(value)
		WHEN 'array' THEN (SELECT coalesce(jsonb_agg(CASE WHEN jsonb_typeof(v) = 'object' THEN without_person(v) ELSE v END ORDER BY n), '[]')
				   FROM jsonb_array_elements(value) WITH ORDINALITY AS e (v, n))
		ELSE value END), '{}')
	FROM jsonb_each(p_data)
	WHERE key NOT IN ('email', 'firstName', 'lastName', 'displayName', 'avatar', 'phone', 'name', 'ip', 'userAgent', 'accountId')
$$;

-- Makes a seat nobody's, and with it those that the same person or email had here before: the rows stay, as whom events name; whatever falls
-- with them by a foreign key goes; events, and what webhooks were sent of them, say no more who it was. How many rows of which table, as an
-- object; NULL: it was erased before.
CREATE OR REPLACE FUNCTION erase_seat(p_tenant uuid, p_user uuid) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	seat record;
	seats uuid[];
	subjects uuid[];    -- what says who it was: the seats, their invitations, their API keys
	changed uuid[];     -- events
	f record;
	n bigint;
	counts jsonb := '{}';
BEGIN
	SELECT account_id, email INTO seat FROM users WHERE tenant_id = p_tenant AND id = p_user AND erased_at IS NULL FOR UPDATE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('app.moving', 'on', true), set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true);
	seats := ARRAY(SELECT u.id FROM users u
		       WHERE u.tenant_id = p_tenant AND u.erased_at IS NULL
			 AND (u.id = p_user OR (u.deleted_at IS NOT NULL AND (u.account_id = seat.account_id OR u.email = seat.email))));
	subjects := seats || ARRAY(SELECT i.id FROM invitations i WHERE i.tenant_id = p_tenant AND i.user_id = ANY (seats))
			  || ARRAY(SELECT k.id FROM api_keys k WHERE k.tenant_id = p_tenant AND k.user_id = ANY (seats));

	DELETE FROM jobs j
	WHERE j.tenant_id IN (p_tenant, platform_tenant()) AND j.queue = 'email' AND j.state <> 'active'
	  AND (j.payload ->> 'email' = seat.email OR j.payload ->> 'subject' = seat.account_id::text
	       OR j.payload ->> 'subject' = ANY (subjects::text[]));
	GET DIAGNOSTICS n = ROW_COUNT;
	counts := counts || jsonb_build_object('jobs', n);

	DELETE FROM idempotency_keys WHERE tenant_id = p_tenant AND account_id = seat.account_id;
	DELETE FROM notifications WHERE tenant_id = p_tenant AND (subject_id = ANY (subjects) OR actor_id = ANY (seats));

	-- Two columns each: the tenant's, and the user's.
	FOR f IN SELECT c.conrelid::regclass AS tab, a.attname AS col
		 FROM pg_constraint c
		 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attname <> 'tenant_id'
		 WHERE c.contype = 'f' AND c.confrelid = 'public.users'::regclass AND c.confdeltype = 'c' AND c.conparentid = 0 LOOP
		EXECUTE format('DELETE FROM %s WHERE tenant_id = $1 AND %I = ANY ($2)', f.tab, f.col) USING p_tenant, seats;
		GET DIAGNOSTICS n = ROW_COUNT;
		IF n > 0 THEN
			counts := counts || jsonb_build_object(f.tab::text, n);
		END IF;
	END LOOP;

	-- Of what the person did to others stays what was done; what names the person goes.
	WITH cleaned AS (
		UPDATE events e
		SET ip = CASE WHEN is_own THEN NULL ELSE e.ip END, session_id = CASE WHEN is_own THEN NULL ELSE e.session_id END,
		    account_id = CASE WHEN is_own THEN NULL ELSE e.account_id END,
		    data = CASE WHEN names THEN without_person(e.data) ELSE e.data - 'ip' - 'userAgent' END
		FROM (SELECT id, user_id = ANY (seats) OR coalesce(account_id = seat.account_id, false) AS is_own,
			     coalesce(subject_id = ANY (subjects), false) OR strpos(data::text, to_json(seat.email::text)::text) > 0 AS names
		      FROM events WHERE tenant_id = p_tenant) AS w
		WHERE e.tenant_id = p_tenant AND e.id = w.id AND (w.is_own OR w.names)
		RETURNING e.id
	)
	SELECT array_agg(id), count(*) INTO changed, n FROM cleaned;
	counts := counts || jsonb_build_object('events', n);

	UPDATE users
	SET account_id = NULL, email = 'erased-' || id || '@erased.invalid', first_name = NULL, last_name = NULL,
	    display_name = 'Erased user', avatar = NULL, phone = NULL, email_verified = false, phone_verified = false, mfa_enabled = false,
	    last_login_at = NULL, role_keys = '{}', permissions = '{}', status = 'suspended', deleted_at = coalesce(deleted_at, now()),
	    erased_at = now(), updated_at = now(), version = version + 1
	WHERE tenant_id = p_tenant AND id = ANY (seats);
	GET DIAGNOSTICS n = ROW_COUNT;

	-- The reader that makes messages waits for this transaction: it has made them before, from what is seen here, or will from what is left.
	PERFORM FROM event_readers WHERE name = 'webhooks' FOR UPDATE;
	UPDATE webhook_messages m
	SET payload = webhook_payload(e.type, e.id, e.created_at, e.tenant_id, e.subject_id, e.user_id, e.data)
	FROM events e
	WHERE m.tenant_id = p_tenant AND m.id = ANY (changed) AND e.tenant_id = p_tenant AND e.id = m.id;
	UPDATE webhook_attempts SET response_body = NULL WHERE tenant_id = p_tenant AND strpos(response_body, seat.email) > 0;

	PERFORM set_config('app.moving', '', true);
	RETURN counts || jsonb_build_object('users', n);
END
$$;

-- Removes an account that has no seat any more, for good. How many rows of which table, as an object.
CREATE OR REPLACE FUNCTION erase_account(p_account uuid) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	was record;
	f record;
	n bigint;
	counts jsonb := '{}';
BEGIN
	SELECT id, email INTO was FROM accounts WHERE id = p_account FOR UPDATE;
	INSERT INTO erased_accounts (account_id) VALUES (p_account) ON CONFLICT DO NOTHING;
	DELETE FROM jobs j
	WHERE j.tenant_id = platform_tenant() AND j.queue = 'email' AND j.state <> 'active'
	  AND (j.payload ->> 'email' = was.email OR j.payload ->> 'subject' = p_account::text);
	DELETE FROM sessions WHERE impersonator_id = p_account;
	FOR f IN SELECT c.conrelid::regclass AS tab, a.attname AS col
		 FROM pg_constraint c
		 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
		 WHERE c.contype = 'f' AND c.confrelid = 'public.accounts'::regclass AND c.confdeltype = 'c' AND c.conparentid = 0
		   AND has_table_privilege(c.conrelid, 'SELECT') LOOP
		EXECUTE format('SELECT count(*) FROM %s WHERE %I = $1', f.tab, f.col) INTO n USING p_account;
		IF n > 0 THEN
			counts := counts || jsonb_build_object(f.tab::text, n);
		END IF;
	END LOOP;
	DELETE FROM accounts WHERE id = p_account;
	RETURN counts || jsonb_build_object('accounts', 1);
END
$$;

------------------------------------------------------------------------------------------------------------
-- Restoring

-- Rows of a table, a JSON array of what archive_rows() gave, back in their place. They are of the tenant that is restored, or nothing
-- is. A column that the table has gained since takes its default: what is written has to be what was given, but for those.
CREATE OR REPLACE FUNCTION restore_rows(p_table text, p_rows text) RETURNS bigint LANGUAGE plpgsql SET timezone = 'UTC'
AS $$
DECLARE
	tab regclass := tenant_table(p_table);
	given jsonb := p_rows;
	named text[] := ARRAY(SELECT jsonb_object_keys(given -> 0));
	gained text[] := ARRAY(SELECT attname FROM pg_attribute
			       WHERE attrelid = tab AND attnum > 0 AND NOT attisdropped AND attname <> ALL (named));
	written text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
			 WHERE attrelid = tab AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname = ANY (named));
	restored bigint;
	others bigint;
BEGIN
	PERFORM FROM jsonb_array_elements(given) AS r WHERE r ->> tenant_column(p_table) IS DISTINCT FROM current_tenant()::text;
	IF FOUND THEN
		PERFORM refuse('ZY422', format('The archive has rows of another tenant in %s', p_table));
	END IF;
	EXECUTE format('WITH put AS (INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM jsonb_populate_recordset(NULL::%1$s, $1) RETURNING *), '
		       'other AS (SELECT r FROM jsonb_array_elements($1) AS r EXCEPT SELECT to_jsonb(p) - $2 FROM put AS p) '
		       'SELECT (SELECT count(*) FROM put), (SELECT count(*) FROM other)', tab, written)
	INTO restored, others USING given, gained;
	IF others > 0 THEN
		PERFORM refuse('ZY422', format('%s cannot keep what the archive has of it: restore it by the version that made it, then upgrade',
					       p_table));
	END IF;
	RETURN restored;
END
$$;

------------------------------------------------------------------------------------------------------------
-- Who acts in whose name

-- As in 0014; and a key speaks for a person, of whom the tenant wants a second factor.
CREATE OR REPLACE FUNCTION enter_key(p_hash bytea, p_ip inet, p_tenant uuid, p_need text, p_permission text, p_read_only boolean)
RETURNS TABLE (api_key_id uuid, account_id uuid, tenant_id uuid, user_id uuid, rate_limit integer, is_stale boolean)
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	k record;
BEGIN
	SELECT x.id, x.tenant_id, x.user_id, x.scopes, x.allowed_ips, x.rate_limit, u.account_id, u.permissions,
	       u.status AS user_status, t.status AS tenant_status, t.deletion_at IS NOT NULL AS is_ending,
	       t.mfa_required_at <= now() AND NOT a.mfa_enabled AS is_mfa_due,
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
	ELSIF k.is_ending THEN
		PERFORM public.refuse('ZY451', 'Tenant is about to be deleted');
	ELSIF k.user_status <> 'active' THEN
		PERFORM public.refuse('ZY403', 'The access of the user who made this API key is suspended');
	ELSIF k.is_mfa_due THEN
		PERFORM public.refuse('ZY452', 'This tenant requires multi-factor authentication: who made this API key has to set up a second factor');
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

-- What webhooks are signed with, and sent beside, is a credential of the tenant's: nobody who acts as somebody else takes it or sends it elsewhere.
CALL guard_credentials('webhook_endpoints');
