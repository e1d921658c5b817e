/* HTTP methods of this API, as bits so that sets of them can be named. */
#pragma once

#include "base/base.h"

enum method {
	GET = 1 << 0,
	HEAD = 1 << 1,
	POST = 1 << 2,
	PUT = 1 << 3,
	PATCH = 1 << 4,
	DELETE = 1 << 5,
	OPTIONS = 1 << 6,
};

/* GET, HEAD, OPTIONS: without effect (RFC 9110 section 9.2.1). */
static inline bool method_is_safe(enum method m)
{
	return (m & (GET | HEAD | OPTIONS)) != 0;
}
const char *method_name(enum method m);
/* 0 when it is none of ours. */
enum method method_parse(const char *s);

struct arena;

/* "GET, HEAD, OPTIONS": a set of them, for Allow. */
const char *methods_text(struct arena *a, unsigned set);
