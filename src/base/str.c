/*
 * Text questions: equality, parts, numbers, UTF-8. What writes and reads escapes, hex and base64 is
 * in strcode.c; both are declared in str.h.
 */
#include "base/str.h"

#include "base/arena.h"

#include <math.h>
#include <strings.h>

/* The longest number that str_to_double() reads: DBL_MAX written out has 309 digits. */
#define NUMBER_BYTES_MAX 400

struct str str_of(const char *s)
{
	return s ? (struct str){ s, strlen(s) } : (struct str){ "", 0 };
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_is_nocase(struct str a, const char *b)
{
	if (a.len != strlen(b))
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b[i]))
			return false;

	return true;
}

bool str_starts(struct str s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && (len == 0 || memcmp(s.ptr, prefix, len) == 0);
}

bool str_ends(struct str s, const char *suffix)
{
	size_t len = strlen(suffix);

	return s.len >= len && (len == 0 || memcmp(s.ptr + (s.len - len), suffix, len) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	while (s.len && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}

	return s;
}

struct str str_cut(struct str *rest, char sep)
{
	struct str part = *rest;
	size_t at;

	if (!str_find(part, sep, &at)) {
		*rest = (struct str){ NULL, 0 };
		return part;
	}

	*rest = (struct str){ part.ptr + at + 1, part.len - at - 1 };

	return (struct str){ part.ptr, at };
}

bool str_find(struct str s, char c, size_t *ret_at)
{
	const char *found = s.len ? memchr(s.ptr, c, s.len) : NULL;

	*ret_at = found ? (size_t)(found - s.ptr) : s.len;

	return found != NULL;
}

char *str_dup(struct arena *a, struct str s)
{
	return arena_strndup(a, s.ptr ? s.ptr : "", s.len);
}

char *str_lower(struct arena *a, struct str s)
{
	char *copy = str_dup(a, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = lower(copy[i]);

	return copy;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s.len && s.ptr[0] == '-';
	int64_t v = 0;

	if (s.len == (negative ? 1 : 0))
		return false;

	/* Counted downwards, since INT64_MIN has no positive twin. */
	for (size_t i = negative ? 1 : 0; i < s.len; i++)
		if (!is_digit(s.ptr[i]) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, s.ptr[i] - '0', &v))
			return false;
	if (!negative && __builtin_sub_overflow(0, v, &v))
		return false;
	if (v < min || v > max)
		return false;
	*ret = v;

	return true;
}

/* The length of the digits at the start of s. */
static size_t digits(struct str s)
{
	size_t n = 0;

	while (n < s.len && is_digit(s.ptr[n]))
		n++;

	return n;
}

static struct str after(struct str s, size_t n)
{
	return (struct str){ s.ptr + n, s.len - n };
}

/* RFC 8259 section 6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static bool is_json_number(struct str s)
{
	size_t n;

	if (s.len && s.ptr[0] == '-')
		s = after(s, 1);
	n = digits(s);
	if (n == 0 || (n > 1 && s.ptr[0] == '0'))
		return false;
	s = after(s, n);

	if (s.len && s.ptr[0] == '.') {
		n = digits(after(s, 1));
		if (n == 0)
			return false;
		s = after(s, 1 + n);
	}

	if (s.len && (s.ptr[0] == 'e' || s.ptr[0] == 'E')) {
		s = after(s, 1);
		if (s.len && (s.ptr[0] == '+' || s.ptr[0] == '-'))
			s = after(s, 1);
		n = digits(s);
		if (n == 0)
			return false;
		s = after(s, n);
	}

	return s.len == 0;
}

bool str_to_double(struct str s, double *ret)
{
	char copy[NUMBER_BYTES_MAX + 1]; /* strtod() wants the NUL */
	double v;

	if (s.len > NUMBER_BYTES_MAX || !is_json_number(s))
		return false;

	memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	v = strtod(copy, NULL); /* the "C" locale: nothing here calls setlocale() */
	if (!isfinite(v))
		return false;
	*ret = v;

	return true;
}

/* The bytes at the start of s that are ASCII and not NUL, counted by eights; a multiple of 8. */
static size_t ascii_run(struct str s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = UINT64_C(0x8080808080808080);
	size_t i = 0;
	uint64_t w;

	for (; s.len - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s.ptr + i, sizeof(w));
		if ((w | (w - ones)) & highs) /* a high bit, or a borrow from a zero byte */
			break;
	}

	return i;
}

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * The well-formed sequences: Unicode 15 table 3-7, without NUL. Only the second byte's range
 * depends on the first; that is what keeps overlong forms, surrogates and what is past U+10FFFF
 * out.
 */
static const struct {
	uint8_t first_min, first_max;
	uint8_t len;
	uint8_t second_min, second_max;
} utf8_forms[] = {
	{ 0x01, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

/* The length of the well-formed sequence that s, which is not empty, starts with; 0: there is none.
 */
static size_t utf8_sequence(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t form = 0;

	while (form < ARRAY_LEN(utf8_forms) && p[0] > utf8_forms[form].first_max)
		form++;
	if (form == ARRAY_LEN(utf8_forms) || p[0] < utf8_forms[form].first_min ||
	    s.len < utf8_forms[form].len)
		return 0;

	if (utf8_forms[form].len > 1 &&
	    (p[1] < utf8_forms[form].second_min || p[1] > utf8_forms[form].second_max))
		return 0;
	for (size_t i = 2; i < utf8_forms[form].len; i++)
		if (!is_tail(p[i]))
			return 0;

	return utf8_forms[form].len;
}

size_t str_utf8_prefix(struct str s)
{
	struct str rest = s;

	while (rest.len) {
		size_t n = ascii_run(rest);

		if (n == 0)
			n = utf8_sequence(rest);
		if (n == 0)
			break;
		rest = after(rest, n);
	}

	return s.len - rest.len;
}

bool str_is_utf8(struct str s)
{
	return str_utf8_prefix(s) == s.len;
}

size_t str_chars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += !is_tail((unsigned char)s.ptr[i]);

	return n;
}
