-- Ends: tenants that are deleted after a grace period and archived before, users and accounts that are erased.
-- docs/admin.md says what stays.

ALTER TABLE tenants ADD COLUMN deletion_at timestamptz;  -- from then on it may be gone; NULL: nobody has asked for that
ALTER TABLE accounts ADD COLUMN deletion_at timestamptz; -- the same; a log-in before that takes it back
ALTER TABLE users ADD COLUMN erased_at timestamptz;      -- who it was is not known any more

-- Deletions of tenants, those that were cancelled included: what has been done of each. No foreign key: the record outlives its tenant.
CREATE TABLE tenant_deletions (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL,                           -- also its job's
	slug varchar(63) NOT NULL,                  -- the tenant's, for whoever looks later
	name varchar(200) NOT NULL,
	requested_by uuid,                          -- account
	reason varchar(500),
	state text NOT NULL DEFAULT 'pending'
		CONSTRAINT tenant_deletions_state_check CHECK (state IN ('pending', 'cancelled', 'completed')),
	step text NOT NULL DEFAULT 'requested',     -- the last that is done: src/domains/deletion/deletion_jobs.c
	deletes_at timestamptz NOT NULL,            -- when the grace period ends
	archive text,                               -- where the bundle is
	archive_bytes bigint,
	archive_sha256 text,
	digests jsonb,                              -- of each table as it was archived: {"users": {"rows": 3, "digest": "…"}}
	created_at timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	CONSTRAINT tenant_deletions_pkey PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX tenant_deletions_tenant_id_key ON tenant_deletions (tenant_id) WHERE state = 'pending';
CREATE INDEX tenant_deletions_created_at_idx ON tenant_deletions (created_at, id);
CALL isolate('tenant_deletions', 'tenant_id', false);
REVOKE DELETE ON tenant_deletions FROM zygo_app, zygo_identity, zygo_system;

GRANT INSERT, DELETE ON realms TO zygo_identity;
GRANT SELECT ON schema_migrations TO zygo_system; -- what an archive was made by

------------------------------------------------------------------------------------------------------------
-- A tenant whose deletion was asked for lets nobody in but whoever may take that back. The two functions are those of 0001 and 0004.

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

CREATE OR REPLACE FUNCTION enter_key(p_hash bytea, p_ip inet, p_tenant uuid, p_need text, p_permission text, p_read_only boolean)
RETURNS TABLE (api_key_id uuid, account_id uuid, tenant_id uuid, user_id uuid, rate_limit integer, is_stale boolean)
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	k record;
BEGIN
	SELECT x.id, x.tenant_id, x.user_id, x.scopes, x.allowed_ips, x.rate_limit, u.account_id, u.permissions,
	       u.status AS user_status, t.status AS tenant_status, t.deletion_at IS NOT NULL AS is_ending,
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

------------------------------------------------------------------------------------------------------------
-- A tenant moves as a whole: into an archive, out of it, away. Triggers that keep a tenant in order, or tell others of changes, have
-- nothing to say to that: its rows are right already. Those of 0001, 0008, 0009 and 0010 ask.

CREATE FUNCTION is_moving() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(current_setting('app.moving', true), '') = 'on' $$;

CREATE OR REPLACE FUNCTION user_roles_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	changed user_roles := coalesce(NEW, OLD);
BEGIN
	IF NOT is_moving() THEN
		PERFORM refresh_seats(changed.tenant_id, ARRAY[changed.user_id]);
	END IF;
	RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION within_limit() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	most bigint;
	are bigint;
BEGIN
	SELECT (limits ->> TG_ARGV[0])::bigint INTO most FROM tenants WHERE id = NEW.tenant_id;
	IF most IS NULL OR is_moving() THEN
		RETURN NULL;
	END IF;
	PERFORM FROM tenants WHERE id = NEW.tenant_id FOR NO KEY UPDATE;
	EXECUTE format('SELECT count(*) FROM %s WHERE tenant_id = $1 AND %s', TG_RELID::regclass, TG_ARGV[1])
	INTO are USING NEW.tenant_id;
	IF are > most THEN
		PERFORM refuse('ZY402', format('The plan allows %s %s', most, TG_ARGV[2]));
	END IF;
	RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	so_far text := coalesce(current_setting('app.changes', true), '');
	unsaid text[] := ARRAY['id', 'tenant_id', 'version', 'created_at', 'updated_at'] || coalesce(TG_ARGV, '{}');
	row_id uuid;
	change jsonb;
BEGIN
	IF is_moving() OR length(so_far) > 65536 THEN
		RETURN NULL; -- a change of very many rows: nobody's event shows them all
	END IF;
	IF TG_OP = 'INSERT' THEN
		row_id := NEW.id;
		SELECT jsonb_build_object('after', jsonb_object_agg(camel_case(key), shown_value(key, value)))
		INTO change FROM jsonb_each(to_jsonb(NEW)) WHERE key <> ALL (unsaid) AND value <> 'null';
	ELSIF TG_OP = 'DELETE' THEN
		row_id := OLD.id;
		SELECT jsonb_build_object('before', jsonb_object_agg(camel_case(key), shown_value(key, value)))
		INTO change FROM jsonb_each(to_jsonb(OLD)) WHERE key <> ALL (unsaid) AND value <> 'null';
	ELSE
		row_id := NEW.id;
		SELECT jsonb_build_object('before', jsonb_object_agg(camel_case(key), shown_value(key, o.value)),
					  'after', jsonb_object_agg(camel_case(key), shown_value(key, n.value)))
		INTO change FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n USING (key)
		WHERE o.value <> n.value AND key <> ALL (unsaid)
		HAVING count(*) > 0;
	END IF;
	IF change IS NOT NULL THEN
		PERFORM set_config('app.changes', so_far || row_id || ' ' || change || E'\n', true);
	END IF;
	RETURN NULL;
END
$$;

DROP TRIGGER event_is_complete ON events;
CREATE TRIGGER event_is_complete BEFORE INSERT ON events
	FOR EACH ROW WHEN (NOT is_moving()) EXECUTE FUNCTION event_is_complete();

-- Tables whose rows are a tenant's, and which are not archived: what they hold means nothing to a tenant that comes back.
CREATE FUNCTION archive_exceptions() RETURNS TABLE (name text, reason text) LANGUAGE sql IMMUTABLE
AS $$
	VALUES ('jobs', 'work under way, and not data'),
	       ('event_inbox', 'events on their way to their readers'),
	       ('event_log', 'the order in which readers were told; what is restored is told to nobody'),
	       ('idempotency_keys', 'replies that are kept for a day'),
	       ('tenant_deletions', 'outlives its tenant')
$$;

-- All tables of tenants, from the catalog, each behind those that it points to: the order in which rows may come; they go in the
-- reverse. Where tables point to each other in a circle, whose constraints have to be deferrable then, the first by name breaks it.
CREATE FUNCTION tenant_tables() RETURNS TABLE (turn integer, name text, is_archived boolean) LANGUAGE plpgsql STABLE
AS $$
DECLARE
	waiting oid[] := ARRAY(
		SELECT c.oid FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		  AND (c.oid = 'public.tenants'::regclass
		       OR EXISTS (SELECT FROM pg_attribute a
				  WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)));
	next oid;
BEGIN
	turn := 0;
	WHILE cardinality(waiting) > 0 LOOP
		SELECT w.oid INTO next
		FROM (SELECT o AS oid, o::regclass::text AS name,
			     EXISTS (SELECT FROM pg_constraint f
				     WHERE f.contype = 'f' AND f.conrelid = o AND f.confrelid <> o AND f.confrelid = ANY (waiting)) AS waits,
			     EXISTS (SELECT FROM pg_constraint f
				     WHERE f.contype = 'f' AND f.conrelid = o AND f.confrelid <> o AND f.confrelid = ANY (waiting)
				       AND NOT f.condeferrable) AS must_wait
		      FROM unnest(waiting) AS o) AS w
		ORDER BY w.waits, w.must_wait, w.name LIMIT 1;
		waiting := array_remove(waiting, next);
		turn := turn + 1;
		name := next::regclass::text;
		is_archived := NOT EXISTS (SELECT FROM archive_exceptions() x WHERE x.name = next::regclass::text);
		RETURN NEXT;
	END LOOP;
END
$$;

-- Constraints between tables of tenants may wait for the end of a restore. To be called by migrations whose tables point in a circle.
CREATE PROCEDURE defer_foreign_keys() LANGUAGE plpgsql
AS $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT conrelid::regclass AS tab, conname FROM pg_constraint
		 WHERE contype = 'f' AND NOT condeferrable AND conparentid = 0
		   AND conrelid::regclass::text IN (SELECT name FROM tenant_tables())
		   AND confrelid::regclass::text IN (SELECT name FROM tenant_tables()) LOOP
		EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE', f.tab, f.conname);
	END LOOP;
END
$$;
CALL defer_foreign_keys();

-- The table of that name, which is a tenant's: what runs with a table's name runs with no other.
CREATE FUNCTION tenant_table(p_table text) RETURNS regclass LANGUAGE plpgsql STABLE
AS $$
DECLARE
	tab regclass := to_regclass(format('public.%I', p_table));
BEGIN
	PERFORM FROM pg_attribute WHERE attrelid = tab AND attname = 'tenant_id' AND NOT attisdropped;
	IF NOT FOUND AND p_table <> 'tenants' THEN
		PERFORM refuse('ZY422', format('This installation has no table "%s" of tenants', p_table));
	END IF;
	RETURN tab;
END
$$;

CREATE FUNCTION tenant_column(p_table text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE p_table WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END $$;

-- The next rows of a table in the order of its key, each with a hash; p_after: the last one so far, NULL: from the beginning.
CREATE FUNCTION archive_rows(p_table text, p_tenant uuid, p_after text, p_max integer)
RETURNS TABLE (line text, hash bigint) LANGUAGE plpgsql STABLE SET timezone = 'UTC' SET enable_seqscan = off
AS $$
DECLARE
	tab regclass := tenant_table(p_table);
	keys text[] := ARRAY(SELECT a.attname FROM pg_index i
			     CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
			     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			     WHERE i.indrelid = tab AND i.indisprimary ORDER BY k.n);
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT r.line, hashtextextended(r.line, 0) FROM (SELECT to_jsonb(t)::text AS line FROM %s t WHERE t.%I = $1 AND ($2 IS NULL OR (%s) > (%s)) '
		'ORDER BY %s LIMIT $3) AS r',
		tab, tenant_column(p_table),
		(SELECT string_agg(format('t.%I', k), ', ') FROM unnest(keys) AS k),
		(SELECT string_agg(format('(jsonb_populate_record(NULL::%s, $2)).%I', tab, k), ', ') FROM unnest(keys) AS k),
		(SELECT string_agg(format('t.%I', k), ', ') FROM unnest(keys) AS k))
	USING p_tenant, p_after::jsonb, p_max;
END
$$;

-- What archive_rows() would give as a whole: how many, and the sum of the hashes (modulo 2^64).
CREATE FUNCTION table_digest(p_table text, p_tenant uuid, OUT row_count bigint, OUT digest text) LANGUAGE plpgsql STABLE SET timezone = 'UTC'
AS $$
DECLARE
	tab regclass := tenant_table(p_table);
BEGIN
	EXECUTE format('SELECT count(*), (((coalesce(sum(hashtextextended(to_jsonb(t)::text, 0)::numeric), 0) %% 18446744073709551616) '
		       '+ 18446744073709551616) %% 18446744073709551616)::text FROM %s t WHERE t.%I = $1', tab, tenant_column(p_table))
	INTO row_count, digest USING p_tenant;
END
$$;

-- Refuses when a table is not what p_digests says was archived of it: it has changed since.
CREATE FUNCTION still_as_archived(p_table text, p_tenant uuid, p_digests jsonb) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	d record;
BEGIN
	SELECT row_count, digest INTO d FROM table_digest(p_table, p_tenant);
	IF (p_digests -> p_table ->> 'rows')::bigint IS DISTINCT FROM d.row_count
	   OR p_digests -> p_table ->> 'digest' IS DISTINCT FROM d.digest THEN
		PERFORM refuse('ZY409', format('%s has changed since it was archived', p_table));
	END IF;
END
$$;

-- All rows of a tenant in a table.
CREATE FUNCTION remove_rows(p_table text, p_tenant uuid) RETURNS bigint LANGUAGE plpgsql
AS $$
DECLARE
	removed bigint;
BEGIN
	EXECUTE format('DELETE FROM %s WHERE %I = $1', tenant_table(p_table), tenant_column(p_table)) USING p_tenant;
	GET DIAGNOSTICS removed = ROW_COUNT;
	RETURN removed;
END
$$;

-- Rows of a table, a JSON array of what archive_rows() gave, back in their place.
CREATE FUNCTION restore_rows(p_table text, p_rows text) RETURNS bigint LANGUAGE plpgsql SET timezone = 'UTC'
AS $$
DECLARE
	tab regclass := tenant_table(p_table);
	columns text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
			 WHERE attrelid = tab AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
	restored bigint;
BEGIN
	EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM jsonb_populate_recordset(NULL::%1$s, $1)', tab, columns)
	USING p_rows::jsonb;
	GET DIAGNOSTICS restored = ROW_COUNT;
	RETURN restored;
END
$$;

------------------------------------------------------------------------------------------------------------
-- Erasure

-- Without the members that say who somebody is, at whatever depth.
CREATE FUNCTION without_person(p_data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value)
		WHEN 'object' THEN without_person(value)
		WHEN 'array' THEN (SELECT coalesce(jsonb_agg(CASE WHEN jsonb_typeof(v) = 'object' THEN without_person(v) ELSE v END ORDER BY n), '[]')
				   FROM jsonb_array_elements(value) WITH ORDINALITY AS e (v, n))
		ELSE value END), '{}')
	FROM jsonb_each(p_data)
	WHERE key NOT IN ('email', 'firstName', 'lastName', 'displayName', 'avatar', 'phone', 'name', 'ip', 'userAgent')
