-- Audit: events say what changed, and who acted in whose name.

ALTER TABLE events ADD COLUMN impersonated_by uuid;         -- the account behind a session that acts as another
ALTER TABLE account_events ADD COLUMN impersonated_by uuid; -- the same

CREATE INDEX events_tenant_id_created_at_idx ON events (tenant_id, created_at, id);
CREATE INDEX events_created_at_idx ON events (created_at, id);

------------------------------------------------------------------------------------------------------------
-- What changed. Each change of an audited row leaves a line "<id> <json>" in app.changes, which ends with the transaction; the event
-- whose subject the row is takes it. A statement knows nothing of it, and an event without such a row has none.

CREATE FUNCTION camel_case(p_name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT lower(left(p_name, 1)) || substr(replace(initcap(replace(p_name, '_', ' ')), ' ', ''), 2) $$;

-- A column's value as an event shows it. Bytes, and what is named like a secret, never; of what is long, that it is.
CREATE FUNCTION shown_value(p_column text, p_value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_value = 'null' THEN p_value
		    WHEN p_column ~ '(hash|secret|sealed|token|password)' OR starts_with(p_value #>> '{}', '\x') THEN '"[redacted]"'
		    WHEN length(p_value::text) > 4000 THEN '"[long]"'
		    ELSE p_value END
$$;

-- Arguments: columns that are not said, beside those that every table has.
CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	so_far text := coalesce(current_setting('app.changes', true), '');
	unsaid text[] := ARRAY['id', 'tenant_id', 'version', 'created_at', 'updated_at'] || coalesce(TG_ARGV, '{}');
	row_id uuid;
	change jsonb;
BEGIN
	IF length(so_far) > 65536 THEN
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

-- Its name puts it before the triggers that change other rows because of this one.
CREATE PROCEDURE audit(p_table regclass, VARIADIC p_unsaid text[] DEFAULT '{}') LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION record_change(%s)',
		       p_table, (SELECT string_agg(quote_literal(c), ', ') FROM unnest(p_unsaid) AS c));
END
$$;

-- From here on a tenant table with ids is audited, unless its migration says that nobody asks what became of its rows.
DROP PROCEDURE isolate(regclass, text);
CREATE PROCEDURE isolate(p_table regclass, p_column text DEFAULT 'tenant_id', p_is_audited boolean DEFAULT true) LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
	EXECUTE format('CREATE POLICY own_tenant ON %s USING (%I = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))',
		       p_table, p_column);
	EXECUTE format('CREATE POLICY all_tenants ON %s TO zygo_identity, zygo_system USING (true)', p_table);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO zygo_app, zygo_identity, zygo_system', p_table);
	PERFORM FROM pg_attribute WHERE attrelid = p_table AND attname = 'id' AND NOT attisdropped;
	IF FOUND AND p_is_audited THEN
		CALL audit(p_table);
	END IF;
END
$$;

CALL audit('tenants');
CALL audit('users', 'permissions', 'last_login_at');
CALL audit('roles');
CALL audit('api_keys', 'last_used_at', 'last_used_ip');
CALL audit('projects');
CALL audit('invitations');

-- Takes the changes of one row: {"before": …, "after": …}, as they were before the first and after the last of them.
CREATE FUNCTION take_changes(p_row uuid) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	line text;
	rest text := '';
	change jsonb;
	had jsonb;
	has jsonb;
	is_first boolean := true;
BEGIN
	FOREACH line IN ARRAY string_to_array(coalesce(current_setting('app.changes', true), ''), E'\n') LOOP
		IF NOT starts_with(line, p_row || ' ') THEN
			rest := rest || line || CASE WHEN line = '' THEN '' ELSE E'\n' END;
			CONTINUE;
		END IF;
		change := substr(line, 38);
		IF is_first THEN
			had := change -> 'before';
		ELSIF had IS NOT NULL THEN
			had := coalesce(change -> 'before', '{}') || had;
		END IF;
		has := CASE WHEN change ? 'after' THEN coalesce(has, '{}') || (change -> 'after') END;
		is_first := false;
	END LOOP;
	IF NOT is_first THEN
		PERFORM set_config('app.changes', rest, true);
	END IF;
	RETURN CASE WHEN had IS NULL THEN '{}' ELSE jsonb_build_object('before', had) END
	    || CASE WHEN has IS NULL THEN '{}' ELSE jsonb_build_object('after', has) END;
END
$$;

CREATE FUNCTION event_is_complete() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	NEW.impersonated_by := current_impersonator();
	IF NEW.subject_id IS NOT NULL AND current_setting('app.changes', true) <> '' THEN
		NEW.data := NEW.data || take_changes(NEW.subject_id);
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER event_is_complete BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION event_is_complete();

CREATE FUNCTION account_event_is_complete() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	NEW.impersonated_by := current_impersonator();
	RETURN NEW;
END
$$;
CREATE TRIGGER account_event_is_complete BEFORE INSERT ON account_events
	FOR EACH ROW EXECUTE FUNCTION account_event_is_complete();
