/* People who are erased: from one tenant, or with their account. */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static bool is_completed(void *job)
{
	return database_number(
		       "SELECT count(*) FROM jobs WHERE id = $1::uuid AND state = 'completed'", job,
		       NULL) == 1;
}

/* Where a word still stands in the rows of a tenant. */
static const char *traces(struct tenant_id t, const char *word)
{
	size_t n;
	const char *const *tables =
		database_column(&n, "SELECT name FROM tenant_tables() WHERE name <> 'jobs'", NULL);

	for (size_t i = 0; i < n; i++)
		if (database_number(strf("SELECT count(*) FROM %s t WHERE %s = $1::uuid "
					 "AND strpos(t::text, $2) > 0",
					 tables[i],
					 strcmp(tables[i], "tenants") == 0 ? "id" : "tenant_id"),
				    id_text(t.u), word, NULL) > 0)
			return tables[i];
	return NULL;
}

Test(erasure, of_a_user_leaves_the_audit_and_not_the_person)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	const char *path = strf("/users/%s", id_text(bob.user.u)), *job;
	struct answer a;

	answer_is(
		patch(&bob, path, "{\"displayName\":\"Bobby Tables\",\"phone\":\"+49 30 901820\"}"),
		200);
	answer_is(post(&bob, "/projects", strf("{\"slug\":\"%s\",\"name\":\"x\"}", new_word())),
		  201);
	(void)api_key_make(bob.tenant, bob.user, "canViewUsers");
	cr_assert(traces(ann.tenant, "Bobby Tables"));

	a = answer_is(post(&ann, strf("%s/erase", path), "{\"reason\":\"Asked for\"}"), 202);
	job = answer_text(a, "jobId");
	cr_expect_str_eq(answer_header(&a, "Location"), strf("/api/v1/jobs/%s", job));
	answer_is(get(&bob, "/projects"), 401);
	wait_until(is_completed, (void *)(uintptr_t)job, "the user is erased");

	cr_expect_null(traces(ann.tenant, bob.email), "%s", traces(ann.tenant, bob.email));
	cr_expect_null(traces(ann.tenant, "Bobby Tables"));
	cr_expect_null(traces(ann.tenant, "901820"));
	cr_expect_null(traces(ann.tenant, id_text(bob.account.u)));
	a = answer_is(get(&ann, strf("/audit?userId=%s", id_text(bob.user.u))), 200);
	cr_expect(answer_len(a, "data") >= 2);
	cr_expect_str_eq(answer_text(a, "data.0.userEmail"),
			 strf("erased-%s@erased.invalid", id_text(bob.user.u)));
	a = answer_is(get(&ann, strf("/jobs/%s", job)), 200);
	cr_expect_eq(answer_int(a, "result.tables.users"), 1);
	cr_expect(answer_int(a, "result.tables.events") >= 2);
	cr_expect_str_eq(database_value("SELECT data #>> '{tables,api_keys}' FROM events WHERE "
					"tenant_id = $1::uuid AND type = 'user.erased'",
					id_text(ann.tenant.u), NULL),
			 "1"); /* the report outlives the job */
	cr_expect_eq(answer_int(a, "result.tables.api_keys"), 1);
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid",
				     id_text(bob.account.u), NULL),
		     1); /* the account is the person's own */
	answer_is_error(post(&ann, strf("%s/erase", path), "{}"), 404, "RESOURCE_NOT_FOUND", NULL);
}

/* What was sent, what was answered, what could not be sent, and the seat that the person had
 * before. */
