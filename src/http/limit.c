/* Rate limits: see limit.h. */
#include "http/limit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "db/batch.h"
#include "base/address.h"
#include "http/request.h"

#define WINDOW_S 60

/* The entry of a request whose verdict is still on its way. */
struct guarded_entry {
	struct entry entry; /* first: ctx->entry points here */
	struct request *r;
};

static int64_t limit_of(enum rate rate)
{
	switch (rate) {
	case RATE_READ: return config()->rate_read;
	case RATE_WRITE: return config()->rate_write;
	case RATE_SEARCH: return config()->rate_search;
	case RATE_AUTH: return config()->rate_auth;
	case RATE_UNSTATED:
	case RATE_EXEMPT:
	case RATE_COUNT: break;
	}

	BUG("a class without a limit");
}

/* The account when it is known; log-in and its kin are counted before anybody is. */
static const char *subject_of(const struct request *r)
{
	const struct actor *who = &r->ctx->actor;
	char account[UUID_TEXT_SIZE];

	if (r->route->rate == RATE_AUTH || uuid_is_nil(who->account.u))
		return address_subject(r->ctx->arena, who->ip);

	uuid_format(who->account.u, account);

	return arena_printf(r->ctx->arena, "a:%s", account);
}

/* A read of somebody whom only the entry knows, and whose reply can still be held back then. */
static bool must_wait(const struct request *r)
{
	return r->ctx->entry && uuid_is_nil(r->ctx->actor.account.u) && method_is_safe(r->method) &&
	       !(r->route->flags & ROUTE_HOT) && r->route->rate != RATE_AUTH &&
	       r->route->rate != RATE_EXEMPT;
}

static struct ratelimit limit_of_class(const struct request *r)
{
	return (struct ratelimit){
		.policy = rate_name(r->route->rate),
		.subject = subject_of(r),
		.limit = limit_of(r->route->rate),
		.window_s = WINDOW_S,
	};
}

/* An API key's own, over all classes; its account's limits hold beside it. */
static struct ratelimit limit_of_key(const struct request *r)
{
	const struct actor *who = &r->ctx->actor;
	char key[UUID_TEXT_SIZE];

	uuid_format(who->api_key.u, key);

	return (struct ratelimit){
		.policy = "key",
		.subject = arena_printf(r->ctx->arena, "k:%s", key),
		.limit = who->rate_limit,
		.window_s = WINDOW_S,
	};
}

static void send_question(struct request *r, const char *session_key)
{
	struct ratelimit *limits = arena_make_n(r->ctx->arena, struct ratelimit, 2);
	size_t n = 0;

	if (r->route->rate != RATE_EXEMPT)
		limits[n++] = limit_of_class(r);
	if (r->route->rate != RATE_EXEMPT && r->ctx->actor.rate_limit)
		limits[n++] = limit_of_key(r);
	if (n || session_key)
		r->lookup = lookup_send(r->ctx, limits, n, session_key);
}

void limit_ask(struct request *r, const char *session_key)
{
	r->limit_waits = must_wait(r);
	if (!r->limit_waits)
		send_question(r, session_key);
}

int limit_hear(struct request *r)
{
	struct ctx *c = r->ctx;

	if (r->limit_waits)
		send_question(r, NULL);
	r->limit_waits = false;
	if (r->lookup) {
		lookup_wait(c, r->lookup, &r->verdict, &r->hot);
		r->lookup = NULL;
	}
	if (!r->verdict.by || r->verdict.allowed)
		return OK;

	(void)fail(c, ERR_RATE_LIMIT_EXCEEDED, NULL, NULL);
	if (c->fault.err == ERR_RATE_LIMIT_EXCEEDED)
		c->fault.retry_after_s = r->verdict.reset_s;

	return c->fault.err;
}

static int verdict_of_entry(struct ctx *c)
{
	return limit_hear(((const struct guarded_entry *)c->entry)->r);
}

void limit_guard_entry(struct request *r)
{
	struct guarded_entry *g = arena_make(r->ctx->arena, struct guarded_entry);

	g->entry = *r->ctx->entry;
	g->entry.verdict = verdict_of_entry;
	g->r = r;
	r->ctx->entry = &g->entry;
}

/* Without one nothing was guessed. */
static bool has_credential(const struct request *r)
{
	return request_header(r, "AUTHORIZATION") || request_header(r, "X_API_KEY") ||
	       request_header(r, "COOKIE");
}

int limit_count_refusal(struct request *r)
{
	struct ctx *c = r->ctx;
	struct fault refused = c->fault;
	struct ratelimit limit = {
		.policy = "refusals",
		.subject = address_subject(c->arena, c->actor.ip),
		.limit = config()->rate_read,
		.window_s = WINDOW_S,
	};
	int err;

	if (!has_credential(r))
		return refused.err;

	c->fault = (struct fault){ 0 };
	r->limit_waits = false;
	r->lookup = lookup_send(c, &limit, 1, NULL);
	err = limit_hear(r);
	r->verdict.by = NULL; /* the limit is not the caller's, and goes out of scope */
	if (err)
		return err;

	c->fault = refused;
	return refused.err;
}

void limit_write(const struct request *r, struct buf *head)
{
	const struct verdict *v = &r->verdict;

	if (!v->by)
		return;

	buf_printf(head, "RateLimit-Policy: \"%s\";q=%lld;w=%lld\r\n", v->by->policy,
		   (long long)v->by->limit, (long long)v->by->window_s);
	buf_printf(head, "RateLimit: \"%s\";r=%lld;t=%lld\r\n", v->by->policy,
		   (long long)v->remaining, (long long)v->reset_s);
}
