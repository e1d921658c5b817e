/* Connections that break, and what callers see of it. */
#include "db/conn.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "db/conn_impl.h"
#include "support/scratch.h"

#include <criterion/criterion.h>

TestSuite(db_conn, .init = scratch_init, .fini = scratch_done);

/* Ends the session that runs it, the first time; the sleep is where the signal is seen. */
#define DIE_ONCE                                                                                   \
	"SELECT CASE nextval('@_seq') WHEN 1 THEN pg_terminate_backend(pg_backend_pid()) END, "    \
	"pg_sleep(0.1)"
#define DIE "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(0.1)"

static int insert_and(const char *text)
{
	struct batch *b = batch_new(scratch_ctx(), BATCH_WRITE);

	batch_add(b, NULL, scratch_sql(SQL_EXEC, "INSERT INTO @ VALUES ($1, 1, 'x')"),
		  ARGS(arg_uuid(uuid_v7())));
	batch_add(b, NULL, scratch_sql(SQL_EXEC, text), NO_ARGS);
	return batch_run(b);
}

static int64_t rows_in_table(void)
{
	return scratch_number("SELECT count(*) FROM @");
}

Test(db_conn, lost_while_idle_is_made_anew_unseen)
{
	struct ctx *c = scratch_ctx();
	const struct rows *rows;

	cr_assert_eq(
		db_read(c, &rows, scratch_sql(SQL_ONE, "SELECT pg_backend_pid() AS pid"), NO_ARGS),
		0);
	scratch_app(arena_printf(c->arena, "SELECT pg_terminate_backend(%d, 5000)",
				 (int)rows_get_int(rows, "pid")));
	cr_expect_eq(insert_and("SELECT 1"), 0);
	cr_expect_eq(rows_in_table(), 1);
}

Test(db_conn, lost_in_the_midst_of_a_write_repeats_what_cannot_have_happened)
{
	cr_expect_eq(insert_and(DIE_ONCE), 0);
	cr_expect_eq(rows_in_table(), 1);
	cr_expect_eq(scratch_ctx()->pg_trips, 2);
}

Test(db_conn, lost_again_says_that_nothing_was_changed)
{
	struct ctx *c = scratch_ctx();

	cr_expect_eq(insert_and(DIE), ERR_SERVICE_UNAVAILABLE);
	cr_expect_str_eq(c->fault.message, "The database connection was lost; nothing was changed");
	cr_expect_eq(rows_in_table(), 0);
}

Test(db_conn, lost_at_the_commit_says_that_the_outcome_is_not_known)
{
	struct ctx *c = scratch_ctx();

	scratch_owner(
		"CREATE FUNCTION @_die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		"PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(0.1); RETURN NULL; END $$;"
		"CREATE CONSTRAINT TRIGGER die AFTER INSERT ON @ DEFERRABLE INITIALLY DEFERRED "
		"FOR EACH ROW EXECUTE FUNCTION @_die()");
	cr_expect_eq(insert_and("SELECT 1"), ERR_SERVICE_UNAVAILABLE);
	cr_expect_str_eq(
		c->fault.message,
		"The database connection was lost; whether the change was made is not known");
	scratch_owner("DROP FUNCTION @_die CASCADE");
}

Test(db_conn, lost_in_a_held_transaction_ends_it)
{
	struct ctx *c = scratch_ctx();

	cr_assert_eq(db_begin(c, BATCH_WRITE), 0);
	cr_assert_eq(insert_and("SELECT 1"), 0);
	cr_expect_eq(insert_and(DIE_ONCE), ERR_SERVICE_UNAVAILABLE);
	cr_expect_neq(db_commit(c), 0);
	cr_expect_eq(rows_in_table(), 0);

	scratch_next();
	cr_expect_eq(insert_and("SELECT 1"), 0);
}

Test(db_conn, is_not_waited_for_while_the_server_is_away)
{
	struct ctx *c = scratch_ctx();
	int64_t from_us;

	scratch_config()->database_url = "postgresql://zygo_app@/zygo?host=/no/such/folder";
	scratch_reconnect();
	from_us = clock_monotonic_us();
	for (int i = 0; i < 1000; i++) {
		scratch_next();
		cr_assert_eq(db_ping(c), ERR_SERVICE_UNAVAILABLE);
		cr_assert_str_eq(c->fault.message, "The database is not reachable");
	}
	cr_expect_lt(clock_monotonic_us() - from_us, 10 * US_PER_S);
	cr_expect_not(str_ends(str_of(c->fault.detail), "\n"), "a line of a log or of doctor");
}

/* libpq quotes what it cannot read. */
Test(db_conn, with_a_broken_url_does_not_show_its_password)
{
	struct ctx *c = scratch_ctx();

	scratch_config()->database_url = "postgresql://zygo_app:100%sure@/zygo?host=/run";
	scratch_reconnect();
	cr_expect_eq(db_ping(c), ERR_SERVICE_UNAVAILABLE);
	cr_expect_not(strstr(c->fault.detail, "sure"), "%s", c->fault.detail);
}

