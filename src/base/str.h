/*
 * Strings as {pointer, length} until they leave for a C interface; text questions about them.
 *
 * A struct str owns nothing and need not end in NUL. Unless it says otherwise, a function here
 * compares bytes and knows no locale: "letters" are ASCII letters.
 */
#pragma once

#include "base/base.h"

struct arena;

struct str {
	const char *ptr; /* NULL only together with len 0 */
	size_t len;      /* bytes */
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For printf: printf("%.*s", STR_FMT(s)) */
#define STR_FMT(s) (int)(s).len, (s).ptr

struct str str_of(const char *s); /* NULL gives the empty string */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *b);        /* equal bytes */
bool str_is_nocase(struct str a, const char *b); /* ASCII letters in either case */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_trim(struct str s); /* blanks, tabs, CR, LF at both ends */

/*
 * Cuts the part before the next sep off *rest and returns it; *rest is what follows sep, and its
 * ptr is NULL when that was the last part. `for (part = str_cut(&rest, ','); part.ptr; …)`.
 */
struct str str_cut(struct str *rest, char sep);

/* The bytes up to (not with) the first c, or all of s; found says which. */
bool str_find(struct str s, char c, size_t *ret_at);

/* Copies, in the arena, NUL-terminated. */
char *str_dup(struct arena *a, struct str s);
char *str_lower(struct arena *a, struct str s); /* ASCII letters */

/* Decimal digits with an optional '-', nothing else, within int64 and min…max; else false. */
bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret) MUST_CHECK;

/* A JSON number of finite size; else false. */
bool str_to_double(struct str s, double *ret) MUST_CHECK;

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL. */
bool str_is_utf8(struct str s);

/* How many bytes at the start of s are that: all of them, or up to the first that is not. */
size_t str_utf8_prefix(struct str s);

/* Unicode code points in well-formed UTF-8. */
size_t str_chars(struct str s);

/*
 * %XX to bytes (RFC 3986); plus_is_space for query strings. False on a broken escape, on NUL and
 * when the result is not UTF-8.
 */
bool str_percent_decode(struct arena *a, struct str s, bool plus_is_space, struct str *ret)
	MUST_CHECK;

/* Lower-case hex of n bytes; the inverse wants exactly 2n hex digits. */
char *str_hex(struct arena *a, const void *bytes, size_t n);
bool str_unhex(struct str hex, void *ret_bytes, size_t n) MUST_CHECK;

/* base64url without padding (RFC 4648 section 5); decoding refuses padding and stray bits. */
char *str_base64url(struct arena *a, const void *bytes, size_t n);
bool str_unbase64url(struct arena *a, struct str s, struct str *ret) MUST_CHECK;
