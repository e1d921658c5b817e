/*
 * Pages: which of a list's statements to run, and the cursor between them.
 *
 * A cursor is base64url of {"s":"-createdAt","v":value,"i":id}: the order, and where the last page
 * ended. The value is text; PostgreSQL reads it as the column's type, and what it cannot read is a
 * cursor that we never gave out.
 */
#include "db/page.h"

#include "db/conn_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"

#define ESCAPED_MAX     6   /* bytes of JSON for one of text: \u0001 */
#define CURSOR_OVERHEAD 256 /* names, braces, the id, the commas */
#define PAGING_ARGS_MAX 3   /* after the filters */

/* What to run. */
struct plan {
	const struct sql_sort *sort;
	bool descending;
	const struct cursor *after; /* NULL: by number */
};

bool cursor_decode(struct arena *a, const char *text, struct cursor *ret)
{
	const struct json *j;
	struct cursor got;
	struct str raw;
	const char *why;
	size_t at;

	if (!str_unbase64url(a, str_of(text), &raw) || !jsonread_parse(a, raw, &j, &why, &at) ||
	    json_kind(j) != JSON_OBJECT)
		return false;
	got.sort = jsonread_member_text(j, "s").ptr;
	got.value = jsonread_member_text(j, "v").ptr;
	if (!got.sort || !got.value || !uuid_parse(jsonread_member_text(j, "i"), &got.id))
		return false;
	*ret = got;

	return true;
}

const char *cursor_encode(struct arena *a, const struct cursor *cursor)
{
	struct jsonwrite w;
	struct buf b;

	buf_init(&b, a,
		 size_add(size_mul(strlen(cursor->sort) + strlen(cursor->value), ESCAPED_MAX),
			  CURSOR_OVERHEAD));
	jsonwrite_init(&w, &b);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "s", cursor->sort);
	jsonwrite_member_text(&w, "v", cursor->value);
	jsonwrite_key(&w, "i");
	jsonwrite_uuid(&w, &cursor->id);
	jsonwrite_object_end(&w);
	BUG_IF(b.overflow);

	return str_base64url(a, b.data, b.len);
}

static int bad_cursor(struct ctx *c)
{
	return fail_issue(c, "cursor", "custom", "This is not a cursor of this list");
}

/* "name" or "-name". */
static bool find_sort(const struct sql_page *s, const char *text, struct plan *ret)
{
	ret->descending = text[0] == '-';
	for (ret->sort = s->sorts; ret->sort->name; ret->sort++)
		if (strcmp(ret->sort->name, text + ret->descending) == 0)
			return true;

	return false;
}

/* A cursor goes on in the order it was made in; to ask for another is a mistake. */
static int plan_after(struct ctx *c, const struct sql_page *s, const struct paging *p,
		      struct plan *ret)
{
	struct cursor *cursor = arena_make(c->arena, struct cursor);

	if (!cursor_decode(c->arena, p->cursor, cursor) || !find_sort(s, cursor->sort, ret) ||
	    (p->sort && strcmp(p->sort, cursor->sort) != 0))
		return bad_cursor(c);
	ret->after = cursor;

	return 0;
}

static int plan_make(struct ctx *c, const struct sql_page *s, const struct paging *p,
		     struct plan *ret)
{
	*ret = (struct plan){ .sort = s->sorts, .descending = s->descending };

	if (p->cursor)
		return plan_after(c, s, p, ret);
	if (p->sort && !find_sort(s, p->sort, ret))
		return fail_issue(c, "sort", "invalid_enum_value", "This list has no such order");

	return 0;
}

static const struct sql *plan_statement(const struct plan *plan)
{
	const struct sql_sort *sort = plan->sort;

	if (plan->after)
		return plan->descending ? sort->after_desc : sort->after_asc;

	return plan->descending ? sort->offset_desc : sort->offset_asc;
}

/* Past the last page of anything, when the product is too large. */
static int64_t offset_of(const struct paging *p)
{
	int64_t offset;

	return __builtin_mul_overflow(p->page - 1, p->limit, &offset) ? INT64_MAX : offset;
}

