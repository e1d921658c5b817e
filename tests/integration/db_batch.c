/* Batches: all or nothing, tried again where that is safe, and transactions held open. */
#include "db/batch.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <unistd.h>

TestSuite(db_batch, .init = scratch_init, .fini = scratch_done);

#define INSERT "INSERT INTO @ (id, n, name) VALUES ($1, $2, $3)"

static void add_insert(struct batch *b, struct uuid id, const char *name)
{
	batch_add(b, NULL, scratch_sql(SQL_EXEC, INSERT),
		  ARGS(arg_uuid(id), arg_int(1), arg_text(name)));
}

static int insert(struct uuid id, const char *name)
{
	struct batch *b = batch_new(scratch_ctx(), BATCH_WRITE);

	add_insert(b, id, name);
	return batch_run(b);
}

static int64_t rows_in_table(void)
{
	return scratch_number("SELECT count(*) FROM @");
}

Test(db_batch, is_one_round_trip)
{
	struct ctx *c = scratch_ctx();
	struct batch *b = batch_new(c, BATCH_WRITE);

	add_insert(b, uuid_v7(), "one");
	add_insert(b, uuid_v7(), "two");
	cr_assert_eq(batch_run(b), 0);
	cr_expect_eq(c->pg_trips, 1);
	cr_expect_gt(c->pg_us, 0);
	cr_expect_eq(rows_in_table(), 2);
}

Test(db_batch, with_an_error_leaves_nothing)
{
	struct ctx *c = scratch_ctx();
	struct batch *b = batch_new(c, BATCH_WRITE);
	struct uuid id = uuid_v7();

	add_insert(b, id, "first");
	add_insert(b, id, "the same id again");
	add_insert(b, uuid_v7(), "never reached");
	cr_expect_eq(batch_run(b), ERR_INTERNAL_ERROR);
	cr_expect(strstr(c->fault.detail, "23505"), "%s", c->fault.detail);
	cr_expect_eq(rows_in_table(), 0);

	scratch_next();
	cr_expect_eq(insert(id, "the connection goes on"), 0);
}

Test(db_batch, refused_at_its_commit_leaves_nothing)
{
	struct ctx *c = scratch_ctx();
	static const struct conflict conflicts[] = {
		{ "scratch_deferred", ERR_RESOURCE_CONFLICT, "n", "Another has this number" },
		{ 0 },
	};

	conflicts_register(conflicts);
	scratch_owner("ALTER TABLE @ ADD CONSTRAINT scratch_deferred UNIQUE (n) "
		      "DEFERRABLE INITIALLY DEFERRED");
	cr_assert_eq(insert(uuid_v7(), "first"), 0);
	cr_expect_eq(insert(uuid_v7(), "second"), ERR_RESOURCE_CONFLICT);
	cr_expect_str_eq(c->fault.path, "n");
	cr_expect_eq(rows_in_table(), 1);
}

Test(db_batch, with_one_and_no_row_is_not_found)
{
	struct ctx *c = scratch_ctx();
	const struct rows *row;

	cr_expect_eq(db_read(c, &row, scratch_sql(SQL_ONE, "SELECT n FROM @ WHERE id = $1"),
			     ARGS(arg_uuid(uuid_v7()))),
		     ERR_RESOURCE_NOT_FOUND);
	cr_expect_str_eq(c->fault.message, "Thing not found");
}

Test(db_batch, that_reads_cannot_write)
{
	struct ctx *c = scratch_ctx();

	cr_expect_eq(db_read(c, NULL, scratch_sql(SQL_EXEC, "DELETE FROM @"), NO_ARGS),
		     ERR_INTERNAL_ERROR);
	cr_expect(strstr(c->fault.detail, "25006"), "%s", c->fault.detail);
}

Test(db_batch, that_collides_is_tried_again)
{
	struct batch *b = batch_new(scratch_ctx(), BATCH_WRITE);

	add_insert(b, uuid_v7(), "once");
	batch_add(b, NULL,
		  scratch_sql(SQL_EXEC,
			      "SELECT nextval('@_seq') >= 3 OR refuse('40001', 'collided')"),
		  NO_ARGS);
	cr_expect_eq(batch_run(b), 0);
	cr_expect_eq(scratch_ctx()->pg_trips, 3);
	cr_expect_eq(rows_in_table(), 1);
}

Test(db_batch, that_always_collides_says_that_trying_later_may_help)
{
	struct ctx *c = scratch_ctx();

	cr_expect_eq(db_write(c, NULL, scratch_sql(SQL_EXEC, "SELECT refuse('40P01', 'deadlock')"),
			      NO_ARGS),
		     ERR_SERVICE_UNAVAILABLE);
	cr_expect_eq(c->pg_trips, 3);
}

