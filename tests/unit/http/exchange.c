/* Requests to the stages: see exchange.h. */
#include "exchange.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/str.h"
#include "cache/redis.h"
#include "http/request.h"
#include "http/stages.h"

#define PARAMS_MAX 32

struct peer {
	struct {
		const char *name, *value;
	} params[PARAMS_MAX];
	size_t params_len;
	struct str body;
	char *head, *reply;
	bool is_cut;
};

static struct arena *arena;
static struct ctx ctx;
static struct peer next;

static const char *param(const void *p, const char *name)
{
	const struct peer *peer = p;

	for (size_t i = 0; i < peer->params_len; i++)
		if (!strcmp(peer->params[i].name, name))
			return peer->params[i].value;

	return NULL;
}

static bool params_fit(const void *p)
{
	return param(p, "TOO_MANY") == NULL;
}

static bool read_body(void *p, char *to, size_t max, size_t *ret_len)
{
	struct peer *peer = p;
	size_t n = peer->body.len < max ? peer->body.len : max;

	n = n > 7 ? 7 : n; /* a body comes in parts */
	if (n)
		memcpy(to, peer->body.ptr, n);
	peer->body = (struct str){ peer->body.ptr + n, peer->body.len - n };
	*ret_len = n;

	return true;
}

static void write_reply(void *p, struct str head, struct str body)
{
	struct peer *peer = p;

	peer->head = str_dup(arena, head);
	peer->reply = str_dup(arena, body);
}

static bool begin_reply(void *p, struct str head, struct str part)
{
	write_reply(p, head, part);

	return true;
}

static bool more_reply(void *p, struct str part)
{
	struct peer *peer = p;

	peer->reply = arena_printf(arena, "%s%.*s", peer->reply, STR_FMT(part));

	return true;
}

static void end_reply(void *p, bool is_whole)
{
	struct peer *peer = p;

	peer->is_cut = !is_whole;
}

static const struct transport transport = { param,       params_fit, read_body, write_reply,
					    begin_reply, more_reply, end_reply };

void exchange_begin(const struct mount *const *mounts)
{
	static const struct config set = {
		.env = APP_DEVELOPMENT,
		.app_url = "https://app.example",
		.api_url = "https://api.example",
		.cors_origins = "https://admin.example, https://other.example",
		.redis_url = "unix:///nonexistent/redis.sock",
		.redis_timeout_us = 100 * US_PER_MS,
		.redis_prefix = "test",
		.body_max = 1024,
		.rate_read = 600,
		.rate_write = 3,
		.rate_search = 60,
		.rate_auth = 2,
	};

	config_set(&set);
	ratelimit_init(1);
	if (redis_init()) /* nobody listens there: limits are counted in this process */
		BUG("the test's settings are wrong");
	arena = arena_new();
	if (!routes_init(mounts))
		BUG("the test's own rows are wrong");
}

void exchange_end(void)
{
	redis_done();
	arena_free(arena);
}

void with_header(const char *name, const char *value)
{
	BUG_IF(next.params_len == PARAMS_MAX);
	next.params[next.params_len].name = name;
	next.params[next.params_len++].value = value;
}

void with_body(const char *json)
{
	next.body = str_of(json);
	with_header("CONTENT_TYPE", "application/json");
	with_header("CONTENT_LENGTH", arena_printf(arena, "%zu", next.body.len));
}

struct answer ask(const char *method, const char *uri)
{
	struct peer peer;
	struct request r = { .ctx = &ctx, .transport = &transport, .peer = &peer };

	with_header("REQUEST_METHOD", method);
	with_header("REQUEST_URI", uri);
	with_header("REMOTE_ADDR", "192.0.2.1");
	peer = next;
	next = (struct peer){ 0 };

	ctx_reset(&ctx, arena);
	stages_run(&r);

	return (struct answer){ r.reply.status, peer.head, peer.reply, peer.is_cut };
}

const char *answer_header(struct answer a, const char *name)
{
	struct str rest = str_of(a.head);

	for (struct str line = str_cut(&rest, '\n'); line.ptr; line = str_cut(&rest, '\n')) {
		struct str key = str_cut(&line, ':');

		if (str_is(key, name))
			return str_dup(arena, str_trim(line));
	}

	return "";
}

bool answer_says(struct answer a, const char *part)
{
	return strstr(a.body, part) != NULL;
}

struct ctx *exchange_ctx(void)
{
	return &ctx;
}
