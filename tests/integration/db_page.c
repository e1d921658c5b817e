/* Lists: by number and by cursor they are the same rows in the same order. */
#include "db/page.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/conn_impl.h"
#include "support/scratch.h"

#include <criterion/criterion.h>

#define ROWS 250

/* As scripts/sqlgen.awk writes it, for n with many equal values and for name. */
static const struct sql_page *list;

#define HEAD(column)                                                                               \
	"SELECT id, n, name, (" column ")::text AS page_value, id AS page_id FROM @ WHERE n < $1"

static struct sql_sort sort_of(const char *name, const char *const texts[4])
{
	return (struct sql_sort){
		name,
		scratch_sql(SQL_MANY, texts[0]),
		scratch_sql(SQL_MANY, texts[1]),
		scratch_sql(SQL_MANY, texts[2]),
		scratch_sql(SQL_MANY, texts[3]),
	};
}

static void setup(void)
{
	static const char *const by_n[] = {
		HEAD("n") " ORDER BY n, id LIMIT $2 OFFSET $3",
		HEAD("n") " ORDER BY n DESC, id DESC LIMIT $2 OFFSET $3",
		HEAD("n") " AND (n, id) > ($2::bigint, $3::uuid) ORDER BY n, id LIMIT $4",
		HEAD("n") " AND (n, id) < ($2::bigint, $3::uuid) ORDER BY n DESC, id DESC LIMIT $4",
	};
	static const char *const by_name[] = {
		HEAD("name") " ORDER BY name, id LIMIT $2 OFFSET $3",
		HEAD("name") " ORDER BY name DESC, id DESC LIMIT $2 OFFSET $3",
		HEAD("name") " AND (name, id) > ($2::text, $3::uuid) ORDER BY name, id LIMIT $4",
		HEAD("name") " AND (name, id) < ($2::text, $3::uuid) ORDER BY name DESC, id DESC LIMIT $4",
	};
	static struct sql_sort sorts[3];
	static struct sql_page page;

	scratch_init();
	scratch_owner("INSERT INTO @ SELECT gen_random_uuid(), i % 7, 'name \"' || i % 50 "
		      "FROM generate_series(1, 250) AS i");
	sorts[0] = sort_of("n", by_n);
	sorts[1] = sort_of("name", by_name);
	page = (struct sql_page){
		.name = "scratch_list",
		.count = scratch_sql(SQL_ONE, "SELECT count(*) AS total FROM @ WHERE n < $1"),
		.sorts = sorts,
		.filters = 1,
	};
	list = &page;
}

TestSuite(db_page, .init = setup, .fini = scratch_done);

static const struct page *run(struct paging p)
{
	const struct page *page = NULL;

	cr_assert_eq(page_run(scratch_ctx(), list, ARGS(arg_int(100)), &p, &page), 0, "%s",
		     scratch_ctx()->fault.detail);
	return page;
}

static size_t take_ids(const struct page *page, struct uuid *ids)
{
	for (size_t i = 0; i < page->len; i++)
		ids[i] = rows_uuid(page->rows, i, 0);
	return page->len;
}

Test(db_page, by_number_and_by_cursor_are_the_same_rows_in_the_same_order)
{
	static const char *const sorts[] = { NULL, "n", "-n", "name", "-name" };
	static const int64_t limits[] = { 1, 20, 100, 50 };

	for (size_t i = 0; i < ARRAY_LEN(sorts) * ARRAY_LEN(limits); i++) {
		struct paging p = { 1, limits[i % ARRAY_LEN(limits)], NULL,
				    sorts[i / ARRAY_LEN(limits)] };
		struct uuid numbered[ROWS + 1], followed[ROWS + 1];
		const struct page *page;
		size_t n = 0, m = 0;

		for (; n < ROWS; p.page++) {
			page = run(p);
			cr_assert_eq(page->total, ROWS);
			cr_assert_gt(page->len, 0);
			n += take_ids(page, numbered + n);
		}
		p.page = 1;
		do {
			page = run(p);
			m += take_ids(page, followed + m);
			p.cursor = page->next_cursor;
		} while (p.cursor && m < ROWS);

		cr_assert_null(p.cursor);
		cr_assert_eq(n, ROWS);
		cr_assert_eq(m, ROWS);
		cr_expect_arr_eq(numbered, followed, sizeof(struct uuid) * ROWS);
		for (size_t j = 0; j < ROWS; j++)
			for (size_t k = 0; k < j; k++)
				cr_assert(!uuid_eq(numbered[j], numbered[k]));
		scratch_next();
	}
}

