-- What is over and was not told: jobs that were cancelled, tenants that are about to be deleted.

-- A job that was cancelled is an event as one that failed for good is, whoever finds out: a request, a worker, the keeper.
CREATE OR REPLACE FUNCTION job_failed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, account_id, user_id, session_id, api_key_id, data)
	SELECT id, uuid_v7(), 'job.' || NEW.state, NEW.id,
	       CASE WHEN current_api_key() IS NOT NULL THEN 'apiKey' WHEN current_session() IS NOT NULL THEN 'session' ELSE 'system' END,
	       current_account(), current_seat(), current_session(), current_api_key(),
	       jsonb_build_object('kind', NEW.kind, 'queue', NEW.queue, 'error', NEW.errors -> -1 ->> 'message')
	FROM tenants WHERE id = NEW.tenant_id; -- a job may outlive its tenant, and the platform is none
	RETURN NULL;
END
$$;
DROP TRIGGER job_failed ON jobs;
CREATE TRIGGER job_failed AFTER UPDATE OF state ON jobs
	FOR EACH ROW WHEN (NEW.state IN ('failed', 'cancelled') AND OLD.state <> NEW.state
			   AND NEW.queue NOT IN ('email', 'notifications', 'webhooks'))
	EXECUTE FUNCTION job_failed();

-- enter() lets nobody but its owners into a tenant whose deletion was asked for (0014), and them only to take that back.
DROP TRIGGER notice_closed ON tenants;
CREATE TRIGGER notice_closed AFTER UPDATE OF status, deletion_at, deleted_at ON tenants
	FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active'
			   OR OLD.deletion_at IS NULL AND NEW.deletion_at IS NOT NULL
			   OR OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
	EXECUTE FUNCTION notice_tenant();
