/*
 * A change of ENCRYPTION_KEY: what is sealed in the database under ENCRYPTION_KEY_PREVIOUS is
 * sealed anew, while everything goes on and opens both.
 */
#pragma once

#include "base/base.h"

struct ctx;
struct sql;

/* A column that holds what crypto/seal.h made. Ends with a NULL table. */
struct sealed_place {
	const char *table, *column;
	/* Some of its rows, by key, and one of them in place of what it was; NULL: they are over by
	 * themselves, after so long. */
	const struct sql *page, *put;
	int64_t lives_us;
	const char *first; /* comes before every key */
};
extern const struct sealed_place sealed_places[];

/*
 * `zygo keys reseal`: seals anew what the previous key opens, some rows at a time, and says how
 * much. It may be broken off and run again, and run twice at once: what is done already is passed
 * over. The exit status: 1 when something opens with neither key.
 */
int reseal_all(struct ctx *c) MUST_CHECK;
