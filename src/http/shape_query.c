/* Text into a typed struct: query strings and fall-backs. Values are coerced, as z.coerce does. */
#include "http/shape.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/id.h"
#include "http/shape_impl.h"

#define VALUES_MAX 100 /* of one repeated key */

static void store_coerced(struct ctx *c, const struct field *f, const struct place *at,
			  struct str text, void *dest);

/* "true" and "1", "false" and "0"; else false. */
static bool read_bool(struct str text, bool *ret)
{
	*ret = str_is(text, "true") || str_is(text, "1");

	return *ret || str_is(text, "false") || str_is(text, "0");
}

/* Elements of an array that is one text: "a,b". */
/* NOLINTNEXTLINE(misc-no-recursion): see store_coerced */
static void store_parts(struct ctx *c, const struct field *f, const struct place *at,
			struct str text, struct list *dest)
{
	size_t size = shape_types[f->of->type].size;
	size_t n = text.len ? 1 : 0;
	char *items;
	struct str part;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == ',';
	if (!shape_count_fits(c, f, at, n))
		return;

	items = arena_alloc(c->arena, size_mul(size, n));
	for (size_t i = 0; i < n; i++) {
		struct place element = { at, NULL, i };

		part = str_cut(&text, ',');
		store_coerced(c, f->of, &element, part, items + i * size);
	}
	*dest = (struct list){ items, n };
}

/* Any value that came as text: numbers and truth values are read from it. */
/* NOLINTNEXTLINE(misc-no-recursion): an array's elements are no arrays (shape_mistake) */
static void store_coerced(struct ctx *c, const struct field *f, const struct place *at,
			  struct str text, void *dest)
{
	int64_t number;
	double real;

	switch (shape_types[f->type].kind) {
	case VALUE_INT:
		if (str_to_i64(text, INT64_MIN, INT64_MAX, &number))
			shape_store_int(c, f, at, number, dest);
		else if (str_to_double(text, &real))
			shape_issue(c, at, "invalid_type", "Expected integer, received float");
		else
			shape_issue_type(c, f, at, "nan");
		return;
	case VALUE_NUMBER:
		if (str_to_double(text, &real))
			shape_store_number(c, f, at, real, dest);
		else
			shape_issue_type(c, f, at, "nan");
		return;
	case VALUE_BOOL:
		if (!read_bool(text, dest))
			shape_issue_type(c, f, at, "string");
		return;
	case VALUE_ARRAY: store_parts(c, f, at, text, dest); return;
	case VALUE_NONE:
	case VALUE_OBJECT:
	case VALUE_JSON: BUG("a field of this type does not come as text");
	case VALUE_TEXT: shape_store_text(c, f, at, text, dest); return;
	}
}

void shape_store_absent(struct ctx *c, const struct field *f, const struct place *at, void *dest)
{
	if (f->fallback)
		store_coerced(c, f, at, str_of(f->fallback), dest);
}

/* One key and value of a query string, decoded. */
struct pair {
	struct str key, value;
};

/* The pairs of a query string, in the arena. A broken escape is an issue, and its pair is left out.
 */
static struct pair *read_pairs(struct ctx *c, struct str query, size_t *ret_len)
{
	struct place at = { NULL, "", 0 };
	struct pair *pairs;
	size_t n = 1;

	for (size_t i = 0; i < query.len; i++)
		n += query.ptr[i] == '&';
	pairs = arena_make_n(c->arena, struct pair, n);

	n = 0;
	for (struct str part = str_cut(&query, '&'); part.ptr; part = str_cut(&query, '&')) {
		struct str key = str_cut(&part, '=');

		if (!key.len)
			continue;
		if (!part.ptr)
			part = STR("");
		if (str_percent_decode(c->arena, key, true, &pairs[n].key) &&
		    str_percent_decode(c->arena, part, true, &pairs[n].value))
			n++;
		else
			shape_issue(c, &at, "invalid_string",
				    "The query is not percent-encoded UTF-8");
	}

	*ret_len = n;
	return pairs;
}

/* All values that a key has; an array takes "k=a&k=b" as well as "k=a,b". */
static void read_field(struct ctx *c, const struct field *f, const struct pair *pairs, size_t n,
		       void *base)
{
	struct place at = { NULL, f->name, 0 };
	void *dest = shape_member(base, f->offset);
	struct str value = { NULL, 0 };
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (!str_is(pairs[i].key, f->name))
			continue;
		if (found++ && f->type == T_ARRAY)
			value = str_of(arena_printf(c->arena, "%.*s,%.*s", STR_FMT(value),
						    STR_FMT(pairs[i].value)));
		else
			value = pairs[i].value;
		if (found == VALUES_MAX)
			break;
	}

	if (f->has)
		*(bool *)shape_member(base, f->has) = found > 0;

	if (!found && f->need == REQUIRED)
		shape_issue_required(c, &at);
	else if (!found)
		shape_store_absent(c, f, &at, dest);
	else if (found > 1 && f->type != T_ARRAY)
		shape_issue(c, &at, "invalid_type", "Expected %s, received array",
			    shape_types[f->type].json);
	else
		store_coerced(c, f, &at, value, dest);
}

int shape_read_query(struct ctx *c, const struct shape *s, struct str query, void **ret)
{
	struct pair *pairs;
	void *base;
	size_t n;

	BUG_IF(!s->size);
	pairs = read_pairs(c, query, &n);
	base = arena_alloc(c->arena, s->size);
	for (size_t i = 0; i < s->fields_len; i++)
		read_field(c, &s->fields[i], pairs, n, base);
	if (c->fault.err)
		return c->fault.err;

	*ret = base;
	return OK;
}
