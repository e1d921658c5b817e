/* Shapes as JSON Schema (2020-12, as OpenAPI 3.1 uses it), as examples, and checked for mistakes of
 * their own. */
#include "http/shape.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "http/shape_impl.h"

static bool is_nullable(const struct field *f)
{
	return f->need == NULLABLE || f->need == OPTIONAL_NULLABLE;
}

/* "type": "string", or ["string", "null"]. */
static void write_type(struct jsonwrite *w, const struct field *f)
{
	const char *type = f->type == T_INT ? "integer" : shape_types[f->type].json;

	jsonwrite_key(w, "type");
	if (!is_nullable(f)) {
		jsonwrite_text(w, type);
		return;
	}

	jsonwrite_array(w);
	jsonwrite_text(w, type);
	jsonwrite_text(w, "null");
	jsonwrite_array_end(w);
}

/* Any number or text, as the field's type has it. */
static void write_value(struct jsonwrite *w, const struct field *f, const char *text)
{
	if (shape_types[f->type].kind == VALUE_TEXT)
		jsonwrite_text(w, text);
	else
		jsonwrite_raw(w, str_of(text));
}

static void write_words(struct jsonwrite *w, const struct field *f)
{
	jsonwrite_key(w, "enum");
	jsonwrite_array(w);
	for (size_t i = 0; f->words[i]; i++)
		jsonwrite_text(w, f->words[i]);
	if (is_nullable(f))
		jsonwrite_null(w);
	jsonwrite_array_end(w);
}

/* What the field's bounds are called in its type's part of JSON Schema. */
static void write_bounds(struct jsonwrite *w, const struct field *f, const char *min,
			 const char *max)
{
	struct bounds b = field_bounds(f);
	const struct type *t = &shape_types[f->type];
	bool is_number = f->type == T_INT || f->type == T_NUMBER;

	if (is_number ? b.min != t->min : b.min > 0)
		jsonwrite_member_i64(w, min, b.min);
	if (!is_number || b.max != t->max)
		jsonwrite_member_i64(w, max, b.max);
}

static void write_text_limits(struct jsonwrite *w, const struct field *f)
{
	const struct type *t = &shape_types[f->type];
	const struct shape_pattern *pattern = f->pattern ? shape_pattern_find(f->pattern) : NULL;
	const char *regex = pattern ? pattern->regex : t->regex;

	if (t->format)
		jsonwrite_member_text(w, "format", t->format);
	if (regex)
		jsonwrite_member_text(w, "pattern", regex);
	if (t->max)
		write_bounds(w, f, "minLength", "maxLength");
}

static void write_ref(struct jsonwrite *w, const struct shape *s)
{
	char ref[128];

	(void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", s->name);
	jsonwrite_member_text(w, "$ref", ref);
}

/* A reference to the shape's own schema; beside null where that may stand. */
static void write_reference(struct jsonwrite *w, const struct field *f)
{
	if (!is_nullable(f)) {
		write_ref(w, f->shape);
		return;
	}

	jsonwrite_key(w, "anyOf");
	jsonwrite_array(w);
	jsonwrite_object(w);
	write_ref(w, f->shape);
	jsonwrite_object_end(w);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "null");
	jsonwrite_object_end(w);
	jsonwrite_array_end(w);
}

