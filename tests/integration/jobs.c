/*
 * Jobs from end to end: added in a transaction, taken by workers, run in their tenant's name.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "db/act.h"
#include "db/batch.h"
#include "http/shape.h"
#include "jobs/lease.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int note(struct job *j)
{
	return crew_note(j, "ran");
}

/*
 * Adding
 */

struct greeting {
	const char *name;
};
static const struct field greeting_fields[] = {
	{ "name", T_STRING, REQUIRED, offsetof(struct greeting, name), .max = 20,
	  .example = "Ann" },
};
static const struct shape greeting = SHAPE("JobTestGreeting", struct greeting, greeting_fields);

static int greet(struct job *j)
{
	const struct greeting *g = j->payload;

	j->result = str_of(arena_printf(j->c->arena, "{\"said\":\"Hello, %s\"}", g->name));
	return crew_note(j, g->name);
}

Test(jobs, run_in_their_tenants_name_with_their_payload)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_QUICK, greet);
	k.payload = &greeting;
	crew_start(1);
	id = crew_add(t, &(struct job_new){ .kind = &k, .payload = STR("{\"name\":\"Ann\"}") });
	crew_await(id, "completed");
	cr_expect_str_eq(crew_look(id, "result->>'said'"), "Hello, Ann");
	cr_expect_str_eq(crew_look(id, "progress"), "100");
	cr_expect_str_eq(database_value("SELECT tenant FROM " CREW_TABLE " WHERE job_id = $1::uuid",
					id_text(id.u), NULL),
			 id_text(t.u));
	cr_expect_eq(crew_stop(), 0);
}

Test(jobs, whose_payload_does_not_fit_are_not_tried_again)
{
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_QUICK, greet);
	k.payload = &greeting;
	crew_start(1);
	id = crew_add(tenant_make(),
		      &(struct job_new){ .kind = &k, .payload = STR("{\"name\":7}") });
	crew_await(id, "failed");
	cr_expect_str_eq(crew_look(id, "errors->0->>'path'"), "name");
	cr_expect_str_eq(crew_look(id, "attempts"), "1");
}

Test(jobs, are_not_there_when_their_transaction_is_not)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;
	struct arena *a = arena_new();
	struct ctx c;
	struct batch *b;
	static const struct sql refuse = { .name = "test_refuse",
					   .text = "SELECT refuse('ZY422', 'No')",
					   .kind = SQL_EXEC };

	(void)world();
	crew_kind(&k, CREW_QUICK, note);
	crew_add(t, &(struct job_new){ .kind = &k });
	ctx_reset(&c, a);
	act_for_tenant(&c, t);
	b = batch_new(&c, BATCH_WRITE);
	jobs_add(b, &c, &(struct job_new){ .kind = &k });
	batch_add(b, NULL, &refuse, NO_ARGS);
	cr_assert_eq(batch_run(b), ERR_RULE_VIOLATED);
	cr_assert_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid",
				     id_text(t.u), NULL),
		     1);
	arena_free(a);
}

Test(jobs, with_a_key_that_is_taken_are_not_added)
{
	struct tenant_id t = tenant_make(), other = tenant_make();
	struct job_kind k;
	struct job_new once = { .kind = &k, .unique_key = "one" };
	struct job_new window = { .kind = &k, .unique_key = "two", .unique_us = US_PER_DAY };
	const char *count = "SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid";

	crew_kind(&k, CREW_QUICK, note);
	crew_start(1);
	database_run("UPDATE job_queues SET paused_at = now() WHERE name = $1", k.queue, NULL);
	crew_add_many(t, &once, 3);
	crew_add_many(t, &window, 3);
	crew_add_many(other, &once, 1);
	cr_expect_eq(database_number(count, id_text(t.u), NULL), 2);
	cr_expect_eq(database_number(count, id_text(other.u), NULL), 1);
	database_run("UPDATE job_queues SET paused_at = NULL WHERE name = $1", k.queue, NULL);
	crew_await_count("completed", 3);

	/* Over: the first may come again, the second not before its window is over. */
	crew_add_many(t, &once, 1);
	crew_add_many(t, &window, 1);
	crew_await_count("completed", 4);
	cr_expect_eq(database_number(count, id_text(t.u), NULL), 3);
}

