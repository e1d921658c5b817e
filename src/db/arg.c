/*
 * Parameters: how they are made, and the form in which they travel.
 *
 * All but bytes travel as text without a type, so that the statement alone decides what a parameter
 * is: a statement is prepared once a connection, and what its first caller happened to pass must
 * not decide for the later ones (a NULL where the next passes a number).
 */
#include "db/conn_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"

#include <inttypes.h>
#include <limits.h>

#define VERSION_DIGITS_MAX 19 /* of INT64_MAX */

struct arg arg_null(void)
{
	return (struct arg){ .kind = ARG_NULL };
}

struct arg arg_text(const char *s)
{
	return s ? arg_str(str_of(s)) : arg_null();
}

struct arg arg_str(struct str s)
{
	return s.ptr ? (struct arg){ .kind = ARG_TEXT, .text = s } : arg_null();
}

struct arg arg_int(int64_t v)
{
	return (struct arg){ .kind = ARG_INT, .num = v };
}

struct arg arg_bool(bool v)
{
	return (struct arg){ .kind = ARG_BOOL, .num = v };
}

struct arg arg_uuid(struct uuid u)
{
	return uuid_is_nil(u) ? arg_null() : (struct arg){ .kind = ARG_UUID, .uuid = u };
}

struct arg arg_time(int64_t us)
{
	return us ? (struct arg){ .kind = ARG_TIME, .num = us } : arg_null();
}

struct arg arg_bytes(const void *p, size_t n)
{
	return p ? (struct arg){ .kind = ARG_BYTES, .text = { p, n } } : arg_null();
}

struct arg arg_text_array(const struct str *items, size_t n)
{
	return (struct arg){ .kind = ARG_TEXT_ARRAY, .array = { items, n } };
}

struct arg arg_texts(struct ctx *c, struct list texts)
{
	const char *const *from = texts.items;
	struct str *items = arena_make_n(c->arena, struct str, texts.len);

	for (size_t i = 0; i < texts.len; i++)
		items[i] = str_of(from[i]);

	return arg_text_array(items, texts.len);
}

/* s with a backslash before each byte that is one of special. */
static void add_escaped(struct buf *b, struct str s, const char *special)
{
	for (size_t i = 0; i < s.len; i++) {
		if (strchr(special, s.ptr[i]))
			buf_char(b, '\\');
		buf_char(b, s.ptr[i]);
	}
}

struct arg arg_contains(struct ctx *c, const char *s)
{
	struct str text = str_of(s);
	struct buf b;

	if (!s)
		return arg_null();

	buf_init(&b, c->arena, size_add(size_mul(text.len, 2), 2));
	buf_char(&b, '%');
	add_escaped(&b, text, "\\%_");
	buf_char(&b, '%');

	return arg_str(buf_view(&b));
}

struct arg arg_if_match(const struct ctx *c)
{
	const int64_t *versions = c->if_match.items;
	struct buf b;

	if (!c->if_match.len)
		return arg_null();

	buf_init(&b, c->arena, size_add(size_mul(c->if_match.len, VERSION_DIGITS_MAX + 1), 2));
	for (size_t i = 0; i < c->if_match.len; i++)
		buf_printf(&b, "%c%" PRId64, i ? ',' : '{', versions[i]);
	buf_char(&b, '}');

	return arg_str(buf_view(&b));
}

/* As timestamptz reads it, to the microsecond. */
static const char *time_text(struct arena *a, int64_t us)
{
	char millis[RFC3339_SIZE];
	int64_t fraction = (us % US_PER_S + US_PER_S) % US_PER_S;

	clock_rfc3339(us, millis);

	return arena_printf(a, "%.19s.%06" PRId64 "Z", millis, fraction);
}

/* An array literal, every element in quotes (PostgreSQL manual, section 8.15.6). */
static const char *array_text(struct arena *a, const struct str *items, size_t n)
{
	size_t max = 2;
	struct buf b;

	for (size_t i = 0; i < n; i++)
		max = size_add(max, size_add(size_mul(items[i].len, 2), 5));

	buf_init(&b, a, max);
	buf_char(&b, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(&b, ',');
		if (!items[i].ptr) {
			buf_str(&b, "NULL");
			continue;
		}
		buf_char(&b, '"');
		add_escaped(&b, items[i], "\\\"");
		buf_char(&b, '"');
	}
	buf_char(&b, '}');

	return b.data;
}

static const char *uuid_text(struct arena *a, struct uuid u)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(u, text);

	return arena_strdup(a, text);
}

/* NULL is SQL NULL. Text has no NUL: input with one was refused where it came in. */
static const char *value_text(struct arena *a, const struct arg *v)
{
	switch (v->kind) {
	case ARG_NULL: return NULL;
	case ARG_TEXT: BUG_IF(memchr(v->text.ptr, '\0', v->text.len)); return str_dup(a, v->text);
	case ARG_INT: return arena_printf(a, "%" PRId64, v->num);
	case ARG_BOOL: return v->num ? "t" : "f";
	case ARG_UUID: return uuid_text(a, v->uuid);
	case ARG_TIME: return time_text(a, v->num);
	case ARG_BYTES: return v->text.ptr;
	case ARG_TEXT_ARRAY: return array_text(a, v->array.items, v->array.len);
	}
	BUG("no such kind of parameter");
}

struct wire args_wire(struct arena *a, struct args args)
{
	const char **values = arena_make_n(a, const char *, args.n);
	int *lengths = arena_make_n(a, int, args.n);
	int *formats = arena_make_n(a, int, args.n);

	BUG_IF(args.n > UINT16_MAX); /* the protocol's own bound */
	for (size_t i = 0; i < args.n; i++) {
		const struct arg *v = &args.v[i];

		values[i] = value_text(a, v);
		if (v->kind == ARG_BYTES) {
			BUG_IF(v->text.len > INT_MAX);
			lengths[i] = (int)v->text.len;
			formats[i] = 1;
		}
	}

	return (struct wire){ (int)args.n, values, lengths, formats };
}
