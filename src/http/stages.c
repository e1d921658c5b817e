/*
 * The stages, and what holds for all of them: who may not be here is told so before anything else,
 * and a reply waits until nothing can forbid it.
 */
#include "http/stages.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "db/batch.h"
#include "http/cors.h"
#include "http/etag.h"
#include "http/headers.h"
#include "http/idempotency.h"
#include "http/incoming.h"
#include "http/limit.h"
#include "http/problem.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/validate.h"

static const struct auth *auth;

void stages_init(const struct auth *a)
{
	auth = a;
}

static int find_route(struct request *r)
{
	struct ctx *c = r->ctx;

	if (r->path_is_plain)
		route_find(r->method, r->path, &r->match);
	if (!r->match.allowed)
		return fail(c, ERR_ROUTE_NOT_FOUND, NULL,
			    arena_printf(c->arena, "Route %s %s not found",
					 r->method ? method_name(r->method) : "?", r->path));

	r->route = r->match.route;
	r->tier = r->match.tier;
	if (r->method == OPTIONS)
		cors_preflight(r);
	else if (!r->route)
		return fail(c, ERR_METHOD_NOT_ALLOWED, NULL, NULL);

	return OK;
}

/* The session's hot copy is asked for along with the limit, so that both are one round trip. */
static int authenticate(struct request *r)
{
	const char *session_key = NULL;
	int err;

	if (r->route->perm != PERM_PUBLIC) {
		err = auth->authenticate(r, &session_key);
		if (err)
			return err_info(err)->status == 401 ? limit_count_refusal(r) : err;
		BUG_IF(!r->ctx->entry && !(r->route->flags & ROUTE_HOT));
	}
	limit_ask(r, session_key);
	r->is_known = true;

	return OK;
}

/* Only a read whose transaction will ask for the verdict may begin without it. */
static int hear_limit(struct request *r)
{
	bool is_hot = r->route->flags & ROUTE_HOT;
	int err;

	if (r->limit_waits)
		return OK; /* settle() hears it */
	if (method_is_safe(r->method) && r->ctx->entry && !is_hot) {
		limit_guard_entry(r);
		return OK;
	}

	err = limit_hear(r);
	if (err || !is_hot)
		return err;

	return auth->confirm(r);
}

static int handle(struct request *r)
{
	const struct route *row = r->route;
	const struct page *page;
	const struct rows *rows;
	int err;

	if (row->handle) {
		err = row->handle(r);
		BUG_IF(!err && !r->reply.written);
		return err;
	}
	if (row->one) {
		err = row->one(r, &rows);
		return err ? err : reply_row(r, rows);
	}
	if (row->page) {
		err = row->page(r, &page);
		return err ? err : reply_page(r, page);
	}

	if (row->all) {
		err = row->all(r, &rows);
		return err ? err : reply_rows(r, rows);
	}

	err = row->none(r);
	return err ? err : reply_none(r);
}

static const struct stage {
	const char *name;
	int (*run)(struct request *r);
} stages[] = {
	{ "read", incoming_head },        { "route", find_route }, { "origin", cors_check },
	{ "authenticate", authenticate }, { "limit", hear_limit }, { "validate", validate },
	{ "replay", idempotency_begin },  { "handle", handle },    { "keep", idempotency_end },
};

/* Nobody was let in yet, or the refusal is the answer already: the caller learns nothing by it. */
static bool is_refusal(int err)
{
	int status = err ? err_info(err)->status : 0;

	return status == 401 || status == 403 || status == 429 || status >= 500;
}

/* Who was refused before anybody knew whose request it is has not been counted yet. */
static int refuse(struct request *r, int err)
{
	return r->limit_waits ? limit_count_refusal(r) : err;
}

/*
 * The last word of the limiter and of the entry, for a reply that was made without hearing them: an
 * input that failed, a handler that asked the database nothing. Theirs is then the fault, in place
 * of what was found meanwhile.
 */
static int settle(struct request *r)
{
	struct ctx *c = r->ctx;
	struct fault found = c->fault;
	int err = OK;

	if (!r->is_known || is_refusal(found.err))
		return refuse(r, found.err);

	c->fault = (struct fault){ 0 };
	if (c->entry && !(r->route->flags & ROUTE_HOT))
		err = batch_enter(c);
	if (!err)
		err = limit_hear(r);
	if (err)
		return refuse(r, err);

	c->fault = found;
	return found.err;
}

/* A page's own words, or the error's body. */
static void reply_failure(struct request *r)
{
	const struct route *row = r->route;

	r->reply = (struct reply){ .version = -1 };
	if (!row || !row->failed || !row->failed(r))
		problem_reply(r);
}

static int next_part(struct request *r, struct arena *a, struct str *ret)
{
	struct ctx *c = r->ctx;
	struct arena *whole = c->arena;
	int err;

	c->arena = a;
	err = r->reply.more(r, r->reply.source, ret);
	c->arena = whole;

	return err;
}

static void free_arena(void *a)
{
	arena_free(a);
}

/* Each part in memory that the next one takes again. What failed has its words there too, for the
 * log: it is freed with the request. */
static void write_parts(struct request *r, struct str head, struct str part)
{
	struct arena *a = arena_new();
	bool goes_on = r->transport->begin(r->peer, head, part);
	int err = OK;

	arena_defer(r->ctx->arena, free_arena, a);
	while (goes_on && part.len) {
		arena_reset(a);
		err = next_part(r, a, &part);
		goes_on = !err && r->transport->more(r->peer, part);
		if (goes_on)
			r->reply.streamed += part.len;
	}
	r->transport->end(r->peer, goes_on);
	if (err)
		r->reply.status = err_info(err)->status; /* the log's; the head has gone */
}

static void write_reply(struct request *r)
{
	struct str body = buf_view(&r->reply.body);
	struct buf head;

	etag_apply(r);
	buf_init(&head, r->ctx->arena, HEAD_BYTES_MAX);
	headers_write(r, &head);
	BUG_IF(head.overflow);
	if (r->method == HEAD || r->reply.status == 304 || r->reply.status == 204)
		body = (struct str){ NULL, 0 };
	if (r->reply.more && body.len)
		write_parts(r, buf_view(&head), body);
	else
		r->transport->write(r->peer, buf_view(&head), body);
}

void stages_run(struct request *r)
{
	int err = OK;

	r->started_us = clock_monotonic_us();
	r->reply.version = -1;

	for (size_t i = 0; i < ARRAY_LEN(stages) && !err; i++) {
		err = stages[i].run(r);
		if (r->reply.written && !r->is_kept)
			break;
	}
	if (err) {
		(void)fail(r->ctx, err, NULL, NULL); /* says nothing when somebody has */
		db_rollback(r->ctx);
	} else {
		r->ctx->fault = (struct fault){ 0 }; /* what failed on the way was made good */
	}

	err = settle(r);
	if (err)
		reply_failure(r);
	write_reply(r);
}

void stages_after(struct request *r)
{
	if (auth && auth->after)
		auth->after(r);
}
