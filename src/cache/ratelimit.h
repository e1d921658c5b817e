/*
 * Rate limits: a sliding window counted in Redis by one script, exact over all processes and hosts; when
 * Redis is away, by the same arithmetic in this process, with the limit divided by the number of workers.
 *
 * The question travels while other work is done: ratelimit_send() writes it, ratelimit_wait() reads the verdict. At
 * most RATELIMIT_MAX limits (by account, by address …) and one session look-up share one round trip.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

struct ratelimit {
	const char *policy; /* "read": name in the RateLimit headers */
	const char *subject;/* whose: "a:<account id>", "ip:192.0.2.1" */
	int64_t limit;      /* requests … */
	int64_t window_s;   /* … in any window of so many seconds */
};

struct verdict {
	bool allowed;
	int64_t remaining;
	int64_t reset_s; /* until the window has room again, at least 1 when refused */
	const struct ratelimit *by; /* the tightest of those asked */
};

#define RATELIMIT_MAX 4

/* What was asked of Redis and has not been read yet; lives in the arena. */
struct lookup;

/*
 * Writes the limits' script and, when session_key is not NULL, GET of that session's hot copy. Does not
 * wait. The limits array must live until the wait.
 */
struct lookup *lookup_send(struct ctx *c, const struct ratelimit *limits, size_t n, const char *session_key);

/* Waits for both. *ret_session has ptr NULL when there is no hot copy, or no Redis. */
void lookup_wait(struct ctx *c, struct lookup *l, struct verdict *ret, struct str *ret_session);
