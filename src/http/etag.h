/* ETags of single resources: "v7" is the row's version, anything else a hash of the body (RFC 9110
 * section 8.8.3). */
#pragma once

#include "base/base.h"

struct request;

/* If-Match of a change into ctx->if_match; ERR_PRECONDITION_FAILED when it can match no version. */
int etag_read_if_match(struct request *r) MUST_CHECK;

/* Says the reply's ETag, once, and makes it a 304 when the caller has it already. */
void etag_apply(struct request *r);
