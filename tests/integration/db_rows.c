/* Values on their way to PostgreSQL and back. */
#include "db/rows.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(db_rows, .init = scratch_init, .fini = scratch_done);

/* The one row of a statement that reads. */
static const struct rows *read_row(const char *text, struct args args)
{
	const struct rows *rows;

	cr_assert_eq(db_read(scratch_ctx(), &rows, scratch_sql(SQL_ONE, text), args), 0, "%s: %s",
		     text, scratch_ctx()->fault.detail);
	return rows;
}

Test(db_rows, integers_of_each_size_come_back)
{
	static const int64_t numbers[] = { 0, 1, -1, 32767, -32768 };
	static const int64_t large[] = { INT64_MAX, INT64_MIN, INT64_C(1) << 32 };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const struct rows *r =
			read_row("SELECT $1::smallint AS a, $1::int AS b, $1::bigint AS c",
				 ARGS(arg_int(numbers[i])));

		cr_expect_eq(rows_get_int(r, "a"), numbers[i]);
		cr_expect_eq(rows_get_int(r, "b"), numbers[i]);
		cr_expect_eq(rows_get_int(r, "c"), numbers[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(large); i++)
		cr_expect_eq(
			rows_get_int(read_row("SELECT $1::bigint AS n", ARGS(arg_int(large[i]))),
				     "n"),
			large[i]);
}

Test(db_rows, times_come_back_to_the_microsecond)
{
	static const int64_t times[] = { 1,
					 -1,
					 INT64_C(1769860800123456),
					 INT64_C(-2208988800000001),
					 INT64_C(946684799999999),
					 INT64_C(4102444800000000) };

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		cr_expect_eq(rows_get_time(read_row("SELECT $1::timestamptz AS t",
						    ARGS(arg_time(times[i]))),
					   "t"),
			     times[i]);
	cr_expect_eq(rows_get_time(read_row("SELECT 'infinity'::timestamptz AS t", NO_ARGS), "t"),
		     INT64_MAX);
	cr_expect_eq(rows_get_time(read_row("SELECT '-infinity'::timestamptz AS t", NO_ARGS), "t"),
		     INT64_MIN);
}

Test(db_rows, text_bytes_ids_truth_and_json_come_back)
{
	static const char bytes[] = { 0, 1, 0, (char)0xff };
	struct uuid id = uuid_v7();
	const struct rows *r = read_row(
		"SELECT $1::text AS text, $2::bytea AS bytes, $3::uuid AS id, $4::bool AS truth, "
		"$5::jsonb AS jsonb, $5::json AS json, $1::varchar AS \"camelCase\"",
		ARGS(arg_text("Grün ☃"), arg_bytes(bytes, sizeof(bytes)), arg_uuid(id),
		     arg_bool(true), arg_text("{\"a\": [1]}")));
	struct str back = rows_get_str(r, "bytes");

	cr_expect_str_eq(rows_get_text(r, "text"), "Grün ☃");
	cr_expect_eq(back.len, sizeof(bytes));
	cr_expect_arr_eq(back.ptr, bytes, sizeof(bytes));
	cr_expect(uuid_eq(rows_get_uuid(r, "id"), id));
	cr_expect(rows_get_bool(r, "truth"));
	cr_expect_str_eq(rows_get_text(r, "jsonb"), "{\"a\": [1]}");
	cr_expect_str_eq(rows_get_text(r, "json"), "{\"a\": [1]}");
	cr_expect_eq(rows_column_type(r, (size_t)rows_find(r, "jsonb")), COL_JSON);
	cr_expect_str_eq(rows_column_name(r, 6), "camelCase");
	cr_expect_eq(rows_find(r, "camelcase"), -1);
}

Test(db_rows, arrays_of_text_come_back)
{
	static const struct str items[] = {
		{ "plain", 5 }, { "", 0 }, { "a\"b\\c,{}", 8 }, { NULL, 0 }
	};
	struct arena *a = scratch_ctx()->arena;
	const struct rows *r = read_row("SELECT $1::text[] AS list, '{}'::text[] AS empty",
					ARGS(arg_text_array(items, ARRAY_LEN(items))));
	struct str *back;

	cr_assert_eq(rows_array(r, 0, 0, a, &back), ARRAY_LEN(items));
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		cr_expect(str_eq(back[i], items[i]), "%zu", i);
	cr_expect_null(back[3].ptr);
	cr_expect_eq(rows_array(r, 0, 1, a, &back), 0);
}

Test(db_rows, null_is_nothing_by_name)
{
	const struct rows *r = read_row("SELECT NULL::int AS n, NULL::text AS s, NULL::uuid AS u, "
					"NULL::timestamptz AS t, NULL::bool AS b",
					NO_ARGS);

	for (size_t i = 0; i < rows_columns(r); i++)
		cr_expect(rows_is_null(r, 0, i));
	cr_expect_eq(rows_get_int(r, "n"), 0);
	cr_expect_null(rows_get_text(r, "s"));
	cr_expect(uuid_is_nil(rows_get_uuid(r, "u")));
	cr_expect_eq(rows_get_time(r, "t"), 0);
	cr_expect(!rows_get_bool(r, "b"));
}

Test(db_rows, a_parameter_may_be_null_first_and_a_number_later)
{
	const struct sql *s =
		scratch_sql(SQL_ONE, "SELECT count(*) AS n FROM @ WHERE $1::int IS NULL");
	const struct rows *r;

	cr_assert_eq(db_read(scratch_ctx(), &r, s, ARGS(arg_null())), 0);
	cr_assert_eq(db_read(scratch_ctx(), &r, s, ARGS(arg_int(7))), 0);
}

Test(db_rows, a_column_type_that_nobody_knows_is_a_bug, .signal = SIGABRT)
{
	(void)read_row("SELECT 1.5::float8 AS x", NO_ARGS);
}
