-- Jobs as people see them: a tenant its own, global admins all. What workers do is in sql/queries/jobs.sql.

-- $1 state, $2 kind.
-- name: jobs_list :page  reply: Job
-- sort: -createdAt id uuid
SELECT id, queue, kind, state, progress, message, attempts, max_attempts AS "maxAttempts", errors->-1->>'message' AS "error",
       result, is_cancellable AND finished_at IS NULL AND cancel_requested_at IS NULL AS "isCancellable",
       parent_id AS "parentId", created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt",
       finished_at AS "finishedAt"
FROM jobs
WHERE ($1::text IS NULL OR state = $1)
  AND ($2::text IS NULL OR kind = $2);

-- name: jobs_get :one  reply: Job  noun: Job
SELECT id, queue, kind, state, progress, message, attempts, max_attempts AS "maxAttempts", errors->-1->>'message' AS "error",
       result, is_cancellable AND finished_at IS NULL AND cancel_requested_at IS NULL AS "isCancellable",
       parent_id AS "parentId", created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt",
       finished_at AS "finishedAt"
FROM jobs
WHERE id = $1;

-- One that runs is told to stop and is cancelled when it does; the others are at once.  $1 id.
-- name: jobs_cancel :one  reply: Job  noun: Job
UPDATE jobs
SET cancel_requested_at = coalesce(cancel_requested_at, now()),
    state = CASE WHEN state = 'active' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'active' THEN finished_at ELSE now() END,
    unique_key = CASE WHEN state = 'active' OR unique_until > now() THEN unique_key END
WHERE id = $1
  AND (is_cancellable OR refuse('ZY422', 'Jobs of this kind cannot be cancelled'))
  AND (finished_at IS NULL OR refuse('ZY409', format('The job is %s already', state), '', 'state'))
RETURNING id, queue, kind, state, progress, message, attempts, max_attempts AS "maxAttempts", errors->-1->>'message' AS "error",
	result, false AS "isCancellable", parent_id AS "parentId", created_at AS "createdAt", run_at AS "runAt",
	started_at AS "startedAt", finished_at AS "finishedAt";

------------------------------------------------------------------------------------------------------------
-- The platform's people. An id is looked for tenant by tenant: tenant_of_job() in sql/migrations/0016.

-- $1 tenant, $2 queue, $3 state, $4 kind.
-- name: jobs_admin_list :page  reply: JobOfAny  role: system
-- sort: -createdAt id uuid
SELECT nullif(tenant_id, platform_tenant()) AS "tenantId", id, queue, kind, state, priority, progress, message, attempts,
       max_attempts AS "maxAttempts", worker, errors->-1->>'message' AS "error", created_at AS "createdAt", run_at AS "runAt",
       started_at AS "startedAt", finished_at AS "finishedAt"
FROM jobs
WHERE ($1::uuid IS NULL OR tenant_id = $1)
  AND ($2::text IS NULL OR queue = $2)
  AND ($3::text IS NULL OR state = $3)
  AND ($4::text IS NULL OR kind = $4);

-- With what only they may see: the payload, unless it holds a secret, and every error.
-- name: jobs_admin_get :one  reply: JobInspected  noun: Job  role: system
SELECT nullif(tenant_id, platform_tenant()) AS "tenantId", id, queue, kind, state, priority, progress, message, attempts,
       max_attempts AS "maxAttempts", worker, errors->-1->>'message' AS "error", created_at AS "createdAt", run_at AS "runAt",
       started_at AS "startedAt", finished_at AS "finishedAt",
       CASE WHEN NOT is_private THEN payload END AS "payload", result, errors AS "failures", unique_key AS "uniqueKey",
       parent_id AS "parentId", cancel_requested_at AS "cancelRequestedAt", backoff_us / 1000 AS "backoffMs"
FROM jobs
WHERE tenant_id = tenant_of_job($1) AND id = $1;

-- A dead letter, or a cancelled job, from the beginning; a delayed one at once. A unique key that it has given up stays given up.
-- $1 id.
-- name: jobs_admin_retry :one  reply: JobOfAny  noun: Job  role: system
UPDATE jobs
SET state = 'waiting', attempts = 0, run_at = clock_timestamp(), finished_at = NULL, cancel_requested_at = NULL, is_alone = false,
    progress = 0, message = NULL
WHERE tenant_id = tenant_of_job($1) AND id = $1
  AND (state IN ('failed', 'cancelled', 'delayed')
       OR refuse('ZY409', format('The job is %s; only failed, cancelled and delayed ones can be retried', state), '', 'state'))
RETURNING nullif(tenant_id, platform_tenant()) AS "tenantId", id, queue, kind, state, priority, progress, message, attempts,
	max_attempts AS "maxAttempts", worker, errors->-1->>'message' AS "error", created_at AS "createdAt", run_at AS "runAt",
	started_at AS "startedAt", finished_at AS "finishedAt";

