/*
 * ETags: what was not changed is not sent again, and what was changed meanwhile is not overwritten.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>

static const char *project_of(const struct caller *c)
{
	return strf("/projects/%s", id_text(project_make(c->tenant, NULL)));
}

static const char *etag_of(const struct caller *c, const char *path)
{
	struct answer a = answer_is(get(c, path), 200);

	cr_assert(answer_header(&a, "ETag"));
	return strf("%s", answer_header(&a, "ETag"));
}

Test(http_etag, what_the_caller_has_already_is_not_sent_again)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = project_of(&ann);
	const char *etag = etag_of(&ann, path);
	struct answer a;

	a = answer_is(ask_with(&ann, "GET", path, NULL, strf("If-None-Match: %s", etag)), 304);
	cr_assert_eq(a.body.len, 0);
	cr_assert_str_eq(answer_header(&a, "ETag"), etag);
	answer_is(ask_with(&ann, "GET", path, NULL, strf("If-None-Match: \"x\", W/%s", etag)), 304);
	answer_is(ask_with(&ann, "GET", path, NULL, "If-None-Match: *"), 304);
	answer_is(ask_with(&ann, "HEAD", path, NULL, strf("If-None-Match: %s", etag)), 304);
	answer_is(ask_with(&ann, "GET", path, NULL, "If-None-Match: \"v999\""), 200);
}

Test(http_etag, a_change_makes_a_new_one)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = project_of(&ann);
	const char *before = etag_of(&ann, path);
	struct answer a = answer_is(patch(&ann, path, "{\"name\":\"Green\"}"), 200);

	cr_assert_str_neq(answer_header(&a, "ETag"), before);
	cr_assert_str_eq(answer_header(&a, "ETag"), etag_of(&ann, path));
}

/* One address, a resource for each tenant: a browser that works in two would else take the one for
 * the other. */
Test(http_etag, one_address_in_two_tenants_is_two_resources)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	const char *etag = etag_of(&ann, "/tenant");

	answer_is(ask_with(&ann, "GET", "/tenant", NULL, strf("If-None-Match: %s", etag)), 304);
	answer_is(ask_with(&bob, "GET", "/tenant", NULL, strf("If-None-Match: %s", etag)), 200);
	answer_is(ask_with(&ann, "PATCH", "/tenant", "{\"name\":\"Green\"}",
			   strf("If-Match: %s", etag)),
		  200);
	answer_is(ask_with(&ann, "PATCH", "/tenant", "{\"name\":\"Red\"}",
			   strf("If-Match: %s", etag)),
		  412);
}

Test(http_etag, a_stale_if_match_changes_nothing)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = project_of(&ann);
	const char *stale = strf("If-Match: %s", etag_of(&ann, path));
	const char *digest;

	answer_is(patch(&ann, path, "{\"name\":\"Green\"}"), 200);
	digest = database_tenant_digest(ann.tenant);
	answer_is_error(ask_with(&ann, "PATCH", path, "{\"name\":\"Red\"}", stale), 412,
			"PRECONDITION_FAILED", NULL);
	answer_is_error(ask_with(&ann, "DELETE", path, NULL, stale), 412, "PRECONDITION_FAILED",
			NULL);
	answer_is_error(ask_with(&ann, "DELETE", path, NULL, "If-Match: nonsense"), 412,
			"PRECONDITION_FAILED", NULL);
	cr_assert_str_eq(database_tenant_digest(ann.tenant), digest);
}

Test(http_etag, the_right_if_match_goes_through)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = project_of(&ann);

	answer_is(ask_with(&ann, "PATCH", path, "{\"name\":\"Red\"}",
			   strf("If-Match: %s", etag_of(&ann, path))),
		  200);
	answer_is(ask_with(&ann, "PATCH", path, "{\"name\":\"Blue\"}", "If-Match: *"), 200);
	answer_is(ask_with(&ann, "DELETE", path, NULL, strf("If-Match: %s", etag_of(&ann, path))),
		  204);
}

/* RFC 9110 section 13.1.1: any of a list, as it stands. */
Test(http_etag, a_list_matches_by_any_of_it)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = project_of(&ann);
	const char *list = strf("If-Match: , \"a,b\", \"v999\" ,,W/%s", etag_of(&ann, path));

	answer_is(ask_with(&ann, "PATCH", path, "{\"name\":\"Red\"}", list), 200);
	answer_is_error(ask_with(&ann, "PATCH", path, "{\"name\":\"Blue\"}", list), 412,
			"PRECONDITION_FAILED", NULL);
}

/* Of two who read the same version and change it, one is told. */
Test(http_etag, of_two_changes_to_one_version_one_wins)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = project_of(&ann);
	const struct ask ask = { .method = "PATCH",
				 .path = strf("/api/v1%s", path),
				 .caller = &ann,
				 .body = "{\"name\":\"Red\"}",
				 .headers = { strf("If-Match: %s", etag_of(&ann, path)) } };
	struct answer two[2];
	int won, lost;

	answers_together(&ask, 2, two);
	won = (two[0].status == 200) + (two[1].status == 200);
	lost = (two[0].status == 412) + (two[1].status == 412);
	cr_assert(won == 1 && lost == 1, "%d and %d", two[0].status, two[1].status);
}
