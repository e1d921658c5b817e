/*
 * A growing byte buffer with a greatest size, made once and never exceeded (as curl's dynbuf).
 *
 * Two owners: buf_init() lives in an arena and is never freed; buf_init_heap() is a process's and
 * ends with buf_done(). Appending past the greatest size sets `overflow` and appends nothing more:
 * callers write on and ask once at the end.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

struct buf {
	char *data; /* len bytes, then a NUL */
	size_t len;
	size_t cap;          /* bytes allocated */
	size_t max;          /* greatest len */
	bool overflow;       /* something did not fit; data holds what came before it */
	struct arena *arena; /* NULL: heap */
};

void buf_init(struct buf *b, struct arena *a, size_t max);
void buf_init_heap(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* heap only; NULL and zeroed are fine */
void buf_reset(struct buf *b); /* empty again, memory kept */

void buf_add(struct buf *b, const void *p, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct str buf_view(const struct buf *b);
