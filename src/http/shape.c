/*
 * JSON into a typed struct: every field checked, every issue reported at once. Text from a query
 * string is in shape_query.c, the forms of text in shape_formats.c, the way out as JSON Schema in
 * shape_schema.c.
 */
#include "http/shape.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/id.h"
#include "base/jsonread.h"
#include "http/shape_impl.h"

#include <math.h>

#define PLACES_MAX        (JSONREAD_DEPTH_MAX + 2) /* how deep a value can stand */
#define ECHO_MAX          64 /* bytes of the caller's own that a message repeats */
#define UNKNOWN_MAX       8  /* keys that one issue names */
#define UNKNOWN_BYTES_MAX KIB(1)
#define PATH_MAX_LEN      512 /* bytes of an issue's path */

static void read_value(struct ctx *c, const struct field *f, const struct json *j,
		       const struct place *at, void *dest);

/* As much of s as a message repeats, cut between characters. */
static struct str echo(struct str s)
{
	if (s.len > ECHO_MAX)
		s.len = str_utf8_prefix((struct str){ s.ptr, ECHO_MAX });

	return s;
}

static const char *place_text(struct ctx *c, const struct place *at)
{
	const struct place *way[PLACES_MAX];
	struct buf b;
	size_t n = 0;

	for (; at; at = at->up) {
		BUG_IF(n == PLACES_MAX);
		way[n++] = at;
	}

	buf_init(&b, c->arena, PATH_MAX_LEN);
	while (n--) {
		if (way[n]->name && !way[n]->name[0])
			continue;
		if (b.len)
			buf_char(&b, '.');
		if (way[n]->name)
			buf_str(&b, way[n]->name);
		else
			buf_i64(&b, (int64_t)way[n]->index);
	}

	return b.data;
}

void shape_issue(struct ctx *c, const struct place *at, const char *code, const char *fmt, ...)
{
	const char *message;
	va_list ap;

	va_start(ap, fmt);
	message = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);

	(void)fail_issue(c, place_text(c, at), code, message);
}

void shape_issue_required(struct ctx *c, const struct place *at)
{
	shape_issue(c, at, "invalid_type", "Required");
}

/* "'a' | 'b'", as Zod names the choices. */
static const char *words_text(struct ctx *c, const char *const *words)
{
	struct buf b;

	buf_init(&b, c->arena, KIB(4));
	for (size_t i = 0; words[i]; i++)
		buf_printf(&b, "%s'%s'", i ? " | " : "", words[i]);

	return b.data;
}

void shape_issue_type(struct ctx *c, const struct field *f, const struct place *at,
		      const char *received)
{
	const char *expected =
		f->type == T_ENUM ? words_text(c, f->words) : shape_types[f->type].json;

	shape_issue(c, at, "invalid_type", "Expected %s, received %s", expected, received);
}

struct bounds field_bounds(const struct field *f)
{
	const struct type *t = &shape_types[f->type];
	struct bounds own = { t->min, t->max };

	if (f->type == T_INT || f->type == T_NUMBER)
		return (struct bounds){ f->min || f->max ? f->min : own.min,
					f->max || f->min < 0 ? f->max : own.max };

	return (struct bounds){ f->min ? f->min : own.min, f->max ? f->max : own.max };
}

/* Exactly, at least or at most so many of something, as Zod words it; true when n is within. */
static bool is_within(struct ctx *c, const struct field *f, const struct place *at, size_t n,
		      const char *thing, const char *what)
{
	struct bounds b = field_bounds(f);
	bool too_small = n<(size_t)b.min, too_big = n>(size_t) b.max;

	if (!too_small && !too_big)
		return true;

	shape_issue(c, at, too_small ? "too_small" : "too_big", "%s must contain %s %lld %s(s)",
		    thing,
		    b.min == b.max ? "exactly"
		    : too_small    ? "at least"
				   : "at most",
		    (long long)(too_small ? b.min : b.max), what);

	return false;
}

bool shape_count_fits(struct ctx *c, const struct field *f, const struct place *at, size_t items)
{
	return is_within(c, f, at, items, "Array", "element");
}

static void store_word(struct ctx *c, const struct field *f, const struct place *at,
		       struct str text, const char **dest)
{
	for (size_t i = 0; f->words[i]; i++) {
		if (str_is(text, f->words[i])) {
			*dest = f->words[i];
			return;
		}
	}

