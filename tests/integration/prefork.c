/* Workers come, go, crash and hang; connections and requests do not get lost. */
#include "support/mini_server.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define CONNECTIONS 16

/* One kept connection that asks without a pause, and counts. */
struct asker {
	pthread_t thread;
	const struct mini_server *server;
	atomic_bool *over;
	atomic_uint answered; /* in a row, without a break of the connection */
	atomic_bool broke;
	atomic_uint moves;            /* how often another worker answered than before */
	_Atomic int64_t pid, reloads; /* of the last answer */
};

struct crowd {
	struct asker askers[64];
	size_t len;
	atomic_bool over;
};

static void *ask_on(void *p)
{
	struct asker *a = p;
	struct fcgi_client c;
	struct mini_answer answer;

	if (!fcgi_client_connect(&c, a->server->path)) {
		a->broke = true;
		return NULL;
	}
	while (!*a->over && !a->broke) {
		answer = mini_ask(&c, NULL);
		a->moves += a->pid && a->pid != answer.pid;
		a->pid = answer.pid;
		a->reloads = answer.reloads;
		if (answer.came)
			a->answered++;
		else
			a->broke = true;
	}
	fcgi_client_close(&c);

	return NULL;
}

static void crowd_start(struct crowd *c, const struct mini_server *s, size_t n)
{
	*c = (struct crowd){ .len = n };
	for (size_t i = 0; i < n; i++) {
		c->askers[i].server = s;
		c->askers[i].over = &c->over;
		cr_assert_eq(pthread_create(&c->askers[i].thread, NULL, ask_on, &c->askers[i]), 0);
	}
}

/* Each asker has had so many answers more than now, or broke. */
static void crowd_await(struct crowd *c, unsigned more)
{
	unsigned goal[ARRAY_LEN(c->askers)];

	for (size_t i = 0; i < c->len; i++)
		goal[i] = c->askers[i].answered + more;
	for (size_t i = 0; i < c->len; i++)
		while (c->askers[i].answered < goal[i] && !c->askers[i].broke)
			(void)sched_yield();
}

static void crowd_end(struct crowd *c)
{
	c->over = true;
	for (size_t i = 0; i < c->len; i++)
		(void)pthread_join(c->askers[i].thread, NULL);
}

static void nobody_broke(const struct crowd *c)
{
	for (size_t i = 0; i < c->len; i++)
		cr_expect(!c->askers[i].broke, "connection %zu broke after %u answers", i,
			  c->askers[i].answered);
}

Test(prefork, sixty_four_connections_on_two_workers_are_all_answered)
{
	struct mini_server s;
	struct crowd c;

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	crowd_start(&c, &s, 64);
	crowd_await(&c, 100);
	crowd_end(&c);
	nobody_broke(&c);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, a_reload_under_load_loses_no_connection)
{
	struct mini_server s;
	struct crowd c;

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	crowd_start(&c, &s, CONNECTIONS);
	for (int64_t reload = 1; reload <= 5; reload++) {
		crowd_await(&c, 20);
		cr_assert_eq(kill(s.pid, SIGHUP), 0);
		for (size_t i = 0; i < c.len; i++)
			while (c.askers[i].reloads < reload && !c.askers[i].broke)
				(void)sched_yield();
	}
	crowd_end(&c);
	nobody_broke(&c);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, recycling_loses_no_connection)
{
	struct mini_server s;
	struct crowd c;

	mini_start(&s, (struct mini_settings){ .workers = 2, .requests_max = 50 });
	crowd_start(&c, &s, CONNECTIONS);
	for (size_t i = 0; i < c.len; i++)
		while (c.askers[i].moves < 3 && !c.askers[i].broke)
			(void)sched_yield();
	crowd_end(&c);
	nobody_broke(&c);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, a_reload_that_does_not_pass_its_check_changes_nothing)
{
	struct mini_server s;
	struct mini_answer before, after;

	mini_start(&s, (struct mini_settings){ .workers = 1 });
	before = mini_ask_once(&s, NULL);
	mini_set(&s, "refuse", true);
	cr_assert_eq(kill(s.pid, SIGHUP), 0);
	for (int i = 0; i < 200; i++)
		after = mini_ask_once(&s, NULL);
	cr_expect_eq(after.pid, before.pid);

	mini_set(&s, "refuse", false);
	do {
		cr_assert_eq(kill(s.pid, SIGHUP), 0);
		after = mini_ask_once(&s, "sleep");
	} while (after.came && after.reloads == 0);
	cr_expect(after.came);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, idle_workers_share_the_connections_that_come)
{
	struct fcgi_client kept[8];
	struct mini_answer a;
	struct mini_server s;
	int64_t first = 0;
	size_t of_first = 0;

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		cr_assert(fcgi_client_connect(&kept[i], s.path));
		a = mini_ask(&kept[i], NULL);
		cr_assert(a.came);
		first = first ? first : a.pid;
		of_first += a.pid == first;
	}
	cr_expect(of_first >= 3 && of_first <= 5, "%zu of 8 connections on one worker", of_first);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		fcgi_client_close(&kept[i]);
	cr_expect_eq(mini_stop(&s), 0);
}

