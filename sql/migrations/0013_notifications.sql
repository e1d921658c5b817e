-- Notifications: what a user is told of, in the list that they read and by mail. Kinds, who is told and in which words stand in
-- src/domains/notifications/kinds.c.

CREATE TABLE notifications (
	tenant_id uuid NOT NULL CONSTRAINT notifications_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	user_id uuid NOT NULL,
	event_id uuid NOT NULL,                     -- which caused it; not a foreign key, because it may outlive the event
	kind text NOT NULL,
	subject_id uuid,                            -- the event's,
	actor_id uuid,                              -- and whose seat did it
	title text NOT NULL,
	body text NOT NULL,
	is_shown boolean NOT NULL,                  -- in the list; else it is only mailed
	email text NOT NULL CONSTRAINT notifications_email_check CHECK (email IN ('instant', 'digest', 'off')), -- how, when it was told
	awaits_digest boolean NOT NULL DEFAULT false,
	digest_id uuid,                             -- the digest that took it
	read_at timestamptz,
	archived_at timestamptz,                    -- then it is read too
	created_at timestamptz NOT NULL DEFAULT now(), -- when it was told, which may be after it happened
	CONSTRAINT notifications_pkey PRIMARY KEY (tenant_id, id),
	CONSTRAINT notifications_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
	-- Nobody is told of one event twice, however often it is read.
	CONSTRAINT notifications_tenant_id_event_id_user_id_key UNIQUE (tenant_id, event_id, user_id)
);
CREATE INDEX notifications_user_id_idx ON notifications (tenant_id, user_id, created_at, id) WHERE is_shown AND archived_at IS NULL;
CREATE INDEX notifications_unread_idx ON notifications (tenant_id, user_id, created_at)
	WHERE is_shown AND archived_at IS NULL AND read_at IS NULL;
CREATE INDEX notifications_awaits_digest_idx ON notifications (created_at) WHERE awaits_digest;
CREATE INDEX notifications_digest_id_idx ON notifications (tenant_id, digest_id) WHERE digest_id IS NOT NULL;
CREATE INDEX notifications_read_idx ON notifications (created_at) WHERE read_at IS NOT NULL OR NOT is_shown;
CREATE INDEX notifications_created_at_idx ON notifications (created_at);
CALL isolate('notifications', 'tenant_id', false);

-- What somebody has chosen beside what a kind says by itself.
CREATE TABLE notification_preferences (
	tenant_id uuid NOT NULL CONSTRAINT notification_preferences_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	user_id uuid NOT NULL,
	kind text NOT NULL,
	in_app boolean,                             -- NULL: as the kind says
	email text CONSTRAINT notification_preferences_email_check CHECK (email IN ('instant', 'digest', 'off')),
	CONSTRAINT notification_preferences_pkey PRIMARY KEY (tenant_id, user_id, kind),
	CONSTRAINT notification_preferences_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CALL isolate('notification_preferences');

-- A seat that ends leaves nothing for anybody to read.
CREATE FUNCTION notifications_end() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM notifications WHERE tenant_id = NEW.tenant_id AND user_id = NEW.id;
	DELETE FROM notification_preferences WHERE tenant_id = NEW.tenant_id AND user_id = NEW.id;
	RETURN NULL;
END
$$;
CREATE TRIGGER notifications_end AFTER UPDATE OF deleted_at ON users
	FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION notifications_end();

-- Who acts as somebody else may look, but takes nothing away: not the notice that says so, nor the mails that come beside it.
CREATE FUNCTION keep_impersonator_from_reading() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	IF current_impersonator() IS NOT NULL THEN
		PERFORM refuse('ZY403', 'Who acts as somebody else leaves their notifications as they are');
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER keep_impersonator_from_reading BEFORE UPDATE ON notifications
	FOR EACH STATEMENT EXECUTE FUNCTION keep_impersonator_from_reading();
CREATE TRIGGER keep_impersonator_from_reading BEFORE INSERT OR UPDATE ON notification_preferences
	FOR EACH STATEMENT EXECUTE FUNCTION keep_impersonator_from_reading();

------------------------------------------------------------------------------------------------------------
-- Words

-- A text in which {{name}} stands for a value; one that is not there is nothing. A value is never looked at again, so that nobody's
-- name can be a template.
CREATE FUNCTION fill_in(p_template text, p_values jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT string_agg(CASE WHEN n = 1 THEN part
			       ELSE coalesce(p_values ->> split_part(part, '}}', 1), '') || substr(part, strpos(part, '}}') + 2) END,
			  '' ORDER BY n)
	FROM regexp_split_to_table(p_template, '\{\{') WITH ORDINALITY AS parts (part, n)
$$;

-- How a seat's person is called by others.
CREATE FUNCTION seat_name(u users) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(nullif(u.display_name, ''), nullif(concat_ws(' ', nullif(u.first_name, ''), nullif(u.last_name, '')), ''), u.email) $$;

-- A job, where a statement finds out for what there is to be one; src/jobs/job.h has the rest. Workers that sleep are woken at the commit.
CREATE FUNCTION add_job(p_tenant uuid, p_queue text, p_kind text, p_attempts integer, p_payload jsonb) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, max_attempts)
	VALUES (p_tenant, uuid_v7(), p_queue, p_kind, p_payload, 'waiting', p_attempts);
	SELECT pg_notify('zygo_jobs', p_queue) WHERE EXISTS (SELECT FROM job_workers WHERE is_asleep);
$$;

-- The latest moment at which a day's digests were due: the hour, UTC, today or yesterday.
CREATE FUNCTION digest_due_at(p_hour integer) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT (date_trunc('day', (now() AT TIME ZONE 'UTC') - make_interval(hours => p_hour)) + make_interval(hours => p_hour))
	       AT TIME ZONE 'UTC'
$$;

------------------------------------------------------------------------------------------------------------
-- API keys that run out: for which expiry their maker was told.

ALTER TABLE api_keys ADD COLUMN expiry_told_for timestamptz;
CREATE INDEX api_keys_expires_at_idx ON api_keys (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;
DROP TRIGGER audit ON api_keys;
CALL audit('api_keys', 'last_used_at', 'last_used_ip', 'expiry_told_for');

------------------------------------------------------------------------------------------------------------
-- Jobs that failed for good are events, whoever finds out; those that only tell somebody of something are not, or a mail that fails
-- would be told by mail.

CREATE FUNCTION job_failed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, data)
	SELECT id, uuid_v7(), 'job.failed', NEW.id, 'system',
	       jsonb_build_object('kind', NEW.kind, 'queue', NEW.queue, 'error', NEW.errors -> -1 ->> 'message')
	FROM tenants WHERE id = NEW.tenant_id; -- a job may outlive its tenant, and the platform is none
	RETURN NULL;
END
$$;
CREATE TRIGGER job_failed AFTER UPDATE OF state ON jobs
	FOR EACH ROW WHEN (NEW.state = 'failed' AND OLD.state <> 'failed' AND NEW.queue NOT IN ('email', 'notifications', 'webhooks'))
	EXECUTE FUNCTION job_failed();
