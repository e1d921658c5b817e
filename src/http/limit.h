/*
 * Rate limits of a request: whose it is and how many there may be, asked of cache/ratelimit.h.
 *
 * The question is sent before the handler; the verdict is heard before anything is changed or
 * answered. For reads it travels while PostgreSQL works: the entry of the first transaction asks
 * for it. Whose cookie it is only the entry can say when this process has not seen it before: then
 * a read is asked for when its reply is ready, and a change counts as the address's.
 */
#pragma once

#include "base/base.h"

struct buf;
struct request;

/* Sends the question, with the look-up of the session's hot copy when session_key is not NULL. */
void limit_ask(struct request *r, const char *session_key);

/* Waits for the verdict, fills r->hot; ERR_RATE_LIMIT_EXCEEDED. Heard once, it is said again at no
 * cost; what waits for the entry is asked now. */
int limit_hear(struct request *r) MUST_CHECK;

/* Makes the ctx's transactions hear it before they commit or hand out rows. */
void limit_guard_entry(struct request *r);

/*
 * A credential was refused: counts that against the address, so that guessing is bounded. Returns
 * the fault's error, which becomes ERR_RATE_LIMIT_EXCEEDED when there were too many.
 */
int limit_count_refusal(struct request *r) MUST_CHECK;

/* RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11). */
void limit_write(const struct request *r, struct buf *head);
