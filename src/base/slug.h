/*
 * Slugs: names as they stand in addresses. 1 to SLUG_MAX characters of a-z, 0-9 and '-', which is
 * neither first nor last nor doubled.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

#define SLUG_MAX 63

bool slug_is(struct str s);

/*
 * The slug nearest to a text in UTF-8: "Müller & Sons" gives "muller-sons". What has no likeness in
 * ASCII is left out; fallback, a slug, when nothing remains.
 */
const char *slug_make(struct arena *a, struct str text, const char *fallback);

/* The slug with eight random characters behind it, for when it is taken. */
const char *slug_vary(struct arena *a, const char *slug);
