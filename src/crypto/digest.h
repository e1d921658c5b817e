/* SHA-256 of what comes in pieces. */
#pragma once

#include "base/base.h"

struct arena;
struct digest;

struct digest *digest_new(struct arena *a); /* lives in the arena */
void digest_add(struct digest *d, const void *p, size_t len);

/* Lower-case hex, in the arena of digest_new(); then it begins anew. */
const char *digest_end(struct digest *d);
