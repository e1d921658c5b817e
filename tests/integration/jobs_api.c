/* What a tenant and the platform's people see of jobs, and do with them. */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <unistd.h>

/* A queue that no worker serves, and the name of a worker that no keeper finds dead. */
static const char *idle_queue(void)
{
	const char *name = strf("idle-%d", (int)getpid());

	(void)world();
	database_run("INSERT INTO job_queues (name) VALUES ($1) ON CONFLICT DO NOTHING", name,
		     NULL);
	database_run("INSERT INTO job_workers (name, master, seen_at) VALUES ($1, $1, 'infinity') "
		     "ON CONFLICT DO NOTHING",
		     name, NULL);
	return name;
}

static const char *job_make(struct tenant_id t, const char *state)
{
	const char *id = id_text(uuid_v7());

	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts, payload, is_cancellable, "
		"worker, errors, finished_at) VALUES ($1::uuid, $2::uuid, $3, 'test.idle', $4, 3, '{\"n\":1}', true, $3, "
		"'[{\"attempt\":1,\"at\":\"2026-01-31T12:00:00.000Z\",\"code\":\"BAD_GATEWAY\","
		"\"message\":\"Away\",\"detail\":\"refused\"}]', "
		"CASE WHEN $4 IN ('completed', 'failed', 'cancelled') THEN now() END)",
		id_text(t.u), id, idle_queue(), state, NULL);
	return id;
}

Test(jobs_api, a_tenant_sees_its_own_jobs_with_their_progress)
{
	struct caller ann = caller(ROLE_VIEWER), bob = caller(ROLE_VIEWER);
	const char *id = job_make(ann.tenant, "active");
	struct answer a;

	database_run("UPDATE jobs SET progress = 40, message = 'Counting' WHERE id = $1::uuid", id,
		     NULL);
	a = answer_is(get(&ann, strf("/jobs/%s", id)), 200);
	cr_expect_eq(answer_int(a, "progress"), 40);
	cr_expect_str_eq(answer_text(a, "message"), "Counting");
	cr_expect_str_eq(answer_text(a, "error"), "Away");
	cr_expect_not(memmem(a.body.ptr, a.body.len, "refused", 7), "details are the admin's");
	answer_is_error(get(&bob, strf("/jobs/%s", id)), 404, "RESOURCE_NOT_FOUND", NULL);
}

Test(jobs_api, the_list_is_filtered_and_pages_by_creation)
{
	struct caller ann = on_tier(caller(ROLE_MEMBER), TIER_ADMIN);
	const char *first = job_make(ann.tenant, "waiting"),
		   *second = job_make(ann.tenant, "waiting");
	struct answer a;

	(void)job_make(ann.tenant, "failed");
	a = answer_is(get(&ann, "/jobs?state=waiting"), 200);
	cr_expect_eq(answer_len(a, "data"), 2);
	cr_expect_eq(answer_int(a, "pagination.total"), 2);
	cr_expect_eq(answer_len(answer_is(get(&ann, "/jobs?kind=test.idle"), 200), "data"), 3);
	cr_expect_eq(answer_len(answer_is(get(&ann, "/jobs?kind=other"), 200), "data"), 0);

	a = answer_is(get(&ann, "/jobs?sort=createdAt&limit=1"), 200);
	cr_expect_str_eq(answer_text(a, "data.0.id"), first);
	a = answer_is(get(&ann, strf("/jobs?sort=createdAt&limit=1&cursor=%s",
				     answer_text(a, "pagination.nextCursor"))),
		      200);
	cr_expect_str_eq(answer_text(a, "data.0.id"), second);
}

