-- What a restore has to know of what happened since: docs/admin.md, "Ends".

-- Seats whose people were erased, by the tenant or with their accounts: what is older than that, an archive, does not bring them back.
-- The ids alone lead to nobody. No foreign key: it outlives its tenant.
CREATE TABLE erased_users (
	tenant_id uuid NOT NULL,
	user_id uuid NOT NULL,
	erased_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT erased_users_pkey PRIMARY KEY (tenant_id, user_id)
);
CALL isolate('erased_users', 'tenant_id', false);
REVOKE INSERT, UPDATE, DELETE ON erased_users FROM zygo_app, zygo_identity;
REVOKE UPDATE, DELETE ON erased_users FROM zygo_system;

-- However it comes that a seat is erased.
CREATE FUNCTION seat_erased() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO erased_users (tenant_id, user_id, erased_at) VALUES (NEW.tenant_id, NEW.id, NEW.erased_at)
	ON CONFLICT ON CONSTRAINT erased_users_pkey DO NOTHING;
	RETURN NULL;
END
$$;
CREATE TRIGGER seat_erased AFTER INSERT OR UPDATE OF erased_at ON users
	FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL) EXECUTE FUNCTION seat_erased();
INSERT INTO erased_users SELECT tenant_id, id, erased_at FROM users WHERE erased_at IS NOT NULL
ON CONFLICT ON CONSTRAINT erased_users_pkey DO NOTHING;

-- As in 0014, and who was erased.
CREATE OR REPLACE FUNCTION archive_exceptions() RETURNS TABLE (name text, reason text) LANGUAGE sql IMMUTABLE
AS $$
	VALUES ('jobs', 'work under way, and not data'),
	       ('event_inbox', 'events on their way to their readers'),
	       ('event_log', 'the order in which readers were told; what is restored is told to nobody'),
	       ('idempotency_keys', 'replies that are kept for a day'),
	       ('tenant_deletions', 'outlives its tenant'),
	       ('erased_users', 'outlives its tenant, and its archives')
$$;

------------------------------------------------------------------------------------------------------------
-- A tenant may be large: what is done with a table takes as many statements as it wants, and each finds its beginning at once. remove_rows()
-- and still_as_archived() of 0014 are for the binary that runs beside this one.

-- The columns of a table's key, each of a row named t: all behind the tenant's, which is the same in all rows (a comparison that names it is
-- looked for from the tenant's first row on).
CREATE FUNCTION walked_by(p_table regclass) RETURNS name[] LANGUAGE sql STABLE
AS $$
	SELECT array_agg(a.attname ORDER BY k.n)
	FROM pg_index i
	CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
	JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
	WHERE i.indrelid = p_table AND i.indisprimary AND (k.n > 1 OR i.indnkeyatts = 1)
$$;

-- "(t.user_id, t.role_id) > (…)": on which side of a row, a parameter of type jsonb, another one stands.
CREATE FUNCTION beside_row(p_table regclass, p_sign text, p_parameter text) RETURNS text LANGUAGE sql STABLE
AS $$
	SELECT format('(%s) %s (%s)', string_agg(format('t.%I', k), ', '), p_sign,
		      string_agg(format('(jsonb_populate_record(NULL::%s, %s)).%I', p_table, p_parameter, k), ', '))
	FROM unnest(walked_by(p_table)) AS k
$$;

-- As in 0014.
CREATE OR REPLACE FUNCTION archive_rows(p_table text, p_tenant uuid, p_after text, p_max integer)
RETURNS TABLE (line text, hash bigint) LANGUAGE plpgsql STABLE SET timezone = 'UTC' SET enable_seqscan = off
AS $$
DECLARE
	tab regclass := tenant_table(p_table);
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT r.line, hashtextextended(r.line, 0) FROM (SELECT to_jsonb(t)::text AS line FROM %s t WHERE t.%I = $1 AND ($2 IS NULL OR %s) '
		'ORDER BY %s LIMIT $3) AS r',
		tab, tenant_column(p_table), beside_row(tab, '>', '$2'), (SELECT string_agg(format('t.%I', k), ', ') FROM unnest(walked_by(tab)) AS k))
	USING p_tenant, p_after::jsonb, p_max;
END
$$;

-- The next rows of a table in the order of its key, which go, and what they add to its digest (table_digest() in 0014): so what is compared
-- is what was removed. last: to go on behind; NULL: there were none. p_after, p_max: as archive_rows() has them.
CREATE FUNCTION remove_rows(p_table text, p_tenant uuid, p_after text, p_max integer, p_digest text,
			    OUT removed bigint, OUT digest text, OUT last text)
LANGUAGE plpgsql SET timezone = 'UTC' SET enable_seqscan = off
AS $$
DECLARE
	tab regclass := tenant_table(p_table);
	keys text := (SELECT string_agg(format('t.%I', k), ', ') FROM unnest(walked_by(tab)) AS k);
	next text := format('FROM %s t WHERE t.%I = $1 AND ($2 IS NULL OR %s)', tab, tenant_column(p_table), beside_row(tab, '>', '$2'));
BEGIN
	EXECUTE format('SELECT (array_agg(to_jsonb(k)))[count(*)] FROM (SELECT %1$s %2$s ORDER BY %1$s LIMIT $3) AS k', keys, next)
	INTO last USING p_tenant, p_after::jsonb, p_max;
	EXECUTE format('WITH gone AS (DELETE %s AND %s RETURNING hashtextextended(to_jsonb(t)::text, 0)::numeric AS hash) '
		       'SELECT count(*), (((coalesce(sum(hash), 0) + $4) %% 18446744073709551616 + 18446744073709551616) %% 18446744073709551616)::text FROM gone',
		       next, beside_row(tab, '<=', '$3'))
	INTO removed, digest USING p_tenant, p_after::jsonb, last::jsonb, p_digest::numeric;
END
$$;

-- Constraints between tables of tenants that point ahead in the order of tenant_tables() wait for the end of the transaction; the others
-- are looked at row by row, since a million of them at the end would be one statement.
CREATE FUNCTION defer_circles() RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	names text := (SELECT string_agg(format('%I', f.conname), ', ')
		       FROM pg_constraint f
		       JOIN tenant_tables() t ON t.name = f.conrelid::regclass::text
		       JOIN tenant_tables() u ON u.name = f.confrelid::regclass::text
		       WHERE f.contype = 'f' AND f.conparentid = 0 AND u.turn >= t.turn);
BEGIN
	IF names IS NOT NULL THEN
		EXECUTE format('SET CONSTRAINTS %s DEFERRED', names);
	END IF;
END
$$;
