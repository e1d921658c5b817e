-- Jobs: enqueueing, and what workers and their keeper do. src/jobs/README.md has the idea; what people see and do is in
-- sql/queries/jobs_admin.sql.

-- In the caller's transaction, for its tenant. One worker a host is woken at the commit where any sleeps, and when all are busy nobody
-- is: notifications make commits take turns.
-- $1 id, $2 tenant or NULL: the transaction's, or the platform when it has none; $3 queue, $4 kind, $5 payload, $6 priority,
-- $7 attempts, $8 delay in microseconds, $9 parent, $10 waits for children, $11 private, $12 cancellable, $13 back-off in microseconds
-- or NULL: the kind's.
-- name: jobs_add :exec
INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, priority, max_attempts, run_at, parent_id, is_resumed, is_private,
		  is_cancellable, backoff_us)
VALUES (coalesce($2, current_tenant(), platform_tenant()), $1, $3, $4, coalesce($5::jsonb, '{}'),
	CASE WHEN $10 THEN 'waiting-children' WHEN $8::bigint > 0 THEN 'delayed' ELSE 'waiting' END, $6, $7,
	now() + $8::bigint * interval '1 microsecond', $9, $10, $11, $12, $13)
RETURNING CASE WHEN state = 'waiting' AND EXISTS (SELECT FROM job_workers WHERE is_asleep)
	       THEN pg_notify('zygo_jobs', queue) END;

-- The same under a unique key; one that is taken adds nothing. What may conflict costs a lock and a record of WAL more.
-- $14 unique key, $15 its window in microseconds.
-- name: jobs_add_once :exec
INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, priority, max_attempts, run_at, parent_id, is_resumed, is_private,
		  is_cancellable, backoff_us, unique_key, unique_until)
VALUES (coalesce($2, current_tenant(), platform_tenant()), $1, $3, $4, coalesce($5::jsonb, '{}'),
	CASE WHEN $10 THEN 'waiting-children' WHEN $8::bigint > 0 THEN 'delayed' ELSE 'waiting' END, $6, $7,
	now() + $8::bigint * interval '1 microsecond', $9, $10, $11, $12, $13, $14,
	now() + $15::bigint * interval '1 microsecond')
