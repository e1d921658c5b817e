/* Parameters in the form in which they travel. */
#include "db/conn_impl.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <criterion/criterion.h>

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(arg, .init = setup, .fini = teardown);

static const char *wire_of(struct arg v)
{
	return args_wire(arena, (struct args){ &v, 1 }).values[0];
}

Test(arg, each_kind_travels_as_the_text_that_postgresql_reads)
{
	static const struct str words[] = { { "a", 1 }, { "", 0 }, { NULL, 0 }, { "x\"\\,{}", 6 } };
	struct uuid u = { .bytes = { 1, [6] = 0x70, [15] = 0xff } };
	const struct {
		struct arg arg;
		const char *text;
	} cases[] = {
		{ arg_text("plain"), "plain" },
		{ arg_str((struct str){ "cut here", 3 }), "cut" },
		{ arg_str(STR("")), "" },
		{ arg_int(INT64_MIN), "-9223372036854775808" },
		{ arg_bool(true), "t" },
		{ arg_bool(false), "f" },
		{ arg_uuid(u), "01000000-0000-7000-0000-0000000000ff" },
		{ arg_time(1), "1970-01-01T00:00:00.000001Z" },
		{ arg_time(-1), "1969-12-31T23:59:59.999999Z" },
		{ arg_time(INT64_C(1769860800123456)), "2026-01-31T12:00:00.123456Z" },
		{ arg_text_array(words, 4), "{\"a\",\"\",NULL,\"x\\\"\\\\,{}\"}" },
		{ arg_text_array(NULL, 0), "{}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_str_eq(wire_of(cases[i].arg), cases[i].text, "case %zu", i);
}

Test(arg, what_is_absent_is_sql_null)
{
	const struct arg absent[] = {
		arg_null(),
		arg_text(NULL),
		arg_str((struct str){ 0 }),
		arg_uuid((struct uuid){ { 0 } }),
		arg_time(0),
		arg_bytes(NULL, 0),
	};

	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		cr_expect_null(wire_of(absent[i]), "case %zu", i);
}

Test(arg, bytes_travel_as_they_are)
{
	static const char bytes[] = { 1, 0, 2 };
	struct arg v = arg_bytes(bytes, sizeof(bytes));
	struct wire w = args_wire(arena, (struct args){ &v, 1 });

	cr_expect_eq(w.formats[0], 1);
	cr_expect_eq(w.lengths[0], 3);
	cr_expect_arr_eq(w.values[0], bytes, 3);
}

Test(arg, a_search_escapes_the_characters_of_like)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "blue", "%blue%" },
		{ "", "%%" },
		{ "50%_\\", "%50\\%\\_\\\\%" },
	};
	struct ctx c;

	ctx_reset(&c, arena);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_str_eq(wire_of(arg_contains(&c, cases[i].in)), cases[i].out);
	cr_expect_null(wire_of(arg_contains(&c, NULL)));
}

Test(arg, if_match_is_an_array_or_null_when_it_was_not_said)
{
	static const int64_t versions[] = { 7, INT64_MAX };
	struct ctx c;

	ctx_reset(&c, arena);
	cr_expect_null(wire_of(arg_if_match(&c)));
	c.if_match = (struct list){ versions, 1 };
	cr_expect_str_eq(wire_of(arg_if_match(&c)), "{7}");
	c.if_match.len = 2;
	cr_expect_str_eq(wire_of(arg_if_match(&c)), "{7,9223372036854775807}");
}
