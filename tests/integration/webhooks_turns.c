/*
 * Webhooks' turns: nobody's endpoints hold up those of others, and what is not to be sent does not
 * wait for ever.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/hooked.h"
#include "support/receiver.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <string.h>

TestSuite(webhooks_turns, .init = receiver_start);

/*
 * Many at once. What a transaction of the test's has made is seen by no sender.
 */

/* Endpoints of the tenant with so many deliveries waiting each. */
static void make_waiting(struct tenant_id t, int endpoints, int each)
{
	database_run(
		"WITH w AS (INSERT INTO webhook_endpoints (tenant_id, id, url, secret_sealed) "
		"SELECT $1::uuid, uuid_v7(), 'https://hooks.example.com/', '' "
		"FROM generate_series(1, $2::int) RETURNING id), "
		"s AS (INSERT INTO webhook_states (tenant_id, endpoint_id) "
		"SELECT $1::uuid, id FROM w), "
		"m AS (INSERT INTO webhook_messages (tenant_id, id, type, payload, created_at) "
		"VALUES ($1::uuid, uuid_v7(), 'project.created', '{}', now()) RETURNING id) "
		"INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, type, "
		"position, due_at, created_at) SELECT $1::uuid, uuid_v7(), w.id, m.id, "
		"'project.created', n, now(), now() "
		"FROM w, m, generate_series(1, $3::int) AS n",
		id_text(t.u), strf("%d", endpoints), strf("%d", each), NULL);
}

/* Of the tenant's, by a sender with room for all that there are. */
static int64_t claimed(struct tenant_id t)
{
	return database_number("SELECT count(id) FROM take_webhooks('test', 1000000, 100, "
			       "interval '1 hour', platform_tenant()) WHERE tenant_id = $1::uuid",
			       id_text(t.u), NULL);
}

Test(webhooks_turns, of_one_tenant_leave_places_to_others)
{
	struct tenant_id t = tenant_make();

	database_run("BEGIN", NULL);
	make_waiting(t, 8, 150);
	cr_expect_eq(claimed(t), 8 * (500 / 8), "each endpoint as many as the others");
	cr_expect_eq(claimed(t), 500 - 8 * (500 / 8));
	cr_expect_eq(claimed(t), 0, "all that it may have is under way");
	database_run("ROLLBACK", NULL);
}

Test(webhooks_turns, of_an_endpoint_that_fails_are_few)
{
	struct tenant_id t = tenant_make();

	database_run("BEGIN", NULL);
	make_waiting(t, 1, 150);
	database_run("UPDATE webhook_states SET failing_since = now() WHERE tenant_id = $1::uuid",
		     id_text(t.u), NULL);
	cr_expect_eq(claimed(t), 10);
	database_run("UPDATE webhook_states SET failing_since = NULL WHERE tenant_id = $1::uuid",
		     id_text(t.u), NULL);
	cr_expect_eq(claimed(t), 90, "as soon as it answers again");
	database_run("ROLLBACK", NULL);
}

/* A sender that is replaced only after the database was migrated. */
Test(webhooks_turns, are_the_same_for_a_sender_of_the_release_before)
{
	struct tenant_id t = tenant_make();

	database_run("BEGIN", NULL);
	make_waiting(t, 1, 150);
	cr_expect_eq(database_number("SELECT count(*) FROM claim_webhooks('test', 1000000, 100, "
				     "interval '1 hour', platform_tenant()) "
				     "WHERE tenant_id = $1::uuid AND payload = '{}'",
				     id_text(t.u), NULL),
		     100);
	cr_expect_eq(database_number("SELECT count(*) FROM claim_webhooks('test', 1000000, 100, "
				     "interval '1 hour', platform_tenant()) "
				     "WHERE tenant_id = $1::uuid OR id IS NULL",
				     id_text(t.u), NULL),
		     0, "what is held back is no row");
	database_run("ROLLBACK", NULL);
}

