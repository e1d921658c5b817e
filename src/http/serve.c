/*
 * Between FastCGI and the stages: what a process keeps from request to request, and the line that
 * each leaves in the log.
 */
#include "http/stages.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "cache/redis.h"
#include "db/batch.h"
#include "http/fcgi.h"
#include "http/request.h"
#include "prefork/scoreboard.h"
#include "prefork/supervisor.h"

#define LOG_FIELDS_MAX 24

static const char *param(const void *peer, const char *name)
{
	return fcgi_param(peer, name);
}

static bool params_fit(const void *peer)
{
	return fcgi_params_fit(peer);
}

static bool read_body(void *peer, char *p, size_t max, size_t *ret_len)
{
	return fcgi_read(peer, p, max, ret_len);
}

static void write_reply(void *peer, struct str head, struct str body)
{
	fcgi_write(peer, head, body);
}

static bool begin_reply(void *peer, struct str head, struct str part)
{
	return fcgi_begin(peer, head, part);
}

static bool more_reply(void *peer, struct str part)
{
	return fcgi_more(peer, part);
}

static void end_reply(void *peer, bool is_whole)
{
	fcgi_end(peer, is_whole);
}

static const struct transport fastcgi = { param,       params_fit, read_body, write_reply,
					  begin_reply, more_reply, end_reply };

/* What failed is a line's business when it is ours to mend, or when someone looks for it. */
static enum log_level level_of(const struct request *r)
{
	const struct fault *f = &r->ctx->fault;

	if (r->reply.status >= 500)
		return LOG_LEVEL_ERROR;

	return f->err && config()->log_level == LOG_LEVEL_DEBUG ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
}

static void log_request(const struct request *r, int64_t us)
{
	const struct ctx *c = r->ctx;
	const struct fault *f = &c->fault;
	char tenant[UUID_TEXT_SIZE], account[UUID_TEXT_SIZE];
	struct log_field fields[LOG_FIELDS_MAX];
	enum log_level level = level_of(r);
	size_t n = 0;

	uuid_format(c->actor.tenant.u, tenant);
	uuid_format(c->actor.account.u, account);

	fields[n++] = LOG_S("requestId", c->request_id);
	fields[n++] = LOG_S("method", r->method ? method_name(r->method) : "?");
	fields[n++] = LOG_S("route", r->match.pattern);
	fields[n++] = LOG_I("status", r->reply.status);
	fields[n++] = LOG_I("us", us);
	fields[n++] = LOG_I("bytes", r->reply.body.len + r->reply.streamed);
	fields[n++] = LOG_I("pgTrips", c->pg_trips);
	fields[n++] = LOG_I("pgUs", c->pg_us);
	fields[n++] = LOG_I("redisTrips", c->redis_trips);
	fields[n++] = LOG_I("redisUs", c->redis_us);
	fields[n++] = LOG_S("ip", c->actor.ip);
	if (!uuid_is_nil(c->actor.tenant.u))
		fields[n++] = LOG_S("tenantId", tenant);
	if (!uuid_is_nil(c->actor.account.u))
		fields[n++] = LOG_S("accountId", account);
	if (f->err)
		fields[n++] = LOG_S("error", err_info(f->err)->code);
	if (f->err && level != LOG_LEVEL_INFO) {
		fields[n++] = LOG_S("detail", f->detail ? f->detail : f->message);
		fields[n++] = LOG_S("where", f->where);
	}

	log_array(level, "Request", fields, n);
}

/* One request is served at a time; its memory is the process's, ready again when it is over. */
void stages_serve(struct fcgi *f, void *p)
{
	static struct arena *arena;
	static struct ctx ctx;
	const struct worker *w = p;
	struct request r = { .ctx = &ctx, .transport = &fastcgi, .peer = f };
	int64_t us;

	if (!arena)
		arena = arena_new();
	slot_begin(w->slot);
	ctx_reset(&ctx, arena);

	stages_run(&r);

	us = clock_monotonic_us() - r.started_us;
	slot_end(w->slot, r.reply.status, us);
	w->slot->redis_failures += !redis_is_up();
	w->slot->pg_failures += ctx.fault.err == ERR_SERVICE_UNAVAILABLE;
	log_request(&r, us);
	stages_after(&r);
	db_end(&ctx);
	arena_reset(arena);
}
