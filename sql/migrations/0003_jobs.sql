-- Jobs: work that outlives a request, in the transaction that needs it. src/jobs/README.md has the idea.

-- Whose the platform's own jobs are: a tenant that cannot exist, so that every row has an owner, every key starts with it and
-- row-level security hides these from all tenants.
CREATE FUNCTION platform_tenant() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;

-- No foreign key to tenants: the job that deletes a tenant outlives it. Nor to a parent: one may be swept before its children.
CREATE TABLE jobs (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL,                       -- UUIDv7, so its order is that of creation
	queue text NOT NULL,
	kind text NOT NULL,
	payload jsonb NOT NULL DEFAULT '{}',
	state text NOT NULL CONSTRAINT jobs_state_check CHECK (state IN
		('waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'waiting-children')),
	priority integer NOT NULL DEFAULT 0,    -- the higher comes first, within its tenant
	attempts integer NOT NULL DEFAULT 0,    -- begun
	max_attempts integer NOT NULL,
	unique_key text,                        -- given up when the job is over and unique_until has passed
	unique_until timestamptz,
	parent_id uuid,
	progress smallint NOT NULL DEFAULT 0 CONSTRAINT jobs_progress_check CHECK (progress BETWEEN 0 AND 100),
	message text,                           -- beside the progress: what is being done
	result jsonb,
	errors jsonb NOT NULL DEFAULT '[]',     -- of each attempt that failed, the oldest first
	worker text,                            -- job_workers.name; kept when the job is over
	is_alone boolean NOT NULL DEFAULT false,    -- was in a batch whose worker died: claimed by itself from now on
	is_resumed boolean NOT NULL DEFAULT false,  -- has waited for its children
	is_private boolean NOT NULL DEFAULT false,  -- the payload is shown to nobody
	is_cancellable boolean NOT NULL DEFAULT false, -- by its tenant
	cancel_requested_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	run_at timestamptz NOT NULL DEFAULT now(),
	started_at timestamptz,                 -- when a worker last took it
	finished_at timestamptz,
	CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id)
);
-- A job is in one of the next four at a time: each of its versions costs one entry here and one in the key.
CREATE INDEX jobs_waiting_idx ON jobs (queue, tenant_id, priority DESC, id) WHERE state = 'waiting';
CREATE INDEX jobs_delayed_idx ON jobs (run_at) WHERE state = 'delayed';
CREATE INDEX jobs_active_idx ON jobs (queue, worker) WHERE state = 'active';
CREATE INDEX jobs_finished_idx ON jobs (queue, state, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_parent_id_idx ON jobs (tenant_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_waiting_children_idx ON jobs (tenant_id, id) WHERE state = 'waiting-children';
CREATE INDEX jobs_unique_until_idx ON jobs (unique_until) WHERE unique_key IS NOT NULL AND finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique_key ON jobs (tenant_id, kind, unique_key) WHERE unique_key IS NOT NULL;
-- Its rows change three times and go: what is dead is taken away before scans feel it.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0,
		      autovacuum_analyze_scale_factor = 0.2, fillfactor = 80);
CALL isolate('jobs');

-- What is true of a queue at run time; what it is stands in src/jobs/queues.c.
CREATE TABLE job_queues (
	name text CONSTRAINT job_queues_pkey PRIMARY KEY,
	paused_at timestamptz,
	starts timestamptz[] NOT NULL DEFAULT '{}' -- of jobs within the last duration of its rate; empty without one
);

-- Who takes jobs, on all hosts. A worker that has not been seen for a while is dead, and its jobs are others'.
CREATE TABLE job_workers (
	name text CONSTRAINT job_workers_pkey PRIMARY KEY, -- host/master/process
	master text NOT NULL,                              -- host/master: whose keeper sees it
	seen_at timestamptz NOT NULL DEFAULT now(),
	is_asleep boolean NOT NULL DEFAULT false           -- wants a notification
) WITH (fillfactor = 50);

-- Until when each scheduled task has run.
CREATE TABLE job_tasks (
	name text CONSTRAINT job_tasks_pkey PRIMARY KEY,
	last_at timestamptz NOT NULL DEFAULT now()
);

-- Minute by minute what was done. A worker writes rows of its own, so that workers do not wait for each other.
CREATE TABLE job_stats (
	minute timestamptz NOT NULL,
	queue text NOT NULL,
	worker text NOT NULL,
	completed bigint NOT NULL DEFAULT 0,
	failed bigint NOT NULL DEFAULT 0,      -- attempts
	wait_us bigint NOT NULL DEFAULT 0,     -- from when each could run to when it did, added up
	wait_max_us bigint NOT NULL DEFAULT 0,
	run_us bigint NOT NULL DEFAULT 0,
	run_max_us bigint NOT NULL DEFAULT 0,
	CONSTRAINT job_stats_pkey PRIMARY KEY (minute, queue, worker)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON job_queues, job_workers, job_tasks, job_stats TO zygo_system;
-- Whoever enqueues looks whether somebody is to be woken.
GRANT SELECT ON job_workers TO zygo_app, zygo_identity;

-- Takes up to p_max jobs of a queue that nobody else has taken, in turns among its tenants: the p_max tenants with waiting jobs
-- that come after p_after in the order of their ids, and from the beginning again, have an equal share each. So a tenant with a
-- million jobs is one in the round, whatever priority it says. Rows come in that order; the caller begins the next round after
-- the tenant of the last one.
--
-- p_concurrency: the most that may be active at a time over all hosts; p_rate_max: the most that may start within p_rate_us;
-- 0: any number. With either, the queue's row makes claims take turns, so that both are exact.
CREATE FUNCTION claim_jobs(p_queue text, p_worker text, p_max integer, p_concurrency integer, p_rate_max integer, p_rate_us bigint,
			   p_after uuid)
RETURNS TABLE (tenant_id uuid, id uuid, kind text, payload jsonb, attempts integer, max_attempts integer, parent_id uuid,
	       is_resumed boolean, wait_us bigint)
LANGUAGE plpgsql
-- Planned once a connection, for a table that may be empty then and hold a million rows later: by the indexes, always.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	room integer := p_max;
	recent timestamptz[];
	paused timestamptz;
	taken integer;
BEGIN
	IF p_concurrency > 0 OR p_rate_max > 0 THEN
		SELECT q.paused_at, ARRAY(SELECT s FROM unnest(q.starts) s
					  WHERE s > clock_timestamp() - p_rate_us * interval '1 microsecond')
		INTO paused, recent
		FROM job_queues q WHERE q.name = p_queue FOR UPDATE;
		IF NOT FOUND THEN
			RETURN; -- a keeper has yet to put it there
		END IF;
		IF p_concurrency > 0 THEN
			room := least(room, p_concurrency - (SELECT count(*) FROM jobs
							     WHERE queue = p_queue AND state = 'active'));
		END IF;
		IF p_rate_max > 0 THEN
			room := least(room, p_rate_max - cardinality(recent));
		END IF;
	ELSE
		SELECT q.paused_at INTO paused FROM job_queues q WHERE q.name = p_queue;
	END IF;
	IF paused IS NOT NULL OR room <= 0 THEN
		RETURN;
	END IF;

	RETURN QUERY
	WITH RECURSIVE later AS (
		(SELECT j.tenant_id FROM jobs j
		 WHERE j.queue = p_queue AND j.state = 'waiting' AND j.tenant_id > p_after
		 ORDER BY j.tenant_id LIMIT 1)
		UNION ALL
		SELECT (SELECT j.tenant_id FROM jobs j
			WHERE j.queue = p_queue AND j.state = 'waiting' AND j.tenant_id > l.tenant_id
			ORDER BY j.tenant_id LIMIT 1)
		FROM later l WHERE l.tenant_id IS NOT NULL
	), earlier AS (
		(SELECT j.tenant_id FROM jobs j
		 WHERE j.queue = p_queue AND j.state = 'waiting' AND j.tenant_id <= p_after
		 ORDER BY j.tenant_id LIMIT 1)
		UNION ALL
		SELECT (SELECT j.tenant_id FROM jobs j
			WHERE j.queue = p_queue AND j.state = 'waiting' AND j.tenant_id > e.tenant_id
			  AND j.tenant_id <= p_after
			ORDER BY j.tenant_id LIMIT 1)
		FROM earlier e WHERE e.tenant_id IS NOT NULL
	), tenants AS MATERIALIZED (
		SELECT t.tenant_id, row_number() OVER () AS turn
		FROM (SELECT l.tenant_id FROM later l UNION ALL SELECT e.tenant_id FROM earlier e) AS t
		WHERE t.tenant_id IS NOT NULL
		LIMIT room
	), share AS MATERIALIZED (
		SELECT greatest(1, room / greatest(1, count(*))) AS n FROM tenants
	), free AS MATERIALIZED (
		SELECT t.turn, j.*
		FROM tenants t
		CROSS JOIN LATERAL (
			SELECT j.tenant_id, j.id, j.is_alone
			FROM jobs j
			WHERE j.queue = p_queue AND j.state = 'waiting' AND j.tenant_id = t.tenant_id
			ORDER BY j.priority DESC, j.id
			LIMIT (SELECT n FROM share)
			FOR UPDATE SKIP LOCKED
		) AS j
		LIMIT room
	), chosen AS (
		SELECT f.turn, f.tenant_id, f.id
		FROM (SELECT *, row_number() OVER (ORDER BY is_alone DESC, turn) AS place,
			     bool_or(is_alone) OVER () AS has_lonely FROM free) AS f
		WHERE NOT f.has_lonely OR f.place = 1
	), mine AS (
		UPDATE jobs j
		SET state = 'active', worker = p_worker, attempts = j.attempts + 1, started_at = clock_timestamp()
		FROM chosen c
		WHERE j.tenant_id = c.tenant_id AND j.id = c.id
		RETURNING c.turn, j.tenant_id, j.id, j.kind, j.payload, j.attempts, j.max_attempts, j.parent_id,
			  j.is_resumed, j.priority,
			  (extract(epoch FROM j.started_at - j.run_at) * 1000000)::bigint AS wait_us
	)
	SELECT m.tenant_id, m.id, m.kind, m.payload, m.attempts, m.max_attempts, m.parent_id, m.is_resumed,
	       greatest(0, m.wait_us)
	FROM mine m
	ORDER BY m.turn, m.priority DESC, m.id;
	GET DIAGNOSTICS taken = ROW_COUNT;

	IF p_rate_max > 0 AND taken > 0 THEN
		UPDATE job_queues q SET starts = recent || array_fill(clock_timestamp(), ARRAY[taken]) WHERE q.name = p_queue;
	END IF;
END
$$;