Test(jobs_api, a_job_is_cancelled_once_and_only_where_its_kind_allows)
{
	struct caller ann = caller(ROLE_ADMIN), viewer = caller_in(ann.tenant, ROLE_VIEWER);
	const char *waiting = job_make(ann.tenant, "waiting"),
		   *active = job_make(ann.tenant, "active");
	struct answer a;

	answer_is_error(post(&viewer, strf("/jobs/%s/cancel", waiting), NULL), 403,
			"AUTH_FORBIDDEN", NULL);
	a = answer_is(post(&ann, strf("/jobs/%s/cancel", waiting), NULL), 200);
	cr_expect_str_eq(answer_text(a, "state"), "cancelled");
	answer_is_error(post(&ann, strf("/jobs/%s/cancel", waiting), NULL), 409,
			"RESOURCE_CONFLICT", NULL);

	/* Its handler is told, and stops by itself. */
	a = answer_is(post(&ann, strf("/jobs/%s/cancel", active), NULL), 200);
	cr_expect_str_eq(answer_text(a, "state"), "active");
	cr_expect_eq(answer_bool(a, "isCancellable"), false);

	database_run(
		"UPDATE jobs SET is_cancellable = false, state = 'waiting' WHERE id = $1::uuid",
		active, NULL);
	answer_is_error(post(&ann, strf("/jobs/%s/cancel", active), NULL), 422, "RULE_VIOLATED",
			NULL);
}

Test(jobs_api, are_seen_and_cancelled_on_the_dashboard_too)
{
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_ADMIN);
	const char *id = job_make(ann.tenant, "waiting");
	struct answer a = answer_is(get(&ann, strf("/jobs/%s", id)), 200);

	cr_expect_str_eq(answer_text(a, "state"), "waiting");
	a = answer_is(post(&ann, strf("/jobs/%s/cancel", id), NULL), 200);
	cr_expect_str_eq(answer_text(a, "state"), "cancelled");
}

static struct caller super(void)
{
	return on_tier(caller_global_admin(), TIER_SUPER);
}