-- Dead letters, some at a time, from the beginning. Not the children of others, which their parents add anew.
-- $1 tenant, $2 queue, $3 kind; NULL: whichever. $4 how many at most.
-- name: jobs_admin_retry_failed :one  role: system
WITH retried AS (
	UPDATE jobs
	SET state = 'waiting', attempts = 0, run_at = clock_timestamp(), finished_at = NULL, cancel_requested_at = NULL,
	    is_alone = false, progress = 0, message = NULL
	WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM jobs
		WHERE state = 'failed' AND finished_at IS NOT NULL AND parent_id IS NULL
		  AND ($1::uuid IS NULL OR tenant_id = $1)
		  AND ($2::text IS NULL OR queue = $2)
		  AND ($3::text IS NULL OR kind = $3)
		LIMIT $4 FOR UPDATE SKIP LOCKED))
	RETURNING id
)
SELECT count(*) AS n FROM retried;

-- Wakes a worker after a change of the rows above.
-- name: jobs_admin_wake :exec  role: system
SELECT pg_notify('zygo_jobs', name) FROM job_queues WHERE paused_at IS NULL;

-- $1 id.
-- name: jobs_admin_discard :one  noun: Job  role: system
DELETE FROM jobs
WHERE tenant_id = tenant_of_job($1) AND id = $1
  AND (state <> 'active' OR refuse('ZY409', 'The job is running; cancel it, or wait', '', 'state'))
RETURNING id;

-- One that runs is told to stop.  $1 id.
-- name: jobs_admin_cancel :one  reply: JobOfAny  noun: Job  role: system
UPDATE jobs
SET cancel_requested_at = coalesce(cancel_requested_at, now()),
    state = CASE WHEN state = 'active' THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'active' THEN finished_at ELSE now() END,
    unique_key = CASE WHEN state = 'active' OR unique_until > now() THEN unique_key END
WHERE tenant_id = tenant_of_job($1) AND id = $1
  AND (finished_at IS NULL OR refuse('ZY409', format('The job is %s already', state), '', 'state'))
RETURNING nullif(tenant_id, platform_tenant()) AS "tenantId", id, queue, kind, state, priority, progress, message, attempts,
	max_attempts AS "maxAttempts", worker, errors->-1->>'message' AS "error", created_at AS "createdAt", run_at AS "runAt",
	started_at AS "startedAt", finished_at AS "finishedAt";

-- Each queue with its jobs by state, up to a hundred thousand of each, and what the last five minutes saw.  $1 a queue; NULL: all.
-- name: jobs_admin_queues :many  reply: Queue  role: system
SELECT q.name AS "name", q.paused_at AS "pausedAt",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'waiting' LIMIT 100000) AS x) AS "waiting",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'delayed' LIMIT 100000) AS x) AS "delayed",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'active' LIMIT 100000) AS x) AS "active",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'waiting-children' LIMIT 100000) AS x)
		AS "waitingChildren",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'completed' AND j.finished_at IS NOT NULL
			      LIMIT 100000) AS x) AS "completed",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'failed' AND j.finished_at IS NOT NULL
			      LIMIT 100000) AS x) AS "failed",
       (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'cancelled' AND j.finished_at IS NOT NULL
			      LIMIT 100000) AS x) AS "cancelled",
       coalesce(s.completed, 0)::bigint AS "completedLately", coalesce(s.failed, 0)::bigint AS "failedLately",
       (s.wait_us / nullif(s.jobs, 0) / 1000)::bigint AS "waitMs", (s.wait_max_us / 1000)::bigint AS "waitMaxMs",
       (s.run_us / nullif(s.jobs, 0) / 1000)::bigint AS "runMs", (s.run_max_us / 1000)::bigint AS "runMaxMs"
FROM job_queues q
LEFT JOIN LATERAL (
	SELECT sum(t.completed) AS completed, sum(t.failed) AS failed, sum(t.completed + t.failed) AS jobs, sum(t.wait_us) AS wait_us,
	       max(t.wait_max_us) AS wait_max_us, sum(t.run_us) AS run_us, max(t.run_max_us) AS run_max_us
	FROM job_stats t
	WHERE t.minute > now() - interval '5 minutes' AND t.queue = q.name
) AS s ON true
WHERE $1::text IS NULL OR q.name = $1
ORDER BY q.name;

-- $1 name, $2 whether.
-- name: jobs_admin_pause :one  noun: Queue  role: system
UPDATE job_queues
SET paused_at = CASE WHEN $2 THEN coalesce(paused_at, now()) END
WHERE name = $1
RETURNING name;

-- For /metrics.
-- name: jobs_admin_workers :one  role: system
SELECT count(*) AS workers, count(*) FILTER (WHERE is_asleep) AS asleep
FROM job_workers
WHERE seen_at > now() - interval '10 seconds';