Test(erasure, of_a_user_reaches_what_was_said_of_them_elsewhere)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u), *endpoint = id_text(uuid_v7()), *job;
	const char *email = strf("%s@example.com", new_word());
	const char *body = strf("{\"email\":\"%s\",\"firstName\":\"Bobby\"}", email);
	struct answer before = answer_is(post(&ann, "/users", body), 201), now;

	answer_is(del(&ann, strf("/users/%s", answer_text(before, "id"))), 204);
	now = answer_is(post(&ann, "/users", body), 201);
	database_run(
		"INSERT INTO webhook_endpoints (tenant_id, id, url, secret_sealed, disabled_at) "
		"VALUES ($1::uuid, $2::uuid, 'https://example.com/', '', now())",
		tenant, endpoint, NULL);
	database_run(
		"INSERT INTO webhook_messages SELECT tenant_id, id, type, webhook_payload(type, "
		"id, created_at, tenant_id, subject_id, user_id, data), created_at FROM events "
		"WHERE tenant_id = $1::uuid",
		tenant, NULL);
	database_run(
		"WITH d AS (INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, "
		"message_id, type, position, state, due_at, created_at) SELECT tenant_id, id, "
		"$2::uuid, id, type, 1, 'failed', now(), now() FROM webhook_messages "
		"WHERE tenant_id = $1::uuid LIMIT 1 RETURNING id) INSERT INTO webhook_attempts "
		"(tenant_id, delivery_id, number, url, request_headers, response_body, "
		"duration_us, started_at) SELECT $1::uuid, id, 1, 'x', '{}', "
		"'no ' || $3::text, 1, now() FROM d",
		tenant, endpoint, email, NULL);
	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, max_attempts, "
		     "finished_at) VALUES ($1::uuid, gen_random_uuid(), 'email', 'letter', "
		     "jsonb_build_object('email', $2::text), 'failed', 1, now())",
		     tenant, email, NULL);
	cr_assert(traces(ann.tenant, "Bobby"));

	job = answer_text(
		answer_is(post(&ann, strf("/users/%s/erase", answer_text(now, "id")), "{}"), 202),
		"jobId");
	wait_until(is_completed, (void *)(uintptr_t)job, "the user is erased");
	cr_expect_null(traces(ann.tenant, email), "%s", traces(ann.tenant, email));
	cr_expect_null(traces(ann.tenant, "Bobby"), "%s", traces(ann.tenant, "Bobby"));
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid "
				     "AND strpos(jobs::text, $2) > 0",
				     tenant, email, NULL),
		     0);
	cr_expect_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid "
				     "AND erased_at IS NOT NULL",
				     tenant, NULL),
		     2);
}

/* Events, letters and notifications come in parts (db/parts.h): the first and the last one count.
 */
Test(erasure, of_a_user_reaches_all_that_a_large_tenant_has)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_MEMBER);
	const char *tenant = id_text(ann.tenant.u), *user = id_text(bob.user.u), *job;
	struct answer a;

	database_run("INSERT INTO events (tenant_id, id, type, actor_kind, data) SELECT $1::uuid, "
		     "uuid_v7(), 'project.updated', 'system', CASE WHEN n % 1100 < 50 THEN "
		     "jsonb_build_object('after', jsonb_build_object('email', $2::text)) ELSE '{}' "
		     "END FROM generate_series(1, 2250) AS n",
		     tenant, bob.email, NULL);
	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, max_attempts, "
		     "finished_at) SELECT $1::uuid, uuid_v7(), 'email', 'letter', "
		     "jsonb_build_object('email', CASE WHEN n > 1100 THEN $2::text END), 'failed', "
		     "1, now() FROM generate_series(1, 1105) AS n",
		     tenant, bob.email, NULL);
	job = answer_text(answer_is(post(&ann, strf("/users/%s/erase", user), "{}"), 202), "jobId");
	wait_until(is_completed, (void *)(uintptr_t)job, "the user is erased");
	cr_expect_null(traces(ann.tenant, bob.email), "%s", traces(ann.tenant, bob.email));
	a = answer_is(get(&ann, strf("/jobs/%s", job)), 200);
	cr_expect(answer_int(a, "result.tables.events") >= 149);
	cr_expect_eq(answer_int(a, "result.tables.jobs"), 5);
}

