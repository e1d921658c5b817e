/*
 * Decides whether a text is JSON, strictly, without building anything.
 *
 * json-c, which builds the tree, is lenient where we may not be: it takes NaN, numbers like 00,
 * control characters, unpaired surrogates and integers of any size (which it saturates). So the
 * whole grammar of RFC 8259 is checked here, in one pass without recursion.
 */
#include "base/jsonscan.h"

#include "base/hex.h"
#include "base/jsonread.h"

struct scan {
	const char *p, *end;
	const char *why;    /* what is wrong at p; NULL: nothing yet */
	bool value_is_next; /* else what follows a value */
	size_t members;     /* keys seen so far */
	size_t containers;  /* objects and arrays seen so far */
	size_t depth;
	char closers[JSONREAD_DEPTH_MAX]; /* by depth: '}' or ']' */
};

static bool refuse(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* The character at p; NUL, which a text of ours does not hold, at the end. */
static char peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char c, const char *why_not)
{
	if (peek(s) != c)
		return refuse(s, why_not);
	s->p++;

	return true;
}

/* The four digits of \uXXXX, of which p is at the first; -1 when they are not there. */
static int code_unit(const struct scan *s)
{
	int high, low;

	if (s->end - s->p < 4)
		return -1;
	high = hex_byte(s->p);
	low = hex_byte(s->p + 2);

	return high < 0 || low < 0 ? -1 : high * 256 + low;
}

static bool is_high_surrogate(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* What follows \u: one code unit, or the two of a pair. */
static bool scan_unicode_escape(struct scan *s)
{
	int unit = code_unit(s);

	if (unit < 0)
		return refuse(s, "\\u without four hexadecimal digits");
	if (unit == 0)
		return refuse(s, "NUL character in a string");
	if (is_low_surrogate(unit))
		return refuse(s, "unpaired surrogate in a string");
	s->p += 4;
	if (!is_high_surrogate(unit))
		return true;

	if (!take(s, '\\', "unpaired surrogate in a string") ||
	    !take(s, 'u', "unpaired surrogate in a string"))
		return false;
	if (!is_low_surrogate(code_unit(s)))
		return refuse(s, "unpaired surrogate in a string");
	s->p += 4;

	return true;
}

/* A string, from its opening quote. */
static bool scan_string(struct scan *s)
{
	for (s->p++; s->p < s->end; s->p++) {
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if ((unsigned char)*s->p < 0x20)
			return refuse(s, "control character in a string");
		if (*s->p != '\\')
			continue;

		s->p++;
		if (peek(s) == 'u') {
			s->p++;
			if (!scan_unicode_escape(s))
				return false;
			s->p--; /* the loop steps over the last character of the escape */
		} else if (!peek(s) || !strchr("\"\\/bfnrt", peek(s))) {
			return refuse(s, "a backslash before what cannot be escaped");
		}
	}

	return refuse(s, "a string without its end");
}

static bool scan_number(struct scan *s)
{
	const char *start = s->p;
	bool is_integer = true;
	struct str text;
	int64_t integer;
	double number;

	for (; peek(s) && strchr("+-.0123456789Ee", peek(s)); s->p++)
		if (strchr(".Ee", *s->p))
			is_integer = false;
	text = (struct str){ start, (size_t)(s->p - start) };

	if (str_to_double(text, &number) &&
	    (!is_integer || str_to_i64(text, INT64_MIN, INT64_MAX, &integer)))
		return true;

	s->p = start;
	return refuse(s, "a number that is malformed or too large");
}

static bool scan_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_starts((struct str){ s->p, (size_t)(s->end - s->p) }, words[i]))
			continue;
		s->p += strlen(words[i]);
		return true;
	}

	return refuse(s, "a value was expected");
}

/* A key and its colon. */
static bool scan_key(struct scan *s)
{
	skip_blanks(s);
	if (peek(s) != '"')
		return refuse(s, "a key in double quotes was expected");
	if (!scan_string(s))
		return false;
	skip_blanks(s);
	s->members++;
	s->value_is_next = true;

	return take(s, ':', "a colon was expected after the key");
}

static bool close_innermost(struct scan *s)
{
	s->p++;
	s->depth--;
	s->value_is_next = false;

	return true;
}

/* The bracket that opens an object or an array, up to where its first value begins. */
static bool open_container(struct scan *s, char closer)
{
	if (s->depth == JSONREAD_DEPTH_MAX)
		return refuse(s, "nested too deep");
	if (++s->containers > JSONREAD_CONTAINERS_MAX)
		return refuse(s, "too many objects and arrays");
	s->closers[s->depth++] = closer;
	s->p++;

	skip_blanks(s);
	if (peek(s) == closer)
		return close_innermost(s);

	return closer == '}' ? scan_key(s) : true;
}

static bool scan_value(struct scan *s)
{
	char c = peek(s);

	if (c == '{' || c == '[')
		return open_container(s, c == '{' ? '}' : ']');

	s->value_is_next = false;
	if (c == '"')
		return scan_string(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);

	return scan_word(s);
}

/* A comma with the key that may follow it, or the end of the innermost object or array. */
static bool scan_after_value(struct scan *s)
{
	char closer;

	if (s->depth == 0)
		return refuse(s, "text after the value");

	closer = s->closers[s->depth - 1];
	if (peek(s) == closer)
		return close_innermost(s);
	if (!take(s, ',', "a comma or the end was expected"))
		return false;
	if (closer == '}')
		return scan_key(s);
	s->value_is_next = true;

	return true;
}

bool jsonscan(struct str text, size_t *ret_members, const char **ret_why, size_t *ret_at)
{
	const char *start = text.len ? text.ptr : "";
	size_t well_formed = str_utf8_prefix(text);
	struct scan s = { .p = start, .end = start + well_formed, .value_is_next = true };

	skip_blanks(&s);
	while (s.p < s.end && (s.value_is_next ? scan_value(&s) : scan_after_value(&s)))
		skip_blanks(&s);

	if (!s.why && (s.value_is_next || s.depth))
		(void)refuse(&s, "the text ends too early");
	if (well_formed < text.len) { /* whatever else is wrong comes from being cut there */
		s.p = s.end;
		(void)refuse(&s, "invalid UTF-8 or a NUL byte");
	}
	if (s.why) {
		*ret_why = s.why;
		*ret_at = (size_t)(s.p - start);
		return false;
	}
	*ret_members = s.members;

	return true;
}
