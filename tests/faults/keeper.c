/*
 * What the keeper of a host does beside its workers: it takes nobody for dead who lives, and nobody
 * waits for it.
 */
#include "base/arena.h"
#include "jobs/name.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <unistd.h>

static void bring_them_back(void)
{
	server_do("start", "work");
}

TestSuite(faults_keeper, .fini = bring_them_back);

static int note(struct job *j)
{
	return crew_note(j, "ran");
}

/*
 * Its own workers
 */

/* A job that a worker of the crew's master has, which its keeper has never heard of. Nobody takes
 * it for a silent host's. */
static struct job_id job_of(const char *worker, const char *master, const struct job_kind *k)
{
	struct job_id id = crew_add(tenant_make(),
				    &(struct job_new){ .kind = k, .delay_us = 60 * US_PER_MINUTE });

	database_run("INSERT INTO job_workers (name, master, seen_at) VALUES ($1, $2, 'infinity')",
		     worker, master, NULL);
	database_run("UPDATE jobs SET state = 'active', attempts = 1, worker = $2 "
		     "WHERE id = $1::uuid",
		     id_text(id.u), worker, NULL);
	return id;
}

/* The keeper's list of who lives was made before it began. */
Test(faults_keeper, the_jobs_of_a_worker_that_its_keeper_does_not_know_are_its_own_while_it_lives)
{
	char living[NAME_SIZE];
	const char *master, *gone;
	struct job_id running, lost;
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, note);
	crew_start(1);
	lost = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	crew_await(lost, "completed");
	master = database_value(
		"SELECT w.master FROM job_workers w JOIN jobs j ON j.worker = w.name "
		"WHERE j.id = $1::uuid",
		id_text(lost.u), NULL);
	name_of_worker(master, getpid(), living);
	gone = strf("%s/%d.1", master, (int)getpid());
	running = job_of(living, master, &k);
	lost = job_of(gone, master, &k);
	crew_await(lost, "completed");
	cr_expect_str_eq(crew_look(running, "state || ' ' || worker"), strf("active %s", living));
	database_run("DELETE FROM job_workers WHERE name = $1", living, NULL);
	crew_await(running, "completed");
}

/*
 * Other hosts
 */

static bool is_buried(void *p)
{
	return database_number("SELECT count(*) FROM burials WHERE name = $1", p, NULL) == 1;
}

/* After an outage every host looks as if it had been silent; a keeper that has just come gives the
 * others time to say that they live. */
Test(faults_keeper, the_workers_of_other_hosts_are_left_alone_until_these_can_have_spoken)
{
	const char *host = arena_strdup(world_arena(), strf("elsewhere-%d", (int)getpid()));
	const char *begin;

	(void)world();
	server_do("stop", "work"); /* whose keeper has been there all the time */
	database_run("CREATE TABLE burials (name text, at timestamptz)", NULL);
	database_run("CREATE FUNCTION note_burial() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		     "INSERT INTO burials VALUES (OLD.name, clock_timestamp()); RETURN OLD; END $$ "
		     "SECURITY DEFINER",
		     NULL);
	database_run("CREATE TRIGGER burial BEFORE DELETE ON job_workers "
		     "FOR EACH ROW EXECUTE FUNCTION note_burial()",
		     NULL);
	database_run("INSERT INTO job_workers (name, master, seen_at) "
		     "VALUES ($1, $1, now() - interval '1 minute')",
		     host, NULL);
	begin = database_value("SELECT clock_timestamp()", NULL);
	crew_start(1);
	wait_until(is_buried, (void *)(uintptr_t)host, "a host that is silent is taken for dead");
	cr_expect_eq(database_number("SELECT count(*) FROM burials WHERE name = $1 AND "
				     "at > $2::timestamptz + interval '10 seconds'",
				     host, begin, NULL),
		     1);
	cr_expect_eq(crew_stop(), 0);
	database_run("DROP TRIGGER burial ON job_workers", NULL);
	database_run("DROP FUNCTION note_burial", NULL);
	database_run("DROP TABLE burials", NULL);
	server_do("start", "work");
}

/*
 * Sweeping
 */

/* Each statement that sweeps the crew's queue takes longer than a round, and notes when its worker
 * was last seen. */
static void slow_sweeps_down(void)
{
	const char *others =
		database_value("SELECT coalesce(string_agg(quote_literal(master), ','), "
			       "quote_literal('')) FROM job_workers",
			       NULL);

	database_run(strf("CREATE FUNCTION sweep_slowly() RETURNS trigger LANGUAGE plpgsql AS $$ "
			  "DECLARE seen text; BEGIN "
			  "IF EXISTS (SELECT FROM old WHERE queue = '%s') THEN "
			  "LOOP PERFORM pg_sleep(1.1); "
			  "SELECT seen_at INTO seen FROM job_workers WHERE master NOT IN (%s); "
			  "EXIT WHEN seen IS NOT NULL; END LOOP; "
			  "INSERT INTO " CREW_TABLE " (what, worker) VALUES (seen, '%s'); "
			  "END IF; RETURN NULL; END $$",
			  crew_queue(CREW_QUICK), others, crew_queue(CREW_QUICK)),
		     NULL);
	database_run("CREATE TRIGGER slow_sweep AFTER DELETE ON jobs "
		     "REFERENCING OLD TABLE AS old FOR EACH STATEMENT "
		     "EXECUTE FUNCTION sweep_slowly()",
		     NULL);
}

/* Else other hosts would take them for dead. */
Test(faults_keeper, workers_are_seen_however_much_there_is_to_sweep)
{
	(void)world();
	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts, finished_at) "
		"SELECT platform_tenant(), uuid_v7(), $1, 'test', 'cancelled', 3, "
		"now() - interval '8 days' FROM generate_series(1, 10001)",
		crew_queue(CREW_QUICK), NULL);
	slow_sweeps_down();
	crew_start(1);
	crew_await_count("cancelled", 0);
	cr_expect_eq(database_number("SELECT count(DISTINCT what) FROM " CREW_TABLE
				     " WHERE worker = $1",
				     crew_queue(CREW_QUICK), NULL),
		     3, "once before each 5,000");
	database_run("DROP TRIGGER slow_sweep ON jobs", NULL);
	database_run("DROP FUNCTION sweep_slowly", NULL);
}
