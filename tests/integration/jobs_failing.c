/*
 * Jobs that fail: what is tried again, how often and when, and what is kept of it.
 */
#include "base/ctx.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static int note(struct job *j)
{
	return crew_note(j, "ran");
}

static int fail_twice(struct job *j)
{
	int err = crew_note(j, "tried");

	if (err)
		return err;
	return j->attempt < 3 ? fail(j->c, ERR_BAD_GATEWAY, NULL, "The other side is away") : OK;
}

Test(jobs_failing, that_fail_are_tried_again)
{
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_QUICK, fail_twice);
	crew_start(1);
	id = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	crew_await(id, "completed");
	cr_expect_eq(crew_notes(id), 3);
	cr_expect_str_eq(crew_look(id, "jsonb_array_length(errors)"), "2");
	cr_expect_str_eq(crew_look(id, "errors->0->>'message'"), "The other side is away");
	cr_expect_str_eq(crew_look(id, "errors->1->>'code'"), "BAD_GATEWAY");
	cr_expect_str_eq(crew_look(id, "errors->1->>'attempt'"), "2");
}

Test(jobs_failing, are_counted_by_what_became_of_each_attempt)
{
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_QUICK, fail_twice);
	crew_start(1);
	id = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	crew_await(id, "completed");
	cr_expect_str_eq(
		database_value("SELECT sum(completed) || ' done, ' || sum(failed) || ' failed' "
			       "FROM job_stats WHERE worker IN (SELECT worker FROM " CREW_TABLE
			       " WHERE job_id = $1::uuid)",
			       id_text(id.u), NULL),
		"1 done, 2 failed");
}

static int always_fail(struct job *j)
{
	return fail_internal(j->c, "a detail for the admin");
}

struct tried {
	struct job_id id;
	size_t attempts;
};

static bool has_been_tried(void *p)
{
	const struct tried *t = p;
	const char *is_so = strf("state = 'delayed' AND attempts = %zu", t->attempts);

	return strcmp(crew_look(t->id, is_so), "true") == 0;
}

/* So long after that attempt failed it runs again, in seconds: at most full_s, less up to a fifth;
 * but a process may stand still between the failure and the word of it. */
static int64_t waits(struct job_id id, size_t attempt, int64_t full_s)
{
	struct tried t = { id, attempt };
	int64_t s;

	wait_until(has_been_tried, &t, "the attempt to fail");
	s = database_number(
		"SELECT extract(epoch FROM run_at - (errors->-1->>'at')::timestamptz)::bigint "
		"FROM jobs WHERE id = $1::uuid",
		id_text(id.u), NULL);
	cr_expect_geq(s, full_s * 4 / 5, "%ld s of %ld", (long)s, (long)full_s);
	cr_expect_leq(s, full_s + 180, "%ld s of %ld", (long)s, (long)full_s);
	return s;
}

/* 1000 s, doubled, but an hour at most; for each job another. */
Test(jobs_failing, that_fail_wait_twice_as_long_each_time_and_not_together)
{
	static const int64_t full_s[] = { 1000, 2000, 3600 };
	struct job_id ids[4];
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, always_fail);
	k.attempts = 4;
	k.backoff_us = 1000 * US_PER_S;
	crew_start(1);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	for (size_t n = 0; n < ARRAY_LEN(full_s); n++) {
		int64_t first_s = waits(ids[0], n + 1, full_s[n]);
		bool differ = false;

		for (size_t i = 1; i < ARRAY_LEN(ids); i++)
			differ = waits(ids[i], n + 1, full_s[n]) != first_s || differ;
		cr_expect(differ, "all wait for %ld s", (long)first_s);
		database_run("UPDATE jobs SET run_at = now() WHERE queue = $1", k.queue, NULL);
	}
	crew_await_count("failed", ARRAY_LEN(ids));
}

Test(jobs_failing, that_fail_too_often_are_kept_as_dead_letters)
{
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_QUICK, always_fail);
	crew_start(1);
	id = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	crew_await(id, "failed");
	cr_expect_str_eq(crew_look(id, "attempts"), "3");
	cr_expect_str_eq(crew_look(id, "errors->2->>'detail'"), "a detail for the admin");
}

Test(jobs_failing, wait_as_long_as_they_say_themselves_or_else_their_kind)
{
	struct tenant_id t = tenant_make();
	struct job_id own, keyed, kinds;
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, always_fail);
	k.backoff_us = 500 * US_PER_S;
	crew_start(1);
	own = crew_add(t, &(struct job_new){ .kind = &k, .backoff_us = 1500 * US_PER_S });
	keyed = crew_add(t, &(struct job_new){ .kind = &k,
					       .backoff_us = 1500 * US_PER_S,
					       .unique_key = "one" });
	kinds = crew_add(t, &(struct job_new){ .kind = &k });
	(void)waits(own, 1, 1500);
	(void)waits(keyed, 1, 1500);
	(void)waits(kinds, 1, 500);
	database_run("UPDATE jobs SET run_at = now() WHERE queue = $1", k.queue, NULL);
	(void)waits(own, 2, 3000);
	(void)waits(kinds, 2, 1000);
}

Test(jobs_failing, are_tried_as_often_as_they_say_themselves_or_else_their_kind)
{
	struct tenant_id t = tenant_make();
	struct job_id once, often, kinds;
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, always_fail);
	k.attempts = 2;
	k.backoff_us = 1;
	crew_start(1);
	once = crew_add(t, &(struct job_new){ .kind = &k, .attempts = 1 });
	often = crew_add(t, &(struct job_new){ .kind = &k, .attempts = 3, .unique_key = "one" });
	kinds = crew_add(t, &(struct job_new){ .kind = &k });
	crew_await_count("failed", 3);
	cr_expect_str_eq(crew_look(once, "attempts"), "1");
	cr_expect_str_eq(crew_look(often, "attempts"), "3");
	cr_expect_str_eq(crew_look(kinds, "attempts"), "2");
}

static int never_end(struct job *j)
{
	int err = crew_note(j, "began");

	while (!err)
		usleep(1000000);
	return err;
}

Test(jobs_failing, that_do_not_end_in_time_are_ended)
{
	struct tenant_id t = tenant_make();
	struct job_kind endless, k;
	struct job_id id, innocent;

	crew_kind(&endless, CREW_QUICK, never_end);
	crew_kind(&k, CREW_QUICK, note);
	endless.limit_us = 200 * US_PER_MS;
	endless.attempts = 2;
	id = crew_add(t, &(struct job_new){ .kind = &endless });
	innocent = crew_add(t, &(struct job_new){ .kind = &k });
	crew_start(1);
	crew_await(id, "failed");
	crew_await(innocent, "completed");
	cr_expect_str_eq(crew_look(id, "errors->1->>'code'"), "WORKER_LOST");
	cr_expect_str_eq(crew_look(innocent, "errors"), "[]");
}
