/*
 * Messages to whoever listens to Redis now. Nobody else hears of them, and nothing is kept: what
 * must not be lost has its truth in PostgreSQL.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

struct message {
	struct str channel; /* without config()->redis_prefix: "events:{…}" goes to
			       "zygo:events:{…}" */
	struct str text;
};

/* All in order, in one round trip of c; false: Redis did not say that it has them. */
bool publish(struct ctx *c, const struct message *messages, size_t n);