ON CONFLICT (tenant_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING
RETURNING CASE WHEN state = 'waiting' AND EXISTS (SELECT FROM job_workers WHERE is_asleep)
	       THEN pg_notify('zygo_jobs', queue) END;

------------------------------------------------------------------------------------------------------------
-- A worker

-- name: jobs_listen :exec
LISTEN zygo_jobs;

-- $1 the queues that this binary knows.
-- name: jobs_queues_put :exec  role: system
INSERT INTO job_queues (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING;

-- $1 name, $2 master.
-- name: jobs_worker_put :exec  role: system
INSERT INTO job_workers (name, master) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT job_workers_pkey DO UPDATE SET seen_at = now(), is_asleep = false;

-- Before it sleeps and when it wakes.  $1 name, $2 whether.
-- name: jobs_worker_sleeps :exec  role: system
UPDATE job_workers SET is_asleep = $2 WHERE name = $1 AND is_asleep <> $2;

-- $1 name.
-- name: jobs_worker_gone :exec  role: system
DELETE FROM job_workers WHERE name = $1;

-- Of these queues, those that have something to take.  $1 queues.
-- name: jobs_ready :many  role: system
SELECT q.name
FROM job_queues q
WHERE q.name = ANY ($1) AND q.paused_at IS NULL
  AND EXISTS (SELECT FROM jobs j WHERE j.queue = q.name AND j.state = 'waiting');

-- The commit of this transaction does not wait for the disk. src/jobs/crew.h says what that costs in a crash.
-- name: jobs_lazily :exec
SELECT set_config('synchronous_commit', 'off', true);

-- claim_jobs() in sql/migrations/0016 says what the parameters are.
-- name: jobs_claim :many  role: system
SELECT tenant_id, id, kind, payload, attempts, max_attempts, parent_id, is_resumed, wait_us
FROM claim_jobs($1, $2, $3, $4, $5, $6, coalesce($7, platform_tenant()));

-- Jobs that were done, unless they have been given to somebody else meanwhile.  $1 tenants, $2 ids, $3 results, $4 worker.
-- name: jobs_complete :many  role: system
UPDATE jobs j
SET state = 'completed', progress = 100, result = d.result, finished_at = clock_timestamp(),
    unique_key = CASE WHEN j.unique_until > now() THEN j.unique_key END
FROM unnest($1::uuid[], $2::uuid[], $3::jsonb[]) AS d (tenant_id, id, result)
WHERE j.tenant_id = d.tenant_id AND j.id = d.id AND j.state = 'active' AND j.worker = $4
RETURNING j.id;

-- The same of one, in the handler's own transaction; refused when the job is somebody else's by now.
-- $1 tenant, $2 id, $3 worker, $4 result.
-- name: jobs_done :one  noun: Job
UPDATE jobs
SET state = 'completed', progress = 100, result = $4, finished_at = clock_timestamp(),
    unique_key = CASE WHEN unique_until > now() THEN unique_key END
WHERE tenant_id = coalesce($1, platform_tenant()) AND id = $2 AND state = 'active' AND worker = $3
RETURNING id;

-- An attempt that failed: again after a while, or a dead letter when it was the last; one that was to be cancelled is. The while is the
-- job's back-off or else its kind's, twice as long after each attempt, less up to a fifth at random, so that what failed together does
-- not come back together.
-- $1 tenant, $2 id, $3 worker, $4 whether another try may help, $5 the error, $6 its kind's back-off, $7 the longest; in microseconds.
-- name: jobs_fail :exec  role: system
UPDATE jobs j
SET state = o.state, errors = j.errors || $5::jsonb,
    run_at = CASE WHEN o.state = 'delayed' THEN clock_timestamp() + o.delay_us * interval '1 microsecond' ELSE j.run_at END,
    finished_at = CASE WHEN o.state <> 'delayed' THEN clock_timestamp() END,
    unique_key = CASE WHEN o.state = 'delayed' OR j.unique_until > now() THEN j.unique_key END
FROM (SELECT CASE WHEN k.cancel_requested_at IS NOT NULL THEN 'cancelled'
		  WHEN $4 AND k.attempts < k.max_attempts THEN 'delayed'
		  ELSE 'failed' END AS state,
	     (1 - random() / 5) * least(coalesce(k.backoff_us, $6::bigint) * power(2, least(k.attempts, 30) - 1), $7::bigint) AS delay_us
      FROM jobs k WHERE k.tenant_id = coalesce($1, platform_tenant()) AND k.id = $2
      FOR UPDATE) AS o -- as it is now: it may just have been cancelled
WHERE j.tenant_id = coalesce($1, platform_tenant()) AND j.id = $2 AND j.state = 'active' AND j.worker = $3;

-- Waits for what it has enqueued with itself as the parent; the attempt does not count. One that was to be cancelled is.
-- $1 tenant, $2 id, $3 worker.
-- name: jobs_await :exec  role: system
UPDATE jobs
SET state = CASE WHEN cancel_requested_at IS NULL THEN 'waiting-children' ELSE 'cancelled' END, is_resumed = true,
    attempts = attempts - 1, finished_at = CASE WHEN cancel_requested_at IS NOT NULL THEN clock_timestamp() END,
    unique_key = CASE WHEN cancel_requested_at IS NULL OR unique_until > now() THEN unique_key END
WHERE tenant_id = coalesce($1, platform_tenant()) AND id = $2 AND state = 'active' AND worker = $3;

-- What a worker has taken and not begun, as if it had not; and what it may have taken when it could not hear the answer. Run behind what
-- says that the others are over. One that was to be cancelled is.  $1 worker.
-- name: jobs_hand_back :exec  role: system
UPDATE jobs
SET state = CASE WHEN cancel_requested_at IS NULL THEN 'waiting' ELSE 'cancelled' END, attempts = attempts - 1,
    finished_at = CASE WHEN cancel_requested_at IS NOT NULL THEN clock_timestamp() END,
    unique_key = CASE WHEN cancel_requested_at IS NULL OR unique_until > now() THEN unique_key END
WHERE state = 'active' AND worker = $1;

-- To be run later; the attempt does not count. One that was to be cancelled is.  $1 tenant, $2 id, $3 worker, $4 delay in microseconds.
-- name: jobs_put_off :exec  role: system
UPDATE jobs
SET state = CASE WHEN cancel_requested_at IS NULL THEN 'delayed' ELSE 'cancelled' END, attempts = attempts - 1,
    run_at = clock_timestamp() + $4::bigint * interval '1 microsecond',
    finished_at = CASE WHEN cancel_requested_at IS NOT NULL THEN clock_timestamp() END
WHERE tenant_id = coalesce($1, platform_tenant()) AND id = $2 AND state = 'active' AND worker = $3;

-- No row: the job is somebody else's by now.  $1 tenant, $2 id, $3 worker, $4 percent, $5 message; NULL leaves it.
-- name: jobs_progress :opt  role: system
UPDATE jobs
SET progress = $4, message = coalesce($5, message)
WHERE tenant_id = coalesce($1, platform_tenant()) AND id = $2 AND state = 'active' AND worker = $3
RETURNING cancel_requested_at IS NOT NULL AS is_cancelled;

-- $1 tenant, $2 parent.
-- name: jobs_children :many  role: system
SELECT id, kind, state, result, errors
FROM jobs
WHERE tenant_id = coalesce($1, platform_tenant()) AND parent_id = $2
ORDER BY id;

-- Parents none of whose children is unfinished.  $1 ids; NULL: whichever.
-- name: jobs_wake_parents :exec  role: system
UPDATE jobs p
SET state = 'waiting', run_at = clock_timestamp()
WHERE p.state = 'waiting-children' AND ($1::uuid[] IS NULL OR p.id = ANY ($1))
  AND NOT EXISTS (SELECT FROM jobs k
		  WHERE k.tenant_id = p.tenant_id AND k.parent_id = p.id AND k.finished_at IS NULL);

-- $1 queue, $2 worker, $3 completed, $4 failed, $5 waited, $6 the longest, $7 ran, $8 the longest; in microseconds.
-- name: jobs_stats_add :exec  role: system
INSERT INTO job_stats AS s (minute, queue, worker, completed, failed, wait_us, wait_max_us, run_us, run_max_us)
VALUES (date_trunc('minute', now()), $1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT ON CONSTRAINT job_stats_pkey DO UPDATE
SET completed = s.completed + excluded.completed, failed = s.failed + excluded.failed,
    wait_us = s.wait_us + excluded.wait_us, wait_max_us = greatest(s.wait_max_us, excluded.wait_max_us),
    run_us = s.run_us + excluded.run_us, run_max_us = greatest(s.run_max_us, excluded.run_max_us);

------------------------------------------------------------------------------------------------------------
-- The keeper of a host

-- Its workers live.  $1 names, $2 master.
-- name: jobs_beat :exec  role: system
INSERT INTO job_workers AS w (name, master)
SELECT unnest($1::text[]), $2
ON CONFLICT ON CONSTRAINT job_workers_pkey DO UPDATE SET seen_at = now();

-- Who may be dead: of its own those that it has not named, of other hosts those whose keeper has been silent for 10 s.
-- $1 names that live, $2 master.
-- name: jobs_missing :many  role: system
SELECT name, master = $2 AS is_own
FROM job_workers
WHERE CASE WHEN master = $2 THEN name <> ALL ($1) ELSE seen_at < now() - interval '10 seconds' END;

-- The dead. This may be late, from a backend that stood still, and is right then too: a name that is dead stays so, which one that is
-- missing from a list need not be; and who belongs to another host is spared when it has been seen meanwhile.
-- $1 names, $2 master.
-- name: jobs_bury :exec  role: system
DELETE FROM job_workers
WHERE name = ANY ($1) AND (master = $2 OR seen_at < now() - interval '10 seconds');

-- On whatever host.
-- name: jobs_workers_seen :one
SELECT count(*) AS n FROM job_workers WHERE seen_at > now() - interval '10 seconds';

-- Jobs whose worker is dead. Which job of its batch killed it is not known, so none is counted an attempt and each is tried alone;
-- one that was alone is.
-- name: jobs_rescue :many  role: system
UPDATE jobs j
SET state = o.state, is_alone = true, attempts = CASE WHEN j.is_alone THEN j.attempts ELSE j.attempts - 1 END,
    errors = CASE WHEN j.is_alone
		  THEN j.errors || jsonb_build_object('attempt', j.attempts, 'at', now(), 'code', 'WORKER_LOST', 'message',
			'The worker ended while it ran the job, or the job did not end within its time limit')
		  ELSE j.errors END,
    finished_at = CASE WHEN o.state <> 'waiting' THEN now() END,
    unique_key = CASE WHEN o.state = 'waiting' OR j.unique_until > now() THEN j.unique_key END
FROM (SELECT k.tenant_id, k.id,
	     CASE WHEN k.cancel_requested_at IS NOT NULL THEN 'cancelled'
		  WHEN k.is_alone AND k.attempts >= k.max_attempts THEN 'failed'
		  ELSE 'waiting' END AS state
      FROM jobs k
      WHERE k.state = 'active' AND NOT EXISTS (SELECT FROM job_workers w WHERE w.name = k.worker)
      FOR UPDATE SKIP LOCKED) AS o
WHERE j.tenant_id = o.tenant_id AND j.id = o.id
RETURNING j.id, j.queue, j.kind, coalesce(j.worker, '') AS worker, j.state;

-- Delays that are over, some of each tenant's at a time: sql/migrations/0033.
-- name: jobs_promote :exec  role: system
SELECT promote_jobs(2000);

-- Unique keys of jobs that are over, when their window is too.
-- name: jobs_release_keys :exec  role: system
UPDATE jobs
SET unique_key = NULL
WHERE unique_key IS NOT NULL AND finished_at IS NOT NULL AND unique_until <= now();

-- What is kept of a queue: completed ones for so long and so many of them, the rest for so long.
-- $1 queue, $2 and $3 completed: microseconds, number; $4 failed and cancelled: microseconds; $5 at most so many a call.
-- name: jobs_sweep :many  role: system
DELETE FROM jobs j
USING (
	(SELECT k.tenant_id, k.id
	 FROM jobs k
	 WHERE k.queue = $1 AND k.state = 'completed' AND k.finished_at IS NOT NULL
	   AND k.finished_at < greatest(now() - $2::bigint * interval '1 microsecond',
		(SELECT n.finished_at FROM jobs n
		 WHERE n.queue = $1 AND n.state = 'completed' AND n.finished_at IS NOT NULL
		 ORDER BY n.finished_at DESC OFFSET greatest($3::bigint - 1, 0) LIMIT 1))
	 ORDER BY k.finished_at
	 LIMIT $5)
	UNION ALL
	(SELECT k.tenant_id, k.id
	 FROM jobs k
	 WHERE k.queue = $1 AND k.state IN ('failed', 'cancelled')
	   AND k.finished_at < now() - $4::bigint * interval '1 microsecond'
	 LIMIT $5)
) AS old
WHERE j.tenant_id = old.tenant_id AND j.id = old.id
RETURNING j.id;

-- $1 how long the minutes are kept, in microseconds.
-- name: jobs_stats_sweep :exec  role: system
DELETE FROM job_stats WHERE minute < now() - $1::bigint * interval '1 microsecond';

------------------------------------------------------------------------------------------------------------
-- Scheduled tasks

-- $1 names.
-- name: jobs_tasks_put :exec  role: system
INSERT INTO job_tasks (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING;

-- No rows when another host schedules at this moment; else the lock is held to the end of the transaction.
-- name: jobs_tasks :many  role: system
WITH lock AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(2054776687, 2) AS is_ours)
SELECT t.name, t.last_at, now() AS now
FROM lock JOIN job_tasks t ON lock.is_ours;

-- $1 name, $2 the moment up to which it is done.
-- name: jobs_task_done :exec  role: system
UPDATE job_tasks SET last_at = $2 WHERE name = $1;