Test(jobs, with_a_delay_wait_for_it)
{
	struct tenant_id t = tenant_make();
	struct job_id id, later;
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, note);
	crew_start(1);
	later = crew_add(t, &(struct job_new){ .kind = &k, .delay_us = US_PER_DAY });
	id = crew_add(t, &(struct job_new){ .kind = &k, .delay_us = 1500 * US_PER_MS });
	crew_await(id, "completed");
	cr_expect_str_eq(crew_look(id, "started_at >= created_at + interval '1.5 seconds'"),
			 "true");
	cr_expect_str_eq(crew_look(later, "state"), "delayed");
}

/*
 * Taking turns
 */

static const char *order(void)
{
	return database_value("SELECT string_agg(what, ' ' ORDER BY at) FROM " CREW_TABLE
			      " n JOIN jobs j ON j.id = n.job_id WHERE j.queue LIKE '%-' || $1",
			      strf("%d", (int)getpid()), NULL);
}

Test(jobs, of_a_higher_priority_come_first)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;

	crew_kind(&k, CREW_LONG, greet);
	k.payload = &greeting;
	(void)world();
	for (int i = -1; i <= 1; i++)
		crew_add_many(t,
			      &(struct job_new){ .kind = &k,
						 .priority = i,
						 .payload = str_of(strf("{\"name\":\"%d\"}", i)) },
			      2);
	crew_start(1);
	crew_await_count("completed", 6);
	cr_expect_str_eq(order(), "1 1 0 0 -1 -1");
}

/* One tenant has hundreds before another has one: it is in the second haul at the latest. */
Test(jobs, of_a_tenant_with_many_do_not_keep_others_waiting)
{
	struct tenant_id crowd = tenant_make(), ann = tenant_make(), bob = tenant_make();
	struct job_kind k;
	struct job_id hers, his;

	crew_kind(&k, CREW_QUICK, note);
	crew_add_many(crowd, &(struct job_new){ .kind = &k, .priority = 100 }, 300);
	hers = crew_add(ann, &(struct job_new){ .kind = &k });
	his = crew_add(bob, &(struct job_new){ .kind = &k });
	crew_start(1);
	crew_await_count("completed", 302);
	for (size_t i = 0; i < 2; i++)
		cr_expect_leq(database_number("SELECT count(*) FROM " CREW_TABLE
					      " a JOIN " CREW_TABLE
					      " b ON b.at < a.at AND b.worker = a.worker "
					      "WHERE a.job_id = $1::uuid",
					      id_text(i ? his.u : hers.u), NULL),
			      64);
}

/* As if workers had been away for an hour; nobody else sees it. */
Test(jobs, of_a_tenant_with_many_delays_do_not_keep_others_waiting)
{
	struct tenant_id many = tenant_make(), few = tenant_make();

	database_run("BEGIN", NULL);
	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts, run_at) "
		"SELECT $1::uuid, uuid_v7(), $3, 'test', 'delayed', 3, now() - interval '1 hour' "
		"FROM generate_series(1, 4500) UNION ALL "
		"SELECT $2::uuid, uuid_v7(), $3, 'test', 'delayed', 3, "
		"now() + n * interval '1 minute' FROM generate_series(-2, 1) AS n",
		id_text(many.u), id_text(few.u), crew_queue(CREW_QUICK), NULL);
	database_run("SELECT promote_jobs(2000)", NULL);
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE state = 'waiting' "
				     "AND tenant_id = $1::uuid",
				     id_text(few.u), NULL),
		     3, "what is due, though others' has been due for longer");
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE state = 'delayed' "
				     "AND tenant_id = $1::uuid AND run_at <= now()",
				     id_text(many.u), NULL) > 0,
		     true, "some at a time");
	database_run("ROLLBACK", NULL);
}

/* So that there is always another one behind it. */
static int add_another(struct job *j)
{
	struct batch *b = batch_new(j->c, BATCH_WRITE);

	if (crew_was_told())
		return OK;
	usleep(10000);
	jobs_add(b, j->c, &(struct job_new){ .kind = j->kind });
	return batch_run(b);
}

