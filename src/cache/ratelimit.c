/*
 * Rate limits and the session's hot copy, asked of Redis in one pipeline.
 *
 * One EVALSHA a limit, each with one key tagged by its subject, because limits of one request may
 * lie on different nodes of a cluster, where a script over several keys cannot run. When one of
 * them refuses, the charges of the others are given back: for that moment they may count one too
 * many, never one too few.
 */
#include "cache/ratelimit_impl.h"
#include "cache/redis_impl.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"

#include <inttypes.h>
#include <string.h>

struct lookup {
	const struct ratelimit *limits;
	size_t len;
	struct str keys[RATELIMIT_MAX];
	uint64_t numbers[RATELIMIT_MAX]; /* of the limits' commands; 0: not sent */
	uint64_t session;                /* of the GET; 0: not sent */
};

/*
 * KEYS[1] is a list of the moments, in ms, of the requests that were allowed, oldest first. ARGV:
 * limit, window in ms. What left the window is removed first; each moment is added once and removed
 * once, so that costs nothing on average.
 */
static const char script[] = "local time = redis.call('TIME')\n"
			     "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
			     "local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
			     "local oldest = redis.call('LINDEX', KEYS[1], 0)\n"
			     "while oldest and tonumber(oldest) <= now - window do\n"
			     "	redis.call('LPOP', KEYS[1])\n"
			     "	oldest = redis.call('LINDEX', KEYS[1], 0)\n"
			     "end\n"
			     "local used = redis.call('LLEN', KEYS[1])\n"
			     "local reset = (oldest or now) + window - now\n"
			     "if used >= limit then\n"
			     "	return { 0, 0, reset }\n"
			     "end\n"
			     "redis.call('RPUSH', KEYS[1], now)\n"
			     "redis.call('PEXPIRE', KEYS[1], window)\n"
			     "return { 1, limit - used - 1, reset }\n";

/* The script's SHA-1, as Redis said it; empty until it did. */
static char script_sha[41];

/* ---- asking ---- */

/*
 * Gives the script to Redis when this process starts to use it, once: part of connecting, and so
 * not counted as a trip of the request's. False when Redis is away.
 */
static bool script_is_loaded(void)
{
	struct str args[] = { STR("SCRIPT"), STR("LOAD"), str_of(script) };
	struct ctx nobody = { 0 };
	_cleanup_(redis_replyp) redisReply *reply = NULL;

	if (script_sha[0])
		return true;

	reply = redis_ask(&nobody, args, ARRAY_LEN(args));
	if (!reply || reply->type != REDIS_REPLY_STRING || reply->len != sizeof(script_sha) - 1)
		return false;

	memcpy(script_sha, reply->str, sizeof(script_sha));
	return true;
}

/* by: EVALSHA and the digest, or EVAL and the text. */
static uint64_t send_script(struct ctx *c, struct str command, const char *by, struct str key,
			    const struct ratelimit *limit)
{
	struct str args[] = {
		command,
		str_of(by),
		STR("1"),
		key,
		str_of(arena_printf(c->arena, "%" PRId64, limit->limit)),
		str_of(arena_printf(c->arena, "%" PRId64, limit->window_s * 1000)),
	};

	return redis_send(args, ARRAY_LEN(args));
}

static struct str key_of(struct arena *a, const struct ratelimit *limit)
{
	return redis_key(a, arena_printf(a, "{%s}:rl:%s:%" PRId64, limit->subject, limit->policy,
					 limit->window_s));
}

struct lookup *lookup_send(struct ctx *c, const struct ratelimit *limits, size_t n,
			   const char *session_key)
{
	struct lookup *l = arena_make(c->arena, struct lookup);
	bool loaded = n > 0 && script_is_loaded();

	BUG_IF(n > RATELIMIT_MAX);
	l->limits = limits;
	l->len = n;
	for (size_t i = 0; i < n; i++) {
		l->keys[i] = key_of(c->arena, &limits[i]);
		if (loaded)
			l->numbers[i] =
				send_script(c, STR("EVALSHA"), script_sha, l->keys[i], &limits[i]);
	}
	if (session_key) {
		struct str args[] = { STR("GET"), redis_key(c->arena, session_key) };

		l->session = redis_send(args, ARRAY_LEN(args));
	}

	redis_flush();
	if (l->numbers[0] || l->session)
		c->redis_trips++;
	return l;
}