/* Another sender's, which looks at the tenant's endpoints and is not through. */
static PGconn *look_at(struct tenant_id t)
{
	PGconn *other = PQconnectdb(world()->super_url);
	PGresult *locked;

	cr_assert_eq(PQstatus(other), CONNECTION_OK, "%s", PQerrorMessage(other));
	PQclear(PQexec(other, "BEGIN"));
	locked = PQexec(other, strf("SELECT FROM webhook_states WHERE tenant_id = '%s' "
				    "FOR NO KEY UPDATE",
				    id_text(t.u)));
	cr_assert_eq(PQntuples(locked), 1, "%s", PQerrorMessage(other));
	PQclear(locked);
	return other;
}

/* Of a round that has taken nothing: whether it says that another sender was in the way. Others'
 * deliveries, which tests beside this one make, come and go. */
static bool is_told(void *p)
{
	const bool *of_another = p;
	const char *said;

	database_run("SAVEPOINT round", NULL);
	said = database_value("SELECT (endpoint_id IS NOT NULL)::text FROM take_webhooks('test', "
			      "1000000, 100, interval '1 hour', platform_tenant()) "
			      "WHERE id IS NULL",
			      NULL);
	database_run("ROLLBACK TO round", NULL);
	return said && (strcmp(said, "true") == 0) == *of_another;
}

Test(webhooks_turns, that_another_sender_looks_at_are_not_held_back)
{
	struct tenant_id t = tenant_make();
	PGconn *other;

	make_waiting(t, 1, 0);
	other = look_at(t);
	database_run("BEGIN", NULL);
	database_run("INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, "
		     "type, position, due_at, created_at) SELECT tenant_id, id, id, id, "
		     "'project.created', 0, now(), now() FROM webhook_endpoints "
		     "WHERE tenant_id = $1::uuid",
		     id_text(t.u), NULL);
	wait_until(is_told, &(bool){ true }, "a sender that meets another");
	PQfinish(other);
	database_run("UPDATE webhook_states SET rate_at = now() + interval '1 hour' "
		     "WHERE tenant_id = $1::uuid",
		     id_text(t.u), NULL);
	database_run("UPDATE webhook_endpoints SET rate_limit = 1 WHERE tenant_id = $1::uuid",
		     id_text(t.u), NULL);
	wait_until(is_told, &(bool){ false }, "a sender whom a rate holds back");
	database_run("ROLLBACK", NULL);
}

static int64_t waiting(struct tenant_id t)
{
	return database_number("SELECT count(*) FROM webhook_deliveries "
			       "WHERE tenant_id = $1::uuid AND state = 'waiting'",
			       id_text(t.u), NULL);
}

/* After an hour without a sender, say. */
Test(webhooks_turns, of_retries_are_every_tenants)
{
	struct tenant_id many = tenant_make(), few = tenant_make();

	database_run("BEGIN", NULL);
	make_waiting(many, 2, 2000);
	make_waiting(few, 1, 3);
	database_run("UPDATE webhook_deliveries SET state = 'delayed', due_at = now() - CASE "
		     "WHEN tenant_id = $1::uuid THEN interval '1 hour' WHEN position < 3 THEN "
		     "interval '1 minute' ELSE interval '-1 hour' END "
		     "WHERE tenant_id IN ($1::uuid, $2::uuid)",
		     id_text(many.u), id_text(few.u), NULL);
	database_run("SELECT promote_webhooks(2000)", NULL);
	cr_expect_eq(waiting(few), 2, "what is due, though others' has been due for longer");
	cr_expect(waiting(many) >= 2000 && waiting(many) <= 3000);
	database_run("ROLLBACK", NULL);
}

/* Tenants whose only endpoint waits for its turn, by its order; more than are looked at together.
 */
