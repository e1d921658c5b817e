/*
 * Writes JSON straight into a buffer: no tree. Commas and colons come by themselves. A mistake is a
 * BUG(): a value in an object without its key, an end that is not the innermost one's, a second
 * value at the top, JSONWRITE_DEPTH_MAX levels.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct buf;
struct uuid;

#define JSONWRITE_DEPTH_MAX 64

struct jsonwrite {
	struct buf *out;
	unsigned depth;
	bool pretty;        /* two blanks a level, for what is committed and read by people */
	bool after_key;     /* the next value belongs to the key just written */
	uint64_t has_items; /* bit d: something was written at depth d */
	uint64_t is_object; /* bit d: depth d is inside an object, else inside an array */
};

void jsonwrite_init(struct jsonwrite *w, struct buf *out);

void jsonwrite_object(struct jsonwrite *w);     /* { */
void jsonwrite_object_end(struct jsonwrite *w); /* } */
void jsonwrite_array(struct jsonwrite *w);      /* [ */
void jsonwrite_array_end(struct jsonwrite *w);  /* ] */
void jsonwrite_key(struct jsonwrite *w, const char *key);

void jsonwrite_str(struct jsonwrite *w, struct str s);   /* UTF-8, escaped as RFC 8259 wants */
void jsonwrite_text(struct jsonwrite *w, const char *s); /* NULL is null */
void jsonwrite_i64(struct jsonwrite *w, int64_t v);
void jsonwrite_bool(struct jsonwrite *w, bool v);
void jsonwrite_null(struct jsonwrite *w);
void jsonwrite_uuid(struct jsonwrite *w, const struct uuid *u);
void jsonwrite_time(struct jsonwrite *w, int64_t us);     /* RFC 3339, milliseconds */
void jsonwrite_raw(struct jsonwrite *w, struct str json); /* a value that is JSON already */

/* Key and value in one line. */
void jsonwrite_member_text(struct jsonwrite *w, const char *key, const char *s);
void jsonwrite_member_i64(struct jsonwrite *w, const char *key, int64_t v);
void jsonwrite_member_bool(struct jsonwrite *w, const char *key, bool v);
