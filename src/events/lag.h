/* How far the readers of events are behind, for those who run the product. */
#pragma once

#include "base/base.h"

#define LAG_OF_SPINE "spine" /* whose lag is what has no position */

struct buf;
struct ctx;
struct rows;

/* Every reader, as the reply EventReader. */
int lag_list(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* What Prometheus reads; nothing when the database is away. */
void lag_metrics(struct ctx *c, struct buf *out);

/* One reader that is late or fails. */
struct lag {
	const char *reader;  /* a name of the table's, or LAG_OF_SPINE */
	int64_t events;      /* it has not read, or that are not numbered */
	int64_t seconds;     /* since the oldest of them */
	const char *failure; /* why it cannot go on; NULL: it can */
};

/* Those with something to read, in c's arena. */
int lag_look(struct ctx *c, const struct lag **ret, size_t *ret_len) MUST_CHECK;
