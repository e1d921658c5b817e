/*
 * Events whose spine, database or Redis dies; and partitions, whose locks would be felt by other
 * tests.
 */
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/spine.h"
#include "support/world.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define EVENTS 400

static void bring_them_back(void)
{
	server_do("start", "postgres");
	server_do("start", "redis");
}

TestSuite(faults_events, .fini = bring_them_back);

/* In transactions of their own, four in a row; the ids are made by the database. */
static void write_some(struct tenant_id t, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		database_run(
			"INSERT INTO events (tenant_id, id, type, actor_kind) SELECT $1::uuid, "
			"event_id(gen_random_uuid()), 'test.written', 'system'",
			id_text(t.u), NULL);
}

static void check_once(const char *reader, struct tenant_id t, int64_t n)
{
	spine_await(reader, t, n);
	cr_expect_eq(database_number("SELECT count(*) FROM " SPINE_TABLE
				     " WHERE reader = $1 AND tenant = $2::uuid",
				     reader, id_text(t.u), NULL),
		     n, "an event was read twice");
	cr_expect_eq(database_number("SELECT count(DISTINCT event_id) FROM event_log "
				     "WHERE tenant_id = $1::uuid",
				     id_text(t.u), NULL),
		     n);
	cr_expect_eq(database_number("SELECT count(*) FROM event_log WHERE tenant_id = $1::uuid",
				     id_text(t.u), NULL),
		     n, "an event has two positions");
}

Test(faults_events, none_is_lost_and_none_read_twice_when_the_spine_is_killed)
{
	struct tenant_id t = tenant_make();
	pid_t spine = spine_start();

	for (size_t i = 0; i < 8; i++) {
		write_some(t, EVENTS / 8);
		spine_kill(spine);
	}
	check_once(spine_reader(), t, EVENTS);
	cr_expect_eq(spine_stop(spine), 0);
}

Test(faults_events, none_is_lost_and_none_read_twice_when_postgresql_restarts)
{
	struct tenant_id t = tenant_make();
	pid_t spine = spine_start();

	write_some(t, EVENTS / 2);
	server_do("restart", "postgres");
	write_some(t, EVENTS / 2);
	check_once(spine_reader(), t, EVENTS);
	cr_expect_eq(spine_stop(spine), 0);
}

static bool is_told(void *p)
{
	return database_number("SELECT count(*) FROM event_readers r, event_log l "
			       "WHERE r.name = 'realtime' AND r.position >= l.position "
			       "AND l.tenant_id = $1::uuid",
			       p, NULL) == 3;
}

/* Nobody hears of them live; whoever asks for what was missed finds them. */
Test(faults_events, go_on_without_redis)
{
	struct tenant_id t = tenant_make();

	server_do("stop", "redis");
	write_some(t, 3);
	wait_until(is_told, arena_strdup(world_arena(), id_text(t.u)), "the live reader goes on");
	server_do("start", "redis");
}

/*
 * Partitions
 */

/* An id of a year that no partition was made for. */
#define OLD "016f5e66-e800-7000-8000-" /* 1 January 2020 */

struct rolling {
	const char *keep, *done;
};

static bool has_rolled(void *p)
{
	struct rolling *r = p;

	r->done = database_value("SELECT pg_temp.try_roll($1::interval)", r->keep, NULL);

	return r->done;
}

/* What became of that month's; tried again, as the job is, while somebody holds a table. */
static const char *roll(const char *keep)
{
	struct rolling r = { .keep = keep };

	database_run("CREATE OR REPLACE FUNCTION pg_temp.try_roll(p_keep interval) RETURNS text "
		     "LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT coalesce(string_agg(what || ' ' "
		     "|| partition, ', ' ORDER BY what DESC, partition), '') "
		     "FROM roll_event_partitions(p_keep) WHERE partition LIKE '%_2020_01'); "
		     "EXCEPTION WHEN lock_not_available THEN RETURN NULL; END $$",
		     NULL);
	wait_until(has_rolled, &r, "partitions are made and dropped");

	return r.done;
}

/* How long to keep for everything that ended before that moment to be too old. */
static const char *keep_until(const char *moment)
{
	return database_value("SELECT (now() - $1::timestamptz)::text", moment, NULL);
}

static bool is_read(void *p)
{
	return database_number(
		       "SELECT count(*) FROM event_log WHERE event_id = $1::uuid AND position "
		       "<= (SELECT min(position) FROM event_readers WHERE position > 0)",
		       p, NULL) == 1;
}

static bool has_no_roller(void *p UNUSED)
{
	return database_number("SELECT count(*) FROM jobs WHERE kind = 'housekeeping.events' "
			       "AND state = 'active'",
			       NULL) == 0;
}

/* The hour's own job would do it before the test. */
static void begin_alone(void)
{
	(void)world();
	database_run("UPDATE job_queues SET paused_at = now() WHERE name = 'housekeeping'", NULL);
	wait_until(has_no_roller, NULL, "nobody else rolls partitions");
}

static void end_alone(void)
{
	database_run("UPDATE job_queues SET paused_at = NULL WHERE name = 'housekeeping'", NULL);
}

TestSuite(faults_partitions, .init = begin_alone, .fini = end_alone);

/* An event of a month that was not foreseen, which all but idle readers have read. */
static const char *write_old(struct tenant_id t)
{
	char *id = arena_strdup(world_arena(), strf(OLD "%012d", (int)getpid()));

	database_run("INSERT INTO events (tenant_id, id, type, actor_kind) "
		     "VALUES ($1::uuid, $2::uuid, 'test.written', 'system')",
		     id_text(t.u), id, NULL);
	wait_until(is_read, id, "the event was read");
	return id;
}

Test(faults_partitions, of_an_unforeseen_month_are_made_and_dropped_once_they_are_old_and_read)
{
	struct tenant_id t = tenant_make();
	const char *id = write_old(t), *table;

	cr_expect_str_eq(roll("400 years"), "made event_log_2020_01, made events_2020_01");
	table = database_value("SELECT tableoid::regclass::text FROM events WHERE id = $1::uuid",
			       id, NULL);
	cr_expect_str_eq(table, "events_2020_01");
	cr_expect_str_eq(roll("400 years"), "", "nothing is left to do");

	/* It ended a day too early to be kept, but somebody has not read it. */
	database_run("INSERT INTO event_readers (name, position) VALUES ('test-idle', 0)", NULL);
	cr_expect_str_eq(roll(keep_until("2020-02-02Z")), "");
	database_run("UPDATE event_readers SET position = 2147483647 WHERE name = 'test-idle'",
		     NULL);
	cr_expect_str_eq(roll(keep_until("2020-02-02Z")),
			 "dropped event_log_2020_01, dropped events_2020_01");
	database_run("DELETE FROM event_readers WHERE name = 'test-idle'", NULL);
}

Test(faults_partitions, that_a_reader_has_not_read_for_a_week_too_long_are_dropped)
{
	struct tenant_id t = tenant_make();

	(void)write_old(t);
	database_run("INSERT INTO event_readers (name, position) VALUES ('test-dead', 0)", NULL);
	cr_expect_str_eq(roll(keep_until("2020-02-07Z")),
			 "made event_log_2020_01, made events_2020_01");
	cr_expect_str_eq(roll(keep_until("2020-02-09Z")),
			 "dropped event_log_2020_01, dropped events_2020_01");
	database_run("DELETE FROM event_readers WHERE name = 'test-dead'", NULL);
}