Test(db_batch, with_a_stale_plan_is_prepared_anew)
{
	struct ctx *c = scratch_ctx();
	const struct sql *s = scratch_sql(SQL_MANY, "TABLE @");
	const struct rows *rows;

	cr_assert_eq(insert(uuid_v7(), "x"), 0);
	cr_assert_eq(db_read(c, &rows, s, NO_ARGS), 0);
	cr_expect_eq(rows_columns(rows), 3);
	scratch_owner("ALTER TABLE @ ADD more text");
	cr_assert_eq(db_read(c, &rows, s, NO_ARGS), 0);
	cr_expect_eq(rows_columns(rows), 4);
}

Test(db_batch, may_be_longer_than_any_socket_holds)
{
	struct batch *b = batch_new(scratch_ctx(), BATCH_WRITE);
	const struct sql *s = scratch_sql(SQL_ONE, "SELECT $1::text AS same");
	enum { COUNT = 40 };
	const struct rows *rows[COUNT];
	char *text = arena_alloc(scratch_ctx()->arena, KIB(256) + 1);

	memset(text, 'x', KIB(256));
	for (size_t i = 0; i < COUNT; i++)
		batch_add(b, &rows[i], s, ARGS(arg_text(text)));
	cr_assert_eq(batch_run(b), 0);
	for (size_t i = 0; i < COUNT; i++)
		cr_expect_eq(rows_str(rows[i], 0, 0).len, KIB(256));
}

Test(db_batch, works_without_prepared_statements)
{
	struct ctx *c = scratch_ctx();
	const struct rows *rows;

	scratch_config()->database_prepare = false;
	if (getenv("ZYGO_TEST_PGBOUNCER_URL"))
		scratch_config()->database_url = getenv("ZYGO_TEST_PGBOUNCER_URL");
	scratch_reconnect();

	for (int i = 0; i < 3; i++)
		cr_assert_eq(insert(uuid_v7(), "unprepared"), 0);
	cr_assert_eq(
		db_read(c, &rows, scratch_sql(SQL_ONE, "SELECT count(*) AS n FROM @"), NO_ARGS), 0);
	cr_expect_eq(rows_get_int(rows, "n"), 3);
	cr_assert_eq(
		db_read(c, &rows,
			scratch_sql(SQL_ONE, "SELECT count(*) AS n FROM pg_prepared_statements"),
			NO_ARGS),
		0);
	cr_expect_eq(rows_get_int(rows, "n"), 0);
}

/* After a failover: the connection still leads to what is a standby now. */
Test(db_batch, leaves_a_server_that_has_become_read_only)
{
	struct ctx *c = scratch_ctx();
	const struct sql *demote =
		scratch_sql(SQL_EXEC, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");

	cr_assert_eq(db_write(c, NULL, demote, NO_ARGS), 0);
	cr_expect_eq(insert(uuid_v7(), "on the next connection"), 0);
	cr_expect_eq(rows_in_table(), 1);
}

Test(db_batch, says_that_nothing_can_be_changed_where_all_are_read_only)
{
	const struct sql *refused =
		scratch_sql(SQL_EXEC, "SELECT refuse('25006', 'This transaction is read-only')");

	cr_expect_eq(db_write(scratch_ctx(), NULL, refused, NO_ARGS), ERR_SERVICE_UNAVAILABLE);
}

Test(db_batch, prepares_each_statement_once_a_connection)
{
	struct ctx *c = scratch_ctx();
	const struct sql *s = scratch_sql(SQL_ONE, "SELECT $1::bigint AS n");
	const struct rows *rows;
	struct batch *b;

	for (int i = 0; i < 2; i++) {
		b = batch_new(c, BATCH_READ);
		batch_add(b, NULL, s, ARGS(arg_null()));
		batch_add(b, NULL, s, ARGS(arg_int(1)));
		cr_assert_eq(batch_run(b), 0);
	}
	s = scratch_sql(SQL_ONE, "SELECT count(*) AS n FROM pg_prepared_statements");
	cr_assert_eq(db_read(c, &rows, s, NO_ARGS), 0);
	cr_expect_eq(rows_get_int(rows, "n"), 3, "the entry and the two statements");
}

Test(db_batch, takes_a_role_for_its_own_transaction_only)
{
	struct ctx *c = scratch_ctx();
	const struct sql *who = scratch_sql(SQL_ONE, "SELECT current_user::text AS who");
	const struct rows *rows;
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, &rows, who, NO_ARGS);
	cr_assert_eq(batch_run(b), 0);
	cr_expect_str_eq(rows_get_text(rows, "who"), "zygo_identity");
	cr_assert_eq(db_read(c, &rows, who, NO_ARGS), 0);
	cr_expect_str_eq(rows_get_text(rows, "who"), "zygo_app");
}

static int verdict_err;
static unsigned verdict_trips;

static int verdict(struct ctx *c)
{
	verdict_trips = c->pg_trips;
	return verdict_err ? fail(c, verdict_err, NULL, NULL) : 0;
}

