/*
 * What a provider says, and what of it is believed: OpenID Connect, GitHub, and one that is none.
 * tests/e2e/oauth.mjs logs in through a real one, in a real browser.
 */
#include "base/str.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/site.h"
#include "support/trip.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

Test(identity_oauth_provider, id_tokens_that_are_not_for_this_log_in_are_not_believed)
{
	static const struct {
		const char *claims, *more;
	} cases[] = {
		{ "\"nonce\":\"another\"", "" },
		{ "\"aud\":\"another client\"", "" },
		{ "\"aud\":[\"another client\",\"zygo test/client\"]", "" },
		{ "\"iss\":\"https://another.test\"", "" },
		{ "\"exp\":1700000000", "" },
		{ "\"iat\":1700000000", "" },
		{ "\"x\":1", ",\"alg\":\"none\"" },
		{ "\"x\":1", ",\"alg\":\"HS256\"" },
		{ "\"x\":1", ",\"alg\":\"HS256\",\"kid\":\"r1\"" },
		{ "\"x\":1", ",\"alg\":\"ES256\",\"kid\":\"unknown\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *email = new_email();
		struct trip t = trip_begin("oidc");
		const char *code =
			trip_code(&t, strf("%s,%s", claims_of(new_word(), email), cases[i].claims),
				  cases[i].more);

		answer_is_error(trip_end(&t, trip_query(&t, code)), 502, "BAD_GATEWAY", NULL);
		cr_assert_eq(accounts_of(email), 0, "%s%s", cases[i].claims, cases[i].more);
	}
}

Test(identity_oauth_provider, both_algorithms_are_understood)
{
	static const char *const more[] = { ",\"alg\":\"RS256\"", ",\"alg\":\"ES256\"" };

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		struct trip t = trip_begin("oidc");

		answer_is(trip_end(&t,
				   trip_query(&t, trip_code(&t, claims_of(new_word(), new_email()),
							    more[i]))),
			  200);
	}
}

Test(identity_oauth_provider, answers_of_another_issuer_are_not_believed)
{
	struct trip t = trip_begin("oidc");
	const char *code = code_text(trip_code(&t, claims_of(new_word(), new_email()), ""));

	answer_is_error(
		trip_end(&t, strf("state=%s&code=%s&iss=https://another.test", t.state, code)), 502,
		"BAD_GATEWAY", NULL);
	t = trip_begin("oidc");
	code = code_text(trip_code(&t, claims_of(new_word(), new_email()), ""));
	answer_is_error(trip_end(&t, strf("state=%s&code=%s", t.state, code)), 502, "BAD_GATEWAY",
			NULL);
}

