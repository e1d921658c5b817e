-- Jobs whose delay is over: one tenant's many are not in the way of others' few.

CREATE INDEX jobs_due_idx ON jobs (tenant_id, run_at) WHERE state = 'delayed';

-- Lets jobs whose delay is over wait for a worker: the p_most oldest. When there are more, then of each tenant that has any the same share
-- of as many again.
CREATE FUNCTION promote_jobs(p_most integer) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
	promoted integer;
BEGIN
	WITH due AS MATERIALIZED (
		SELECT n.ctid
		FROM jobs n
		WHERE n.state = 'delayed' AND n.run_at <= now()
		ORDER BY n.run_at
		LIMIT p_most
		FOR UPDATE SKIP LOCKED
	)
	UPDATE jobs j SET state = 'waiting' FROM due WHERE j.ctid = due.ctid;
	GET DIAGNOSTICS promoted = ROW_COUNT;
	IF promoted < p_most THEN
		RETURN;
	END IF;

	WITH RECURSIVE tenants AS ( -- each with its oldest
		(SELECT j.tenant_id, j.run_at FROM jobs j
		 WHERE j.state = 'delayed'
		 ORDER BY j.tenant_id, j.run_at LIMIT 1)
		UNION ALL
		SELECT n.tenant_id, n.run_at
		FROM tenants t
		CROSS JOIN LATERAL (
			SELECT j.tenant_id, j.run_at FROM jobs j
			WHERE j.state = 'delayed' AND j.tenant_id > t.tenant_id
			ORDER BY j.tenant_id, j.run_at LIMIT 1
		) AS n
	), late AS MATERIALIZED (
		SELECT t.tenant_id FROM tenants t WHERE t.run_at <= now()
	), due AS MATERIALIZED (
		SELECT n.ctid
		FROM late l
		CROSS JOIN LATERAL (
			SELECT j.ctid FROM jobs j
			WHERE j.state = 'delayed' AND j.tenant_id = l.tenant_id AND j.run_at <= now()
			ORDER BY j.run_at
			LIMIT greatest(1, p_most / (SELECT count(*) FROM late))
			FOR UPDATE SKIP LOCKED
		) AS n
	)
	UPDATE jobs j SET state = 'waiting' FROM due WHERE j.ctid = due.ctid;
END
$$;