Test(db_batch, that_writes_waits_for_the_verdict_and_one_that_reads_travels_beside_it)
{
	struct ctx *c = scratch_ctx();
	struct entry strict = *c->entry;
	const struct rows *rows = NULL;

	strict.verdict = verdict;
	verdict_err = ERR_RATE_LIMIT_EXCEEDED;
	c->entry = &strict;
	cr_expect_eq(insert(uuid_v7(), "refused"), ERR_RATE_LIMIT_EXCEEDED);
	cr_expect_eq(verdict_trips, 0);
	cr_expect_eq(rows_in_table(), 0);

	scratch_next();
	c->entry = &strict;
	cr_expect_eq(db_read(c, &rows, scratch_sql(SQL_MANY, "TABLE @"), NO_ARGS),
		     ERR_RATE_LIMIT_EXCEEDED);
	cr_expect_eq(verdict_trips, 1);
	cr_expect_null(rows);

	scratch_next();
	cr_expect_eq(insert(uuid_v7(), "the connection goes on"), 0);
}

Test(db_held, ends_with_its_commit, .init = scratch_init, .fini = scratch_done)
{
	struct ctx *c = scratch_ctx();

	cr_assert_eq(db_begin(c, BATCH_WRITE), 0);
	cr_expect(db_is_open(c));
	cr_assert_eq(insert(uuid_v7(), "one"), 0);
	cr_assert_eq(insert(uuid_v7(), "two"), 0);
	cr_expect_eq(rows_in_table(), 0);
	cr_assert_eq(db_commit(c), 0);
	cr_expect(!db_is_open(c));
	cr_expect_eq(rows_in_table(), 2);
	cr_expect_eq(c->pg_trips, 3);
}

Test(db_held, enters_once_and_changes_roles_as_batches_want, .init = scratch_init,
     .fini = scratch_done)
{
	struct ctx *c = scratch_ctx();
	static const char *const want[] = { "zygo_app", "zygo_identity", "zygo_identity",
					    "zygo_app" };
	static const enum batch_mode modes[] = { BATCH_WRITE, BATCH_IDENTITY, BATCH_IDENTITY,
						 BATCH_READ };
	const struct sql *who = scratch_sql(SQL_ONE, "SELECT current_user::text AS who");

	cr_assert_eq(db_begin(c, BATCH_WRITE), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct batch *b = batch_new(c, modes[i]);
		const struct rows *rows;

		batch_add(b, &rows, who, NO_ARGS);
		cr_assert_eq(batch_run(b), 0);
		cr_expect_str_eq(rows_get_text(rows, "who"), want[i], "batch %zu", i);
	}
	db_rollback(c);
}

Test(db_held, is_rolled_back_at_the_end_of_its_unit_of_work, .init = scratch_init,
     .fini = scratch_done)
{
	cr_assert_eq(db_begin(scratch_ctx(), BATCH_WRITE), 0);
	cr_assert_eq(insert(uuid_v7(), "forgotten"), 0);
	scratch_next();
	cr_expect(!db_is_open(scratch_ctx()));
	cr_expect_eq(rows_in_table(), 0);
	cr_assert_eq(insert(uuid_v7(), "the next one's"), 0);
	cr_expect_eq(rows_in_table(), 1);
}

Test(db_held, ends_with_the_first_error, .init = scratch_init, .fini = scratch_done)
{
	struct ctx *c = scratch_ctx();
	struct uuid id = uuid_v7();

	cr_assert_eq(db_begin(c, BATCH_WRITE), 0);
	cr_assert_eq(insert(id, "one"), 0);
	cr_expect_eq(insert(id, "the same again"), ERR_INTERNAL_ERROR);
	cr_expect_eq(insert(uuid_v7(), "too late"), ERR_INTERNAL_ERROR);
	cr_expect_eq(db_commit(c), ERR_INTERNAL_ERROR);
	cr_expect_eq(rows_in_table(), 0);

	scratch_next();
	cr_expect_eq(insert(uuid_v7(), "the connection goes on"), 0);
}

Test(db_held, that_collides_in_its_first_batch_is_tried_again_whole, .init = scratch_init,
     .fini = scratch_done)
{
	struct ctx *c = scratch_ctx();
	struct batch *b;

	cr_assert_eq(db_begin(c, BATCH_WRITE), 0);
	b = batch_new(c, BATCH_WRITE);
	add_insert(b, uuid_v7(), "once");
	batch_add(b, NULL,
		  scratch_sql(SQL_EXEC,
			      "SELECT nextval('@_seq') >= 2 OR refuse('40001', 'collided')"),
		  NO_ARGS);
	cr_assert_eq(batch_run(b), 0);
	cr_assert_eq(db_commit(c), 0);
	cr_expect_eq(rows_in_table(), 1);
}
