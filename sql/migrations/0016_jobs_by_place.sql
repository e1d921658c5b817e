-- The queue, after it was measured.

-- Whose job has this id; no row: nobody's. The key begins with the tenant, so each tenant that has jobs is one
-- step of some 8 µs. An index of ids alone would cost an entry for each of a job's versions.
CREATE FUNCTION tenant_of_job(p_id uuid) RETURNS uuid LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
	WITH RECURSIVE tenants AS (
		(SELECT j.tenant_id FROM jobs j ORDER BY j.tenant_id LIMIT 1)
		UNION ALL
		SELECT (SELECT j.tenant_id FROM jobs j WHERE j.tenant_id > t.tenant_id ORDER BY j.tenant_id LIMIT 1)
		FROM tenants t WHERE t.tenant_id IS NOT NULL
	)
	SELECT t.tenant_id FROM tenants t
	WHERE EXISTS (SELECT FROM jobs j WHERE j.tenant_id = t.tenant_id AND j.id = p_id)
	LIMIT 1
$$;

-- Takes up to p_max jobs of a queue that nobody else has taken, in turns among its tenants: the p_max tenants with waiting jobs
-- that come after p_after in the order of their ids, and from the beginning again, have an equal share each. So a tenant with a
-- million jobs is one in the round, whatever priority it says. Rows come in that order; the caller begins the next round after
-- the tenant of the last one.
--
-- p_concurrency: the most that may be active at a time over all hosts; p_rate_max: the most that may start within p_rate_us;
-- 0: any number. With either, the queue's row makes claims take turns, so that both are exact.
--
-- A row that was locked is updated by its place (ctid), which cannot change while it is locked: a seventh of a job's whole cost.
CREATE OR REPLACE FUNCTION claim_jobs(p_queue text, p_worker text, p_max integer, p_concurrency integer, p_rate_max integer, p_rate_us bigint,
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
			SELECT j.ctid, j.is_alone
			FROM jobs j
			WHERE j.queue = p_queue AND j.state = 'waiting' AND j.tenant_id = t.tenant_id
			ORDER BY j.priority DESC, j.id
			LIMIT (SELECT n FROM share)
			FOR UPDATE SKIP LOCKED
		) AS j
		LIMIT room
	), chosen AS (
		SELECT f.turn, f.ctid
		FROM (SELECT *, row_number() OVER (ORDER BY is_alone DESC, turn) AS place,
			     bool_or(is_alone) OVER () AS has_lonely FROM free) AS f
		WHERE NOT f.has_lonely OR f.place = 1
	), mine AS (
		UPDATE jobs j
		SET state = 'active', worker = p_worker, attempts = j.attempts + 1, started_at = clock_timestamp()
		FROM chosen c
		WHERE j.ctid = c.ctid
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
