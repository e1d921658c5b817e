/* Collects the shapes of the mounted rows: see schemas.h. */
#include "http/schemas.h"

#include "base/arena.h"
#include "http/route.h"
#include "http/shape.h"

#define SCHEMAS_MAX 1024

static void add(struct schemas *s, const struct shape *shape);

static bool has(const struct schemas *s, const struct shape *shape)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->shapes[i] == shape)
			return true;

	return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): see add */
static void add_field(struct schemas *s, const struct field *f)
{
	if (f->type == T_ARRAY)
		f = f->of;
	if (f->type == T_OBJECT)
		add(s, f->shape);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables nest */
static void add(struct schemas *s, const struct shape *shape)
{
	if (!shape || has(s, shape))
		return;

	BUG_IF(s->len == SCHEMAS_MAX);
	s->shapes[s->len++] = shape;
	add(s, shape->instead);
	for (size_t i = 0; i < shape->fields_len; i++)
		add_field(s, &shape->fields[i]);
}

static int by_name(const void *a, const void *b)
{
	const struct shape *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

const struct schemas *schemas_collect(struct arena *a, unsigned tiers,
				      const struct shape *(*more)(size_t i))
{
	struct schemas *s = arena_make(a, struct schemas);
	struct mounted row;

	s->shapes = arena_make_n(a, const struct shape *, SCHEMAS_MAX);
	for (size_t i = 0; route_each(i, &row); i++) {
		if (!(row.tier & tiers))
			continue;
		add(s, row.route->body);
		add(s, row.route->reply);
		add(s, row.route->accepted);
	}
	for (size_t i = 0; more && more(i); i++)
		add(s, more(i));
	qsort(s->shapes, s->len, sizeof(const struct shape *), by_name);

	return s;
}
