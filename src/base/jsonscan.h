/*
 * The grammar of jsonread.c: is this text JSON as RFC 8259 and our own limits want it? Private to
 * jsonread.c.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

/*
 * False when text is refused, with why and where (byte). On success *ret_members is how many
 * members its objects have together, a key that appears twice counted twice.
 */
bool jsonscan(struct str text, size_t *ret_members, const char **ret_why, size_t *ret_at)
	MUST_CHECK;
