-- Ends of large tenants: what grows with one is done in parts. docs/benchmarks.md has what that takes.

------------------------------------------------------------------------------------------------------------
-- Parts: a statement takes the next so many rows of a tenant's table, those with a key > the last part's end and <= its own. The end is
-- NULL before the first part, and after the last one, when nothing is left.

CREATE FUNCTION last_id() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid $$;

-- The end of a part of p_max rows, by a column that its key has behind the tenant; last_id() where there are not so many.
CREATE FUNCTION part_end(p_table regclass, p_column name, p_tenant uuid, p_after uuid, p_max integer) RETURNS uuid
LANGUAGE plpgsql STABLE SET enable_seqscan = off
AS $$
DECLARE
	ends_at uuid;
BEGIN
	EXECUTE format('SELECT t.%1$I FROM %2$s t WHERE t.tenant_id = $1 AND t.%1$I > $2 ORDER BY t.%1$I OFFSET $3 - 1 LIMIT 1', p_column, p_table)
	INTO ends_at USING p_tenant, coalesce(p_after, platform_tenant()), p_max;
	RETURN coalesce(ends_at, last_id());
END
$$;

------------------------------------------------------------------------------------------------------------
-- Erasure, of any number of a tenant's seats in one transaction: erase_begin(), each erase_in_…() until its last part, erase_end(). In one
-- look for all seats, what says who somebody was is found and goes; they themselves go last. erase_seat() of 0023 is for the binary that
-- runs beside this one.

-- Those that the running transaction erases, and what says who they are: ids of their invitations and API keys too.
CREATE FUNCTION erasing(p_tenant uuid, OUT seats uuid[], OUT accounts uuid[], OUT emails text[], OUT subjects uuid[]) LANGUAGE plpgsql STABLE
AS $$
BEGIN
	SELECT coalesce(array_agg(u.id), '{}'), coalesce(array_agg(u.account_id) FILTER (WHERE u.account_id IS NOT NULL), '{}'),
	       coalesce(array_agg(u.email::text), '{}')
	INTO seats, accounts, emails
	FROM erased_users x
	JOIN users u ON u.tenant_id = x.tenant_id AND u.id = x.user_id
	WHERE x.tenant_id = p_tenant AND u.erased_at = now();
	subjects := seats || ARRAY(SELECT i.id FROM invitations i WHERE i.tenant_id = p_tenant AND i.user_id = ANY (seats))
			  || ARRAY(SELECT k.id FROM api_keys k WHERE k.tenant_id = p_tenant AND k.user_id = ANY (seats));
END
$$;

-- These seats, and those that the same people or emails had here before. How far webhooks are in the log: erase_end() wants it; NULL: none
-- of the seats is left to erase.
CREATE FUNCTION erase_begin(p_tenant uuid, p_users uuid[]) RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off
AS $$
BEGIN
	PERFORM set_config('app.moving', 'on', true), set_config('lock_timeout', '0', true),
		set_config('idle_in_transaction_session_timeout', '0', true);
	WITH seats AS MATERIALIZED (
		SELECT id, account_id, email FROM users WHERE tenant_id = p_tenant AND id = ANY (p_users) AND erased_at IS NULL
	)
	UPDATE users u SET erased_at = now()
	WHERE u.tenant_id = p_tenant AND u.erased_at IS NULL
	  AND u.id IN (SELECT id FROM seats
		       UNION SELECT b.id FROM seats s JOIN users b ON b.account_id = s.account_id
			     WHERE b.tenant_id = p_tenant AND b.deleted_at IS NOT NULL
		       UNION SELECT b.id FROM seats s JOIN users b ON b.tenant_id = p_tenant AND b.email = s.email AND b.deleted_at IS NOT NULL);
	IF NOT FOUND THEN
		PERFORM set_config('app.moving', '', true);
		RETURN NULL;
	END IF;
	RETURN coalesce((SELECT position FROM event_readers WHERE name = 'webhooks'), 0);
END
$$;

