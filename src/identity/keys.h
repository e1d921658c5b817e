/*
 * The keys that sign access tokens: rows of signing_keys, and each worker's own copy of them in
 * crypto/jws.
 *
 * A rotation is slow on purpose, so that no worker ever meets a token whose key it does not know,
 * nor signs with a key that others have forgotten: the new key is published at once and signs
 * KEYS_LEAD_US later, when every worker has loaded it; the old one is withdrawn when all that it
 * signed is over.
 */
#pragma once

#include "base/base.h"
#include "base/clock.h"
#include "base/str.h"

struct arena;
struct claims;
struct ctx;
struct rows;

#define KEYS_LEAD_US (2 * US_PER_MINUTE)

/* How old the process's copy may be: in use; to verify with, since a retired key's tokens are over
 * by themselves; when a token names a key that is not in it; when there is nothing to sign with. */
#define KEYS_AGE_US         (60 * US_PER_S)
#define KEYS_AGE_VERIFY_US  (10 * US_PER_MINUTE)
#define KEYS_AGE_UNKNOWN_US (5 * US_PER_S)
#define KEYS_AGE_NONE       0

/*
 * Loads the keys when the copy is older than that, or when a key of it has begun to sign or was
 * withdrawn since; makes the first key when there is none. A round trip on nobody's account; when
 * it fails the copy stays. Never while a transaction is held open.
 */
void keys_refresh(int64_t age_us);

/* The same at start; says what is wrong, when something is. The exit status. */
int keys_init(void) MUST_CHECK;

/* Whether the access token is ours and not over; loads the keys where the copy is too old to tell.
 */
bool keys_verify(struct arena *a, struct str token, struct claims *ret) MUST_CHECK;

/* All that tokens may name, the newest first. */
int keys_list(struct ctx *c, const struct rows **ret) MUST_CHECK;

/*
 * Starts a rotation; *ret_kid is the new key. ERR_RULE_VIOLATED while the last one has not begun to
 * sign, or when as many keys are in use as every process can hold.
 */
int keys_rotate(struct ctx *c, const char **ret_kid) MUST_CHECK;
