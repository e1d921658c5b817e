/* The syntax of credentials. */
#include "identity/credential.h"

#include "base/arena.h"

#include <criterion/criterion.h>

Test(credential, a_bearer_token_is_cut_from_its_header)
{
	static const struct {
		const char *header, *token; /* token NULL: none */
	} cases[] = {
		{ "Bearer abc.def-_", "abc.def-_" },
		{ "bearer abc", "abc" },
		{ "BEARER  abc ", "abc" },
		{ "Bearer", NULL },
		{ "Bearer ", NULL },
		{ "Bearerabc", NULL },
		{ "Bearer a b", NULL },
		{ "Bearer a\tb", NULL },
		{ "Bearer a\x7f", NULL },
		{ "Bearer \xc3\xa4", NULL },
		{ "Basic YTpi", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str token = bearer_token(cases[i].header);

		cr_expect_eq(token.ptr != NULL, cases[i].token != NULL, "of \"%s\"",
			     cases[i].header ? cases[i].header : "no header");
		if (token.ptr && cases[i].token)
			cr_expect(str_is(token, cases[i].token), "of \"%s\"", cases[i].header);
	}
}

Test(credential, an_api_key_comes_in_either_header)
{
	static const struct {
		const char *authorization, *x_api_key, *key; /* key NULL: none */
	} cases[] = {
		{ "Bearer zk_live_1", NULL, "zk_live_1" },
		{ "bearer zk_test_1", "zk_live_2", "zk_test_1" },
		{ NULL, "zk_live_2", "zk_live_2" },
		{ NULL, "anything", "anything" },
		{ "Bearer eyJ.e30.x", "zk_live_2", NULL },
		{ "Bearer eyJ.e30.x", NULL, NULL },
		{ "Basic zk_live_1", NULL, NULL },
		{ NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str key = api_key_text(cases[i].authorization, cases[i].x_api_key);

		cr_expect_eq(key.ptr != NULL, cases[i].key != NULL, "case %zu", i);
		if (key.ptr && cases[i].key)
			cr_expect(str_is(key, cases[i].key), "case %zu", i);
	}
}

Test(credential, a_cookie_goes_to_this_host_over_https_alone_and_no_script_sees_it)
{
	struct arena *a = arena_new();

	cr_expect_str_eq(session_cookie(a, "abc", 60),
			 "__Host-zygo_session=abc; Path=/; Secure; HttpOnly; SameSite=Lax; "
			 "Max-Age=60");
	cr_expect_str_eq(session_cookie(a, NULL, 60),
			 "__Host-zygo_session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
	arena_free(a);
}
