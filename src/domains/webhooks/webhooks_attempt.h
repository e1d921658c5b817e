/*
 * One attempt at a delivery: what is sent, and what is made of what comes back. webhooks_sender.c
 * has many of them under way.
 */
#pragma once

#include "base/buf.h"
#include "domains/webhooks/webhooks.h"

struct courier;
struct receipt;

#define WEBHOOK_TRIES 8 /* then a delivery is given up */

struct attempt {
	struct tenant_id tenant;
	struct delivery_id delivery;
	struct webhook_id webhook;
	int64_t number; /* from 1, over all replays */
	int64_t tries;  /* that failed since it was last begun anew */
	int64_t started_us;
	struct buf url, headers; /* as they were sent, the latter as a JSON object without the
				    values of the endpoint's own; on the heap */
};

/* Sends the delivery in a row of webhooks_claim, at now_us; a: for what is needed meanwhile. False
 * when its secret does not open, which another ENCRYPTION_KEY brings about. */
bool attempt_send(struct attempt *t, struct arena *a, struct courier *courier,
		  const struct rows *rows, size_t row, int64_t now_us) MUST_CHECK;

/* What became of it, as an object of webhooks_settle's array, with a comma before it unless it is
 * the first. */
void attempt_write(const struct attempt *t, const struct receipt *r, struct buf *out);
void attempt_write_unsent(const struct attempt *t, struct buf *out);

/*
 * How long after its try that failed, the tries-th (from 1), a delivery is tried again, µs; -1: it
 * is given up. retry_after_s: what the answer asks for, honoured up to half a day; 0: nothing.
 */
int64_t attempt_delay_us(int64_t tries, int64_t retry_after_s);
