/*
 * Jobs whose workers, keeper, master, database or clock fail: none is lost, none is done twice
 * where its effect and its end are one transaction, and what cannot be done is a dead letter.
 */
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "jobs/lease.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS         10000
#define WORKERS      4
#define SLEEPERS_MAX 32
#define BLOWS        20 /* evenly over the jobs */

static void bring_them_back(void)
{
	server_do("start", "postgres");
	server_do("start", "redis");
	server_do("start", "work");
}

TestSuite(faults_jobs, .fini = bring_them_back);

static int note_and_done(struct job *j)
{
	return crew_note_and_done(j, "ran");
}

static int note(struct job *j)
{
	return crew_note(j, "ran");
}

static int64_t count(struct tenant_id t, const char *what)
{
	return database_number(strf("SELECT %s FROM " CREW_TABLE " WHERE tenant = $1::uuid", what),
			       id_text(t.u), NULL);
}

/*
 * Everything at once
 */

struct pace {
	struct tenant_id t;
	int64_t effects;
};

static bool went_on(void *p)
{
	const struct pace *pace = p;

	return count(pace->t, "count(*)") >= pace->effects;
}

static void kill_a_worker(void)
{
	pid_t pids[2 * WORKERS];
	size_t n;

	crew_workers(pids, ARRAY_LEN(pids), &n);
	if (n)
		(void)kill(pids[(size_t)random() % n], SIGKILL);
}

/* One in ten loses its keeper, one in ten who calls its workers, one in ten its master with all
 * that it knows; PostgreSQL and Redis each have two turns. */
static void strike(unsigned blow)
{
	long luck = random() % 10;

	if (blow == 6 || blow == 14) {
		server_do("kill", "postgres");
		server_do("start", "postgres");
	} else if (blow == 5 || blow == 12) {
		server_do("stop", "redis");
		server_do("start", "redis"); /* empty: it keeps nothing */
	} else if (luck == 0) {
		crew_kill("zygo-keeper");
	} else if (luck == 1) {
		crew_kill("zygo-bell");
	} else if (luck == 2) {
		crew_kill_master();
	} else {
		kill_a_worker();
	}
}

Test(faults_jobs, none_is_lost_and_none_done_twice_whatever_dies)
{
	struct tenant_id once = tenant_make(), at_least = tenant_make();
	struct pace pace = { .t = once };
	unsigned seed = (unsigned)getpid();
	struct job_kind k, careless;

	crew_kind(&k, CREW_QUICK, note_and_done);
	crew_kind(&careless, CREW_QUICK, note);
	k.attempts = careless.attempts = 50; /* each is a failed attempt while the server is away */
	crew_start(WORKERS);
	crew_add_many(once, &(struct job_new){ .kind = &k }, JOBS / 2);
	crew_add_many(at_least, &(struct job_new){ .kind = &careless }, JOBS / 2);
	srandom(seed);
	for (unsigned blow = 1; blow <= BLOWS; blow++) {
		pace.effects = (int64_t)blow * (JOBS / 2) / (BLOWS + 1);
		wait_until(went_on, &pace, "jobs that go on");
		strike(blow);
	}
	crew_await_end();
	cr_expect_eq(count(once, "count(*)"), JOBS / 2, "seed %u", seed);
	cr_expect_eq(count(once, "count(DISTINCT job_id)"), JOBS / 2, "seed %u", seed);
	cr_expect_eq(count(at_least, "count(DISTINCT job_id)"), JOBS / 2, "seed %u", seed);
	cr_expect_eq(crew_count("failed"), 0, "seed %u", seed);
	cr_expect_eq(crew_stop(), 0);
}

static void signal_all(const pid_t *pids, size_t n, int signal)
{
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(kill(pids[i], signal), 0);
}

static bool only_so_many_sleep(void *p)
{
	pid_t pids[SLEEPERS_MAX];

	return crew_sleepers(pids, ARRAY_LEN(pids)) == *(unsigned *)p;
}

/* Those who wait for jobs stand still with their leases; who was parked takes over. */
Test(faults_jobs, are_run_when_all_who_wait_for_them_stand_still)
{
	unsigned waiting = leases_count(SLEEPERS_MAX);
	struct tenant_id t = tenant_make();
	pid_t pids[SLEEPERS_MAX];
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, note);
	crew_start(waiting + 1);
	cr_assert_eq(crew_sleepers(pids, ARRAY_LEN(pids)), waiting);
	signal_all(pids, waiting, SIGSTOP);
	crew_await(crew_add(t, &(struct job_new){ .kind = &k }), "completed");
	signal_all(pids, waiting, SIGCONT);
	wait_until(only_so_many_sleep, &waiting,
		   "those without a lease to say that they are parked");
	cr_expect_eq(crew_stop(), 0);
}