/* Runs it until that comes of it, for a server that stands still is late with anything. */
static int try_until(const char *text, int err, const char *message)
{
	const struct sql *s = scratch_sql(SQL_EXEC, text);
	struct ctx *c = scratch_ctx();
	int got;

	for (int i = 0; i < 10; i++) {
		scratch_next();
		got = db_read(c, NULL, s, NO_ARGS);
		if (got == err && (!err || strcmp(c->fault.message, message) == 0))
			break;
	}
	cr_expect(!err || strcmp(c->fault.message, message) == 0, "%s", c->fault.message);
	return got;
}

Test(db_conn, that_answers_too_late_is_given_up)
{
	struct ctx *c = scratch_ctx();

	scratch_config()->database_timeout_us = US_PER_S;
	scratch_reconnect();
	cr_expect_eq(try_until("SELECT pg_sleep(10)", ERR_SERVICE_UNAVAILABLE,
			       "The query took too long"),
		     ERR_SERVICE_UNAVAILABLE);
	cr_expect_eq(try_until("SELECT set_config('statement_timeout', '0', false)", 0, NULL), 0);
	cr_expect_eq(db_read(c, NULL, scratch_sql(SQL_EXEC, "SELECT pg_sleep(10)"), NO_ARGS),
		     ERR_SERVICE_UNAVAILABLE);
	cr_expect_str_eq(c->fault.message, "The database did not answer in time");

	scratch_next();
	cr_expect_eq(db_ping(c), 0);
}

Test(db_conn, has_little_time_where_others_wait_meanwhile)
{
	const struct config *c = scratch_config();

	db_done();
	db_init("fast");
	cr_expect_eq(conn_statement_timeout_us(), c->database_timeout_us);
	db_init("realtime");
	cr_expect_eq(conn_statement_timeout_us(), c->database_timeout_us);
	db_init("slow");
	cr_expect_eq(conn_statement_timeout_us(), c->slow_request_timeout_us);
}

Test(db_conn, to_the_replica_falls_back_to_the_primary)
{
	struct ctx *c = scratch_ctx();
	struct entry to_replica = *c->entry;
	const struct sql *s = scratch_sql(SQL_ONE, "SELECT current_setting('work_mem') AS x");
	const struct rows *rows;

	scratch_config()->database_replica_url = arena_printf(
		c->arena, "%s&options=-c%%20work_mem%%3D1234kB", scratch_config()->database_url);
	scratch_reconnect();
	to_replica.replica_ok = true;

	cr_assert_eq(db_read(c, &rows, s, NO_ARGS), 0);
	cr_expect_str_neq(rows_get_text(rows, "x"), "1234kB", "the entry does not allow it");
	c->entry = &to_replica;
	cr_assert_eq(db_read(c, &rows, s, NO_ARGS), 0);
	cr_expect_str_eq(rows_get_text(rows, "x"), "1234kB");

	scratch_config()->database_replica_url = "postgresql:///zygo?host=/no/such/folder";
	scratch_reconnect();
	cr_assert_eq(db_read(c, &rows, s, NO_ARGS), 0);
	cr_expect_str_neq(rows_get_text(rows, "x"), "1234kB");
}

/* The replica here is the same server with other settings; the entry is refused where it has those.
 */
Test(db_conn, to_the_replica_does_not_refuse_what_the_primary_allows)
{
	struct ctx *c = scratch_ctx();
	struct entry to_replica = *c->entry;
	struct sql enter = *c->entry->statement;
	const struct rows *rows;

	enter.name = "scratch_enter_late";
	enter.text =
		"SELECT set_config('transaction_read_only', $1, true) WHERE "
		"current_setting('work_mem') <> '1234kB' OR refuse('ZY461', 'No such session')";
	to_replica.statement = &enter;
	to_replica.replica_ok = true;
	scratch_config()->database_replica_url = arena_printf(
		c->arena, "%s&options=-c%%20work_mem%%3D1234kB", scratch_config()->database_url);
	scratch_reconnect();

	c->entry = &to_replica;
	cr_assert_eq(db_read(c, &rows, scratch_sql(SQL_ONE, "SELECT true AS x"), NO_ARGS), 0);
	cr_expect_eq(c->pg_trips, 2);
}

/* Alone, since a program that starts meanwhile would refuse to. */
Test(faults_db, a_table_that_is_not_isolated_is_found, .init = scratch_init, .fini = scratch_done)
{
	_cleanup_(buf_done) struct buf findings;

	buf_init_heap(&findings, KIB(16));
	cr_assert_eq(db_check(scratch_ctx(), &findings), 0);
	cr_expect_eq(findings.len, 0, "%s", findings.data);

	scratch_owner("ALTER TABLE @ ADD tenant_id uuid");
	cr_assert_eq(db_check(scratch_ctx(), &findings), 0);
	cr_expect(strstr(findings.data, scratch_text("table @ has tenant_id but no forced")), "%s",
		  findings.data);
}

Test(faults_db, a_role_that_could_lift_isolation_is_found, .init = scratch_init,
     .fini = scratch_done)
{
	_cleanup_(buf_done) struct buf findings;

	scratch_config()->database_url = getenv("ZYGO_TEST_OWNER_URL");
	scratch_reconnect();
	buf_init_heap(&findings, KIB(64));
	cr_assert_eq(db_check(scratch_ctx(), &findings), 0);
	cr_expect(strstr(findings.data, "such as account_events) and could lift"), "%s",
		  findings.data);
	cr_expect_eq(strchr(findings.data, '\n'), findings.data + findings.len - 1, "%s",
		     findings.data);
}
