/*
 * The connection: made when needed, dropped at the first error, tried again when the breaker says
 * so. Blocking, with time-outs; a command that was sent and its reply are matched by counting.
 */
#include "cache/redis_impl.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>

#define BREAKER_FIRST_US (250 * US_PER_MS)
#define BREAKER_LAST_US  (5 * US_PER_S)

/* The process's Redis. */
static struct {
	struct arena *arena; /* of the target's strings; NULL: not initialised */
	struct redis_target target;
	redisContext *conn;      /* NULL: none now */
	uint64_t sent, received; /* commands and replies, over all connections of the process */
	int64_t retry_at_us;     /* monotonic; no connection is tried before */
	int64_t breaker_us;      /* how long the breaker opened for; 0: the last call went well */
	char why[160];           /* the last failure, for an admin */
} server;

const char *redis_init(void)
{
	redis_done();
	server.arena = arena_new();
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		BUG("SIGPIPE cannot be ignored");

	return redis_url_parse(server.arena, str_of(config()->redis_url), &server.target);
}

void redis_done(void)
{
	if (server.conn)
		redisFree(server.conn);
	arena_free(server.arena);
	memset(&server, 0, sizeof(server));
}

void redis_replyp(redisReply **reply)
{
	if (*reply)
		freeReplyObject(*reply);
}

bool redis_is_up(void)
{
	return server.breaker_us == 0;
}

/* ---- the connection ---- */

/* Drops the connection, with every reply that was still to come, and opens the breaker. */
static void broken(redisContext *conn, const char *why)
{
	(void)snprintf(server.why, sizeof(server.why), "%s", why);
	if (conn)
		redisFree(conn);
	server.conn = NULL;
	server.received = server.sent;

	server.breaker_us = server.breaker_us ? 2 * server.breaker_us : BREAKER_FIRST_US;
	if (server.breaker_us > BREAKER_LAST_US)
		server.breaker_us = BREAKER_LAST_US;
	server.retry_at_us = clock_monotonic_us() + server.breaker_us;
}

static void say_why(struct redis_why *ret, const char *why)
{
	(void)snprintf(ret->text, sizeof(ret->text), "%s", why);
}

static struct timeval timeval_of(int64_t us)
{
	return (struct timeval){ .tv_sec = us / US_PER_S, .tv_usec = us % US_PER_S };
}

/* One command on a connection that is not yet anybody's; false when it was not answered OK. */
static bool greet_with(redisContext *conn, int argc, const char **argv, struct redis_why *ret_why)
{
	_cleanup_(redis_replyp) redisReply *reply = redisCommandArgv(conn, argc, argv, NULL);

	if (reply && reply->type != REDIS_REPLY_ERROR)
		return true;

	say_why(ret_why, reply ? reply->str : conn->errstr);
	return false;
}

/* Says who we are and which database we mean, where the URL says so. */
static bool greet(redisContext *conn, const struct redis_target *t, struct redis_why *ret_why)
{
	char db[24];
	const char *auth_user[] = { "AUTH", t->user, t->password };
	const char *auth[] = { "AUTH", t->password };
	const char *select[] = { "SELECT", db };

	if (t->user && !greet_with(conn, 3, auth_user, ret_why))
		return false;
	if (!t->user && t->password && !greet_with(conn, 2, auth, ret_why))
		return false;

	(void)snprintf(db, sizeof(db), "%lld", (long long)t->db);
	return t->db == 0 || greet_with(conn, 2, select, ret_why);
}

/* Who only hears says nothing for hours: that a firewall has forgotten its connection is found out
 * so, within half a minute. */
static bool keep_alive(redisContext *conn, const struct redis_target *t)
{
	return t->path || redisEnableKeepAlive(conn) == REDIS_OK;
}

redisContext *redis_open(const struct redis_target *t, struct redis_why *ret_why)
{
	struct timeval patience = timeval_of(2 * config()->redis_timeout_us);
	redisContext *conn;

	if (t->path)
		conn = redisConnectUnixWithTimeout(t->path, patience);
	else
		conn = redisConnectWithTimeout(t->host, t->port, patience);

	if (!conn) {
		say_why(ret_why, "out of memory");
		return NULL;
	}
	if (!conn->err && keep_alive(conn, t) &&
	    redisSetTimeout(conn, timeval_of(config()->redis_timeout_us)) == REDIS_OK &&
	    greet(conn, t, ret_why))
		return conn;

	if (conn->err)
		say_why(ret_why, conn->errstr);
	redisFree(conn);
	return NULL;
}

