/*
 * Hot copies: short-lived copies in Redis of what PostgreSQL knows, by key. Reading goes with the rate limit
 * (cache/ratelimit.h); here is what writes and removes them. Failure is silent: the copy is only a copy,
 * and it lives for HOTCOPY_TTL_S at most.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

#define HOTCOPY_TTL_S 60

void hotcopy_put(struct ctx *c, const char *key, struct str value);

/* Removes the keys (NULL-terminated list) and waits, so that the next request anywhere sees it; false: Redis did not say so. */
bool hotcopy_drop(struct ctx *c, const char *const *keys);
