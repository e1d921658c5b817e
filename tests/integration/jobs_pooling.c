/* The job queue behind PgBouncer's transaction pooling; tests/integration/pooling.c has requests.
 */
#include "base/config.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define JOBS 100

static int note(struct job *j)
{
	return crew_note_and_done(j, "ran");
}

static void go_through_the_pool(void)
{
	static struct config c;

	(void)world();
	c = *config();
	c.database_url = world()->pool_url;
	c.database_prepare = false;
	config_set(&c);
}

static bool has_come(void *kind)
{
	return database_number("SELECT count(*) FROM jobs WHERE kind = $1 AND state = 'completed'",
			       (const char *)kind, NULL) >= 1;
}

/* Notifications do not come through a pool, so what is added while all sleep is found when they
 * look. */
Test(jobs_pooling, are_added_run_and_scheduled_behind_pgbouncer)
{
	struct tenant_id t = tenant_make();
	struct job_kind k, hourly;

	go_through_the_pool();
	crew_kind(&k, CREW_QUICK, note);
	crew_kind(&hourly, CREW_QUICK, note);
	crew_task("hourly", "0 * * * *", NULL, MISSED_ONCE, &hourly);
	database_run("INSERT INTO job_tasks (name, last_at) VALUES ('hourly-' || $1, "
		     "now() - interval '3 hours')",
		     strf("%d", (int)getpid()), NULL);
	crew_start(2);
	crew_add_many(t, &(struct job_new){ .kind = &k }, JOBS);
	crew_await_end();
	cr_expect_eq(database_number("SELECT count(DISTINCT job_id) FROM " CREW_TABLE
				     " WHERE tenant = $1::uuid",
				     id_text(t.u), NULL),
		     JOBS);
	wait_until(has_come, arena_strdup(world_arena(), hourly.name), "what the task adds");
	cr_expect_eq(crew_stop(), 0);
}
