/*
 * What ratelimit.c, which asks Redis, and ratelimit_local.c, which stands in for it, share.
 */
#pragma once

#include "cache/ratelimit.h"

/* What one limit says about one request. */
struct room {
	bool allowed;      /* and charged */
	bool is_local;     /* counted here, not in Redis */
	int64_t remaining; /* after it */
	int64_t reset_ms;
};

/* Charges one request to the key, if it has room. */
struct room local_take(struct str key, const struct ratelimit *limit);

/* Takes the charge back. */
void local_give_back(struct str key);
