/* What a list's query asks beside its filters: see paging.h. */
#include "http/paging.h"

#include "base/arena.h"
#include "base/buf.h"
#include "db/page.h"
#include "http/request.h"
#include "http/shape.h"

/* Deeper, a cursor serves; an OFFSET reads all that it skips. */
#define PAGE_MAX 100000

/* clang-format off */
static const struct field fields[] = {
	{ "page", T_INT, OPTIONAL, offsetof(struct paging, page), .min = 1, .max = PAGE_MAX, .fallback = "1",
	  .about = "Which page, from 1", .example = "1" },
	{ "limit", T_INT, OPTIONAL, offsetof(struct paging, limit), .min = 1, .max = 100, .fallback = "20",
	  .about = "How many a page", .example = "20" },
	{ "cursor", T_STRING, OPTIONAL, offsetof(struct paging, cursor), .min = 1, .max = 1024, .pattern = "token",
	  .about = "Continues after pagination.nextCursor of the page before; counts nothing and is equally fast at "
		   "any depth" },
	{ "sort", T_STRING, OPTIONAL, offsetof(struct paging, sort), .min = 1, .max = 64,
	  .about = "The order; with - before it, descending" },
};
/* clang-format on */

const struct shape paging_shape = SHAPE("Paging", struct paging, fields);

/* Read by itself, because a list says in its row which there are. */
static const struct shape sort_shape = { .name = "Sort",
					 .size = sizeof(struct paging),
					 .fields = &fields[ARRAY_LEN(fields) - 1],
					 .fields_len = 1 };

static bool is_listed(const char *sorts, const char *sort)
{
	struct str rest = str_of(sorts);

	if (*sort == '-')
		sort++;
	for (struct str s = str_cut(&rest, ' '); s.ptr; s = str_cut(&rest, ' '))
		if (str_is(s, sort))
			return true;

	return false;
}

static const char *choices(struct arena *a, const char *sorts)
{
	struct str rest = str_of(sorts);
	struct buf b;

	buf_init(&b, a, KIB(2));
	for (struct str s = str_cut(&rest, ' '); s.ptr; s = str_cut(&rest, ' '))
		buf_printf(&b, "%s'%.*s' | '-%.*s'", b.len ? " | " : "", STR_FMT(s), STR_FMT(s));

	return b.data;
}

static void read_sort(struct request *r)
{
	struct ctx *c = r->ctx;
	const struct paging *p;
	void *read;

	if (shape_read_query(c, &sort_shape, r->query_string, &read))
		return;
	p = read;
	if (p->sort && !is_listed(r->route->sorts, p->sort))
		(void)fail_issue(c, "sort", "invalid_enum_value",
				 arena_printf(c->arena,
					      "Invalid enum value. Expected %s, received '%s'",
					      choices(c->arena, r->route->sorts), p->sort));
}

void paging_read(struct request *r)
{
	void *read;

	read_sort(r);
	if (!shape_read_query(r->ctx, &paging_shape, r->query_string, &read))
		r->paging = read;
}
