/*
 * Idempotency-Key: a request that is sent twice happens once.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>

#define AT_ONCE 8

static struct answer create(const struct caller *c, const char *slug, const char *key)
{
	return ask_with(c, "POST", "/projects", strf("{\"slug\":\"%s\",\"name\":\"Blue\"}", slug),
			strf("Idempotency-Key: %s", key));
}

static int64_t projects_of(const struct caller *c)
{
	return database_number("SELECT count(*) FROM projects WHERE tenant_id = $1::uuid",
			       id_text(c->tenant.u), NULL);
}

static int64_t events_of(const struct caller *c)
{
	return database_number("SELECT count(*) FROM events "
			       "WHERE tenant_id = $1::uuid AND type = 'project.created'",
			       id_text(c->tenant.u), NULL);
}

Test(http_idempotency, the_same_request_again_gets_the_first_reply)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer first = answer_is(create(&ann, "blue", "key-1"), 201);
	struct answer again = answer_is(create(&ann, "blue", "key-1"), 201);

	cr_assert_null(answer_header(&first, "Idempotent-Replayed"));
	cr_assert_str_eq(answer_header(&again, "Idempotent-Replayed"), "true");
	cr_assert(str_eq(first.body, again.body));
	cr_assert_str_eq(answer_header(&first, "Location"), answer_header(&again, "Location"));
	cr_assert_str_eq(answer_header(&first, "ETag"), answer_header(&again, "ETag"));
	cr_assert_eq(projects_of(&ann), 1);
	cr_assert_eq(events_of(&ann), 1);
}

Test(http_idempotency, the_key_of_another_request_is_a_mismatch)
{
	struct caller ann = caller(ROLE_ADMIN);

	answer_is(create(&ann, "blue", "key-1"), 201);
	answer_is_error(create(&ann, "red", "key-1"), 422, "IDEMPOTENCY_MISMATCH", NULL);
	answer_is_error(ask_with(&ann, "POST", "/users", "{\"email\":\"john@example.com\"}",
				 "Idempotency-Key: key-1"),
			422, "IDEMPOTENCY_MISMATCH", NULL);
	cr_assert_eq(projects_of(&ann), 1);
}

Test(http_idempotency, a_key_belongs_to_its_caller)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller bob = caller_in(ann.tenant, ROLE_ADMIN);
	struct caller eve = caller(ROLE_ADMIN);

	answer_is(create(&ann, "blue", "key-1"), 201);
	answer_is(create(&bob, "red", "key-1"), 201);
	answer_is(create(&eve, "blue", "key-1"), 201);
}

/* Exactly one of the same requests does it; the others get its reply, or are told to wait. */
Test(http_idempotency, of_many_at_once_one_happens)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer answers[AT_ONCE];
	struct answer last;
	const struct ask ask = {
		.method = "POST",
		.path = "/api/v1/projects",
		.caller = &ann,
		.body = "{\"slug\":\"blue\",\"name\":\"Blue\"}",
		.headers = { "Idempotency-Key: key-1" },
	};

	answers_together(&ask, AT_ONCE, answers);
	last = answer_is(answer_to(&ask), 201);
	for (size_t i = 0; i < AT_ONCE; i++) {
		if (answers[i].status == 201)
			cr_assert(str_eq(answers[i].body, last.body));
		else
			answer_is_error(answers[i], 409, "IDEMPOTENCY_IN_PROGRESS", NULL);
	}
	cr_assert_eq(projects_of(&ann), 1);
	cr_assert_eq(events_of(&ann), 1);
}

Test(http_idempotency, what_failed_may_be_tried_again)
{
	struct caller ann = caller(ROLE_ADMIN);

	(void)project_make(ann.tenant, "blue");
	answer_is_error(create(&ann, "blue", "key-1"), 409, "RESOURCE_CONFLICT", "slug");
	database_run("DELETE FROM projects WHERE tenant_id = $1::uuid", id_text(ann.tenant.u),
		     NULL);
	answer_is(create(&ann, "blue", "key-1"), 201);
}

Test(http_idempotency, a_replay_is_refused_to_who_may_not_ask_any_more)
{
	struct caller ann = caller(ROLE_ADMIN);

	answer_is(create(&ann, "blue", "key-1"), 201);
	database_run("DELETE FROM user_roles WHERE tenant_id = $1::uuid", id_text(ann.tenant.u),
		     NULL);
	answer_is_error(create(&ann, "blue", "key-1"), 403, "AUTH_FORBIDDEN", NULL);
}

Test(http_idempotency, a_key_is_visible_ascii_of_at_most_255)
{
	struct caller ann = caller(ROLE_ADMIN);

	answer_is_error(create(&ann, "blue", "two words"), 400, "VALIDATION_ERROR",
			"Idempotency-Key");
	answer_is_error(create(&ann, "blue", strf("%0256d", 7)), 400, "VALIDATION_ERROR",
			"Idempotency-Key");
	answer_is(create(&ann, "blue", strf("%0255d", 7)), 201);
}

/* In no tenant: the key is the account's alone. */
Test(http_idempotency, a_tenant_is_founded_once)
{
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_ADMIN), bob;
	struct answer a, again;

	bob = on_tier(caller(ROLE_OWNER), TIER_ADMIN);
	a = answer_is(ask_with(&ann, "POST", "/organisations", "{\"name\":\"Second\"}",
			       "Idempotency-Key: found"),
		      201);
	again = answer_is(ask_with(&ann, "POST", "/organisations", "{\"name\":\"Second\"}",
				   "Idempotency-Key: found"),
			  201);
	cr_assert_str_eq(answer_header(&again, "idempotent-replayed"), "true");
	cr_assert_str_eq(answer_text(again, "slug"), answer_text(a, "slug"));
	cr_assert_eq(answer_len(get(&ann, "/organisations"), "data"), 2);
	answer_is_error(ask_with(&ann, "POST", "/organisations", "{\"name\":\"Third\"}",
				 "Idempotency-Key: found"),
			422, "IDEMPOTENCY_MISMATCH", NULL);
	answer_is(ask_with(&bob, "POST", "/organisations", "{\"name\":\"Second\"}",
			   "Idempotency-Key: found"),
		  201);
}

Test(http_idempotency, a_global_admin_creates_a_tenant_once)
{
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER);
	const char *slug = new_word(), *body = strf("{\"name\":\"Acme\",\"slug\":\"%s\","
						    "\"ownerEmail\":\"%s@example.com\"}",
						    slug, slug);
	struct answer a;

	answer_is(ask_with(&root, "POST", "/tenants", body, "Idempotency-Key: acme"), 201);
	a = answer_is(ask_with(&root, "POST", "/tenants", body, "Idempotency-Key: acme"), 201);
	cr_assert_str_eq(answer_header(&a, "idempotent-replayed"), "true");
	answer_is_error(post(&root, "/tenants", body), 409, "RESOURCE_CONFLICT", "slug");
}
