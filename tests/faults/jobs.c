/*
 * Jobs whose workers, keeper or database die: none is lost, none is done twice where its effect and
 * its end are one transaction.
 */
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define JOBS  2000
#define KILLS 12

static int note_and_done(struct job *j)
{
	return crew_note_and_done(j, "ran");
}

static int note(struct job *j)
{
	usleep(500);
	return crew_note(j, "ran");
}

static int64_t count(struct tenant_id t, const char *what)
{
	return database_number(strf("SELECT %s FROM " CREW_TABLE " WHERE tenant = $1::uuid", what),
			       id_text(t.u), NULL);
}

/* Whoever it is, once there are as many effects more. */
struct pace {
	struct tenant_id t;
	int64_t effects;
};

static bool went_on(void *p)
{
	const struct pace *pace = p;

	return count(pace->t, "count(*)") >= pace->effects;
}

static void kill_a_worker(unsigned which)
{
	pid_t pids[16];
	size_t n;

	crew_workers(pids, ARRAY_LEN(pids), &n);
	if (n)
		(void)kill(pids[which % n], SIGKILL);
}

Test(faults_jobs, none_is_lost_and_none_done_twice_when_workers_are_killed)
{
	struct tenant_id once = tenant_make(), at_least = tenant_make();
	struct pace pace = { .t = once };
	struct job_kind k, careless;

	crew_kind(&k, CREW_QUICK, note_and_done);
	crew_kind(&careless, CREW_QUICK, note);
	crew_start(3);
	crew_add_many(once, &(struct job_new){ .kind = &k }, JOBS / 2);
	crew_add_many(at_least, &(struct job_new){ .kind = &careless }, JOBS / 2);
	for (unsigned i = 0; i < KILLS; i++) {
		kill_a_worker(i * 7);
		pace.effects = count(once, "count(*)") + 20;
		if (pace.effects > JOBS / 2)
			break;
		wait_until(went_on, &pace, "jobs that go on");
	}
	crew_await_count("completed", JOBS);
	cr_expect_eq(count(once, "count(*)"), JOBS / 2);
	cr_expect_eq(count(once, "count(DISTINCT job_id)"), JOBS / 2);
	cr_expect_eq(count(at_least, "count(DISTINCT job_id)"), JOBS / 2);
	cr_expect_eq(crew_stop(), 0);
}

Test(faults_jobs, none_is_lost_and_none_done_twice_when_postgresql_restarts)
{
	struct tenant_id t = tenant_make();
	struct pace pace = { .t = t };
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, note_and_done);
	k.attempts = 20; /* while the server is away, each try fails */
	crew_start(3);
	crew_add_many(t, &(struct job_new){ .kind = &k }, JOBS);
	pace.effects = 100;
	wait_until(went_on, &pace, "the first jobs");
	server_do("restart", "postgres");
	crew_await_count("completed", JOBS);
	cr_expect_eq(count(t, "count(*)"), JOBS);
	cr_expect_eq(count(t, "count(DISTINCT job_id)"), JOBS);
	cr_expect_eq(crew_stop(), 0);
}