/* What is unfiltered here has one row, so that it shows which was asked. */
Test(db_page, without_filters_asks_the_statements_that_have_none)
{
	static const char one[] = "SELECT id, n, name, n::text AS page_value, id AS page_id FROM @ "
				  "LIMIT least($1, 1) OFFSET $2";
	static const char *const texts[] = { one, one, one, one };
	struct sql_sort sorts[] = { sort_of("n", texts), { 0 } };
	struct sql_page unfiltered = *list, both = *list;
	const struct paging first = { 1, 20, NULL, NULL };
	const struct page *page = NULL;

	unfiltered.count = scratch_sql(SQL_ONE, "SELECT 1::bigint AS total");
	unfiltered.sorts = sorts;
	unfiltered.filters = 0;
	both.unfiltered = &unfiltered;

	cr_assert_eq(page_run(scratch_ctx(), &both, ARGS(arg_null()), &first, &page), 0);
	cr_expect_eq(page->total, 1);
	cr_expect_eq(page->len, 1);
	scratch_next();
	cr_assert_eq(page_run(scratch_ctx(), &both, ARGS(arg_int(100)), &first, &page), 0);
	cr_expect_eq(page->total, ROWS);
}

Test(db_page, by_cursor_does_not_count)
{
	const struct page *page = run((struct paging){ 1, 20, NULL, NULL });

	page = run((struct paging){ 1, 20, page->next_cursor, NULL });
	cr_expect_eq(page->total, -1);
	cr_expect_eq(page->len, 20);
}

Test(db_page, hides_what_the_cursor_needs)
{
	const struct page *page = run((struct paging){ 1, 20, NULL, NULL });

	cr_expect_eq(rows_columns(page->rows), 3);
}

Test(db_page, past_the_end_is_empty)
{
	const struct page *page = run((struct paging){ INT64_MAX, 100, NULL, NULL });

	cr_expect_eq(page->len, 0);
	cr_expect_eq(page->total, ROWS);
	cr_expect_null(page->next_cursor);
}

Test(db_page, refuses_a_sort_and_a_cursor_that_are_not_its_own)
{
	struct arena *a = scratch_ctx()->arena;
	struct uuid id = uuid_v7();
	const struct {
		struct paging paging;
		const char *path;
	} cases[] = {
		{ { 1, 20, NULL, "size" }, "sort" },
		{ { 1, 20, NULL, "--n" }, "sort" },
		{ { 1, 20, NULL, "" }, "sort" },
		{ { 1, 20, "", NULL }, "cursor" },
		{ { 1, 20, "AAAA", NULL }, "cursor" },
		{ { 1, 20, cursor_encode(a, &(struct cursor){ "size", "1", id }), NULL },
		  "cursor" },
		{ { 1, 20, cursor_encode(a, &(struct cursor){ "n", "1", id }), "-n" }, "cursor" },
		/* one that PostgreSQL cannot read as the column's type */
		{ { 1, 20, cursor_encode(a, &(struct cursor){ "n", "one", id }), NULL }, "cursor" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ctx c = *scratch_ctx();
		const struct page *page;

		cr_expect_eq(page_run(&c, list, ARGS(arg_int(100)), &cases[i].paging, &page),
			     ERR_VALIDATION_ERROR, "case %zu", i);
		cr_assert_eq(c.fault.issues_len, 1);
		cr_expect_str_eq(c.fault.issues[0].path, cases[i].path, "case %zu", i);
	}
}