/*
 * What cannot be done
 */

static int kill_the_worker(struct job *j)
{
	int err = crew_note(j, "began");

	(void)raise(SIGKILL);
	return err;
}

Test(faults_jobs, one_that_kills_its_worker_is_a_dead_letter_and_takes_nobody_with_it)
{
	struct tenant_id t = tenant_make();
	struct job_kind poison, k;
	struct job_id id;

	crew_kind(&poison, CREW_QUICK, kill_the_worker);
	crew_kind(&k, CREW_QUICK, note_and_done);
	poison.attempts = 2;
	crew_add_many(t, &(struct job_new){ .kind = &k }, 10);
	id = crew_add(t, &(struct job_new){ .kind = &poison });
	crew_add_many(t, &(struct job_new){ .kind = &k }, 10);
	crew_start(1);
	crew_await(id, "failed");
	crew_await_count("completed", 20);
	cr_expect_str_eq(crew_look(id, "attempts"), "2");
	cr_expect_str_eq(crew_look(id, "errors->1->>'code'"), "WORKER_LOST");
	cr_expect_eq(count(t, "count(*) FILTER (WHERE what = 'ran')"), 20);
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND "
				     "kind = $2 AND (errors <> '[]' OR attempts <> 1)",
				     id_text(t.u), k.name, NULL),
		     0, "the others are not blamed");
	cr_expect_eq(crew_stop(), 0);
}

static int leave_rubbish(struct job *j)
{
	j->result = STR("{\"text\":\"\\u0000\"}"); /* JSON that jsonb cannot hold */
	return OK;
}

/* Its haul is told together; what the database refuses of one must not keep the others. */
Test(faults_jobs, one_whose_result_cannot_be_kept_fails_alone)
{
	struct tenant_id t = tenant_make();
	struct job_kind rubbish, k;
	struct job_id id;

	crew_kind(&rubbish, CREW_QUICK, leave_rubbish);
	crew_kind(&k, CREW_QUICK, note);
	rubbish.attempts = 1;
	crew_add_many(t, &(struct job_new){ .kind = &k }, 3);
	id = crew_add(t, &(struct job_new){ .kind = &rubbish });
	crew_start(1);
	crew_await(id, "failed");
	crew_await_count("completed", 3);
	cr_expect_str_eq(crew_look(id, "errors->0->>'code'"), "INTERNAL_ERROR");
}

/*
 * The word of it is lost
 */

/* As a crash of PostgreSQL leaves one: its worker has done it and forgotten it, and the word of
 * that was lost. */
Test(faults_jobs, one_that_its_worker_has_forgotten_is_run_again)
{
	struct tenant_id t = tenant_make();
	struct job_id first, lost;
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, note);
	crew_start(1);
	first = crew_add(t, &(struct job_new){ .kind = &k });
	crew_await(first, "completed");
	lost = crew_add(t, &(struct job_new){ .kind = &k, .delay_us = 60 * US_PER_MINUTE });
	database_run("UPDATE jobs SET state = 'active', attempts = 1, worker = "
		     "(SELECT worker FROM jobs WHERE id = $2::uuid) WHERE id = $1::uuid",
		     id_text(lost.u), id_text(first.u), NULL);
	crew_await(lost, "completed");
	cr_expect_eq(count(t, "count(*)"), 2);
}

static bool has_begun(void *p)
{
	return count(*(struct tenant_id *)p, "count(*)") > 0;
}

/* Between the claim and the word of it the server loses every connection. */
Test(faults_jobs, are_done_once_when_the_connection_is_lost_between_claim_and_word)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_LONG, crew_wait_for_word);
	crew_start(1);
	id = crew_add(t, &(struct job_new){ .kind = &k });
	wait_until(has_begun, &t, "the job runs");
	database_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		     "WHERE usename = 'zygo_app'",
		     NULL);
	crew_tell();
	crew_await(id, "completed");
	cr_expect_str_eq(crew_look(id, "attempts"), "1");
	cr_expect_eq(count(t, "count(*)"), 1);
	cr_expect_eq(crew_stop(), 0);
}

/*
 * A word that comes late
 */

/* The connection that a handler shares with its worker. */
static const struct sql note_backend = {
	.name = "test_note_backend",
	.text = "INSERT INTO " CREW_TABLE " (job_id, tenant, what) "
		"VALUES ($1, current_tenant(), pg_backend_pid()::text)",
	.kind = SQL_EXEC,
	.params = 1,
};

