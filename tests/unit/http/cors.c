/* Origins: who may read, who may change. */
#include "http/cors.h"

#include "exchange.h"
#include "samples.h"

#include <criterion/criterion.h>

static void setup(void)
{
	exchange_begin(sample_mounts);
}

TestSuite(cors, .init = setup, .fini = exchange_end);

/* clang-format off */
static const struct {
	const char *origin;
	bool is_allowed;
} origins[] = {
	{ "https://app.example", true }, { "https://api.example", true }, { "https://admin.example", true },
	{ "https://other.example", true }, { "http://localhost:5173", true },
	{ NULL, false }, { "", false }, { "null", false }, { "http://app.example", false },
	{ "https://app.example:8443", false }, { "https://app.example.evil", false }, { "https://app.exampl", false },
	{ "https://evil.example", false }, { "https://admin.example,", false }, { "*", false },
};
/* clang-format on */

Test(cors, origins_are_compared_whole)
{
	for (size_t i = 0; i < ARRAY_LEN(origins); i++)
		cr_expect_eq(cors_allows(origins[i].origin), origins[i].is_allowed, "%s",
			     origins[i].origin ? origins[i].origin : "none");
}

Test(cors, an_allowed_origin_may_read_even_errors)
{
	static const char *const uris[] = { "/things", "/nothing", "/broken" };

	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		struct answer a;

		with_header("HTTP_ORIGIN", "https://app.example");
		a = ask("GET", uris[i]);
		cr_expect_str_eq(answer_header(a, "Access-Control-Allow-Origin"),
				 "https://app.example");
		cr_expect_str_eq(answer_header(a, "Access-Control-Allow-Credentials"), "true");
		cr_expect_str_eq(answer_header(a, "Vary"), "Origin");
	}
}

Test(cors, another_origin_is_told_nothing)
{
	struct answer a;

	with_header("HTTP_ORIGIN", "https://evil.example");
	a = ask("GET", "/things");
	cr_expect_eq(a.status, 200);
	cr_expect_str_eq(answer_header(a, "Access-Control-Allow-Origin"), "");
	cr_expect_str_eq(answer_header(a, "Vary"), "Origin");
}

Test(cors, a_preflight_says_what_may_be_sent)
{
	struct answer a;

	with_header("HTTP_ORIGIN", "https://app.example");
	with_header("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "PATCH");
	a = ask("OPTIONS", "/things");
	cr_expect_eq(a.status, 204);
	cr_expect_str_eq(answer_header(a, "Access-Control-Allow-Methods"),
			 "GET, HEAD, POST, OPTIONS");
	cr_expect(strstr(answer_header(a, "Access-Control-Allow-Headers"), "If-Match"));

	with_header("HTTP_ORIGIN", "https://evil.example");
	a = ask("OPTIONS", "/things");
	cr_expect_str_eq(answer_header(a, "Access-Control-Allow-Methods"), "");
}

/* clang-format off */
static const struct {
	const char *method, *uri, *origin, *cookie;
	int status;
} changes[] = {
	{ "POST", "/api/admin/change", "https://app.example", "a=b", 204 },
	{ "POST", "/api/admin/change", "https://evil.example", "a=b", 403 },
	{ "POST", "/api/admin/change", "null", "a=b", 403 },
	{ "POST", "/api/admin/change", NULL, "a=b", 403 },
	{ "POST", "/api/admin/change", NULL, NULL, 403 },
	{ "GET", "/api/admin/change", NULL, "a=b", 204 },
	{ "GET", "/api/admin/change", "https://evil.example", "a=b", 204 },
	{ "POST", "/api/auth/sign-in", NULL, NULL, 204 },
	{ "POST", "/api/auth/sign-in", NULL, "a=b", 403 },
	{ "POST", "/api/auth/sign-in", "https://evil.example", NULL, 403 },
	{ "POST", "/api/auth/sign-in", "https://app.example", "a=b", 204 },
	{ "POST", "/api/v1/change", NULL, "a=b", 204 },
	{ "POST", "/api/v1/change", "https://evil.example", NULL, 204 },
};
/* clang-format on */

Test(cors, a_change_with_a_cookie_comes_from_an_allowed_origin)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct answer a;

		if (changes[i].origin)
			with_header("HTTP_ORIGIN", changes[i].origin);
		if (changes[i].cookie)
			with_header("HTTP_COOKIE", changes[i].cookie);
		a = ask(changes[i].method, changes[i].uri);
		cr_expect_eq(a.status, changes[i].status, "%zu: %d %s", i, a.status, a.body);
		if (a.status == 403)
			cr_expect(answer_says(a, "AUTH_CSRF"));
	}
}