Test(webhooks_turns, come_though_many_others_are_held_back)
{
	const char *slug = new_word();
	struct caller ann;
	const char *id;

	(void)world();
	database_run(
		"WITH t AS (INSERT INTO tenants (id, slug, name) "
		"SELECT uuid_v7(), $1 || n, 'Held back' FROM generate_series(1, 450) AS n "
		"RETURNING id), "
		"w AS (INSERT INTO webhook_endpoints (tenant_id, id, url, is_ordered, "
		"secret_sealed) SELECT id, id, 'https://hooks.example.com/', true, '' FROM t), "
		"s AS (INSERT INTO webhook_states (tenant_id, endpoint_id) "
		"SELECT id, id FROM t) "
		"INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, type, "
		"position, state, due_at, created_at) SELECT t.id, uuid_v7(), t.id, t.id, "
		"'project.created', 0, state, now() + interval '1 day', now() "
		"FROM t, unnest(ARRAY['delayed', 'waiting']) AS state",
		slug, NULL);
	ann = caller(ROLE_ADMIN); /* her tenant's id comes behind theirs */
	id = webhook_make(&ann, "/told", PROJECTS);
	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	database_run("DELETE FROM tenants WHERE slug LIKE $1 || '%'", slug, NULL);
}

/*
 * Disabled and deleted
 */

Test(webhooks_turns, end_with_the_attempt_that_is_under_way_when_it_is_disabled)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/hang", PROJECTS);

	webhook_happen(&ann);
	receiver_await(1);
	answer_is(patch(&ann, strf("/webhooks/%s", id), "{\"enabled\":false}"), 200);
	webhook_await(id, "cancelled", 1);
	cr_assert_eq(database_number("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = "
				     "$1::uuid AND finished_at IS NULL",
				     id, NULL),
		     0);
}

/* Whatever came to wait beside the job that cancels: nobody sends it, and nobody looks for ever. */
Test(webhooks_turns, of_who_is_disabled_or_deleted_do_not_wait)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);

	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	answer_is(del(&ann, strf("/webhooks/%s", id)), 204);
	database_run("UPDATE webhook_deliveries SET state = 'waiting', finished_at = NULL "
		     "WHERE endpoint_id = $1::uuid",
		     id, NULL);
	webhook_await(id, "cancelled", 1);
	cr_assert_eq(receiver_count(), 1);
}

/*
 * Since when
 */

/* An event of that moment, which is fanned out now. */
static void happen_at(const struct caller *c, const char *moment)
{
	database_run("INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, created_at) "
		     "VALUES ($1::uuid, $2::uuid, 'project.created', $2::uuid, 'system', "
		     "$3::timestamptz)",
		     id_text(c->tenant.u), id_text(uuid_v7()), moment, NULL);
}

Test(webhooks_turns, are_of_what_happened_since_it_was_enabled)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS), *path = strf("/webhooks/%s", id);
	const char *while_disabled;

	answer_is(patch(&ann, path, "{\"enabled\":false}"), 200);
	while_disabled = database_value("SELECT clock_timestamp()::text", NULL);
	answer_is(patch(&ann, path, "{\"enabled\":true}"), 200);
	happen_at(&ann, while_disabled);
	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	cr_assert_eq(database_number("SELECT count(*) FROM webhook_deliveries "
				     "WHERE endpoint_id = $1::uuid",
				     id, NULL),
		     1, "what happened while it was disabled is not told");
	answer_is(patch(&ann, path, "{\"enabled\":true}"), 200);
	cr_assert_eq(database_number("SELECT (enabled_at < updated_at)::int FROM "
				     "webhook_endpoints WHERE id = $1::uuid",
				     id, NULL),
		     1, "who is enabled already stays so since then");
}

static struct answer catch_up(const struct caller *c, const char *id)
{
	return answer_is(post(c, strf("/webhooks/%s/replay", id),
			      "{\"which\":\"missed\",\"since\":\"2020-01-01T00:00:00Z\"}"),
			 202);
}

/* What the reader of events has yet to come to is not missed. */
Test(webhooks_turns, of_what_is_yet_to_be_told_are_not_made_twice)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);

	database_run("BEGIN", NULL);
	database_run("SELECT FROM event_readers WHERE name = 'webhooks' FOR UPDATE", NULL);
	webhook_happen(&ann);
	cr_expect_eq(webhook_replayed(&ann, catch_up(&ann, id)), 0);
	database_run("ROLLBACK", NULL);
	webhook_await(id, "delivered", 1);
	cr_assert_eq(database_number("SELECT count(*) FROM webhook_deliveries "
				     "WHERE endpoint_id = $1::uuid",
				     id, NULL),
		     1);
}
