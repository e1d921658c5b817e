/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): on rows with ROUTE_IDEMPOTENT the
 * reply is kept beside the change it answers, in the same transaction, for 24 hours.
 *
 * The same key and request again replays it (Idempotent-Replayed: true); with another request it is
 * ERR_IDEMPOTENCY_MISMATCH; while the first runs, ERR_IDEMPOTENCY_IN_PROGRESS. What failed left
 * nothing, so it may be tried again.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct request;

/* 1 to 255 visible ASCII characters. */
bool idempotency_is_key(struct str key);

/* Before the handler: claims the key, opening the transaction that the handler's batches then join;
 * or replays (then the reply is written). */
int idempotency_begin(struct request *r) MUST_CHECK;

/* After the handler has made its reply: keeps it and commits. */
int idempotency_end(struct request *r) MUST_CHECK;