static const struct sql noted_backends = {
	.name = "test_noted_backends",
	.text = "SELECT count(*) AS n FROM pg_stat_activity a JOIN " CREW_TABLE " n "
		"ON n.what = a.pid::text WHERE n.tenant = current_tenant()",
	.kind = SQL_MANY,
	.params = 0,
};

/* The first time longer than a worker keeps what it has taken beside it; then until the backend of
 * that time is gone. */
static int hold(struct job *j)
{
	const struct rows *rows;

	if (!crew_was_told()) {
		int err = db_write(j->c, NULL, &note_backend, ARGS(arg_uuid(j->id.u)));

		usleep(600000);
		while (!err && !crew_was_told())
			usleep(10000);
		return err;
	}
	while (db_read(j->c, &rows, &noted_backends, NO_ARGS) || rows_get_int(rows, "n"))
		usleep(10000);
	return OK;
}

static const char *start_of_what_runs(void)
{
	return database_value(
		"SELECT max(started_at)::text FROM jobs WHERE queue = $1 AND attempts = 1",
		crew_queue(CREW_QUICK), NULL);
}

/*
 * A backend stands still and hears of a haul, and that the rest of it is handed back, when this has
 * been said by another one and the rest runs.
 */
Test(faults_jobs, one_that_runs_is_not_handed_back_by_a_word_that_comes_late)
{
	static struct config c;
	struct tenant_id t = tenant_make();
	struct job_kind k;
	const char *started_at;
	pid_t backend;

	(void)world();
	c = *config();
	c.slow_request_timeout_us = 2 * US_PER_S; /* how long its worker waits for the answer */
	config_set(&c);
	crew_kind(&k, CREW_QUICK, hold);
	crew_start(1);
	crew_add_many(t, &(struct job_new){ .kind = &k }, 2);
	wait_until(has_begun, &t, "the first runs");
	backend = (pid_t)count(t, "max(what)::integer");
	cr_assert_eq(kill(backend, SIGSTOP), 0);
	crew_tell();
	crew_await_count("completed", 1);
	crew_await_count("active", 1);
	started_at = start_of_what_runs();
	cr_assert_eq(kill(backend, SIGCONT), 0);
	crew_await_end();
	cr_expect_str_eq(start_of_what_runs(), started_at, "it was taken once more");
	cr_expect_eq(crew_stop(), 0);
}

static bool was_refused_often(void *p UNUSED)
{
	return database_number("SELECT last_value FROM refusals", NULL) >= 5;
}

static void fill_the_disk(void)
{
	database_run("CREATE SEQUENCE refusals", NULL); /* which no rollback sets back */
	database_run("GRANT ALL ON SEQUENCE refusals TO zygo_system", NULL);
	database_run("CREATE FUNCTION refuse_completion() RETURNS trigger LANGUAGE plpgsql AS "
		     "$$ BEGIN PERFORM nextval('refusals'); "
		     "RAISE 'no space left on device' USING ERRCODE = '53100'; END $$",
		     NULL);
	database_run(strf("CREATE TRIGGER full_disk BEFORE UPDATE ON jobs FOR EACH ROW WHEN "
			  "(NEW.queue = '%s' AND NEW.state = 'completed') "
			  "EXECUTE FUNCTION refuse_completion()",
			  crew_queue(CREW_QUICK)),
		     NULL);
}

static void make_room(void)
{
	database_run("DROP TRIGGER full_disk ON jobs", NULL);
	database_run("DROP FUNCTION refuse_completion", NULL);
	database_run("DROP SEQUENCE refusals", NULL);
}

Test(faults_jobs, are_settled_when_the_disk_has_room_again)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, note);
	crew_start(1);
	fill_the_disk();
	crew_add_many(t, &(struct job_new){ .kind = &k }, 10);
	wait_until(was_refused_often, NULL, "the word of the jobs is refused");
	make_room();
	crew_await_count("completed", 10);
	cr_expect_eq(count(t, "count(*)"), 10, "what was done is not done again");
	cr_expect_eq(crew_stop(), 0);
}

/*
 * Stopping
 */

static void set_drain_timeout(int64_t us)
{
	static struct config c;

	(void)world();
	c = *config();
	c.drain_timeout_us = us;
	config_set(&c);
}

/* No time-out ends the test: a crew that does not stop by itself fails it. */
#define PATIENT_US (600 * US_PER_S)

