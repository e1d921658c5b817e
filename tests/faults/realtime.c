/*
 * WebSockets while servers go: nothing is missed, and who is sent away is told to come back.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/servers.h"
#include "support/site.h"
#include "support/websocket.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static const char *projects_of(const struct caller *c)
{
	return strf("tenant:%s:projects", id_text(c->tenant.u));
}

static void make_project(const struct caller *c, const char *slug)
{
	answer_is(post(c, "/projects", strf("{\"slug\":\"%s\",\"name\":\"x\"}", slug)), 201);
}

static void hears_of(struct websocket *w, const char *slug)
{
	const char *message = heard_is(w, "event", "project.created");

	cr_assert(strstr(message, strf("\"slug\":\"%s\"", slug)), "%s: %s", slug, message);
}

Test(faults_realtime, nothing_is_missed_while_redis_is_away)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann), *late;

	websocket_joins(w, projects_of(&ann));
	make_project(&ann, "before");
	hears_of(w, "before");

	server_do("stop", "redis");
	make_project(&ann, "meanwhile");
	hears_of(w, "meanwhile");
	late = websocket_of(&ann); /* and one connects as ever */
	websocket_joins(late, projects_of(&ann));
	make_project(&ann, "still");
	hears_of(w, "still");
	hears_of(late, "still");

	server_do("start", "redis");
	for (int i = 0; i < 20; i++)
		make_project(&ann, strf("after%d", i));
	for (int i = 0; i < 20; i++) {
		hears_of(w, strf("after%d", i));
		hears_of(late, strf("after%d", i));
	}
	hears_nothing(w);
	hears_nothing(late);
}

Test(faults_realtime, clients_stay_while_postgresql_is_away)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann), *refused;

	websocket_joins(w, projects_of(&ann));
	server_do("stop", "postgres");
	hears_nothing(w);
	websocket_ask(w, "subscribe", strf("tenant:%s:roles", id_text(ann.tenant.u)), "");
	heard_is(w, "code", "SERVICE_UNAVAILABLE");
	refused = websocket_open(strf("/ws?token=%s", ann.token), NULL);
	cr_assert_eq(websocket_end(refused).code, 4000);

	server_do("start", "postgres");
	websocket_joins(w, strf("tenant:%s:roles", id_text(ann.tenant.u)));
}

static bool is_answered(void *p)
{
	const struct caller *c = p;
	struct answer a = post(c, "/projects", "{\"slug\":\"again\",\"name\":\"x\"}");

	return a.status == 201;
}

Test(faults_realtime, what_happens_after_postgresql_is_back_is_told)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann);

	websocket_joins(w, projects_of(&ann));
	server_do("restart", "postgres");
	wait_until(is_answered, &ann, "PostgreSQL takes writes");
	hears_of(w, "again");
}

/* Connects and hears of a project of its own; false: was sent away before that, as while several
 * processes are replaced one may be. */
static bool is_served(const struct caller *c, const char *slug)
{
	struct websocket *w = websocket_open(strf("/ws?token=%s", c->token), NULL);
	const char *message;

	websocket_ask(w, "subscribe", projects_of(c), "");
	do
		message = websocket_hear(w);
	while (message && strcmp(said(message, "type"), "subscribed") != 0);
	if (message) {
		make_project(c, slug);
		message = websocket_hear(w);
	}
	cr_assert(message || websocket_end(w).code == 1012);

	return message;
}

Test(faults_realtime, a_reload_sends_clients_to_the_next_process)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann);
	int tries = 0;

	server_do("reload", "realtime");
	cr_assert_eq(websocket_end(w).code, 1012);
	while (!is_served(&ann, strf("p%d", tries)))
		cr_assert_lt(++tries, 10, "sent away again and again");
}

Test(faults_realtime, a_stop_tells_clients_to_come_back)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann);
	struct farewell f;

	server_do("stop", "realtime");
	server_do("start", "realtime");
	f = websocket_end(w);
	cr_assert_eq(f.code, 1001, "%d %s", f.code, f.reason);
	(void)websocket_of(&ann);
}

/* What is in the page for whoever watches, -1 while nobody answers. */
static int64_t metric(const char *name)
{
	const char *socket = strf("%s/run/realtime.sock", world()->dir);
	const char *argv[] = { "curl", "-s", "--unix-socket", socket, "http://localhost/metrics",
			       NULL };
	const char *line = strf("\nzygo_realtime_%s ", name), *at;
	struct str rest;
	int64_t n;
	int status;

	at = strstr(world_run(argv, &status).ptr, line);
	rest = str_of(at ? at + strlen(line) : "");

	return str_to_i64(str_cut(&rest, '\n'), 0, INT64_MAX, &n) ? n : -1;
}

static bool is_held(void *p)
{
	const int64_t *n = p;

	return metric("connections") == *n && metric("rooms") == *n;
}

Test(faults_realtime, what_a_dead_process_held_is_counted_no_more)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann);
	const char *master = strf("%s/pids/realtime.pid", world()->dir);
	const char *argv[] = { "sh", "-c", "pkill -KILL -P $(head -n 1 \"$0\")", master, NULL };

	websocket_joins(w, projects_of(&ann));
	wait_until(is_held, (int64_t[]){ 1 }, "she alone is counted");
	(void)world_run(argv, NULL);
	wait_until(is_held, (int64_t[]){ 0 }, "nobody is counted");
}

/*
 * A crowd: the benchmark's client, which ends with an error unless each that reads gets each
 * message. Nine of 30,000 bytes are more than the kernel takes for a socket and the server keeps
 * for one.
 */

#define CROWD    "5000"
#define SILENT   "500"
#define MESSAGES "12"

static void disperse(void)
{
	site_stop("crowd");
}

Test(faults_realtime, five_thousand_are_told_though_five_hundred_do_not_read, .fini = disperse)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *room = projects_of(&ann), *dir = world()->dir;
	const char *const settings[] = { "WORKERS_REALTIME=2", "REALTIME_TENANT_MAX=" CROWD,
					 "REALTIME_QUEUE_MAX=65536", NULL };
	const char *zygo = world()->binary;
	const char *argv[] = {
		strf("%.*s/tests/bench/sockets", (int)(strrchr(zygo, '/') - zygo), zygo),
		site_start_realtime("crowd", settings),
		strf("/ws?token=%s", ann.token),
		room,
		strf("%s/run/redis.sock", dir),
		strf("zygo:rooms:{%s}", id_text(ann.tenant.u)),
		strf("{\"room\":\"%s\",\"event\":\"shout\",\"data\":\"%30000s\"}", room, "x"),
		CROWD,
		MESSAGES,
		SILENT,
		strf("%d", (int)getpid()), /* whose memory nobody asks for here */
		NULL
	};
	const char *said = world_run(argv, NULL).ptr;

	cr_assert(strstr(said, "dropped=" SILENT "\n"), "%s", said);
}