Test(identity_oauth_provider, a_code_that_is_over_begins_again)
{
	struct trip t = trip_begin("oidc");
	const char *code = strf("{\"challenge\":\"%s\",\"error\":\"invalid_grant\"}", t.challenge);

	answer_is_error(trip_end(&t, trip_query(&t, code)), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth_provider, a_code_of_another_log_in_is_refused)
{
	struct trip mine = trip_begin("oidc"), others = trip_begin("oidc");
	const char *code = trip_code(&others, claims_of(new_word(), new_email()), "");

	answer_is_error(trip_end(&mine, trip_query(&mine, code)), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth_provider, a_person_may_say_no)
{
	struct trip t = trip_begin("oidc");

	answer_is_error(
		trip_end(&t, strf("state=%s&error=access_denied&iss=%s", t.state, oidc_issuer())),
		403, "AUTH_FORBIDDEN", NULL);
}

Test(identity_oauth_provider, an_answer_that_makes_no_sense_is_the_providers_fault)
{
	static const char *const codes[] = { "", "not json", "{\"error\":\"server_error\"" };
	struct trip t;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		t = trip_begin("oidc");
		answer_is_error(trip_end(&t, trip_query(&t, codes[i])), 502, "BAD_GATEWAY", NULL);
	}
}

Test(identity_oauth_provider, an_email_may_come_from_userinfo)
{
	struct trip t = trip_begin("oidc");
	const char *subject = new_word(), *email = new_email();
	const char *more = strf(",\"userinfo\":{\"sub\":\"%s\",\"email\":\"%s\","
				"\"email_verified\":true}",
				subject, email);
	struct answer a =
		trip_end(&t, trip_query(&t, trip_code(&t, strf("\"sub\":\"%s\"", subject), more)));

	cr_assert_str_eq(answer_text(answer_is(a, 200), "user.email"), email);
}

Test(identity_oauth_provider, userinfo_about_somebody_else_is_not_believed)
{
	struct trip t = trip_begin("oidc");
	const char *more = strf(",\"userinfo\":{\"sub\":\"another\",\"email\":\"%s\","
				"\"email_verified\":true}",
				new_email());

	answer_is_error(
		trip_end(&t,
			 trip_query(&t, trip_code(&t, strf("\"sub\":\"%s\"", new_word()), more))),
		502, "BAD_GATEWAY", NULL);
}

Test(identity_oauth_provider, a_new_key_of_the_provider_is_found)
{
	for (int i = 0; i < 4; i++) {
		struct trip t = trip_begin("oidc");

		answer_is(trip_end(&t,
				   trip_query(&t, trip_code(&t, claims_of(new_word(), new_email()),
							    ",\"kid\":\"late\""))),
			  200);
	}
}

/*
 * GitHub
 */

static const char *github_code(const struct trip *t, const char *id, const char *email,
			       const char *is_verified)
{
	return strf(
		"{\"challenge\":\"%s\",\"user\":{\"id\":%s,\"login\":\"ann\",\"name\":\"Ann van "
		"Example\",\"email\":null},\"emails\":[{\"email\":\"other@example.com\","
		"\"primary\":false,\"verified\":true,\"visibility\":null},{\"email\":\"%s\","
		"\"primary\":true,\"verified\":%s,\"visibility\":\"private\"}]}",
		t->challenge, id, email, is_verified);
}

static const char *github_query(const struct trip *t, const char *code)
{
	return strf("state=%s&code=%s", t->state, code_text(code));
}

static const char *new_number(void)
{
	return database_value("SELECT (random() * 1e15)::bigint::text", NULL);
}

Test(identity_oauth_provider, github_says_who_it_is)
{
	const char *id = new_number(), *email = new_email();
	struct trip t = trip_begin("github");
	struct answer first =
		answer_is(trip_end(&t, github_query(&t, github_code(&t, id, email, "true"))), 200);
	struct answer again;

	cr_assert_str_eq(answer_text(first, "user.email"), email);
	cr_assert_str_eq(answer_text(first, "user.firstName"), "Ann");
	cr_assert_str_eq(answer_text(first, "user.lastName"), "van Example");
	t = trip_begin("github");
	again = answer_is(trip_end(&t, github_query(&t, github_code(&t, id, new_email(), "false"))),
			  200);
	cr_assert_str_eq(answer_text(first, "user.id"), answer_text(again, "user.id"));
}

Test(identity_oauth_provider, an_email_that_github_has_not_verified_counts_for_nothing)
{
	struct trip t = trip_begin("github");

	answer_is_error(
		trip_end(&t, github_query(&t, github_code(&t, new_number(), new_email(), "false"))),
		403, "AUTH_EMAIL_UNVERIFIED", NULL);
}

Test(identity_oauth_provider, github_gives_no_token_for_an_email_that_it_has_not_verified)
{
	struct trip t = trip_begin("github");

	answer_is_error(trip_end(&t, github_query(&t, "{\"error\":\"unverified_user_email\"}")),
			403, "AUTH_EMAIL_UNVERIFIED", NULL);
}

Test(identity_oauth_provider, a_code_that_github_does_not_know_begins_again)
{
	struct trip t = trip_begin("github");

	answer_is_error(trip_end(&t, github_query(&t, "{\"error\":\"bad_verification_code\"}")),
			401, "AUTH_TOKEN_EXPIRED", NULL);
}

/*
 * Settings
 */

Test(identity_oauth_provider, a_document_that_names_another_issuer_is_not_believed)
{
	struct caller c = trip_browser();

	c.url = site_start(
		"impostor",
		(const char *[]){ strf("OAUTH_OIDC_ISSUER=%s/impostor", oidc_issuer()), NULL });
	answer_is_error(get(&c, "/oauth/oidc"), 502, "BAD_GATEWAY", NULL);
	site_stop("impostor");
}

Test(identity_oauth_provider, a_provider_on_this_network_is_called_only_when_an_admin_allows_it)
{
	struct caller c = trip_browser();

	c.url = site_start("guarded", (const char *[]){ "OUTBOUND_ALLOW=127.0.0.2", NULL });
	answer_is_error(get(&c, "/oauth/oidc"), 502, "BAD_GATEWAY", NULL);
	site_stop("guarded");
}

Test(identity_oauth_provider, where_nobody_signs_up_through_a_provider_nobody_does)
{
	const char *email = new_email();
	struct caller c = trip_browser();
	struct trip t;

	c.url = site_start("closed", (const char *[]){ "OAUTH_SIGN_UP=false", NULL });
	t = trip_begin_at(&c, "oidc");
	answer_is_error(trip_end_as(&c, &t,
				    trip_query(&t, trip_code(&t, claims_of(new_word(), email), "")),
				    "application/json"),
			403, "AUTH_FORBIDDEN", NULL);
	cr_assert_eq(accounts_of(email), 0);
	site_stop("closed");
}
