/* All shapes that rows name for bodies and replies, with those inside them: the document's schemas.
 */
#pragma once

#include "base/base.h"

struct arena;
struct shape;

struct schemas {
	const struct shape **shapes; /* each once, by name */
	size_t len;
};

const struct schemas *schemas_collect(struct arena *a, unsigned tiers);
