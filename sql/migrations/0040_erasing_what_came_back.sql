-- Erasure, right after a restore: of tables that were just filled the planner knows nothing, and takes a tenant with a million rows for one
-- with none. So rows are asked for one by one by their whole key, or in the order of the key, which no other index has.

-- As in 0037.
CREATE OR REPLACE FUNCTION part_end(p_table regclass, p_column name, p_tenant uuid, p_after uuid, p_max integer) RETURNS uuid
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_sort = off
AS $$
DECLARE
	ends_at uuid;
BEGIN
	EXECUTE format('SELECT t.%1$I FROM %2$s t WHERE t.tenant_id = $1 AND t.%1$I > $2 ORDER BY t.%1$I OFFSET $3 - 1 LIMIT 1', p_column, p_table)
	INTO ends_at USING p_tenant, coalesce(p_after, platform_tenant()), p_max;
	RETURN coalesce(ends_at, last_id());
END
$$;

-- As in 0037; whose account has another seat here is somebody who stays.
CREATE OR REPLACE FUNCTION erasing(p_tenant uuid, OUT seats uuid[], OUT accounts uuid[], OUT emails text[], OUT subjects uuid[])
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	SELECT coalesce(array_agg(u.id), '{}'), coalesce(array_agg(u.account_id) FILTER (WHERE u.account_id IS NOT NULL AND NOT EXISTS (
			SELECT FROM users o WHERE o.account_id = u.account_id AND o.tenant_id = p_tenant AND o.erased_at IS NULL)), '{}'),
	       coalesce(array_agg(u.email), '{}')
	INTO seats, accounts, emails
	FROM erased_users x
	CROSS JOIN LATERAL (SELECT s.id, s.account_id, s.email::text FROM users s
			    WHERE s.tenant_id = x.tenant_id AND s.id = x.user_id AND s.erased_at = now() OFFSET 0) AS u
	WHERE x.tenant_id = p_tenant;
	SELECT seats || coalesce(array_agg(i.id) FILTER (WHERE i.id IS NOT NULL), '{}') INTO subjects
	FROM unnest(seats) AS seat
	CROSS JOIN LATERAL (SELECT n.id FROM invitations n WHERE n.tenant_id = p_tenant AND n.user_id = seat
			    UNION ALL
			    SELECT k.id FROM api_keys k WHERE k.tenant_id = p_tenant AND k.user_id = seat OFFSET 0) AS i;
END
$$;

-- As in 0037. What is found is changed by its place, which only another erasure could move: they take turns (src/jobs/queues.c), and nobody
-- else changes an event.
CREATE OR REPLACE FUNCTION erase_in_events(p_tenant uuid, p_after uuid, p_max integer, OUT last uuid, OUT done bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	who record := erasing(p_tenant);
	strings text[] := ARRAY(SELECT to_json(email)::text FROM unnest(who.emails) AS email);
	f record;
BEGIN
	last := part_end('events', 'id', p_tenant, p_after, p_max);
	done := 0;
	FOR f IN
		SELECT e.tableoid AS tab, e.is_own, e.names, array_agg(e.ctid) AS places
		FROM (SELECT e.tableoid, e.ctid, coalesce(e.user_id = ANY (who.seats), false) OR coalesce(e.account_id = ANY (who.accounts), false) AS is_own,
			     coalesce(e.subject_id = ANY (who.subjects), false)
			     OR CASE WHEN cardinality(strings) <= 4 THEN EXISTS (SELECT FROM unnest(strings) AS s WHERE strpos(e.data::text, s) > 0)
				     ELSE EXISTS (SELECT FROM unnest(string_to_array(e.data::text, '"')) AS s WHERE s = ANY (who.emails)) END AS names
		      FROM events e
		      WHERE e.tenant_id = p_tenant AND e.id > coalesce(p_after, platform_tenant()) AND e.id <= last
		      ORDER BY e.id) AS e
		WHERE e.is_own OR e.names
		GROUP BY 1, 2, 3
	LOOP
		WITH cleaned AS (
			UPDATE events e
			SET ip = CASE WHEN f.is_own THEN NULL ELSE e.ip END, session_id = CASE WHEN f.is_own THEN NULL ELSE e.session_id END,
			    account_id = CASE WHEN f.is_own THEN NULL ELSE e.account_id END,
			    data = CASE WHEN f.names THEN without_person(e.data) ELSE e.data - 'ip' - 'userAgent' END
			WHERE e.tableoid = f.tab AND e.ctid = ANY (f.places)
			RETURNING e.*
		), told AS (
			UPDATE webhook_messages m
			SET payload = webhook_payload(e.type, e.id, e.created_at, e.tenant_id, e.subject_id, e.user_id, e.data)
			FROM cleaned e
			WHERE m.tenant_id = p_tenant AND m.id = e.id
		)
		SELECT done + count(*) INTO done FROM cleaned;
	END LOOP;
	last := nullif(last, last_id());
END
$$;