	shape_issue(c, at, "invalid_enum_value", "Invalid enum value. Expected %s, received '%.*s'",
		    words_text(c, f->words), STR_FMT(echo(text)));
}

/* The text itself, once its length and form are as the field wants them. */
static void store_string(struct ctx *c, const struct field *f, const struct place *at,
			 struct str text, const char **dest)
{
	const struct type *t = &shape_types[f->type];
	const struct shape_pattern *pattern = f->pattern ? shape_pattern_find(f->pattern) : NULL;
	char *copy;

	if (f->type == T_PASSWORD || f->secret)
		arena_holds_secret(c->arena);
	if (!is_within(c, f, at, str_chars(text), "String", "character"))
		return;
	if (t->is_valid && !t->is_valid(text)) {
		shape_issue(c, at, "invalid_string", "%s", t->message);
		return;
	}

	copy = f->type == T_EMAIL ? str_lower(c->arena, text) : str_dup(c->arena, text);
	if (pattern && !shape_pattern_matches(pattern, copy)) {
		shape_issue(c, at, "invalid_string", "%s", pattern->message);
		return;
	}
	*dest = copy;
}

void shape_store_text(struct ctx *c, const struct field *f, const struct place *at, struct str text,
		      void *dest)
{
	bool is_read = true;

	if (f->type == T_ENUM)
		store_word(c, f, at, text, dest);
	else if (f->type == T_UUID)
		is_read = uuid_parse(text, dest);
	else if (f->type == T_DATETIME)
		is_read = clock_parse_rfc3339(text, dest);
	else
		store_string(c, f, at, text, dest);

	if (!is_read)
		shape_issue(c, at, "invalid_string", "%s", shape_types[f->type].message);
}

static void issue_range(struct ctx *c, const struct field *f, const struct place *at, bool is_small)
{
	struct bounds b = field_bounds(f);

	shape_issue(c, at, is_small ? "too_small" : "too_big",
		    "Number must be %s than or equal to %lld", is_small ? "greater" : "less",
		    (long long)(is_small ? b.min : b.max));
}

void shape_store_int(struct ctx *c, const struct field *f, const struct place *at, int64_t v,
		     void *dest)
{
	struct bounds b = field_bounds(f);

	if (v < b.min || v > b.max)
		issue_range(c, f, at, v < b.min);
	else
		*(int64_t *)dest = v;
}

void shape_store_number(struct ctx *c, const struct field *f, const struct place *at, double v,
			void *dest)
{
	struct bounds b = field_bounds(f);

	if (v < (double)b.min || v > (double)b.max)
		issue_range(c, f, at, v < (double)b.min);
	else
		*(double *)dest = v;
}

static void read_int(struct ctx *c, const struct field *f, const struct json *j,
		     const struct place *at, void *dest)
{
	int64_t v;

	if (json_kind(j) != JSON_INT && json_kind(j) != JSON_DOUBLE)
		shape_issue_type(c, f, at, json_kind_name(json_kind(j)));
	else if (jsonread_i64(j, &v))
		shape_store_int(c, f, at, v, dest);
	else if (fabs(jsonread_double(j)) > (double)shape_types[T_INT].max)
		issue_range(c, f, at, jsonread_double(j) < 0);
	else
		shape_issue(c, at, "invalid_type", "Expected integer, received float");
}