Test(jobs, of_a_queue_that_is_never_empty_do_not_keep_other_queues_waiting)
{
	struct tenant_id t = tenant_make();
	struct job_kind endless, k;

	crew_kind(&endless, CREW_LONG, add_another);
	crew_kind(&k, CREW_QUICK, note);
	crew_start(1);
	crew_await(crew_add(t, &(struct job_new){ .kind = &endless }), "completed");
	crew_await(crew_add(t, &(struct job_new){ .kind = &k }), "completed");
	crew_tell();
	crew_await_end();
}

static int hold(struct job *j)
{
	int err = crew_note(j, "begin");

	while (!err && !crew_was_told())
		usleep(10000);
	usleep(50000);
	return err ? err : crew_note(j, "end");
}

/* More than take jobs at a time (jobs/lease.h); one worker is left to other queues. */
Test(jobs, of_a_queue_run_on_all_workers_but_one)
{
	unsigned n = leases_count(32) + 4;
	struct tenant_id t = tenant_make();
	struct job_kind k, other;

	crew_kind(&k, CREW_LONG, crew_wait_for_word);
	crew_kind(&other, CREW_QUICK, note);
	crew_start(n);
	crew_add_many(t, &(struct job_new){ .kind = &k }, 2 * n);
	crew_await_notes(t, n - 1);
	crew_await(crew_add(t, &(struct job_new){ .kind = &other }), "completed");
	cr_expect_eq(crew_count("active"), n - 1);
	crew_tell();
	crew_await_count("completed", 2 * n + 1);
}

Test(jobs, of_a_queue_never_run_more_at_a_time_than_it_allows)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;

	crew_kind(&k, CREW_NARROW, hold);
	crew_start(4);
	crew_add_many(t, &(struct job_new){ .kind = &k }, 12);
	crew_await_notes(t, 2);
	crew_tell();
	crew_await_count("completed", 12);
	cr_expect_eq(
		database_number(
			"SELECT max(n) FROM (SELECT sum(CASE what WHEN 'begin' THEN 1 ELSE -1 END) "
			"OVER (ORDER BY at) AS n FROM " CREW_TABLE
			" WHERE tenant = $1::uuid) AS running",
			id_text(t.u), NULL),
		2);
}

#define NARROW_JOBS 30

static int last_a_little(struct job *j UNUSED)
{
	usleep(10000);
	return OK;
}

/* How long they take with so many workers. */
static int64_t run_narrow(struct tenant_id t, const struct job_kind *k, unsigned n)
{
	int64_t begun_us;

	crew_start(n);
	begun_us = clock_monotonic_us();
	crew_add_many(t, &(struct job_new){ .kind = k }, NARROW_JOBS);
	crew_await_end();
	begun_us = clock_monotonic_us() - begun_us;
	cr_expect_eq(crew_stop(), 0);
	return begun_us;
}

/* Where one ends, another has to hear that there is a place: also of a worker without a lease. It
 * took twelve times as long when those who sleep had to find out by themselves. */
Test(jobs, of_a_queue_with_a_limit_follow_each_other_whoever_ends_them)
{
	struct tenant_id t = tenant_make();
	int64_t few_us, many_us;
	struct job_kind k;

	crew_kind(&k, CREW_NARROW, last_a_little);
	few_us = run_narrow(t, &k, 2);
	many_us = run_narrow(t, &k, leases_count(32) + 2);
	cr_expect_lt(many_us, 6 * few_us, "%ld us, and %ld with more workers", (long)few_us,
		     (long)many_us);
}

Test(jobs, of_a_queue_never_start_faster_than_it_allows)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;

	crew_kind(&k, CREW_RATED, note);
	crew_start(2);
	crew_add_many(t, &(struct job_new){ .kind = &k }, 7);
	crew_await_count("completed", 7);
	cr_expect_leq(
		database_number(
			"SELECT max(n) FROM (SELECT count(*) OVER (ORDER BY started_at RANGE BETWEEN "
			"CURRENT ROW AND interval '2.9 seconds' FOLLOWING) AS n FROM jobs "
			"WHERE tenant_id = $1::uuid) AS starts",
			id_text(t.u), NULL),
		3);
}