/* Filters, then what sql.h says. One row too many tells of a next page. */
static struct args plan_args(struct arena *a, struct args filters, const struct paging *p,
			     const struct plan *plan)
{
	struct arg *v = arena_make_n(a, struct arg, filters.n + PAGING_ARGS_MAX);
	size_t n = filters.n;

	if (n)
		memcpy(v, filters.v, size_mul(n, sizeof(*v)));
	if (plan->after) {
		v[n++] = arg_text(plan->after->value);
		v[n++] = arg_uuid(plan->after->id);
		v[n++] = arg_int(p->limit + 1);
	} else {
		v[n++] = arg_int(p->limit + 1);
		v[n++] = arg_int(offset_of(p));
	}

	return (struct args){ v, n };
}

/* The cursor after the last row of the page; NULL when nothing comes after it. */
static const char *next_cursor(struct arena *a, const struct plan *plan, const struct page *page)
{
	const struct rows *r = page->rows;
	size_t last = page->len - 1;
	struct cursor cursor;

	if (rows_len(r) == page->len)
		return NULL;

	cursor.sort = arena_printf(a, "%s%s", plan->descending ? "-" : "", plan->sort->name);
	cursor.value = rows_str(r, last, (size_t)rows_find(r, "page_value")).ptr;
	cursor.id = rows_uuid(r, last, (size_t)rows_find(r, "page_id"));

	return cursor_encode(a, &cursor);
}

/* A list whose statements run in another role's batches says so itself. */
static enum batch_mode mode_of(const struct sql_page *s)
{
	const char *role = s->count->role;

	if (!role)
		return BATCH_READ;

	return strcmp(role, "identity") == 0 ? BATCH_IDENTITY : BATCH_SYSTEM;
}

/* How many there are in all, where no other statement was asked: each row says so; past the end no
 * row is there to say it. */
static int total_of(struct ctx *c, const struct sql_page *s, struct args filters,
		    const struct page *page, int64_t *ret)
{
	const struct rows *count;
	struct batch *b;
	int err;

	if (rows_len(page->rows) > 0) {
		*ret = rows_int(page->rows, 0, (size_t)rows_find(page->rows, "page_total"));
		return OK;
	}
	if (page->page == 1) {
		*ret = 0;
		return OK;
	}
	b = batch_new(c, mode_of(s));
	batch_add(b, &count, s->count, filters);
	err = batch_run(b);
	if (err)
		return err;
	*ret = rows_get_int(count, "total");

	return OK;
}

static bool filters_by_nothing(struct args filters)
{
	for (size_t i = 0; i < filters.n; i++)
		if (filters.v[i].kind != ARG_NULL)
			return false;

	return true;
}

int page_run(struct ctx *c, const struct sql_page *s, struct args filters, const struct paging *p,
	     const struct page **ret)
{
	struct page *page = arena_make(c->arena, struct page);
	const struct rows *count = NULL;
	struct batch *b = batch_new(c, mode_of(s));
	struct plan plan;
	int err;

	BUG_IF(filters.n != s->filters || p->limit < 1 || p->page < 1);
	if (s->unfiltered && filters_by_nothing(filters)) {
		s = s->unfiltered;
		filters = NO_ARGS;
	}
	err = plan_make(c, s, p, &plan);
	if (err)
		return err;

	batch_add(b, &page->rows, plan_statement(&plan), plan_args(c->arena, filters, p, &plan));
	if (plan.after)
		batch_blame(b, "cursor");
	else if (!s->counts_itself)
		batch_add(b, &count, s->count, filters);
	err = batch_run(b);
	if (err)
		return err;

	page->page = p->page;
	page->limit = p->limit;
	page->total = count ? rows_get_int(count, "total") : -1;
	if (!plan.after && s->counts_itself)
		err = total_of(c, s, filters, page, &page->total);
	if (err)
		return err;
	page->len = rows_len(page->rows);
	if (page->len > (size_t)p->limit)
		page->len = (size_t)p->limit;
	page->next_cursor = next_cursor(c->arena, &plan, page);
	*ret = page;

	return 0;
}