static void read_json(struct ctx *c, const struct field *f, const struct json *j,
		      const struct place *at, struct str *dest)
{
	struct str text;

	if (json_kind(j) != JSON_OBJECT) {
		shape_issue_type(c, f, at, json_kind_name(json_kind(j)));
		return;
	}

	text = jsonread_text(c->arena, j);
	if (text.len > (size_t)field_bounds(f).max)
		shape_issue(c, at, "too_big", "Object must be at most %lld byte(s) of JSON",
			    (long long)field_bounds(f).max);
	else
		*dest = text;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_object */
static void read_array(struct ctx *c, const struct field *f, const struct json *j,
		       const struct place *at, struct list *dest)
{
	size_t size = shape_types[f->of->type].size;
	char *items;
	size_t n;

	if (json_kind(j) != JSON_ARRAY) {
		shape_issue_type(c, f, at, json_kind_name(json_kind(j)));
		return;
	}
	n = jsonread_len(j);
	if (!shape_count_fits(c, f, at, n))
		return;

	items = arena_alloc(c->arena, size_mul(size, n));
	for (size_t i = 0; i < n; i++) {
		struct place element = { at, NULL, i };
		const struct json *item = jsonread_at(j, i);

		if (item)
			read_value(c, f->of, item, &element, items + i * size);
		else
			shape_issue_type(c, f->of, &element, "null");
	}
	*dest = (struct list){ items, n };
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_object */
static void read_member(struct ctx *c, const struct field *f, const struct json *object,
			const struct place *up, void *base)
{
	struct place at = { up, f->name, 0 };
	void *dest = shape_member(base, f->offset);
	const struct json *value;
	bool is_there = jsonread_member(object, f->name, &value);

	if (f->has)
		*(bool *)shape_member(base, f->has) = is_there;

	if (!is_there && (f->need == REQUIRED || f->need == NULLABLE))
		shape_issue_required(c, &at);
	else if (!is_there)
		shape_store_absent(c, f, &at, dest);
	else if (value)
		read_value(c, f, value, &at, dest);
	else if (f->need != OPTIONAL_NULLABLE && f->need != NULLABLE)
		shape_issue_type(c, f, &at, "null");
}

static bool is_known(const struct shape *s, struct str key)
{
	for (size_t i = 0; i < s->fields_len; i++)
		if (str_is(key, s->fields[i].name))
			return true;

	return false;
}

/* One issue for all keys that the shape does not have, as Zod's strict objects say it. */
static void refuse_unknown(struct ctx *c, const struct shape *s, const struct json *object,
			   const struct place *at)
{
	const struct json *value;
	struct str key;
	struct buf keys;
	size_t n = 0;

	for (size_t i = 0; n < UNKNOWN_MAX && jsonread_each(object, i, &key, &value); i++) {
		if (is_known(s, key))
			continue;
		if (!n++)
			buf_init(&keys, c->arena, UNKNOWN_BYTES_MAX);
		buf_printf(&keys, "%s'%.*s'", n > 1 ? ", " : "", STR_FMT(echo(key)));
	}

	if (n)
		shape_issue(c, at, "unrecognized_keys", "Unrecognized key(s) in object: %s",
			    keys.data);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables nest, which PLACES_MAX bounds */
static void *read_object(struct ctx *c, const struct shape *s, const struct json *j,
			 const struct place *at)
{
	void *base;

	if (json_kind(j) != JSON_OBJECT) {
		shape_issue(c, at, "invalid_type", "Expected object, received %s",
			    json_kind_name(json_kind(j)));
		return NULL;
	}

	base = arena_alloc(c->arena, s->size);
	for (size_t i = 0; i < s->fields_len; i++)
		read_member(c, &s->fields[i], j, at, base);
	refuse_unknown(c, s, j, at);

	return base;
}

/* NOLINTNEXTLINE(misc-no-recursion): see read_object */
static void read_value(struct ctx *c, const struct field *f, const struct json *j,
		       const struct place *at, void *dest)
{
	enum json_kind kind = json_kind(j);

	switch (shape_types[f->type].kind) {
	case VALUE_NONE: BUG("a field has no type");
	case VALUE_INT: read_int(c, f, j, at, dest); return;
	case VALUE_NUMBER:
		if (kind != JSON_INT && kind != JSON_DOUBLE)
			break;
		shape_store_number(c, f, at, jsonread_double(j), dest);
		return;
	case VALUE_BOOL:
		if (kind != JSON_BOOL)
			break;
		*(bool *)dest = jsonread_bool(j);
		return;
	case VALUE_ARRAY: read_array(c, f, j, at, dest); return;
	case VALUE_OBJECT: *(void **)dest = read_object(c, f->shape, j, at); return;
	case VALUE_JSON: read_json(c, f, j, at, dest); return;
	case VALUE_TEXT:
		if (kind != JSON_STRING)
			break;
		shape_store_text(c, f, at, jsonread_string(j), dest);
		return;
	}

	shape_issue_type(c, f, at, json_kind_name(kind));
}

int shape_read(struct ctx *c, const struct shape *s, const struct json *value, const char *prefix,
	       void **ret)
{
	struct place at = { NULL, prefix, 0 };
	void *base;

	BUG_IF(!s->size);
	if (!value) {
		shape_issue(c, &at, "invalid_type", "Expected object, received null");
		return c->fault.err;
	}

	base = read_object(c, s, value, &at);
	if (c->fault.err)
		return c->fault.err;

	*ret = base;
	return OK;
}
