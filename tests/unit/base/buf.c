#include "base/buf.h"

#include "base/arena.h"

#include <criterion/criterion.h>

Test(buf, what_is_appended_is_there_in_order)
{
	_cleanup_(buf_done) struct buf b;

	buf_init_heap(&b, 100);
	buf_str(&b, "a");
	buf_add(&b, "\0b", 2);
	buf_char(&b, 'c');
	buf_i64(&b, -12);
	buf_printf(&b, "%s", "d");
	cr_assert(str_eq(buf_view(&b), STR("a\0bc-12d")));
	cr_assert_eq(b.data[b.len], '\0');
	cr_assert_not(b.overflow);
}

Test(buf, integers_are_written_to_both_ends)
{
	static const struct {
		int64_t v;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 9, "9" },
		{ 10, "10" },
		{ -1, "-1" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf b;

		buf_init_heap(&b, 32);
		buf_i64(&b, cases[i].v);
		cr_assert_str_eq(b.data, cases[i].text);
	}
}

Test(buf, it_grows_to_exactly_its_greatest_size)
{
	_cleanup_(buf_done) struct buf b;

	buf_init_heap(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buf_char(&b, 'x');
	cr_assert_eq(b.len, 1000);
	cr_assert_not(b.overflow);
	buf_char(&b, 'y');
	cr_assert_eq(b.len, 1000);
	cr_assert(b.overflow);
}

Test(buf, after_an_overflow_nothing_more_is_appended)
{
	_cleanup_(buf_done) struct buf b;

	buf_init_heap(&b, 5);
	buf_str(&b, "abc");
	buf_str(&b, "def");
	buf_str(&b, "g"); /* would fit, but would leave a hole */
	cr_assert(b.overflow);
	cr_assert_str_eq(b.data, "abc");
	buf_printf(&b, "%d", 1);
	cr_assert_str_eq(b.data, "abc");
	buf_reset(&b);
	buf_str(&b, "fits");
	cr_assert_str_eq(b.data, "fits");
	cr_assert_not(b.overflow);
}

Test(buf, formatted_text_grows_it_or_leaves_it_as_it_was)
{
	_cleanup_(buf_done) struct buf b;

	buf_init_heap(&b, 600);
	buf_printf(&b, "%500d", 1);
	cr_assert_eq(b.len, 500);
	cr_assert_eq(b.data[499], '1');
	buf_printf(&b, "%200d", 2);
	cr_assert(b.overflow);
	cr_assert_eq(strlen(b.data), 500);
}

Test(buf, one_in_an_arena_needs_no_end)
{
	struct arena *a = arena_new();
	struct buf b;

	buf_init(&b, a, KIB(100));
	for (int i = 0; i < 10000; i++)
		buf_str(&b, "0123456789");
	cr_assert_eq(b.len, 100000);
	cr_assert_not(b.overflow);
	arena_free(a);
}

Test(buf, a_zeroed_one_takes_nothing_and_ends_well)
{
	struct buf b = { 0 };

	buf_str(&b, "x");
	buf_printf(&b, "%d", 1);
	cr_assert(b.overflow);
	cr_assert_eq(buf_view(&b).len, 0);
	buf_reset(&b);
	buf_done(&b);
	buf_done(NULL);
}
