/*
 * Hot copies: short-lived copies in Redis of what PostgreSQL knows, by key. Reading goes with the
 * rate limit (cache/ratelimit.h); here is what writes and removes them. Failure is silent: the copy
 * is only a copy, and it lives for HOTCOPY_TTL_S at most.
 *
 * Who drops a copy while another is about to put what it read before must win: a dropped key is
 * taken by an empty value for as long as a copy lives, and a put never replaces anything. So what
 * was revoked cannot come back.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

/* Longer than any request takes from reading what it copies to putting the copy. */
#define HOTCOPY_TTL_S 60

/* Does not wait. Nothing happens when there is a copy, or was one that was dropped less than
 * HOTCOPY_TTL_S ago. */
void hotcopy_put(struct ctx *c, const char *key, struct str value);

/*
 * Removes the keys (NULL-terminated list) and waits, so that the next request anywhere sees it;
 * false: Redis did not say so. After the commit, not before: until then another may read, and put,
 * what is about to be over.
 */
bool hotcopy_drop(struct ctx *c, const char *const *keys);
