/* Events in order, for those who read them; and their partitions (src/events/README.md). */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/spine.h"
#include "support/world.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/jsonread.h"
#include "cache/redis_impl.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSERT                                                                                     \
	"INSERT INTO events (tenant_id, id, type, actor_kind) SELECT '%s', '%s', 'test.written', 'system'"

/* A connection of its own, for a transaction that stays open. */
static PGconn *connect_super(void)
{
	PGconn *c = PQconnectdb(world()->super_url);

	cr_assert_eq(PQstatus(c), CONNECTION_OK, "%s", PQerrorMessage(c));
	return c;
}

static void run_on(PGconn *c, const char *statement)
{
	PGresult *r = PQexec(c, statement);

	cr_assert(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK,
		  "%s: %s", statement, PQerrorMessage(c));
	PQclear(r);
}

static const char *write_on(PGconn *c, struct tenant_id t)
{
	const char *id = arena_strdup(world_arena(), id_text(uuid_v7()));

	run_on(c, strf(INSERT, id_text(t.u), id));
	return id;
}

static const char *write_one(struct tenant_id t)
{
	PGconn *c = connect_super();
	const char *id = write_on(c, t);

	PQfinish(c);
	return id;
}

static int64_t position_of(const char *id)
{
	return database_number("SELECT position FROM event_log WHERE event_id = $1::uuid", id,
			       NULL);
}

static bool is_numbered(void *p)
{
	return position_of(p) > 0;
}

static void await_number(const char *id)
{
	wait_until(is_numbered, (void *)(uintptr_t)id, "the event has a position");
}

/*
 * Order
 */

Test(events, a_transaction_that_stays_open_delays_no_other_and_comes_when_it_commits)
{
	struct tenant_id t = tenant_make();
	PGconn *slow = connect_super();
	const char *first, *second;

	run_on(slow, "BEGIN");
	first = write_on(slow, t); /* has the earlier place in the inbox */
	second = write_one(t);
	await_number(second);
	cr_expect_eq(position_of(first), 0, "an event that nobody else sees yet has a position");

	run_on(slow, "COMMIT");
	PQfinish(slow);
	await_number(first);
	cr_expect_gt(position_of(first), position_of(second));
}

Test(events, of_a_transaction_that_is_rolled_back_get_no_position)
{
	struct tenant_id t = tenant_make();
	PGconn *c = connect_super();
	const char *gone;

	run_on(c, "BEGIN");
	gone = write_on(c, t);
	run_on(c, "ROLLBACK");
	PQfinish(c);
	await_number(write_one(t));
	cr_expect_eq(position_of(gone), 0);
	cr_expect_eq(database_number("SELECT count(*) FROM event_inbox WHERE event_id = $1::uuid",
				     gone, NULL),
		     0);
}

/* One process writes n events, each in a transaction of its own, in the order of their ids. */
static pid_t write_many(struct tenant_id t, size_t n)
{
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0) {
		PGconn *c = PQconnectdb(world()->super_url);

		for (size_t i = 0; i < n; i++) {
			PGresult *r = PQexec(c, strf(INSERT, id_text(t.u), id_text(uuid_v7())));

			if (PQresultStatus(r) != PGRES_COMMAND_OK)
				_exit(1);
			PQclear(r);
		}
		_exit(0);
	}
	return pid;
}

static void await_exit(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "a writer failed");
}

#define WRITERS 4
#define EACH    150

/* Each event of these tenants was read once by that reader, and those of one tenant in their order.
 */
static void check_reads(const char *reader, const struct tenant_id *tenants)
{
	for (size_t i = 0; i < WRITERS; i++) {
		const char *t = id_text(tenants[i].u);

		spine_await(reader, tenants[i], EACH);
		cr_expect_eq(database_number("SELECT count(*) FROM " SPINE_TABLE
					     " WHERE reader = $1 AND tenant = $2::uuid",
					     reader, t, NULL),
			     EACH, "an event was read twice");
		cr_expect_eq(
			database_number("SELECT count(*) FROM (SELECT event_id, lag(event_id) OVER "
					"(ORDER BY n) AS before FROM " SPINE_TABLE
					" WHERE reader = $1 AND tenant = $2::uuid) AS x "
					"WHERE before > event_id",
					reader, t, NULL),
			0, "events were read out of order");
	}
}

static const char *first_position(struct tenant_id t)
{
	return database_value("SELECT min(position) FROM event_log WHERE tenant_id = $1::uuid",
			      id_text(t.u), NULL);
}

static const char *last_position(struct tenant_id t)
{
	return database_value("SELECT max(position) FROM event_log WHERE tenant_id = $1::uuid",
			      id_text(t.u), NULL);
}

