/* Work in parts: all of it, none twice, and never more than so much at a time. */
#include "db/parts.h"

#include "base/ctx.h"
#include "support/scratch.h"

#include <criterion/criterion.h>

TestSuite(db_parts, .init = scratch_init, .fini = scratch_done);

/* The next rows behind an id; 7 is what the caller gives beside. */
static const struct sql *add_in_parts(void)
{
	return scratch_sql(
		SQL_ONE,
		"WITH part AS MATERIALIZED (SELECT id FROM @ WHERE id > coalesce($1, "
		"platform_tenant()) ORDER BY id LIMIT $2), added AS (UPDATE @ t SET n = t.n + $3 "
		"FROM part WHERE t.id = part.id RETURNING t.id) "
		"SELECT (SELECT id FROM part ORDER BY id OFFSET $2 - 1 LIMIT 1) AS last, "
		"(SELECT count(*) FROM added) AS done");
}

static void fill(const char *rows)
{
	scratch_owner("DELETE FROM @");
	scratch_owner(rows);
}

Test(db_parts, are_all_there_is_and_a_round_trip_each)
{
	struct ctx *c = scratch_ctx();
	int64_t done = -1;
	unsigned trips;

	fill("INSERT INTO @ (id, n, name) SELECT gen_random_uuid(), 0, 'x' FROM generate_series(1, 2500)");
	trips = c->pg_trips;
	cr_assert_eq(db_in_parts(c, BATCH_WRITE, add_in_parts(), ARGS(arg_int(7)), &done), 0);
	cr_expect_eq(done, 2500);
	cr_expect_eq(scratch_number("SELECT count(*) FROM @ WHERE n = 7"), 2500);
	cr_expect_eq(c->pg_trips - trips, 3);
}

Test(db_parts, of_nothing_are_one)
{
	int64_t done = -1;

	fill("SELECT 1");
	cr_assert_eq(
		db_in_parts(scratch_ctx(), BATCH_WRITE, add_in_parts(), ARGS(arg_int(7)), &done),
		0);
	cr_expect_eq(done, 0);
}

/* The second part fails: so none has happened. */
Test(db_parts, of_a_transaction_that_fails_have_not_happened)
{
	struct ctx *c = scratch_ctx();

	fill("INSERT INTO @ (id, n, name) SELECT ('00000000-0000-7000-8000-' || lpad(i::text, 12, "
	     "'0'))::uuid, CASE i WHEN 1500 THEN 9223372036854775807 ELSE 0 END, "
	     "'x' FROM generate_series(1, 2500) AS i");
	cr_assert_eq(db_begin(c, BATCH_WRITE), 0);
	cr_expect_eq(db_in_parts(c, BATCH_WRITE, add_in_parts(), ARGS(arg_int(7)), NULL),
		     ERR_INTERNAL_ERROR);
	db_end(c);
	cr_expect_eq(scratch_number("SELECT count(*) FROM @ WHERE n = 7"), 0);
}
