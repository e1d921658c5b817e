/*
 * Which origins' pages may call, and what a browser is told about it.
 */
#include "base/config.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct answer ask_from(const char *method, const char *path, const char *origin)
{
	return answer_to(&(struct ask){ .method = method,
					.path = path,
					.headers = { strf("Origin: %s", origin),
						     "Access-Control-Request-Method: PATCH" } });
}

static bool lists(const char *header, const char *word)
{
	return header && strstr(header, word);
}

Test(http_cors, a_preflight_from_a_dashboard_is_answered)
{
	struct answer a;

	world();
	a = answer_is(ask_from("OPTIONS", "/api/admin/users/x", config()->app_url), 204);
	cr_assert_str_eq(answer_header(&a, "Access-Control-Allow-Origin"), config()->app_url);
	cr_assert_str_eq(answer_header(&a, "Access-Control-Allow-Credentials"), "true");
	cr_assert(lists(answer_header(&a, "Access-Control-Allow-Methods"), "PATCH"));
	cr_assert(lists(answer_header(&a, "Access-Control-Allow-Headers"), "Idempotency-Key"));
	cr_assert(lists(answer_header(&a, "Access-Control-Allow-Headers"), "X-Tenant-ID"));
	cr_assert(answer_header(&a, "Access-Control-Max-Age"));
	cr_assert(lists(answer_header(&a, "Vary"), "Origin"));
}

Test(http_cors, other_origins_are_told_nothing)
{
	static const char *const origins[] = { "https://evil.example.com", "null",
					       "http://localhost",
					       "https://localhost.evil.example.com", "*" };

	world();
	for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
		struct answer preflight = ask_from("OPTIONS", "/api/admin/users", origins[i]);
		struct answer plain = ask_from("GET", "/health", origins[i]);

		cr_expect(!answer_header(&preflight, "Access-Control-Allow-Origin"), "%s",
			  origins[i]);
		cr_expect(!answer_header(&plain, "Access-Control-Allow-Origin"), "%s", origins[i]);
		cr_expect(lists(answer_header(&plain, "Vary"), "Origin"));
	}
}

Test(http_cors, a_page_may_read_errors_and_headers)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_ADMIN);
	struct answer a = answer_is(get(&nobody, "/users"), 401);

	cr_assert_str_eq(answer_header(&a, "Access-Control-Allow-Origin"), config()->app_url);
	cr_assert(lists(answer_header(&a, "Access-Control-Expose-Headers"), "ETag"));
	cr_assert(lists(answer_header(&a, "Access-Control-Expose-Headers"), "X-Request-Id"));
}

/* A cookie is sent by the browser, whoever's page asks: changes want an Origin that is ours. */
Test(http_cors, a_change_with_a_cookie_must_come_from_a_dashboard)
{
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_ADMIN);
	const char *body = "{\"slug\":\"blue\",\"name\":\"Blue\"}";

	ann.origin = "https://evil.example.com";
	answer_is_error(post(&ann, "/projects", body), 403, "AUTH_CSRF", NULL);
	ann.origin = "null";
	answer_is_error(post(&ann, "/projects", body), 403, "AUTH_CSRF", NULL);
	ann.origin = NULL;
	answer_is_error(post(&ann, "/projects", body), 403, "AUTH_CSRF", NULL);
	answer_is(get(&ann, "/projects"), 200);
	ann.origin = config()->app_url;
	answer_is(post(&ann, "/projects", body), 201);
}

/* A token is not sent by itself, so it needs no such defence. */
Test(http_cors, a_change_with_a_token_needs_no_origin)
{
	struct caller ann = caller(ROLE_OWNER);

	answer_is(post(&ann, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 201);
}
