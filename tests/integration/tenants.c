/*
 * Tenants: the current one, those of a person, and all of them for the platform's own people.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>

static void change(const struct caller *c)
{
	const char *slug = new_word();
	struct answer a = answer_is(get(c, "/tenant"), 200);

	cr_assert_str_eq(answer_text(a, "id"), id_text(c->tenant.u));
	a = answer_is(
		patch(c, "/tenant",
		      strf("{\"name\":\"Acme\",\"slug\":\"%s\",\"settings\":{\"theme\":\"dark\"}}",
			   slug)),
		200);
	cr_assert_str_eq(answer_text(a, "slug"), slug);
	cr_assert_str_eq(answer_text(a, "settings.theme"), "dark");
	cr_assert(str_eq(get(c, "/tenant").body, a.body));
}

Test(tenants, are_changed_by_their_owner_on_both_tiers)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller dash = on_tier(caller(ROLE_OWNER), TIER_ADMIN);

	change(&ann);
	change(&dash);
}

Test(tenants, have_a_slug_of_their_own_on_the_platform)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	const char *slug = strf("{\"slug\":\"%s\"}", new_word());

	answer_is(patch(&ann, "/tenant", slug), 200);
	answer_is_error(patch(&bob, "/tenant", slug), 409, "RESOURCE_CONFLICT", "slug");
}

/* A person in two tenants acts in the one that is named, as what they are there. */
Test(tenants, that_are_named_are_acted_in)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct tenant_id second = tenant_make();
	struct caller there;

	(void)user_make_of(second, ROLE_OWNER, ann.account);
	there = naming(ann, second);
	cr_assert_str_eq(answer_text(get(&there, "/tenant"), "id"), id_text(second.u));
	answer_is(patch(&there, "/tenant", "{\"name\":\"Second\"}"), 200);
	answer_is_error(patch(&ann, "/tenant", "{\"name\":\"First\"}"), 403, "AUTH_FORBIDDEN",
			NULL);
}

Test(tenants, of_everybody_are_shown_to_global_admins_alone)
{
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER);
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_SUPER);
	const char *path = strf("/tenants/%s", id_text(ann.tenant.u));

	cr_assert_geq(
		answer_int(answer_is(get(&root, "/tenants?limit=1"), 200), "pagination.total"), 1);
	cr_assert_str_eq(answer_text(answer_is(get(&root, path), 200), "id"),
			 id_text(ann.tenant.u));
	answer_is_error(get(&ann, path), 403, "AUTH_FORBIDDEN", NULL);
}

/* A person founds one more, owns it, and works in it. */
Test(tenants, are_founded_by_whoever_is_logged_in)
{
	struct caller ann = on_tier(caller(ROLE_VIEWER), TIER_ADMIN);
	struct caller there;

	answer_is(post(&ann, "/organisations", "{\"name\":\"Blue Sky\"}"), 201);
	cr_assert_eq(answer_len(answer_is(get(&ann, "/organisations"), 200), "data"), 2);
	there = naming(ann, (struct tenant_id){ id_of(database_value(
				    "SELECT tenant_id FROM users WHERE account_id = $1::uuid "
				    "AND tenant_id <> $2::uuid",
				    id_text(ann.account.u), id_text(ann.tenant.u), NULL)) });
	cr_assert_str_eq(answer_text(get(&there, "/tenant"), "name"), "Blue Sky");
	answer_is(patch(&there, "/tenant", "{\"name\":\"Bluer Sky\"}"), 200);
}

/* ACCOUNT_TENANTS_MAX, of which those that are deleted or somebody else's are none. */
Test(tenants, are_founded_up_to_a_number)
{
	enum { MOST = 10, TRIES = MOST + 2 };
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_ADMIN);
	const struct ask ask = { .method = "POST",
				 .path = "/api/admin/organisations",
				 .caller = &ann,
				 .body = "{\"name\":\"Blue Sky\"}" };
	struct answer tries[TRIES];
	int founded = 0;

	answers_together(&ask, TRIES, tries);
	for (size_t i = 0; i < TRIES; i++) {
		if (tries[i].status != 201)
			answer_is_error(tries[i], 402, "PLAN_LIMIT_EXCEEDED", NULL);
		else
			founded++;
	}
	cr_assert_eq(founded, MOST, "%d", founded);

	database_run(
		"UPDATE tenants SET deleted_at = now() WHERE id = (SELECT max(tenant_id::text)::uuid FROM users"
		" WHERE account_id = $1::uuid AND 'owner' = ANY (role_keys))",
		id_text(ann.account.u), NULL);
	answer_is(answer_to(&ask), 201);
	answer_is_error(answer_to(&ask), 402, "PLAN_LIMIT_EXCEEDED", NULL);
}
