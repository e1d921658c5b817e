/*
 * The OpenAPI 3.1 document, printed from the tables. tiers: which of them (all, or TIER_API alone
 * for the public one).
 */
#pragma once

#include "base/base.h"

struct buf;
struct jsonwrite;
struct shape;

void openapi_write(struct buf *out, unsigned tiers, bool pretty);

/* What is no route: messages to customers' servers, and the shapes that they name. */
struct openapi_also {
	void (*write_webhooks)(struct jsonwrite *w); /* members of the document's "webhooks" */
	const struct shape *(*shape)(size_t i);      /* NULL: no more */
};

/* At start, before routes_init(), which looks at its shapes too; also lives as long as the process.
 */
void openapi_include(const struct openapi_also *also);
const struct shape *openapi_included_shape(size_t i);
