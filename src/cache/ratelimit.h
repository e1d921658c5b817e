/*
 * Rate limits: no window of window_s seconds holds more than limit requests, counted in Redis by a
 * script and so exact over all processes and hosts, by Redis' clock. When Redis is away each
 * process counts for itself, with the limit divided by the number of workers.
 *
 * Exact means a log: Redis keeps the moment of each request that was allowed, and one is allowed
 * while fewer than limit of them are younger than the window. Costs 6–9 µs in Redis and 10 bytes a
 * request in the window.
 *
 * The question travels while other work is done: lookup_send() writes it, lookup_wait() reads the
 * verdict. At most RATELIMIT_MAX limits (by account, by address …) and one session look-up share
 * one round trip. A refused request is charged to none of its limits: an address that is over its
 * limit cannot use up an account's.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

struct ratelimit {
	const char *policy;  /* "read": name in the RateLimit headers */
	const char *subject; /* whose: "a:<account id>", "ip:192.0.2.1" */
	int64_t limit;       /* requests … */
	int64_t window_s;    /* … in any window of so many seconds */
};

struct verdict {
	bool allowed;
	int64_t remaining;
	int64_t reset_s;            /* until the window has room again, at least 1 */
	const struct ratelimit *by; /* the tightest of those asked; NULL when none was */
};

#define RATELIMIT_MAX 4

/* At start: how many processes share a limit while Redis is away. */
void ratelimit_init(int64_t workers);

/* What was asked of Redis and has not been read yet; lives in the arena. */
struct lookup;

/*
 * Writes the limits' script and, when session_key is not NULL, GET of that session's hot copy. Does
 * not wait. The limits array must live until the wait. A lookup that is never waited for costs
 * nothing more.
 */
struct lookup *lookup_send(struct ctx *c, const struct ratelimit *limits, size_t n,
			   const char *session_key);

/*
 * Waits for both, before anything else is asked of Redis. *ret_session, in the arena, has ptr NULL
 * when there is no hot copy, or no Redis.
 */
void lookup_wait(struct ctx *c, struct lookup *l, struct verdict *ret, struct str *ret_session);
