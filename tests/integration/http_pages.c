/*
 * Lists, page by page: by number and by cursor, in every order, each row exactly once.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROWS  25
#define LIMIT 4

/* A tenant with so many users and projects; half of these made at the same moment. */
static struct caller crowd(void)
{
	struct caller ann = caller(ROLE_OWNER);

	for (int i = 1; i < ROWS; i++)
		(void)user_make(ann.tenant, ROLE_MEMBER, NULL);
	for (int i = 0; i < ROWS; i++)
		(void)project_make(ann.tenant, NULL);
	database_run("UPDATE projects SET created_at = date_trunc('hour', created_at) "
		     "WHERE tenant_id = $1::uuid AND random() < 0.5",
		     id_text(ann.tenant.u), NULL);
	return ann;
}

/* All ids that were seen, one after another, each between commas. */
struct seen {
	const char *ids;
	size_t len;
};

static void see(struct seen *s, struct answer page)
{
	for (size_t i = 0; i < answer_len(page, "data"); i++) {
		const char *id = answer_text(page, strf("data.%zu.id", i));

		cr_assert(!strstr(s->ids, id), "%s: %s comes twice", page.asked, id);
		s->ids = strf("%s,%s", s->ids, id);
		s->len++;
	}
}

static struct seen by_number(const struct caller *c, const char *path, const char *sort)
{
	struct seen s = { "", 0 };
	int64_t total = 0, pages = 1;

	for (int64_t page = 1; page <= pages; page++) {
		struct answer a = answer_is(
			get(c, strf("%s?limit=%d&page=%ld&sort=%s", path, LIMIT, page, sort)), 200);

		pages = answer_int(a, "pagination.totalPages");
		total = answer_int(a, "pagination.total");
		cr_assert_eq(pages, (total + LIMIT - 1) / LIMIT);
		cr_assert_eq(answer_int(a, "pagination.page"), page);
		see(&s, a);
	}
	cr_assert_eq((int64_t)s.len, total, "%s: %zu of %ld rows", path, s.len, total);
	return s;
}

static struct seen by_cursor(const struct caller *c, const char *path, const char *sort)
{
	struct seen s = { "", 0 };
	const char *query = strf("%s?limit=%d&sort=%s", path, LIMIT, sort);
	const struct json *next;
	struct answer a = answer_is(get(c, query), 200);

	for (see(&s, a); answer_find(&a, "pagination.nextCursor", &next) && next; see(&s, a))
		a = answer_is(get(c, strf("%s&cursor=%s", query,
					  answer_text(a, "pagination.nextCursor"))),
			      200);
	return s;
}

static const char *without_prefix(const struct mounted *row)
{
	return row->path + strlen(tier_prefix(row->tier));
}

Test(http_pages, of_every_list_in_every_order_hold_each_row_once)
{
	struct caller ann = crowd();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct str sorts = str_of(row.route->sorts), sort;
		const char *path = without_prefix(&row);

		if (!row.route->sorts || row.tier != TIER_API || route_has_params(row.route))
			continue;
		while ((sort = str_cut(&sorts, ' ')).ptr) {
			const char *up = strf("%.*s", STR_FMT(sort)), *down = strf("-%s", up);
			struct seen numbered = by_number(&ann, path, up);
			struct seen cursored = by_cursor(&ann, path, up);

			cr_expect_str_eq(numbered.ids, cursored.ids, "%s by %s: two orders", path,
					 up);
			cr_expect_str_eq(by_number(&ann, path, down).ids,
					 by_cursor(&ann, path, down).ids);
			cr_expect(numbered.len < 2 || strcmp(by_cursor(&ann, path, down).ids,
							     numbered.ids) != 0,
				  "%s by %s and back: one order", path, up);
		}
	}
}

/* Rows that come meanwhile neither hide nor repeat those that were there. */
Test(http_pages, by_cursor_are_stable_while_rows_come)
{
	struct caller ann = crowd();
	struct seen s = { "", 0 };
	struct answer a = answer_is(get(&ann, "/projects?limit=4&sort=-createdAt"), 200);
	const struct json *next;

	for (see(&s, a); answer_find(&a, "pagination.nextCursor", &next) && next; see(&s, a)) {
		(void)project_make(ann.tenant, NULL);
		a = answer_is(get(&ann, strf("/projects?limit=4&sort=-createdAt&cursor=%s",
					     answer_text(a, "pagination.nextCursor"))),
			      200);
	}
	cr_assert_eq(s.len, ROWS);
}

/* A cursor grants nothing: in another tenant it shows that tenant's rows. */
Test(http_pages, a_cursor_of_another_tenant_shows_nothing_of_it)
{
	struct caller ann = crowd(), eve = caller(ROLE_OWNER);
	struct answer a = answer_is(get(&ann, "/projects?limit=4"), 200);
	const char *cursor = answer_text(a, "pagination.nextCursor");
	struct answer b = answer_is(get(&eve, strf("/projects?limit=4&cursor=%s", cursor)), 200);

	cr_assert_eq(answer_len(b, "data"), 0);
}

Test(http_pages, a_cursor_belongs_to_its_order)
{
	struct caller ann = crowd();
	struct answer a = answer_is(get(&ann, "/projects?limit=4&sort=name"), 200);

	answer_is_error(get(&ann, strf("/projects?limit=4&sort=createdAt&cursor=%s",
				       answer_text(a, "pagination.nextCursor"))),
			400, "VALIDATION_ERROR", "cursor");
}

Test(http_pages, beyond_the_last_are_empty)
{
	struct caller ann = caller(ROLE_OWNER);
	struct answer a = answer_is(get(&ann, "/projects?page=7"), 200);

	cr_assert_eq(answer_len(a, "data"), 0);
	cr_assert_eq(answer_int(a, "pagination.total"), 0);
	cr_assert_eq(answer_int(a, "pagination.totalPages"), 0);
}

Test(http_pages, tell_all_mistakes_of_a_query_at_once)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer a = get(&ann, "/projects?page=0&limit=101&sort=colour&status=lost");

	answer_is_error(a, 400, "VALIDATION_ERROR", "page");
	cr_assert_eq(answer_len(a, "details.issues"), 4);
	a = get(&ann, "/projects?page=0&search=%zz");
	cr_assert_eq(answer_len(a, "details.issues"), 2, "each once");
}