$$;

-- Makes a seat nobody's: the row stays, as whom events name; whatever falls with it by a foreign key goes; events of and about it say no
-- more who it was. How many rows of which table, as an object; NULL: it was erased before.
CREATE FUNCTION erase_seat(p_tenant uuid, p_user uuid) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	seat record;
	f record;
	n bigint;
	counts jsonb := '{}';
BEGIN
	SELECT account_id, email INTO seat FROM users WHERE tenant_id = p_tenant AND id = p_user AND erased_at IS NULL FOR UPDATE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('app.moving', 'on', true), set_config('statement_timeout', '0', true);

	DELETE FROM jobs j
	WHERE j.tenant_id IN (p_tenant, platform_tenant()) AND j.queue = 'email' AND j.state IN ('waiting', 'delayed')
	  AND (j.payload ->> 'email' = seat.email OR j.payload ->> 'subject' = seat.account_id::text
	       OR j.payload ->> 'subject' IN (SELECT i.id::text FROM invitations i WHERE i.tenant_id = p_tenant AND i.user_id = p_user));
	GET DIAGNOSTICS n = ROW_COUNT;
	counts := counts || jsonb_build_object('jobs', n);

	-- Two columns each: the tenant's, and the user's.
	FOR f IN SELECT c.conrelid::regclass AS tab, a.attname AS col
		 FROM pg_constraint c
		 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attname <> 'tenant_id'
		 WHERE c.contype = 'f' AND c.confrelid = 'public.users'::regclass AND c.confdeltype = 'c' AND c.conparentid = 0 LOOP
		EXECUTE format('DELETE FROM %s WHERE tenant_id = $1 AND %I = $2', f.tab, f.col) USING p_tenant, p_user;
		GET DIAGNOSTICS n = ROW_COUNT;
		IF n > 0 THEN
			counts := counts || jsonb_build_object(f.tab::text, n);
		END IF;
	END LOOP;

	UPDATE events SET ip = NULL, session_id = NULL, account_id = NULL, data = without_person(data)
	WHERE tenant_id = p_tenant AND (user_id = p_user OR subject_id = p_user);
	GET DIAGNOSTICS n = ROW_COUNT;
	counts := counts || jsonb_build_object('events', n);

	UPDATE users
	SET account_id = NULL, email = 'erased-' || id || '@erased.invalid', first_name = NULL, last_name = NULL,
	    display_name = 'Erased user', avatar = NULL, phone = NULL, email_verified = false, phone_verified = false, mfa_enabled = false,
	    last_login_at = NULL, role_keys = '{}', permissions = '{}', status = 'suspended', deleted_at = coalesce(deleted_at, now()),
	    erased_at = now(), updated_at = now(), version = version + 1
	WHERE tenant_id = p_tenant AND id = p_user;
	PERFORM set_config('app.moving', '', true);
	RETURN counts || jsonb_build_object('users', 1);