/* Replies are written by us, within bounds that inputs had; only an input's limits are promised. */
/* NOLINTNEXTLINE(misc-no-recursion): see field_write_schema */
static void write_limits(struct jsonwrite *w, const struct field *f, bool input)
{
	switch (shape_types[f->type].kind) {
	case VALUE_NONE:
	case VALUE_BOOL:
	case VALUE_OBJECT: return;
	case VALUE_JSON: jsonwrite_member_bool(w, "additionalProperties", true); return;
	case VALUE_INT:
	case VALUE_NUMBER:
		if (input)
			write_bounds(w, f, "minimum", "maximum");
		return;
	case VALUE_ARRAY:
		jsonwrite_key(w, "items");
		field_write_schema(w, f->of, input);
		if (input)
			write_bounds(w, f, "minItems", "maxItems");
		return;
	case VALUE_TEXT:
		if (f->type == T_ENUM)
			write_words(w, f);
		else if (input)
			write_text_limits(w, f);
		else if (shape_types[f->type].format)
			jsonwrite_member_text(w, "format", shape_types[f->type].format);
		return;
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables nest */
void field_write_schema(struct jsonwrite *w, const struct field *f, bool input)
{
	jsonwrite_object(w);
	if (f->type == T_OBJECT)
		write_reference(w, f);
	else
		write_type(w, f);
	write_limits(w, f, input);
	if (f->about)
		jsonwrite_member_text(w, "description", f->about);
	if (f->fallback) {
		jsonwrite_key(w, "default");
		write_value(w, f, f->fallback);
	}
	if (f->type == T_PASSWORD || f->secret)
		jsonwrite_member_bool(w, input ? "writeOnly" : "readOnly", true);
	if (f->example && f->type != T_OBJECT) {
		jsonwrite_key(w, "examples");
		jsonwrite_array(w);
		write_value(w, f, f->example);
		jsonwrite_array_end(w);
	}
	jsonwrite_object_end(w);
}

static bool is_required(const struct field *f)
{
	return f->need == REQUIRED || f->need == NULLABLE;
}

static void write_required(struct jsonwrite *w, const struct shape *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->fields_len; i++) {
		if (!is_required(&s->fields[i]))
			continue;
		if (!n++) {
			jsonwrite_key(w, "required");
			jsonwrite_array(w);
		}
		jsonwrite_text(w, s->fields[i].name);
	}
	if (n)
		jsonwrite_array_end(w);
}

/* NOLINTNEXTLINE(misc-no-recursion): see field_write_schema */
static void write_object_schema(struct jsonwrite *w, const struct shape *s, bool input)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "object");
	if (s->about)
		jsonwrite_member_text(w, "description", s->about);
	jsonwrite_key(w, "properties");
	jsonwrite_object(w);
	for (size_t i = 0; i < s->fields_len; i++) {
		jsonwrite_key(w, s->fields[i].name);
		field_write_schema(w, &s->fields[i], input);
	}
	jsonwrite_object_end(w);
	write_required(w, s);
	jsonwrite_member_bool(w, "additionalProperties", false);
	jsonwrite_object_end(w);
}

/* NOLINTNEXTLINE(misc-no-recursion): see field_write_schema */
void shape_write_schema(struct jsonwrite *w, const struct shape *s, bool input)
{
	if (!s->instead) {
		write_object_schema(w, s, input);
		return;
	}

	jsonwrite_object(w);
	jsonwrite_key(w, "oneOf");
	jsonwrite_array(w);
	write_object_schema(w, s, input);
	jsonwrite_object(w);
	write_ref(w, s->instead);
	jsonwrite_object_end(w);
	jsonwrite_array_end(w);
	jsonwrite_object_end(w);
}

/* NOLINTNEXTLINE(misc-no-recursion): see field_write_schema */
void field_write_example(struct jsonwrite *w, const struct field *f)
{
	const struct shape_pattern *pattern = f->pattern ? shape_pattern_find(f->pattern) : NULL;

	if (f->type == T_OBJECT && !f->example) {
		shape_write_example(w, f->shape);
	} else if (f->type == T_ARRAY && !f->example) {
		jsonwrite_array(w);
		field_write_example(w, f->of);
		jsonwrite_array_end(w);
	} else if (f->type == T_ENUM && !f->example) {
		jsonwrite_text(w, f->words[0]);
	} else {
		write_value(w, f,
			    f->example ? f->example
			    : pattern  ? pattern->example
				       : shape_types[f->type].example);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): see field_write_schema */
void shape_write_example(struct jsonwrite *w, const struct shape *s)
{
	jsonwrite_object(w);
	for (size_t i = 0; i < s->fields_len; i++) {
		jsonwrite_key(w, s->fields[i].name);
		field_write_example(w, &s->fields[i]);
	}
	jsonwrite_object_end(w);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables nest */
static const char *field_mistake(struct arena *a, const struct field *f, bool input)
{
	if (f->type == T_UNSTATED || f->type > T_JSON)
		return "has no type";
	if (f->type == T_ENUM && (!f->words || !f->words[0]))
		return "has no words";
	if (f->pattern && (f->type != T_STRING || !shape_pattern_find(f->pattern)))
		return "has a pattern that shape_formats.c does not know";
	if (f->type == T_ARRAY && (!f->of || f->of->type == T_ARRAY))
		return "states no element, or an array of arrays";
	if (f->type == T_ARRAY)
		return field_mistake(a, f->of, input);
	if (f->type == T_OBJECT && !f->shape)
		return "states no shape";
	if (f->type == T_OBJECT)
		return shape_mistake(a, f->shape, input);

	return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): see field_mistake */
const char *shape_mistake(struct arena *a, const struct shape *s, bool input)
{
	if (!s->name)
		return "a shape has no name";
	if (input && s->fields_len && !s->size)
		return arena_printf(a, "%s is read into nothing: SHAPE, not REPLY_SHAPE", s->name);

	for (size_t i = 0; i < s->fields_len; i++) {
		const struct field *f = &s->fields[i];
		const char *what = f->name ? field_mistake(a, f, input) : "has no name";

		if (what)
			return arena_printf(a, "%s.%s: %s", s->name, f->name ? f->name : "?", what);
	}

	return NULL;
}