/* ---- reading ---- */

/* False when the script did not answer. */
static bool read_room(const redisReply *reply, struct room *ret)
{
	if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
		return false;

	*ret = (struct room){ .allowed = reply->element[0]->integer != 0,
			      .remaining = reply->element[1]->integer,
			      .reset_ms = reply->element[2]->integer };
	return true;
}

static bool is_noscript(const redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_ERROR &&
	       str_starts(str_of(reply->str), "NOSCRIPT");
}

/* Reads the limits' replies; rooms that Redis did not fill are counted here. True when one lacked
 * the script. */
static bool read_rooms(struct ctx *c, struct lookup *l, struct room *rooms, bool *answered)
{
	bool noscript = false;

	for (size_t i = 0; i < l->len; i++) {
		_cleanup_(redis_replyp) redisReply *reply = NULL;

		if (answered[i])
			continue;
		reply = redis_receive(c, l->numbers[i]);
		answered[i] = read_room(reply, &rooms[i]);
		noscript = noscript || is_noscript(reply);
	}

	return noscript;
}

/* After SCRIPT FLUSH or a restart: the same questions with the text, which Redis then remembers. */
static void ask_with_text(struct ctx *c, struct lookup *l, const bool *answered)
{
	for (size_t i = 0; i < l->len; i++) {
		if (!answered[i])
			l->numbers[i] =
				send_script(c, STR("EVAL"), script, l->keys[i], &l->limits[i]);
	}

	redis_flush();
	c->redis_trips++;
}

static struct str read_session(struct ctx *c, struct lookup *l)
{
	_cleanup_(redis_replyp) redisReply *reply = redis_receive(c, l->session);

	/* Empty is what hotcopy_drop() leaves. */
	if (!reply || reply->type != REDIS_REPLY_STRING || reply->len == 0)
		return (struct str){ 0 };

	return (struct str){ arena_strndup(c->arena, reply->str, reply->len), reply->len };
}

/* ---- judging ---- */

/* a says less than b: refuses while b allows, refuses for longer, or leaves fewer. */
static bool is_tighter(const struct room *a, const struct room *b)
{
	if (a->allowed != b->allowed)
		return !a->allowed;
	return a->allowed ? a->remaining < b->remaining : a->reset_ms > b->reset_ms;
}

static struct verdict judge(const struct lookup *l, const struct room *rooms)
{
	size_t tightest = 0;

	if (l->len == 0)
		return (struct verdict){ .allowed = true, .reset_s = 1 };

	for (size_t i = 1; i < l->len; i++) {
		if (is_tighter(&rooms[i], &rooms[tightest]))
			tightest = i;
	}

	return (struct verdict){
		.allowed = rooms[tightest].allowed,
		.remaining = rooms[tightest].remaining,
		.reset_s =
			rooms[tightest].reset_ms > 0 ? (rooms[tightest].reset_ms + 999) / 1000 : 1,
		.by = &l->limits[tightest],
	};
}

/* The request was refused: what was charged for it is given back. Does not wait. */
static void give_back(const struct lookup *l, const struct room *rooms)
{
	for (size_t i = 0; i < l->len; i++) {
		struct str args[] = { STR("RPOP"), l->keys[i] };

		if (!rooms[i].allowed)
			continue;
		if (rooms[i].is_local)
			local_give_back(l->keys[i]);
		else
			(void)redis_send(args, ARRAY_LEN(args));
	}

	redis_flush();
}

void lookup_wait(struct ctx *c, struct lookup *l, struct verdict *ret, struct str *ret_session)
{
	struct room rooms[RATELIMIT_MAX] = { 0 };
	bool answered[RATELIMIT_MAX] = { 0 };
	bool noscript = read_rooms(c, l, rooms, answered);

	*ret_session = read_session(c, l);
	if (noscript) {
		ask_with_text(c, l, answered);
		(void)read_rooms(c, l, rooms, answered);
	}
	for (size_t i = 0; i < l->len; i++) {
		if (!answered[i])
			rooms[i] = local_take(l->keys[i], &l->limits[i]);
	}

	*ret = judge(l, rooms);
	if (!ret->allowed)
		give_back(l, rooms);
}