/* What others did to the person, and the person to others, is still said. */
Test(erasure, of_a_user_takes_nothing_from_others)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	const char *tenant = id_text(ann.tenant.u), *path = strf("/users/%s", id_text(bob.user.u));
	const char *job;

	answer_is(post(&bob, "/projects", strf("{\"slug\":\"%s\",\"name\":\"Blue\"}", new_word())),
		  201);
	answer_is(patch(&ann, path, "{\"displayName\":\"Bobby Tables\"}"), 200);
	database_run(
		"UPDATE events SET data = jsonb_set(data, '{after,accountId}', to_jsonb($2::text)) "
		"WHERE tenant_id = $1::uuid AND type = 'user.updated'",
		tenant, id_text(bob.account.u), NULL); /* as user.joined has it */
	job = answer_text(answer_is(post(&ann, strf("%s/erase", path), "{}"), 202), "jobId");
	wait_until(is_completed, (void *)(uintptr_t)job, "the user is erased");

	cr_expect_str_eq(database_value("SELECT data #>> '{after,name}' FROM events WHERE "
					"tenant_id = $1::uuid AND type = 'project.created' "
					"AND ip IS NULL AND account_id IS NULL",
					tenant, NULL),
			 "Blue");
	cr_expect_eq(database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid "
				     "AND type = 'user.updated' AND ip IS NOT NULL AND "
				     "account_id IS NOT NULL AND session_id IS NOT NULL",
				     tenant, NULL),
		     1);
	cr_expect_null(traces(ann.tenant, id_text(bob.account.u)));
	cr_expect_null(traces(ann.tenant, "Bobby Tables"));
}

Test(erasure, is_of_others_and_never_of_the_last_owner)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);

	answer_is_error(post(&ann, strf("/users/%s/erase", id_text(ann.user.u)), "{}"), 422,
			"RULE_VIOLATED", NULL);
	answer_is_error(post(&bob, strf("/users/%s/erase", id_text(ann.user.u)), "{}"), 403,
			"AUTH_FORBIDDEN", NULL);
}

Test(erasure, of_a_user_who_was_deleted_before_is_possible)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_MEMBER);
	const char *path = strf("/users/%s", id_text(bob.user.u)), *job;

	answer_is(del(&ann, path), 204);
	job = answer_text(answer_is(post(&ann, strf("%s/erase", path), "{}"), 202), "jobId");
	wait_until(is_completed, (void *)(uintptr_t)job, "the user is erased");
	cr_expect_null(traces(ann.tenant, bob.email));
}

/*
 * Accounts
 */

static const char *password_of(const struct person *p)
{
	return strf("{\"password\":\"%s\"}", p->password);
}

static const char *job_of(const struct person *p)
{
	return database_value("SELECT id FROM jobs WHERE kind = 'account.erase' "
			      "AND payload ->> 'accountId' = $1 ORDER BY id DESC LIMIT 1",
			      id_text(p->caller.account.u), NULL);
}

/* As if the grace period were over. */
static void end_grace(const struct person *p)
{
	database_run("UPDATE accounts SET deletion_at = now() "
		     "WHERE id = $1::uuid AND deletion_at IS NOT NULL",
		     id_text(p->caller.account.u), NULL);
	database_run("UPDATE jobs SET run_at = now() WHERE id = $1::uuid", job_of(p), NULL);
}

/* Somebody with a seat in another's tenant, and none that is theirs alone. */
static struct person guest_of(struct tenant_id t)
{
	struct person p = person_sign_up();

	(void)user_make_of(t, ROLE_MEMBER, p.caller.account);
	database_run("UPDATE tenants SET deleted_at = now() WHERE id = $1::uuid",
		     id_text(p.caller.tenant.u), NULL);
	return p;
}