/* The connection, made if there is none and the breaker lets us; else NULL. */
static redisContext *connection(void)
{
	BUG_IF(!server.arena);
	if (!server.conn && clock_monotonic_us() >= server.retry_at_us) {
		struct redis_why why;

		server.conn = redis_open(&server.target, &why);
		if (!server.conn)
			broken(NULL, why.text);
	}

	return server.conn;
}

/* ---- commands ---- */

struct str redis_key(struct arena *a, const char *name)
{
	return str_of(arena_printf(a, "%s:%s", config()->redis_prefix, name));
}

void redis_insist(void)
{
	server.retry_at_us = 0;
}

uint64_t redis_send(const struct str *args, size_t n)
{
	redisContext *conn = connection();
	const char *argv[REDIS_ARGS_MAX];
	size_t lens[REDIS_ARGS_MAX];

	BUG_IF(n > REDIS_ARGS_MAX);
	if (!conn)
		return 0;

	for (size_t i = 0; i < n; i++) {
		argv[i] = args[i].ptr;
		lens[i] = args[i].len;
	}
	if (redisAppendCommandArgv(conn, (int)n, argv, lens) != REDIS_OK) {
		broken(conn, conn->errstr);
		return 0;
	}

	return ++server.sent;
}

void redis_flush(void)
{
	int done = 0;

	while (server.conn && !done) {
		if (redisBufferWrite(server.conn, &done) != REDIS_OK)
			broken(server.conn, server.conn->errstr);
	}
}

/* The next reply, whosever it is; NULL when the connection broke. */
static redisReply *next_reply(void)
{
	redisContext *conn = server.conn;
	void *reply = NULL;

	if (redisGetReply(conn, &reply) != REDIS_OK) {
		/* hiredis has no name for a time-out but errno's, "Resource temporarily
		 * unavailable". */
		bool late = conn->err == REDIS_ERR_IO && errno == EAGAIN;

		broken(conn, late ? "no answer in time" : conn->errstr);
		return NULL;
	}

	server.received++;
	server.breaker_us = 0;
	return reply;
}

redisReply *redis_receive(struct ctx *c, uint64_t number)
{
	int64_t started_us = clock_monotonic_us();
	redisReply *reply = NULL;

	while (server.received < number) {
		redis_replyp(&reply);
		reply = next_reply(); /* broken() makes received reach every number */
	}
	c->redis_us += clock_monotonic_us() - started_us;

	return reply;
}

redisReply *redis_ask(struct ctx *c, const struct str *args, size_t n)
{
	uint64_t number = redis_send(args, n);

	if (!number)
		return NULL;

	redis_flush();
	c->redis_trips++;
	return redis_receive(c, number);
}

static int no_answer(struct ctx *c, const redisReply *reply)
{
	int err = fail(c, ERR_SERVICE_UNAVAILABLE, NULL, "Redis does not answer");

	errdetail_log(c, "Redis: %s", reply && reply->str ? reply->str : server.why);

	return err;
}

int redis_ping(struct ctx *c)
{
	_cleanup_(redis_replyp) redisReply *reply = redis_ask(c, (struct str[]){ STR("PING") }, 1);

	return reply && reply->type == REDIS_REPLY_STATUS ? 0 : no_answer(c, reply);
}

const char *redis_version(struct ctx *c)
{
	static const char name[] = "redis_version:";
	struct str command[] = { STR("INFO"), STR("server") };
	_cleanup_(redis_replyp) redisReply *reply = redis_ask(c, command, ARRAY_LEN(command));
	const char *at =
		reply && reply->type == REDIS_REPLY_STRING ? strstr(reply->str, name) : NULL;
	struct str rest;

	if (!at) {
		(void)no_answer(c, reply);
		return NULL;
	}
	rest = str_of(at + strlen(name));

	return str_dup(c->arena, str_trim(str_cut(&rest, '\n')));
}