END
$$;

-- Removes an account that has no seat any more. How many rows of which table, as an object.
CREATE FUNCTION erase_account(p_account uuid) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	was record;
	f record;
	n bigint;
	counts jsonb := '{}';
BEGIN
	SELECT id, email INTO was FROM accounts WHERE id = p_account FOR UPDATE;
	DELETE FROM jobs j
	WHERE j.tenant_id = platform_tenant() AND j.queue = 'email' AND j.state IN ('waiting', 'delayed')
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

-- The tenants whose only active owner an account is.
CREATE FUNCTION owned_alone(p_account uuid) RETURNS SETOF text LANGUAGE sql STABLE
AS $$
	SELECT t.slug::text
	FROM users u
	JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL AND t.deletion_at IS NULL
	WHERE u.account_id = p_account AND u.deleted_at IS NULL AND u.status = 'active' AND 'owner' = ANY (u.role_keys)
	  AND NOT EXISTS (SELECT FROM users o WHERE o.tenant_id = u.tenant_id AND o.id <> u.id AND o.deleted_at IS NULL
			    AND o.status = 'active' AND 'owner' = ANY (o.role_keys))
	ORDER BY t.slug
$$;

-- Who logs in again does not want to be deleted.
CREATE FUNCTION log_in_keeps_account() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE accounts SET deletion_at = NULL, updated_at = now(), version = version + 1
	WHERE id = NEW.account_id AND deletion_at IS NOT NULL;
	RETURN NULL;
END
$$;
CREATE TRIGGER log_in_keeps_account AFTER INSERT ON sessions
	FOR EACH ROW WHEN (NEW.impersonator_id IS NULL) EXECUTE FUNCTION log_in_keeps_account();