Test(jobs, of_a_paused_queue_wait)
{
	struct tenant_id t = tenant_make();
	struct job_kind paused, other;
	struct job_id id;

	crew_kind(&paused, CREW_QUICK, note);
	crew_kind(&other, CREW_LONG, note);
	crew_start(1);
	database_run("UPDATE job_queues SET paused_at = now() WHERE name = $1", paused.queue, NULL);
	id = crew_add(t, &(struct job_new){ .kind = &paused });
	crew_await(crew_add(t, &(struct job_new){ .kind = &other }), "completed");
	cr_expect_str_eq(crew_look(id, "state"), "waiting");
	database_run("UPDATE job_queues SET paused_at = NULL WHERE name = $1", paused.queue, NULL);
	crew_await(id, "completed");
}

/*
 * By the clock
 */

static int64_t added(const struct job_kind *k)
{
	return database_number("SELECT count(*) FROM jobs WHERE kind = $1", k->name, NULL);
}

static bool are_up_to_date(void *p)
{
	return database_number(
		       "SELECT count(*) FROM job_tasks WHERE name LIKE '%-' || $1 AND "
		       "last_at > now() - CASE WHEN name LIKE 'away%' THEN interval '1 day' "
		       "ELSE interval '1 hour' END",
		       p, NULL) == 4;
}

Test(jobs, of_tasks_that_were_missed_are_made_up_for_as_each_says)
{
	struct job_kind each, once, skipped, away;
	const char *me = strf("%d", (int)getpid());
	const char *tasks[] = { "each", "once", "skipped", "away" };

	crew_kind(&each, CREW_QUICK, note);
	crew_kind(&once, CREW_QUICK, note);
	crew_kind(&skipped, CREW_QUICK, note);
	crew_kind(&away, CREW_QUICK, note);
	/* On the hour: it may be one now. */
	crew_task("each", "0 * * * *", NULL, MISSED_EACH, &each);
	crew_task("once", "0 * * * *", NULL, MISSED_ONCE, &once);
	crew_task("skipped", "0 * * * *", NULL, MISSED_SKIPPED, &skipped);
	crew_task("away", "30 5 * * *", "Asia/Kolkata", MISSED_ONCE,
		  &away); /* UTC+05:30 all year */
	(void)world();
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
		database_run(
			"INSERT INTO job_tasks (name, last_at) VALUES ($1, date_trunc('hour', now()) - "
			"CASE WHEN $2 THEN interval '2 days' ELSE interval '5 hours' END)",
			strf("%s-%s", tasks[i], me), i == 3 ? "true" : "false", NULL);
	crew_start(1);
	wait_until(are_up_to_date, arena_strdup(world_arena(), me), "tasks that are up to date");
	cr_expect_geq(added(&each), 5);
	cr_expect_leq(added(&each), 6);
	cr_expect_geq(added(&once), 1);
	cr_expect_leq(added(&once), 2);
	cr_expect_leq(added(&skipped), 2);
	cr_expect_geq(added(&away), 1);
	cr_expect_str_eq(database_value("SELECT to_char(last_at AT TIME ZONE 'UTC', 'HH24:MI') "
					"FROM job_tasks WHERE name = 'away-' || $1",
					me, NULL),
			 "00:00");
}

/*
 * Keeping
 */

Test(jobs, that_are_over_are_kept_as_long_as_their_queue_says)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;
	const char *count = "SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND state = $2";
	struct job_id id;

	crew_kind(&k, CREW_QUICK, note);
	(void)world();
	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts, finished_at) "
		"SELECT $1::uuid, gen_random_uuid(), $2, $3, s, 3, now() - age - n * interval '1 ms' "
		"FROM (VALUES ('completed', interval '25 hours', 3), ('completed', '1 hour', 1500), "
		"('failed', '6 days', 2), ('failed', '8 days', 2)) AS v (s, age, many), "
		"generate_series(1, many) AS n",
		id_text(t.u), k.queue, k.name, NULL);
	crew_start(1); /* its keeper sweeps at once */
	id = crew_add(t, &(struct job_new){ .kind = &k });
	crew_await(id, "completed");
	crew_await_count("failed", 2);
	cr_expect_leq(database_number(count, id_text(t.u), "completed", NULL), 1001);
	cr_expect_geq(database_number(count, id_text(t.u), "completed", NULL), 1000);
}
