/* How far the readers of events are behind, for those who run the product. */
#pragma once

#include "base/base.h"

struct buf;
struct ctx;

/* What Prometheus reads; nothing when the database is away. */
void lag_metrics(struct ctx *c, struct buf *out);

/* One reader that is late or fails, or with reader "" the spine itself. */
struct lag {
	const char *reader;
	int64_t events;      /* it has not read, or that are not numbered */
	int64_t seconds;     /* since the oldest of them */
	const char *failure; /* why it cannot go on; NULL: it can */
};

/* Those with something to read, in c's arena. */
int lag_look(struct ctx *c, const struct lag **ret, size_t *ret_len) MUST_CHECK;
