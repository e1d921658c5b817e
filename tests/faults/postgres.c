/*
 * PostgreSQL away: a 503 that says so, and everything goes on by itself when it is back.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/load.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>

#define CONNECTIONS 12

static void bring_it_back(void)
{
	server_do("start", "postgres");
}

TestSuite(faults_postgres, .fini = bring_it_back);

static bool is_served(void *p)
{
	struct answer a = get(p, "/users");

	return a.status == 200;
}

/* Every answer is the right one or a 503 with the error body; then all are right again. */
static void without_postgres(const char *way_to_go)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct load *load = load_start(&ann, "/users", CONNECTIONS);
	struct load_result r;

	load_wait(load, 20);
	server_do(way_to_go, "postgres");
	load_wait(load, 5);
	server_do("start", "postgres");
	wait_until(is_served, &ann, "requests are served again");
	load_wait(load, 20);
	r = load_stop(load);

	cr_assert_eq(r.broken, 0, "%s", r.first_failure);
	cr_assert_eq(r.unformed, 0, "%s", r.first_failure);
	cr_assert_eq(r.by_status[200] + r.by_status[503], r.answers, "%s", r.first_failure);
	cr_assert_gt(r.by_status[503], 0);
	for (int i = 0; i < 50; i++)
		answer_is(get(&ann, "/users"), 200);
}

Test(faults_postgres, that_is_restarted_under_load_is_a_503_meanwhile)
{
	without_postgres("stop");
}

Test(faults_postgres, that_crashes_under_load_is_a_503_meanwhile)
{
	without_postgres("kill");
}

Test(faults_postgres, that_crashes_keeps_what_was_answered)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct load *load = load_start_writes(&ann, "/projects",
					      "{\"slug\":\"p%llu\",\"name\":\"x\"}", CONNECTIONS);
	struct load_result r;
	int64_t rows;

	load_wait(load, 5);
	server_do("kill", "postgres");
	load_wait(load, 1);
	server_do("start", "postgres");
	load_wait(load, 5);
	r = load_stop(load);
	rows = database_number("SELECT count(*) FROM projects WHERE tenant_id = $1::uuid",
			       id_text(ann.tenant.u), NULL);
	cr_assert_eq(r.by_status[201] + r.by_status[503] + r.by_status[409], r.answers, "%s",
		     r.first_failure);
	cr_assert_geq((uint64_t)rows, r.by_status[201], "answered %lu, kept %ld", r.by_status[201],
		      rows);
}

static bool is_ready(void *p)
{
	return get(p, "/health/ready").status == 200;
}

Test(faults_postgres, that_is_away_is_seen_by_the_probe_and_not_by_health)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);

	server_do("stop", "postgres");
	answer_is(get(&nobody, "/health"), 200);
	answer_is(get(&nobody, "/health/live"), 200);
	answer_is(get(&nobody, "/health/ready"), 503);
	server_do("start", "postgres");
	wait_until(is_ready, &nobody, "the probe says ready again");
}