/* Tenants that other tests delete take their positions along. */
static int64_t deletions_since(const char *moment)
{
	return database_number("SELECT count(*) FROM tenant_deletions "
			       "WHERE finished_at >= $1::timestamptz",
			       moment, NULL);
}

static void check_positions(const struct tenant_id *tenants, const char *began)
{
	int64_t gaps;

	for (size_t i = 0; i < WRITERS; i++)
		cr_expect_eq(
			database_number("SELECT count(*) - count(DISTINCT position) FROM event_log "
					"WHERE tenant_id = $1::uuid",
					id_text(tenants[i].u), NULL),
			0, "a position was given twice");
	gaps = database_number("SELECT max(position) - min(position) + 1 - count(*) FROM "
			       "event_log WHERE position BETWEEN $1::bigint AND $2::bigint",
			       first_position(tenants[0]), last_position(tenants[0]), NULL);
	cr_expect(gaps == 0 || deletions_since(began) > 0, "positions have a gap of %ld",
		  (long)gaps);
}

Test(events, are_numbered_and_read_once_and_in_order_by_several_spines_that_are_killed)
{
	struct tenant_id tenants[WRITERS];
	pid_t spines[2], writers[WRITERS];
	const char *began = database_value("SELECT now()", NULL);

	for (size_t i = 0; i < ARRAY_LEN(spines); i++)
		spines[i] = spine_start();
	for (size_t i = 0; i < WRITERS; i++) {
		tenants[i] = tenant_make();
		writers[i] = write_many(tenants[i], EACH);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		spine_kill(spines[i % 2]);
		await_exit(writers[i]);
	}
	check_reads(spine_reader(), tenants);
	check_reads(spine_careful_reader(), tenants);
	check_positions(tenants, began);
	for (size_t i = 0; i < ARRAY_LEN(spines); i++)
		cr_expect_eq(spine_stop(spines[i]), 0);
}

/*
 * Readers
 */

static bool has_failed(void *p UNUSED)
{
	const char *why = database_value("SELECT failure FROM event_readers WHERE name = $1 AND "
					 "failed_at IS NOT NULL",
					 spine_careful_reader(), NULL);

	return why && strstr(why, "cannot be read");
}

Test(events, a_reader_that_fails_stops_no_other_and_resumes_where_it_was)
{
	struct tenant_id t = tenant_make(), poison = tenant_make();
	pid_t spine = spine_start();

	spine_poison(poison, true);
	(void)write_one(t);
	(void)write_one(poison);
	(void)write_one(t);
	spine_await(spine_reader(), poison, 1);
	spine_await(spine_reader(), t, 2);
	wait_until(has_failed, NULL, "the reader's failure is told");

	spine_poison(poison, false);
	spine_await(spine_careful_reader(), poison, 1);
	spine_await(spine_careful_reader(), t, 2);
	cr_expect_eq(database_number("SELECT count(*) - count(DISTINCT position) FROM " SPINE_TABLE
				     " WHERE reader = $1",
				     spine_careful_reader(), NULL),
		     0, "an event was read twice");
	cr_expect_null(database_value("SELECT failure FROM event_readers WHERE name = $1",
				      spine_careful_reader(), NULL));
	cr_expect_eq(spine_stop(spine), 0);
}

/* The reader is given fewer and fewer at a time, until what it cannot read stands alone. */
Test(events, before_one_that_cannot_be_read_are_read)
{
	struct tenant_id t = tenant_make(), poison = tenant_make();
	pid_t spine = spine_start();

	cr_assert_eq(spine_pause(spine), 0); /* so that all of them are given to it at once */
	spine_poison(poison, true);
	(void)write_one(t);
	(void)write_one(t);
	(void)write_one(poison);
	spine = spine_start();
	spine_await(spine_careful_reader(), t, 2);
	spine_poison(poison, false);
	spine_await(spine_careful_reader(), poison, 1);
	cr_expect_eq(spine_stop(spine), 0);
}

static bool names(const struct answer *a, const char *reader)
{
	for (size_t i = 0; i < answer_len(*a, "data"); i++) {
		if (strcmp(answer_text(*a, strf("data.%zu.name", i)), reader) == 0)
			return true;
	}
	return false;
}

Test(events, are_read_by_readers_whose_lag_the_platform_sees)
{
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER);
	struct answer a = answer_is(get(&root, "/event-readers"), 200);

	cr_expect(names(&a, "realtime"));
	cr_expect(names(&a, "spine"));
}

/*
 * The live copy
 */

/* Hears a channel; what came is read by next_message(). */
static redisContext *hear(const char *channel)
{
	redisContext *r = redisConnectUnix(getenv("ZYGO_TEST_REDIS_URL") + strlen("unix://"));
	redisReply *reply;

	cr_assert(r && !r->err);
	cr_assert_eq(redisSetTimeout(r, (struct timeval){ .tv_sec = 60 }), REDIS_OK);
	reply = redisCommand(r, "SUBSCRIBE %s:%s", config()->redis_prefix, channel);
	cr_assert(reply);
	freeReplyObject(reply);
	return r;
}