Test(jobs_api, the_platforms_people_inspect_retry_and_discard)
{
	struct caller root = super();
	struct tenant_id t = tenant_make();
	const char *failed = job_make(t, "failed"), *active = job_make(t, "active");
	struct answer a;

	a = answer_is(get(&root, strf("/jobs?tenantId=%s&state=failed&queue=%s", id_text(t.u),
				      idle_queue())),
		      200);
	cr_expect_eq(answer_len(a, "data"), 1);
	cr_expect_str_eq(answer_text(a, "data.0.tenantId"), id_text(t.u));

	a = answer_is(get(&root, strf("/jobs/%s", failed)), 200);
	cr_expect_eq(answer_int(a, "payload.n"), 1);
	cr_expect_str_eq(answer_text(a, "failures.0.detail"), "refused");

	a = answer_is(post(&root, strf("/jobs/%s/retry", failed), NULL), 200);
	cr_expect_str_eq(answer_text(a, "state"), "waiting");
	cr_expect_eq(answer_int(a, "attempts"), 0);
	answer_is_error(post(&root, strf("/jobs/%s/retry", failed), NULL), 409, "RESOURCE_CONFLICT",
			NULL);

	a = answer_is(post(&root, strf("/jobs/%s/cancel", failed), NULL), 200);
	cr_expect_str_eq(answer_text(a, "state"), "cancelled");
	answer_is(del(&root, strf("/jobs/%s", failed)), 204);
	answer_is_error(get(&root, strf("/jobs/%s", failed)), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is_error(del(&root, strf("/jobs/%s", active)), 409, "RESOURCE_CONFLICT", NULL);
}

Test(jobs_api, a_job_that_is_retried_keeps_its_own_attempts_and_backoff)
{
	struct caller root = super();
	const char *id = job_make(tenant_make(), "failed");
	struct answer a;

	database_run("UPDATE jobs SET max_attempts = 7, backoff_us = 1500000 WHERE id = $1::uuid",
		     id, NULL);
	answer_is(post(&root, strf("/jobs/%s/retry", id), NULL), 200);
	a = answer_is(get(&root, strf("/jobs/%s", id)), 200);
	cr_expect_eq(answer_int(a, "maxAttempts"), 7);
	cr_expect_eq(answer_int(a, "backoffMs"), 1500);
}

Test(jobs_api, a_payload_with_a_secret_is_shown_to_nobody)
{
	struct caller root = super();
	const char *id = job_make(tenant_make(), "waiting");
	const struct json *payload;
	struct answer a;

	database_run("UPDATE jobs SET is_private = true WHERE id = $1::uuid", id, NULL);
	a = answer_is(get(&root, strf("/jobs/%s", id)), 200);
	cr_assert(answer_find(&a, "payload", &payload));
	cr_expect_null(payload);
}

static const struct json *queue_of(const struct answer *a, const char *name)
{
	size_t n = answer_len(*a, "data");

	for (size_t i = 0; i < n; i++)
		if (strcmp(answer_text(*a, strf("data.%zu.name", i)), name) == 0) {
			const struct json *q;

			cr_assert(answer_find(a, strf("data.%zu", i), &q));
			return q;
		}
	return NULL;
}

Test(jobs_api, queues_say_what_is_in_them_and_are_paused)
{
	struct caller root = super();
	const char *name = idle_queue();
	const struct json *q, *waiting;
	struct answer a;
	int64_t n;

	(void)job_make(tenant_make(), "waiting");
	a = answer_is(get(&root, "/queues"), 200);
	q = queue_of(&a, name);
	cr_assert_not_null(q);
	cr_assert(jsonread_member(q, "waiting", &waiting));
	cr_assert(jsonread_i64(waiting, &n));
	cr_expect_eq(n, 1);

	a = answer_is(post(&root, strf("/queues/%s/pause", name), NULL), 200);
	cr_expect_not_null(answer_text(a, "pausedAt"));
	a = answer_is(post(&root, strf("/queues/%s/resume", name), NULL), 200);
	cr_expect_str_eq(answer_text(a, "name"), name);
	answer_is_error(post(&root, "/queues/no-such/pause", NULL), 404, "RESOURCE_NOT_FOUND",
			NULL);
}

/* The newest event of whoever asks. */
static void has_left(const struct caller *c, const char *type, const char *what, const char *name)
{
	struct answer a =
		answer_is(get(c, strf("/accounts/%s/events?limit=1", id_text(c->account.u))), 200);

	cr_expect_str_eq(answer_text(a, "data.0.type"), type);
	cr_expect_str_eq(answer_text(a, strf("data.0.data.%s", what)), name);
}

Test(jobs_api, what_the_platforms_people_do_is_in_their_log)
{
	struct caller root = super();
	const char *failed = job_make(tenant_make(), "failed"), *queue = idle_queue();

	answer_is(post(&root, strf("/jobs/%s/retry", failed), NULL), 200);
	has_left(&root, "account.jobRetried", "jobId", failed);
	answer_is(post(&root, strf("/jobs/%s/retry", failed), NULL), 409);
	has_left(&root, "account.jobRetried", "jobId", failed);
	answer_is(post(&root, strf("/jobs/%s/cancel", failed), NULL), 200);
	has_left(&root, "account.jobCancelled", "jobId", failed);
	answer_is(del(&root, strf("/jobs/%s", failed)), 204);
	has_left(&root, "account.jobDiscarded", "jobId", failed);
	answer_is(post(&root, strf("/queues/%s/pause", queue), NULL), 200);
	has_left(&root, "account.queuePaused", "queue", queue);
	answer_is(post(&root, strf("/queues/%s/resume", queue), NULL), 200);
	has_left(&root, "account.queueResumed", "queue", queue);
}

Test(jobs_api, metrics_count_jobs_by_queue_and_state)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);
	const char *name = idle_queue();
	struct answer a;

	(void)job_make(tenant_make(), "waiting");
	a = answer_is(get(&nobody, "/metrics"), 200);
	cr_expect(memmem(a.body.ptr, a.body.len,
			 strf("zygo_jobs{queue=\"%s\",state=\"waiting\"} 1", name),
			 strlen(strf("zygo_jobs{queue=\"%s\",state=\"waiting\"} 1", name))));
}