Test(faults_jobs, a_crew_that_holds_nothing_stops_although_postgresql_is_away)
{
	set_drain_timeout(PATIENT_US);
	crew_start(2);
	server_do("stop", "postgres");
	cr_expect_eq(crew_stop(), 0);
}

static bool beats_go_on(void *p)
{
	return database_number("SELECT count(*) FROM job_workers w, jobs j WHERE w.name = j.worker "
			       "AND j.id = $1::uuid AND w.seen_at > $2::timestamptz + "
			       "interval '3 seconds'",
			       ((const char *const *)p)[0], ((const char *const *)p)[1], NULL) == 1;
}

/* Else other hosts would take the job for a dead worker's and begin it again. */
Test(faults_jobs, one_that_is_finished_while_its_crew_stops_is_nobody_elses)
{
	struct tenant_id t = tenant_make();
	const char *told[2];
	struct job_kind k;
	struct job_id id;

	set_drain_timeout(PATIENT_US);
	crew_kind(&k, CREW_LONG, crew_wait_for_word);
	crew_start(1);
	id = crew_add(t, &(struct job_new){ .kind = &k });
	wait_until(has_begun, &t, "the job runs");
	told[0] = arena_strdup(world_arena(), id_text(id.u));
	told[1] = arena_strdup(world_arena(), database_value("SELECT now()", NULL));
	crew_ask_to_stop();
	wait_until(beats_go_on, told, "the worker is seen three seconds after the order to stop");
	crew_tell();
	cr_expect_eq(crew_stop(), 0);
	cr_expect_str_eq(crew_look(id, "state"), "completed");
	cr_expect_str_eq(crew_look(id, "attempts"), "1");
}

/* It is killed at the drain time-out, and the next crew begins it again. */
Test(faults_jobs, one_that_outlasts_the_drain_timeout_is_begun_again)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;
	struct job_id id;

	set_drain_timeout(200 * US_PER_MS);
	crew_kind(&k, CREW_LONG, crew_wait_for_word);
	crew_start(1);
	id = crew_add(t, &(struct job_new){ .kind = &k });
	wait_until(has_begun, &t, "the job runs");
	cr_expect_eq(crew_stop(), 0);
	crew_tell();
	crew_start(1);
	crew_await(id, "completed");
	cr_expect_eq(count(t, "count(*)"), 2);
	cr_expect_str_eq(crew_look(id, "attempts"), "1", "what an admin stops is no failure");
}

/*
 * Clocks
 */

static bool are_scheduled(void *p)
{
	return database_number("SELECT count(*) FROM job_tasks WHERE name LIKE '%-' || $1 AND "
			       "last_at > now() - interval '1 hour'",
			       p, NULL) == 1;
}

/* The queue goes by the database's clock alone, so hosts need not agree on the time. */
Test(faults_jobs, a_host_whose_clock_is_hours_off_loses_none_and_schedules_none_twice)
{
	const char *me = arena_strdup(world_arena(), strf("%d", (int)getpid()));
	const int64_t shifts_us[] = { -5 * 60 * US_PER_MINUTE, 10 * 60 * US_PER_MINUTE };
	struct tenant_id t = tenant_make();
	struct job_kind hourly, k;
	const char *begin;
	struct job_id id;

	crew_kind(&hourly, CREW_QUICK, note);
	crew_kind(&k, CREW_QUICK, note);
	crew_task("hourly", "0 * * * *", NULL, MISSED_EACH, &hourly);
	begin = database_value("INSERT INTO job_tasks (name, last_at) VALUES ('hourly-' || $1, "
			       "date_trunc('hour', now()) - interval '3 hours') RETURNING last_at",
			       me, NULL);
	for (size_t i = 0; i < ARRAY_LEN(shifts_us); i++) {
		clock_shift(shifts_us[i]);
		crew_start(2);
		id = crew_add(t, &(struct job_new){ .kind = &k, .delay_us = US_PER_S });
		wait_until(are_scheduled, (void *)(uintptr_t)me, "the task is up to date");
		crew_await(id, "completed");
		cr_expect_str_eq(crew_look(id,
					   "started_at - created_at BETWEEN interval '1 second' "
					   "AND interval '1 hour'"),
				 "true");
		crew_await_end();
		cr_expect_eq(crew_stop(), 0);
	}
	/* One for each hour up to the last that is remembered. */
	cr_expect_eq(
		database_number("SELECT count(*) FROM jobs WHERE kind = $1", hourly.name, NULL),
		database_number("SELECT extract(epoch FROM last_at - $2::timestamptz)::bigint "
				"/ 3600 FROM job_tasks WHERE name = 'hourly-' || $1",
				me, begin, NULL));
}
