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

/* more: those that no row names, one after another until NULL; itself NULL: none. */
const struct schemas *schemas_collect(struct arena *a, unsigned tiers,
				      const struct shape *(*more)(size_t i));
