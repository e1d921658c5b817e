/*
 * The OpenAPI 3.1 document, printed from the tables. tiers: which of them (all, or TIER_API alone
 * for the public one).
 */
#pragma once

#include "base/base.h"

struct buf;

void openapi_write(struct buf *out, unsigned tiers, bool pretty);
