/* Query strings against a shape: coercion, repetition, escapes. */
#include "http/shape.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <criterion/criterion.h>

static struct arena *arena;
static struct ctx c;

static void setup(void)
{
	arena = arena_new();
	ctx_reset(&c, arena);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(shape_query, .init = setup, .fini = teardown);

struct filter {
	const char *search, *status, *name;
	int64_t page;
	double ratio;
	bool mine, has_search;
	struct list ids;
};

/* clang-format off */
static const char *const statuses[] = { "active", "pending", NULL };
static const struct field id_field = { .type = T_INT, .min = 1, .max = 9 };
static const struct field fields[] = {
	{ "search", T_STRING, OPTIONAL, .offset = offsetof(struct filter, search), .has = offsetof(struct filter, has_search) },
	{ "name", T_STRING, OPTIONAL, .offset = offsetof(struct filter, name), .min = 1, .max = 5 },
	{ "status", T_ENUM, OPTIONAL, .offset = offsetof(struct filter, status), .words = statuses },
	{ "page", T_INT, OPTIONAL, .offset = offsetof(struct filter, page), .min = 1, .max = 50, .fallback = "1" },
	{ "ratio", T_NUMBER, OPTIONAL, .offset = offsetof(struct filter, ratio) },
	{ "mine", T_BOOL, OPTIONAL, .offset = offsetof(struct filter, mine) },
	{ "ids", T_ARRAY, OPTIONAL, .offset = offsetof(struct filter, ids), .max = 3, .of = &id_field },
};
static const struct shape filter = SHAPE("Filter", struct filter, fields);
/* clang-format on */

static const struct filter *read_query(const char *query)
{
	void *read;

	ctx_reset(&c, arena);

	return shape_read_query(&c, &filter, str_of(query), &read) ? NULL : read;
}

Test(shape_query, values_are_coerced_from_text)
{
	const struct filter *f = read_query(
		"search=John+D%C3%B6&status=pending&page=7&ratio=-0.5&mine=true&ids=1,2");

	cr_assert_not_null(f);
	cr_expect_str_eq(f->search, "John Dö");
	cr_expect_eq(f->status, statuses[1]);
	cr_expect_eq(f->page, 7);
	cr_expect_eq(f->ratio, -0.5);
	cr_expect(f->mine && f->has_search);
	cr_expect_eq(f->ids.len, 2);
	cr_expect_eq(((const int64_t *)f->ids.items)[1], 2);
}

Test(shape_query, nothing_is_the_defaults)
{
	static const char *const queries[] = { "", "&", "&&", "unknown=1", "=x" };

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		const struct filter *f = read_query(queries[i]);

		cr_assert_not_null(f, "%s", queries[i]);
		cr_expect_eq(f->page, 1);
		cr_expect_null(f->search);
		cr_expect(!f->has_search);
	}
}

Test(shape_query, a_key_without_a_value_is_empty_text)
{
	cr_expect_str_eq(read_query("search")->search, "");
	cr_expect_str_eq(read_query("search=")->search, "");
}

Test(shape_query, an_array_is_repeated_or_joined)
{
	cr_expect_eq(read_query("ids=1&ids=2&ids=3")->ids.len, 3);
	cr_expect_eq(read_query("ids=")->ids.len, 0);
}

/* clang-format off */
static const struct {
	const char *query, *path, *code, *message;
} bad[] = {
	{ "page=0", "page", "too_small", "Number must be greater than or equal to 1" },
	{ "page=51", "page", "too_big", "Number must be less than or equal to 50" },
	{ "page=x", "page", "invalid_type", "Expected number, received nan" },
	{ "page=", "page", "invalid_type", "Expected number, received nan" },
	{ "page=1.5", "page", "invalid_type", "Expected integer, received float" },
	{ "page=1&page=2", "page", "invalid_type", "Expected number, received array" },
	{ "ratio=NaN", "ratio", "invalid_type", "Expected number, received nan" },
	{ "name=", "name", "too_small", "String must contain at least 1 character(s)" },
	{ "name", "name", "too_small", "String must contain at least 1 character(s)" },
	{ "page=1&name=%20%20%20%20%20%20", "name", "too_big", "String must contain at most 5 character(s)" },
	{ "mine=yes", "mine", "invalid_type", "Expected boolean, received string" },
	{ "status=gone", "status", "invalid_enum_value",
	  "Invalid enum value. Expected 'active' | 'pending', received 'gone'" },
	{ "search=a&search=b", "search", "invalid_type", "Expected string, received array" },
	{ "ids=1,2,3,4", "ids", "too_big", "Array must contain at most 3 element(s)" },
	{ "ids=1,10", "ids.1", "too_big", "Number must be less than or equal to 9" },
	{ "search=%zz", "", "invalid_string", "The query is not percent-encoded UTF-8" },
	{ "search=%00", "", "invalid_string", "The query is not percent-encoded UTF-8" },
	{ "search=%ff", "", "invalid_string", "The query is not percent-encoded UTF-8" },
};
/* clang-format on */

Test(shape_query, each_violation_is_one_issue_with_its_place)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_assert_null(read_query(bad[i].query), "%s", bad[i].query);
		cr_expect_eq(c.fault.issues_len, 1, "%s", bad[i].query);
		cr_expect_str_eq(c.fault.issues[0].path, bad[i].path, "%s", bad[i].query);
		cr_expect_str_eq(c.fault.issues[0].code, bad[i].code, "%s", bad[i].query);
		cr_expect_str_eq(c.fault.issues[0].message, bad[i].message, "%s", bad[i].query);
	}
}