Test(erasure, of_an_account_wants_its_password_and_other_owners)
{
	struct person p = person_sign_up();

	answer_is_error(post(&p.caller, "/account/delete", "{}"), 400, "VALIDATION_ERROR",
			"password");
	answer_is_error(post(&p.caller, "/account/delete", "{\"password\":\"not this one\"}"), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
	answer_is_error(post(&p.caller, "/account/delete", password_of(&p)), 422, "RULE_VIOLATED",
			NULL);
}

/* Whoever has stolen a session does not find out the password here either. */
Test(erasure, guesses_at_the_password_have_to_wait)
{
	struct person p = person_sign_up();

	for (unsigned i = 0; i < 5; i++)
		answer_is_error(post(&p.caller, "/account/delete", "{\"password\":\"not it\"}"),
				401, "AUTH_INVALID_CREDENTIALS", "password");
	/* the wait has begun; longer, so that no slow test outlasts it */
	database_run("UPDATE mfa_attempts SET locked_until = locked_until + interval '1 minute' "
		     "WHERE account_id = $1::uuid",
		     id_text(p.caller.account.u), NULL);
	answer_is_error(post(&p.caller, "/account/delete", password_of(&p)), 429,
			"RATE_LIMIT_EXCEEDED", NULL);
}

Test(erasure, of_an_account_takes_its_seats_along)
{
	struct caller ann = caller(ROLE_OWNER);
	struct person p = guest_of(ann.tenant);
	const char *account = id_text(p.caller.account.u), *job;

	answer_is(post(&p.caller, "/account/delete", password_of(&p)), 202);
	answer_is_error(get(&p.caller, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	job = job_of(&p);
	end_grace(&p);
	wait_until(is_completed, (void *)(uintptr_t)job, "the account is erased");

	cr_expect_eq(
		database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid", account, NULL),
		0);
	cr_expect_null(traces(ann.tenant, p.caller.email));
	cr_expect_null(traces(ann.tenant, account));
	cr_expect_str_eq(database_value("SELECT result -> 'tables' ->> 'accounts' FROM jobs "
					"WHERE id = $1::uuid",
					job, NULL),
			 "1");
	answer_is_error(try_log_in(p.caller.email, p.password, NULL), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

Test(erasure, of_an_account_is_taken_back_by_a_log_in)
{
	struct caller ann = caller(ROLE_OWNER);
	struct person p = guest_of(ann.tenant);
	const char *job;

	answer_is(post(&p.caller, "/account/delete", password_of(&p)), 202);
	job = job_of(&p);
	answer_is(try_log_in(p.caller.email, p.password, NULL), 200);
	end_grace(&p);
	wait_until(is_completed, (void *)(uintptr_t)job, "the job has looked");
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid "
				     "AND deletion_at IS NULL AND deleted_at IS NULL",
				     id_text(p.caller.account.u), NULL),
		     1);
}

/* Or waits again. */
static bool has_looked(void *job)
{
	return database_number(
		       "SELECT count(*) FROM jobs WHERE id = $1::uuid AND (run_at > now() OR "
		       "state NOT IN ('delayed', 'waiting', 'active'))",
		       job, NULL) == 1;
}

/* … until its own time has come, though the job of the first request is still there. */
Test(erasure, of_an_account_that_is_asked_for_again_waits_again)
{
	struct caller ann = caller(ROLE_OWNER);
	struct person p = guest_of(ann.tenant);
	const char *job;

	answer_is(post(&p.caller, "/account/delete", password_of(&p)), 202);
	job = job_of(&p);
	p = person_log_in(&p);
	answer_is(post(&p.caller, "/account/delete", password_of(&p)), 202);
	database_run("UPDATE jobs SET run_at = now() WHERE id = $1::uuid", job, NULL);
	wait_until(has_looked, (void *)(uintptr_t)job, "the job has looked");
	cr_expect_str_eq(database_value("SELECT state FROM jobs WHERE id = $1::uuid", job, NULL),
			 "delayed");
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid "
				     "AND deletion_at > now()",
				     id_text(p.caller.account.u), NULL),
		     1);
}
