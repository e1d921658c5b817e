/*
 * Workers that die: the others serve, a new one comes, and what was answered stays.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/load.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>

#define CONNECTIONS 16
#define KILLS       4

struct place {
	pid_t gone;
	size_t len;
};

struct workers {
	pid_t pids[32];
	size_t len;
};

static bool is_replaced(void *p)
{
	const struct place *place = p;
	pid_t now[32];
	size_t len;

	server_workers(now, ARRAY_LEN(now), &len);
	for (size_t i = 0; i < len; i++) {
		if (now[i] == place->gone)
			return false;
	}
	return len == place->len;
}

static void kill_a_worker(size_t which)
{
	pid_t now[32];
	struct place p;

	server_workers(now, ARRAY_LEN(now), &p.len);
	cr_assert_gt(p.len, 1);
	p.gone = now[which % p.len];
	cr_assert_eq(kill(p.gone, SIGKILL), 0);
	wait_until(is_replaced, &p, "a worker in place of the one that was killed");
}

/* A request that was in the worker when it died is a 502 in our JSON; all others are answered. */
Test(faults_workers, one_that_is_killed_is_replaced_and_the_others_serve)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct load *load = load_start(&ann, "/users", CONNECTIONS);
	struct load_result r;

	for (size_t i = 0; i < KILLS; i++) {
		load_wait(load, 10);
		kill_a_worker(i);
	}
	load_wait(load, 20);
	r = load_stop(load);
	cr_assert_eq(r.broken, 0, "%s", r.first_failure);
	cr_assert_eq(r.unformed, 0, "%s", r.first_failure);
	cr_assert_eq(r.by_status[200] + r.by_status[502], r.answers, "%s", r.first_failure);
	cr_assert_leq(r.by_status[502], (uint64_t)CONNECTIONS * KILLS);
}

static bool is_waiting_for_us(UNUSED void *p)
{
	return database_number("SELECT count(*) FROM pg_stat_activity "
			       "WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))",
			       NULL) > 0;
}

static void signal_all(const pid_t *pids, size_t len, int number)
{
	for (size_t i = 0; i < len; i++)
		(void)kill(pids[i], number);
}

static bool is_one_gone(void *p)
{
	const struct workers *before = p;

	for (size_t i = 0; i < before->len; i++) {
		if (kill(before->pids[i], 0) != 0)
			return true;
	}
	return false;
}

/*
 * All are stopped while one of them has a request, which waits for a row that this test holds: that
 * one is over its time, and is replaced; its request is a 504 in our JSON.
 */
Test(faults_workers, one_that_hangs_in_a_request_is_replaced)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct workers before;
	struct load_result r;
	struct load *load;

	server_workers(before.pids, ARRAY_LEN(before.pids), &before.len);
	database_run("BEGIN", NULL);
	(void)project_make(ann.tenant, "held");
	load = load_start_writes(&ann, "/projects", "{\"slug\":\"held\",\"name\":\"x\"}", 1);
	do { /* who waits still is in its worker; one that had waited for too long was answered */
		signal_all(before.pids, before.len, SIGCONT);
		wait_until(is_waiting_for_us, NULL, "the request waits for the row");
		signal_all(before.pids, before.len, SIGSTOP);
	} while (!is_waiting_for_us(NULL));
	wait_until(is_one_gone, &before, "the worker that hangs is killed");
	signal_all(before.pids, before.len, SIGCONT);
	database_run("ROLLBACK", NULL);
	load_wait(load, 5);
	r = load_stop(load);
	cr_assert_geq(r.by_status[504], 1);
	cr_assert_eq(r.broken + r.unformed, 0, "%s", r.first_failure);
	answer_is(get(&ann, "/users"), 200);
}

/* Invariant: what was answered 2xx is durable, and its event with it. */
Test(faults_workers, that_are_killed_lose_nothing_that_was_answered)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct load *load = load_start_writes(&ann, "/projects",
					      "{\"slug\":\"p%llu\",\"name\":\"x\"}", CONNECTIONS);
	struct load_result r;
	int64_t rows, events;

	for (size_t i = 0; i < KILLS; i++) {
		load_wait(load, 5);
		kill_a_worker(i);
	}
	load_wait(load, 5);
	r = load_stop(load);
	rows = database_number("SELECT count(*) FROM projects WHERE tenant_id = $1::uuid",
			       id_text(ann.tenant.u), NULL);
	events = database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid "
				 "AND type = 'project.created'",
				 id_text(ann.tenant.u), NULL);
	cr_assert_eq(rows, events, "%ld rows with %ld events", rows, events);
	cr_assert_geq((uint64_t)rows, r.by_status[201], "answered %lu, kept %ld", r.by_status[201],
		      rows);
	cr_assert_leq((uint64_t)rows, r.by_status[201] + r.by_status[502] + r.broken);
}