static const struct json *member(const struct json *object, const char *key)
{
	const struct json *value = NULL;

	cr_assert(jsonread_member(object, key, &value), "no %s", key);
	return value;
}

static const struct json *next_message(redisContext *r)
{
	const struct json *message;
	const char *why;
	redisReply *reply;

	cr_assert_eq(redisGetReply(r, (void **)&reply), REDIS_OK, "nothing was published");
	cr_assert_eq(reply->elements, 3);
	cr_assert(jsonread_parse(world_arena(),
				 str_of(arena_strdup(world_arena(), reply->element[2]->str)),
				 &message, &why, &(size_t){ 0 }),
		  "%s", why);
	freeReplyObject(reply);
	return message;
}

Test(events, are_told_live_in_order_with_their_positions)
{
	struct tenant_id t = tenant_make();
	redisContext *r = hear(strf("events:{%s}", id_text(t.u)));
	int64_t position, before = 0;

	for (size_t i = 0; i < 3; i++) {
		const char *id = write_one(t);
		const struct json *m = next_message(r);

		cr_expect(str_is(jsonread_string(member(m, "id")), id));
		cr_expect(str_is(jsonread_string(member(m, "type")), "test.written"));
		cr_expect(str_is(jsonread_string(member(m, "tenantId")), id_text(t.u)));
		cr_assert(jsonread_i64(member(m, "position"), &position));
		cr_expect_gt(position, before);
		before = position;
	}
	redisFree(r);
}

/*
 * Partitions
 */

/* No role of the program's reaches a partition itself; through its table it is bound by policies.
 */
Test(events, of_others_are_reached_through_no_partition)
{
	cr_expect_eq(
		database_number(
			"SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
			"CROSS JOIN unnest('{zygo_app,zygo_identity,zygo_system}'::text[]) AS role "
			"WHERE i.inhparent IN ('events'::regclass, 'event_log'::regclass, "
			"'account_events'::regclass) "
			"AND has_table_privilege(role, c.oid, 'SELECT,INSERT,UPDATE,DELETE')",
			NULL),
		0, "a role may use a partition past its table");
	cr_expect_eq(
		database_number("SELECT count(*) FROM pg_inherits i "
				"JOIN pg_class c ON c.oid = i.inhrelid "
				"WHERE i.inhparent IN ('events'::regclass, 'event_log'::regclass) "
				"AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
				NULL),
		0, "a partition is not isolated");
}

Test(events, of_this_month_and_the_next_two_have_their_partitions)
{
	cr_expect_eq(
		database_number(
			"SELECT count(*) FROM generate_series(0, 2) AS n "
			"CROSS JOIN unnest('{events,event_log,account_events}'::text[]) AS t "
			"WHERE to_regclass(t || to_char((now() AT TIME ZONE 'UTC') + n * interval '1 month', "
			"'_YYYY_MM')) IS NOT NULL",
			NULL),
		9);
}

/* The clock of a host that is wrong is not believed. */
Test(events, whose_ids_are_of_another_time_get_that_of_the_database)
{
	const char *right = id_text(uuid_v7());

	cr_expect_str_eq(database_value("SELECT event_id($1::uuid)", right, NULL), right);
	cr_expect_eq(
		database_number(
			"SELECT count(*) FROM unnest('{00000000-0000-7000-8000-000000000001, "
			"0fffffff-0000-7000-8000-000000000001}'::uuid[]) AS wrong "
			"WHERE uuid_time(event_id(wrong)) BETWEEN now() - interval '1 minute' "
			"AND now() + interval '1 minute' AND right(event_id(wrong)::text, 22) = "
			"right(wrong::text, 22)",
			NULL),
		2);
}

/* So that data fits its schema; that each does, coverage looks at. */
Test(events, say_that_something_is_long_by_a_value_of_its_type)
{
	static const struct {
		const char *value, *shown;
	} cases[] = {
		{ "to_jsonb(repeat('x', 4000))", "\"[long]\"" },
		{ "jsonb_build_array(repeat('x', 4000))", "[\"[long]\"]" },
		{ "jsonb_build_object('x', repeat('x', 4000))", "{\"[long]\": true}" },
		{ "to_jsonb(repeat('x', 3000))", NULL },
	};

	world();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *shown = database_value(
			strf("SELECT shown_value('settings', %s)", cases[i].value), NULL);

		if (cases[i].shown)
			cr_expect_str_eq(shown, cases[i].shown);
		else
			cr_expect_eq(strlen(shown), 3000 + 2, "as it is");
	}
}