/* Each reload waits for the last one, so that one of them always comes to its end. */
Test(prefork, a_storm_of_reloads_is_weathered)
{
	struct mini_server s;
	struct crowd c;

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	crowd_start(&c, &s, CONNECTIONS);
	for (size_t i = 0; i < c.len; i++)
		while (c.askers[i].reloads < 2 && !c.askers[i].broke)
			cr_assert_eq(kill(s.pid, SIGHUP), 0);
	crowd_end(&c);
	nobody_broke(&c);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, new_workers_that_die_leave_the_old_ones_serving)
{
	struct mini_server s;
	struct mini_answer before, after;
	struct fcgi_client kept;

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	cr_assert(fcgi_client_connect(&kept, s.path));
	before = mini_ask(&kept, NULL);
	mini_set(&s, "die", true);
	cr_assert_eq(kill(s.pid, SIGHUP), 0);
	for (int i = 0; i < 20; i++) {
		after = mini_ask(&kept, "sleep");
		cr_assert(after.came);
		cr_assert_eq(after.pid, before.pid);
	}

	mini_set(&s, "die", false); /* mended: the next try succeeds and takes over */
	while (after.came && after.reloads == 0)
		after = mini_ask(&kept, "sleep");
	cr_expect(after.came);
	fcgi_client_close(&kept);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, a_killed_worker_is_replaced_and_the_others_serve)
{
	struct mini_server s;
	struct mini_answer victim, other;
	struct fcgi_client kept[2];

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	cr_assert(fcgi_client_connect(&kept[0], s.path));
	victim = mini_ask(&kept[0], NULL);
	do { /* one connection on each worker */
		cr_assert(fcgi_client_connect(&kept[1], s.path));
		other = mini_ask(&kept[1], NULL);
		if (other.pid == victim.pid)
			fcgi_client_close(&kept[1]);
	} while (other.pid == victim.pid);

	cr_assert_eq(kill((pid_t)victim.pid, SIGKILL), 0);
	cr_expect(fcgi_client_is_closed(&kept[0]));
	cr_expect_eq(mini_ask(&kept[1], NULL).pid, other.pid);
	for (;;) { /* the successor comes */
		struct mini_answer a = mini_ask_once(&s, "sleep");

		cr_assert(a.came);
		if (a.pid != other.pid)
			break;
		cr_assert(mini_ask(&kept[1], NULL).came);
	}
	fcgi_client_close(&kept[1]);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, a_crash_breaks_one_connection_alone)
{
	struct mini_server s;

	mini_start(&s, (struct mini_settings){ .workers = 1 });
	cr_expect(!mini_ask_once(&s, "crash").came);
	cr_expect(mini_ask_once(&s, NULL)
			  .came); /* waits in the socket until the successor is there */
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, a_worker_that_hangs_is_replaced)
{
	struct mini_server s;
	struct mini_answer before, after;

	mini_start(&s, (struct mini_settings){ .workers = 1, .request_limit_ms = 1500 });
	before = mini_ask_once(&s, NULL);
	cr_expect(!mini_ask_once(&s, "hang").came);
	do /* one that the machine lets stand for so long is replaced too */
		after = mini_ask_once(&s, NULL);
	while (!after.came);
	cr_expect_neq(after.pid, before.pid);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, sigterm_to_one_worker_replaces_it_and_keeps_its_connections)
{
	struct mini_server s;
	struct mini_answer before, after;
	struct fcgi_client kept;

	mini_start(&s, (struct mini_settings){ .workers = 1 });
	cr_assert(fcgi_client_connect(&kept, s.path));
	before = after = mini_ask(&kept, NULL);
	cr_assert_eq(kill((pid_t)before.pid, SIGTERM), 0);
	while (after.came && after.pid == before.pid)
		after = mini_ask(&kept, NULL);
	cr_expect(after.came);
	fcgi_client_close(&kept);
	cr_expect_eq(mini_stop(&s), 0);
}

Test(prefork, the_last_stop_answers_what_is_in_flight)
{
	static const struct fcgi_pair pairs[] = { { "DO", "sleep" }, { 0 } };
	static struct fcgi_answer answer;
	struct fcgi_client c[8];
	struct mini_server s;

	mini_start(&s, (struct mini_settings){ .workers = 1 });
	for (size_t i = 0; i < ARRAY_LEN(c);
	     i++) { /* one is served, the others wait in the socket */
		cr_assert(fcgi_client_connect(&c[i], s.path));
		cr_assert(fcgi_client_send(&c[i], pairs, NULL, 0));
	}
	cr_assert_eq(kill(s.pid, SIGTERM), 0);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		cr_expect(fcgi_client_receive(&c[i], &answer), "request %zu was lost", i);
		cr_expect(fcgi_client_is_closed(&c[i]));
		fcgi_client_close(&c[i]);
	}
	cr_expect_eq(mini_wait(&s), 0);
}

Test(prefork, workers_do_not_outlive_a_killed_master)
{
	struct mini_server s;
	struct fcgi_client kept;

	mini_start(&s, (struct mini_settings){ .workers = 2 });
	cr_assert(fcgi_client_connect(&kept, s.path));
	cr_assert(mini_ask(&kept, NULL).came);
	cr_assert_eq(kill(s.pid, SIGKILL), 0);
	cr_expect(fcgi_client_is_closed(&kept));
	fcgi_client_close(&kept);
	while (fcgi_client_connect(&kept,
				   s.path)) /* until the last of them has closed the socket */
		fcgi_client_close(&kept);
	cr_expect_eq(mini_wait(&s), -1);
}
