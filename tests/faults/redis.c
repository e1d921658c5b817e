/*
 * Redis holds what may be lost: without it requests are answered all the same and nobody is logged
 * out.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/load.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define CONNECTIONS 6

static void bring_it_back(void)
{
	server_do("start", "redis");
}

TestSuite(faults_redis, .fini = bring_it_back);

static void expect_all_200(struct load *l)
{
	struct load_result r = load_stop(l);

	cr_assert(r.by_status[200] == r.answers && !r.broken, "%lu of %lu, %lu broken: %s",
		  r.by_status[200], r.answers, r.broken, r.first_failure);
}

/* Takes it away and brings it back, twice, while all kinds of callers go on. */
static void without_redis(const char *way_to_go)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller dash = on_tier(ann, TIER_ADMIN);
	struct caller me = on_tier(with_token(ann, NULL), TIER_AUTH);
	struct load *loads[] = { load_start(&ann, "/users", CONNECTIONS),
				 load_start(&dash, "/projects", CONNECTIONS),
				 load_start(&me, "/me", CONNECTIONS) };

	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < ARRAY_LEN(loads); i++)
			load_wait(loads[i], 20);
		server_do(way_to_go, "redis");
		for (size_t i = 0; i < ARRAY_LEN(loads); i++)
			load_wait(loads[i], 50);
		server_do("start", "redis");
	}
	for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
		load_wait(loads[i], 20);
		expect_all_200(loads[i]);
	}
}

Test(faults_redis, that_is_stopped_under_load_fails_no_request)
{
	without_redis("stop");
}

Test(faults_redis, that_is_killed_under_load_fails_no_request)
{
	without_redis("kill");
}

/* A session that is revoked while Redis is away is over, whatever copy comes back. */
Test(faults_redis, that_is_away_keeps_no_revoked_session_alive)
{
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_AUTH);

	answer_is(get(&ann, "/me"), 200);
	server_do("stop", "redis");
	answer_is(get(&ann, "/me"), 200);
	answer_is(post(&ann, "/logout", NULL), 204);
	answer_is(get(&ann, "/me"), 401);
	server_do("start", "redis");
	answer_is(get(&ann, "/me"), 401);
}

/* Ready it is either way. */
static bool has_redis(void *nobody)
{
	struct answer a = answer_is(get(nobody, "/health/ready"), 200);

	return strcmp(answer_text(a, "checks.redis"), "ok") == 0;
}

Test(faults_redis, that_is_away_is_seen_by_the_probe)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);

	server_do("stop", "redis");
	answer_is(get(&nobody, "/health"), 200);
	answer_is(get(&nobody, "/health/live"), 200);
	cr_assert_not(has_redis(&nobody));
	server_do("start", "redis");
	wait_until(has_redis, &nobody, "the probe says that Redis is back");
}