-- Letters to them or about them that are yet to be sent, or could not be; p_whose: the tenant whose jobs these are, or the platform's.
CREATE FUNCTION erase_in_letters(p_whose uuid, p_tenant uuid, p_after uuid, p_max integer, OUT last uuid, OUT done bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	who record := erasing(p_tenant);
BEGIN
	last := part_end('jobs', 'id', p_whose, p_after, p_max);
	DELETE FROM jobs j
	WHERE j.tenant_id = p_whose AND j.id > coalesce(p_after, platform_tenant()) AND j.id <= last AND j.queue = 'email' AND j.state <> 'active'
	  AND (j.payload ->> 'email' = ANY (who.emails) OR j.payload ->> 'subject' = ANY ((who.accounts || who.subjects)::text[]));
	GET DIAGNOSTICS done = ROW_COUNT;
	last := nullif(last, last_id());
END
$$;

-- Theirs, and others' about them.
CREATE FUNCTION erase_in_notifications(p_tenant uuid, p_after uuid, p_max integer, OUT last uuid, OUT done bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	who record := erasing(p_tenant);
BEGIN
	last := part_end('notifications', 'id', p_tenant, p_after, p_max);
	DELETE FROM notifications n
	WHERE n.tenant_id = p_tenant AND n.id > coalesce(p_after, platform_tenant()) AND n.id <= last
	  AND (n.user_id = ANY (who.seats) OR n.subject_id = ANY (who.subjects) OR n.actor_id = ANY (who.seats));
	GET DIAGNOSTICS done = ROW_COUNT;
	last := nullif(last, last_id());
END
$$;

-- Events, and what webhooks were sent of them. Of what somebody did to others stays what was done; what names the person goes. An email is
-- looked for as a whole string of JSON: a few are, one after the other; of many it is looked which of them stands between two quotation marks.
CREATE FUNCTION erase_in_events(p_tenant uuid, p_after uuid, p_max integer, OUT last uuid, OUT done bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	who record := erasing(p_tenant);
	strings text[] := ARRAY(SELECT to_json(email)::text FROM unnest(who.emails) AS email);
BEGIN
	last := part_end('events', 'id', p_tenant, p_after, p_max);
	WITH found AS MATERIALIZED (
		SELECT e.id, coalesce(e.user_id = ANY (who.seats), false) OR coalesce(e.account_id = ANY (who.accounts), false) AS is_own,
		       coalesce(e.subject_id = ANY (who.subjects), false)
		       OR CASE WHEN cardinality(strings) <= 4 THEN EXISTS (SELECT FROM unnest(strings) AS s WHERE strpos(e.data::text, s) > 0)
			       ELSE EXISTS (SELECT FROM unnest(string_to_array(e.data::text, '"')) AS s WHERE s = ANY (who.emails)) END AS names
		FROM events e
		WHERE e.tenant_id = p_tenant AND e.id > coalesce(p_after, platform_tenant()) AND e.id <= last
	), cleaned AS (
		UPDATE events e
		SET ip = CASE WHEN f.is_own THEN NULL ELSE e.ip END, session_id = CASE WHEN f.is_own THEN NULL ELSE e.session_id END,
		    account_id = CASE WHEN f.is_own THEN NULL ELSE e.account_id END,
		    data = CASE WHEN f.names THEN without_person(e.data) ELSE e.data - 'ip' - 'userAgent' END
		FROM found f
		WHERE e.tenant_id = p_tenant AND e.id = f.id AND (f.is_own OR f.names)
		RETURNING e.*
	), told AS (
		UPDATE webhook_messages m
		SET payload = webhook_payload(e.type, e.id, e.created_at, e.tenant_id, e.subject_id, e.user_id, e.data)
		FROM cleaned e
		WHERE m.tenant_id = p_tenant AND m.id = e.id
	)
	SELECT count(*) INTO done FROM cleaned;
	last := nullif(last, last_id());
END
$$;

-- What receivers of webhooks answered.
CREATE FUNCTION erase_in_answers(p_tenant uuid, p_after uuid, p_max integer, OUT last uuid, OUT done bigint)
LANGUAGE plpgsql SET enable_seqscan = off
AS $$
DECLARE
	who record := erasing(p_tenant);
BEGIN
	last := part_end('webhook_attempts', 'delivery_id', p_tenant, p_after, p_max);
	UPDATE webhook_attempts a SET response_body = NULL
	WHERE a.tenant_id = p_tenant AND a.delivery_id > coalesce(p_after, platform_tenant()) AND a.delivery_id <= last
	  AND strpos(a.response_body, '@') > 0 AND EXISTS (SELECT FROM unnest(who.emails) AS email WHERE strpos(a.response_body, email) > 0);
	GET DIAGNOSTICS done = ROW_COUNT;
	last := nullif(last, last_id());
END
$$;

-- The seats become nobody's: the rows stay, as whom events name, and whatever falls with them by a foreign key goes. p_counts: what went so
-- far, by table; with the rest it is the answer. p_position: what erase_begin() said.
CREATE FUNCTION erase_end(p_tenant uuid, p_position bigint, p_counts jsonb) RETURNS jsonb
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	who record := erasing(p_tenant);
	f record;
	n bigint;
	counts jsonb := p_counts;
BEGIN
	DELETE FROM idempotency_keys WHERE tenant_id = p_tenant AND account_id = ANY (who.accounts);

	-- Two columns each: the tenant's, and the user's. Of notifications there are many, and none is left.
	FOR f IN SELECT c.conrelid::regclass AS tab, a.attname AS col
		 FROM pg_constraint c
		 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attname <> 'tenant_id'
		 WHERE c.contype = 'f' AND c.confrelid = 'public.users'::regclass AND c.confdeltype = 'c' AND c.conparentid = 0
		   AND c.conrelid <> 'public.notifications'::regclass LOOP
		EXECUTE format('DELETE FROM %s WHERE tenant_id = $1 AND %I = ANY ($2)', f.tab, f.col) USING p_tenant, who.seats;
		GET DIAGNOSTICS n = ROW_COUNT;
		IF n > 0 THEN
			counts := counts || jsonb_build_object(f.tab::text, n);
		END IF;
	END LOOP;

	UPDATE users
	SET account_id = NULL, email = 'erased-' || id || '@erased.invalid', first_name = NULL, last_name = NULL,
	    display_name = 'Erased user', avatar = NULL, phone = NULL, email_verified = false, phone_verified = false, mfa_enabled = false,
	    last_login_at = NULL, role_keys = '{}', permissions = '{}', status = 'suspended', deleted_at = coalesce(deleted_at, now()),
	    updated_at = now(), version = version + 1
	WHERE tenant_id = p_tenant AND id = ANY (who.seats);
	GET DIAGNOSTICS n = ROW_COUNT;

	-- The reader that makes messages waits for this transaction, and makes the rest of what is left then. What it has made since the
	-- beginning it may have made of what was.
	PERFORM FROM event_readers WHERE name = 'webhooks' FOR UPDATE;
	UPDATE webhook_messages m
	SET payload = webhook_payload(e.type, e.id, e.created_at, e.tenant_id, e.subject_id, e.user_id, e.data)
	FROM event_log l
	JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
	WHERE l.tenant_id = p_tenant AND l.position > p_position
	  AND l.position <= (SELECT r.position FROM event_readers r WHERE r.name = 'webhooks')
	  AND m.tenant_id = p_tenant AND m.id = e.id;

	PERFORM set_config('app.moving', '', true);
	RETURN counts || jsonb_build_object('users', n);
END
$$;
