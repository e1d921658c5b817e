/*
 * What becomes of a tenant: its people leave, somebody else owns it, it is called otherwise.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *transfer_to(struct user_id u)
{
	return strf("{\"userId\":\"%s\"}", id_text(u.u));
}

static void leave(struct caller ann)
{
	struct caller bob = on_tier(caller_in(ann.tenant, ROLE_MEMBER), ann.tier);

	answer_is_error(post(&ann, "/tenant/leave", NULL), 422, "RULE_VIOLATED", NULL);
	answer_is(post(&bob, "/tenant/leave", NULL), 204);
	answer_is_error(get(&bob, "/tenant"), 401, "AUTH_UNAUTHORIZED", NULL);
	cr_assert_eq(database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
				     "type = 'user.left' AND subject_id = $2::uuid",
				     id_text(ann.tenant.u), id_text(bob.user.u), NULL),
		     1);
}

Test(tenancy, anybody_leaves_but_the_last_owner)
{
	leave(caller(ROLE_OWNER));
	leave(on_tier(caller(ROLE_OWNER), TIER_ADMIN));
}

static void transfer(struct caller ann)
{
	struct caller bob = on_tier(caller_in(ann.tenant, ROLE_VIEWER), ann.tier);

	answer_is_error(post(&bob, "/tenant/transfer", transfer_to(bob.user)), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&ann, "/tenant/transfer", transfer_to(ann.user)), 422, "RULE_VIOLATED",
			NULL);
	answer_is(post(&ann, "/tenant/transfer", transfer_to(bob.user)), 204);
	answer_is(patch(&bob, "/tenant", "{\"name\":\"Bob's\"}"), 200);
	answer_is_error(patch(&ann, "/tenant", "{\"name\":\"Ann's\"}"), 403, "AUTH_FORBIDDEN",
			NULL);
	answer_is(post(&ann, "/tenant/leave", NULL), 204);
}

Test(tenancy, an_owner_makes_somebody_else_the_owner)
{
	transfer(caller(ROLE_OWNER));
	transfer(on_tier(caller(ROLE_OWNER), TIER_ADMIN));
}

Test(tenancy, is_transferred_to_nobody_from_elsewhere)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);

	answer_is_error(post(&ann, "/tenant/transfer", transfer_to(bob.user)), 404,
			"RESOURCE_NOT_FOUND", NULL);
}

Test(tenancy, settings_are_those_that_there_are)
{
	struct caller ann = caller(ROLE_OWNER);
	struct answer a;

	a = answer_is(patch(&ann, "/tenant",
			    "{\"settings\":{\"theme\":\"dark\",\"timeZone\":\"Europe/Zurich\"}}"),
		      200);
	cr_assert_str_eq(answer_text(a, "settings.timeZone"), "Europe/Zurich");
	answer_is_error(patch(&ann, "/tenant", "{\"settings\":{\"theme\":\"pink\"}}"), 400,
			"VALIDATION_ERROR", "settings.theme");
	answer_is_error(patch(&ann, "/tenant", "{\"settings\":{\"colour\":\"pink\"}}"), 400,
			"VALIDATION_ERROR", NULL);
}

Test(tenancy, a_slug_that_it_had_leads_to_it)
{
	struct person p = person_sign_up();
	struct caller ann = on_tier(p.caller, TIER_API);
	struct caller visitor = on_tier(caller_nobody(), TIER_AUTH);
	const char *slug = new_word();
	struct answer a;

	answer_is(get(&visitor, strf("/tenants/%s", p.slug)), 200);
	answer_is(patch(&ann, "/tenant", strf("{\"slug\":\"%s\"}", slug)), 200);
	a = answer_is(get(&visitor, strf("/tenants/%s", p.slug)), 301);
	cr_assert_str_eq(answer_header(&a, "Location"), strf("/api/auth/tenants/%s", slug));
	a = answer_is(get(&visitor, strf("/tenants/%s", slug)), 200);
	cr_assert_not(answer_bool(a, "hasOwnRealm"));
	answer_is(try_log_in(p.caller.email, p.password, p.slug), 200);
	answer_is(try_log_in(p.caller.email, p.password, slug), 200);
}

/* Whoever has it now is meant. */
Test(tenancy, a_slug_that_somebody_else_took_leads_to_them)
{
	struct person p = person_sign_up();
	struct caller ann = on_tier(p.caller, TIER_API), bob = caller(ROLE_OWNER);
	struct caller visitor = on_tier(caller_nobody(), TIER_AUTH);

	answer_is(patch(&ann, "/tenant", strf("{\"slug\":\"%s\"}", new_word())), 200);
	answer_is(patch(&bob, "/tenant", strf("{\"slug\":\"%s\",\"name\":\"Bob's\"}", p.slug)),
		  200);
	cr_assert_str_eq(
		answer_text(answer_is(get(&visitor, strf("/tenants/%s", p.slug)), 200), "name"),
		"Bob's");
	answer_is_error(try_log_in(p.caller.email, p.password, p.slug), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

Test(tenancy, a_slug_is_forgotten_after_ninety_days)
{
	struct person p = person_sign_up();
	struct caller ann = on_tier(p.caller, TIER_API);
	struct caller visitor = on_tier(caller_nobody(), TIER_AUTH);

	answer_is(patch(&ann, "/tenant", strf("{\"slug\":\"%s\"}", new_word())), 200);
	database_run("UPDATE tenant_slugs SET expires_at = now() WHERE tenant_id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	answer_is_error(get(&visitor, strf("/tenants/%s", p.slug)), 404, "RESOURCE_NOT_FOUND",
			NULL);
}
