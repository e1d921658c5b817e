/*
 * Logging in through other providers. The browser is the test; the provider is
 * tests/support/provider.mjs, whose codes say what it is to answer. tests/e2e/run.mjs logs in
 * through a real one, in a real browser.
 */
#include "base/config.h"
#include "base/str.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/*
 * On the way: what a browser has when it has been sent to the provider
 */

struct trip {
	const char *provider;
	const char *cookie; /* "__Host-zygo_oauth=…" */
	const char *state, *nonce, *challenge;
};

static const char *parameter(const char *url, const char *name)
{
	struct str rest = str_of(strchr(url, '?') + 1), value;

	for (struct str part = str_cut(&rest, '&'); part.ptr; part = str_cut(&rest, '&')) {
		if (str_is(str_cut(&part, '='), name)) {
			cr_assert(str_percent_decode(world_arena(), part, false, &value));
			return value.ptr;
		}
	}
	return NULL;
}

/* The name and value of the binding cookie that an answer sets. */
static const char *binding_of(const struct answer *a)
{
	const char *set = answer_header(a, "Set-Cookie");

	cr_assert(set && str_starts(str_of(set), "__Host-zygo_oauth="), "%s", set);
	cr_assert(strstr(set, "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"), "%s", set);
	return strf("%.*s", (int)strcspn(set, ";"), set);
}

static struct trip trip_of(const char *provider, struct answer a)
{
	const char *url = answer_text(answer_is(a, 200), "url");

	return (struct trip){ provider, binding_of(&a), parameter(url, "state"),
			      parameter(url, "nonce"), parameter(url, "code_challenge") };
}

static struct caller browser(void)
{
	return on_tier(caller_nobody(), TIER_AUTH);
}

static struct trip begin_at(const struct caller *c, const char *provider)
{
	return trip_of(provider, get(c, strf("/oauth/%s", provider)));
}

static struct trip begin(const char *provider)
{
	struct caller c = browser();

	return begin_at(&c, provider);
}

static struct trip begin_link(const struct caller *c, const char *provider)
{
	return trip_of(provider, post(c, strf("/oauth/%s/link", provider), NULL));
}

/*
 * Coming back
 */

static const char *issuer(void)
{
	return config()->oauth_oidc_issuer;
}

static const char *code_of(const char *json)
{
	return str_base64url(world_arena(), json, strlen(json));
}

static struct answer come_back_as(const struct caller *c, const struct trip *t, const char *query,
				  const char *accept)
{
	return answer_to(&(struct ask){
		.method = "GET",
		.path = strf("/api/auth/oauth/%s/callback?%s", t->provider, query),
		.caller = c,
		.headers = { strf("Cookie: %s", t->cookie), strf("Accept: %s", accept) },
	});
}

static struct answer come_back(const struct trip *t, const char *query)
{
	struct caller c = browser();

	return come_back_as(&c, t, query, "application/json");
}

static const char *query_of(const struct trip *t, const char *code)
{
	return strf("state=%s&code=%s&iss=%s", t->state, code_of(code), issuer());
}

/* An ID token with these claims (JSON members), beside what is usual and the nonce. more: of the
 * code. */
static const char *token_code(const struct trip *t, const char *claims, const char *more)
{
	return strf("{\"challenge\":\"%s\"%s,\"claims\":{\"nonce\":\"%s\",%s}}", t->challenge, more,
		    t->nonce, claims);
}

static const char *claims_of(const char *subject, const char *email)
{
	return strf("\"sub\":\"%s\",\"email\":\"%s\",\"email_verified\":true,"
		    "\"given_name\":\"Ann\",\"family_name\":\"Example\"",
		    subject, email);
}

static struct answer log_in(const char *subject, const char *email)
{
	struct trip t = begin("oidc");

	return come_back(&t, query_of(&t, token_code(&t, claims_of(subject, email), "")));
}

static const char *new_email(void)
{
	return strf("%s@example.com", new_word());
}

static int64_t accounts_of(const char *email)
{
	return database_number("SELECT count(*) FROM accounts WHERE email = $1", email, NULL);
}

static int64_t identities_of(struct account_id a)
{
	return database_number("SELECT count(*) FROM oauth_identities WHERE account_id = $1::uuid",
			       id_text(a.u), NULL);
}

static int64_t events_of(const char *account, const char *type)
{
	return database_number(
		"SELECT count(*) FROM account_events WHERE account_id = $1::uuid AND type = $2",
		account, type, NULL);
}

/*
 * Tests
 */

Test(identity_oauth, providers_that_are_on_are_listed)
{
	struct caller c = browser();
	struct answer a = answer_is(get(&c, "/oauth/providers"), 200);

	cr_assert_eq(answer_len(a, "data"), 2);
	cr_assert_str_eq(answer_text(a, "data.0.name"), "github");
	cr_assert_str_eq(answer_text(a, "data.1.name"), "oidc");
	answer_is_error(get(&c, "/oauth/google"), 404, "RESOURCE_NOT_FOUND", NULL);
}

Test(identity_oauth, the_provider_gets_state_nonce_and_pkce)
{
	struct caller c = browser();
	const char *url = answer_text(answer_is(get(&c, "/oauth/oidc"), 200), "url");

	cr_assert(str_starts(str_of(url), strf("%s/authorize?tenant=test&", issuer())), "%s", url);
	cr_assert_str_eq(parameter(url, "response_type"), "code");
	cr_assert_str_eq(parameter(url, "client_id"), config()->oauth_oidc_client_id);
	cr_assert_str_eq(parameter(url, "redirect_uri"),
			 strf("%s/api/auth/oauth/oidc/callback", config()->api_url));
	cr_assert_str_eq(parameter(url, "scope"), "openid email profile");
	cr_assert_str_eq(parameter(url, "code_challenge_method"), "S256");
	cr_assert_eq(strlen(parameter(url, "state")), 43);
	cr_assert_eq(strlen(parameter(url, "nonce")), 43);
	cr_assert_eq(strlen(parameter(url, "code_challenge")), 43);
}

Test(identity_oauth, somebody_new_has_an_account_and_a_tenant)
{
	const char *email = new_email();
	struct answer a = answer_is(log_in(new_word(), email), 200);
	struct caller c = with_token(browser(), answer_text(a, "accessToken"));
	const char *account = answer_text(a, "user.id");

	cr_assert_str_eq(answer_text(a, "user.email"), email);
	cr_assert_str_eq(answer_text(a, "user.firstName"), "Ann");
	cr_assert(answer_bool(a, "user.emailVerified"));
	cr_assert_str_eq(answer_text(a, "user.role"), "owner");
	cr_assert_str_eq(answer_text(a, "tenant.name"), "Ann's team");
	cr_assert(answer_cookie(&a));
	answer_is(get(&c, "/me"), 200);
	cr_assert_eq(events_of(account, "account.created"), 1);
	cr_assert_eq(events_of(account, "account.linked"), 1);
	cr_assert_eq(events_of(account, "account.loggedInByProvider"), 1);
	answer_is_error(try_log_in(email, "", NULL), 400, "VALIDATION_ERROR", NULL);
	answer_is_error(try_log_in(email, "null", NULL), 401, "AUTH_INVALID_CREDENTIALS", NULL);
}

Test(identity_oauth, a_person_is_known_by_the_subject_alone)
{
	const char *subject = new_word(), *email = new_email(), *other = new_email();
	struct answer first = answer_is(log_in(subject, email), 200);
	struct answer again = answer_is(log_in(subject, other), 200);

	cr_assert_str_eq(answer_text(first, "user.id"), answer_text(again, "user.id"));
	cr_assert_str_eq(answer_text(again, "user.email"), email);
	cr_assert_eq(accounts_of(other), 0);
}

Test(identity_oauth, an_email_that_is_not_verified_counts_for_nothing)
{
	static const char *const verified[] = { "", ",\"email_verified\":false",
						",\"email_verified\":\"true\"" };
	const char *email = new_email();

	for (size_t i = 0; i < ARRAY_LEN(verified); i++) {
		struct trip t = begin("oidc");
		const char *claims =
			strf("\"sub\":\"%s\",\"email\":\"%s\"%s", new_word(), email, verified[i]);

		answer_is_error(come_back(&t, query_of(&t, token_code(&t, claims, ""))), 403,
				"AUTH_EMAIL_UNVERIFIED", NULL);
	}
	cr_assert_eq(accounts_of(email), 0);
}

Test(identity_oauth, nobody_comes_by_an_email_to_an_account_that_a_password_opens)
{
	struct person ann = person_sign_up();

	database_run("UPDATE accounts SET email_verified_at = now() WHERE id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	answer_is_error(log_in(new_word(), ann.caller.email), 409, "RESOURCE_CONFLICT", NULL);
	cr_assert_eq(identities_of(ann.caller.account), 0);
}

Test(identity_oauth, nor_to_one_whose_email_nobody_has_shown)
{
	struct account_id a = account_make(NULL);

	database_run("UPDATE accounts SET email_verified_at = NULL, password_hash = NULL "
		     "WHERE id = $1::uuid",
		     id_text(a.u), NULL);
	answer_is_error(log_in(new_word(), account_email(a)), 409, "RESOURCE_CONFLICT", NULL);
	cr_assert_eq(identities_of(a), 0);
}

Test(identity_oauth, a_verified_email_comes_to_an_account_without_a_password)
{
	struct account_id a = account_make(NULL);
	const char *subject = new_word();

	cr_assert_str_eq(answer_text(answer_is(log_in(subject, account_email(a)), 200), "user.id"),
			 id_text(a.u));
	cr_assert_eq(identities_of(a), 1);
	answer_is(log_in(subject, account_email(a)), 200);
	cr_assert_eq(identities_of(a), 1);
}

/* The account links the subject. */
static struct answer link_to(const struct caller *c, const char *subject)
{
	struct trip t = begin_link(c, "oidc");
	struct caller nobody = browser();

	return come_back_as(&nobody, &t,
			    query_of(&t, token_code(&t, claims_of(subject, new_email()), "")),
			    "application/json");
}

Test(identity_oauth, an_account_links_an_identity_and_is_opened_by_it)
{
	struct person ann = person_sign_up();
	const char *subject = new_word();
	struct answer a = answer_is(link_to(&ann.caller, subject), 302);

	cr_assert_str_eq(answer_header(&a, "Location"), strf("%s/", config()->app_url));
	cr_assert_null(answer_header(&a, "Set-Cookie"), "nobody has logged in");
	a = answer_is(get(&ann.caller, "/oauth/identities"), 200);
	cr_assert_eq(answer_len(a, "data"), 1);
	cr_assert_str_eq(answer_text(a, "data.0.provider"), "oidc");
	a = answer_is(log_in(subject, new_email()), 200);
	cr_assert_str_eq(answer_text(a, "user.email"), ann.caller.email);
	answer_is(link_to(&ann.caller, subject), 302);
	cr_assert_eq(identities_of(ann.caller.account), 1, "once is enough");
}

Test(identity_oauth, an_identity_opens_one_account)
{
	struct person ann = person_sign_up(), bob = person_sign_up();
	const char *subject = new_word();

	answer_is(link_to(&ann.caller, subject), 302);
	answer_is_error(link_to(&bob.caller, subject), 409, "RESOURCE_CONFLICT", NULL);
	cr_assert_eq(identities_of(bob.caller.account), 0);
}

Test(identity_oauth, a_link_is_made_only_while_its_session_lives)
{
	struct person ann = person_sign_up();
	struct trip t = begin_link(&ann.caller, "oidc");

	answer_is(post(&ann.caller, "/logout", NULL), 204);
	answer_is_error(
		come_back(&t, query_of(&t, token_code(&t, claims_of(new_word(), "a@b.cd"), ""))),
		401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_assert_eq(identities_of(ann.caller.account), 0);
}

Test(identity_oauth, the_last_way_to_log_in_is_not_unlinked)
{
	struct answer a = answer_is(log_in(new_word(), new_email()), 200);
	struct caller c = with_token(browser(), answer_text(a, "accessToken"));
	const char *id = answer_text(get(&c, "/oauth/identities"), "data.0.id");

	answer_is_error(del(&c, strf("/oauth/identities/%s", id)), 422, "RULE_VIOLATED", NULL);

	/* An identity of a provider that is off opens nothing. */
	database_run("INSERT INTO oauth_identities (id, account_id, provider, issuer, subject) "
		     "VALUES (gen_random_uuid(), $1::uuid, 'gone', 'https://gone.test', $2)",
		     answer_text(a, "user.id"), new_word(), NULL);
	answer_is_error(del(&c, strf("/oauth/identities/%s", id)), 422, "RULE_VIOLATED", NULL);

	account_set_password((struct account_id){ id_of(answer_text(a, "user.id")) }, "a password");
	answer_is(del(&c, strf("/oauth/identities/%s", id)), 204);
	answer_is_error(del(&c, strf("/oauth/identities/%s", id)), 404, "RESOURCE_NOT_FOUND", NULL);
	cr_assert_eq(events_of(answer_text(a, "user.id"), "account.unlinked"), 1);
}

Test(identity_oauth, nobody_unlinks_anothers_identity)
{
	struct person ann = person_sign_up(), bob = person_sign_up();
	const char *id;

	answer_is(link_to(&ann.caller, new_word()), 302);
	id = answer_text(get(&ann.caller, "/oauth/identities"), "data.0.id");
	answer_is_error(del(&bob.caller, strf("/oauth/identities/%s", id)), 404,
			"RESOURCE_NOT_FOUND", NULL);
	cr_assert_eq(identities_of(ann.caller.account), 1);
}

/* An account with one-time codes, opened by the subject. */
static const char *with_second_factor(const char *subject)
{
	const char *account = answer_text(answer_is(log_in(subject, new_email()), 200), "user.id");

	database_run("INSERT INTO totp_factors (account_id, secret_sealed, enabled_at) "
		     "VALUES ($1::uuid, '\\x00', now())",
		     account, NULL);
	return account;
}

Test(identity_oauth, a_second_factor_is_asked_for_all_the_same)
{
	const char *subject = new_word(), *account = with_second_factor(subject), *location;
	struct answer a = answer_is(log_in(subject, new_email()), 200);
	struct caller c = browser();
	struct trip t = begin("oidc");

	cr_assert(answer_bool(a, "mfaRequired"));
	cr_assert_null(answer_header(&a, "Set-Cookie"));
	a = come_back_as(&c, &t, query_of(&t, token_code(&t, claims_of(subject, "a@b.cd"), "")),
			 "text/html");
	location = answer_header(&a, "Location");
	answer_is(a, 302);
	cr_assert(
		str_starts(str_of(location), strf("%s/auth/callback#mfaToken=", config()->app_url)),
		"%s", location);
	cr_assert_null(answer_header(&a, "Set-Cookie"));
	cr_assert_eq(database_number("SELECT count(*) FROM sessions WHERE account_id = $1::uuid",
				     account, NULL),
		     1, "the one from before");
}

/*
 * Browsers
 */

static struct answer open_page(const char *path)
{
	struct caller c = browser();

	return answer_to(&(struct ask){
		.method = "GET",
		.path = path,
		.caller = &c,
		.headers = { "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8" },
	});
}

Test(identity_oauth, a_browser_is_sent_there_and_back_to_the_dashboard)
{
	struct answer a = answer_is(open_page("/api/auth/oauth/oidc?redirect=/projects?a=b"), 302);
	const char *url = answer_header(&a, "Location");
	struct trip t = { "oidc", binding_of(&a), parameter(url, "state"), parameter(url, "nonce"),
			  parameter(url, "code_challenge") };
	struct caller c = browser();

	a = come_back_as(&c, &t,
			 query_of(&t, token_code(&t, claims_of(new_word(), new_email()), "")),
			 "text/html");
	answer_is(a, 302);
	cr_assert_str_eq(answer_header(&a, "Location"), strf("%s/projects?a=b", config()->app_url));
	cr_assert_str_eq(answer_header(&a, "Cache-Control"), "no-store");
	c.cookie = answer_cookie(&a);
	cr_assert(c.cookie);
	answer_is(get(&c, "/me"), 200);
}

Test(identity_oauth, a_browser_is_told_of_failures_by_a_redirect)
{
	struct answer a = answer_is(open_page("/api/auth/oauth/oidc/callback?state=x&code=y"), 302);

	cr_assert_str_eq(answer_header(&a, "Location"),
			 strf("%s/auth/callback?error=AUTH_TOKEN_EXPIRED&requestId=%s",
			      config()->app_url, answer_header(&a, "X-Request-Id")));
	a = answer_is(open_page("/api/auth/oauth/nobody"), 302);
	cr_assert(strstr(answer_header(&a, "Location"), "?error=RESOURCE_NOT_FOUND&"));
}

Test(identity_oauth, nobody_is_sent_to_another_site)
{
	static const char *const paths[] = { "https://evil.test/", "evil", "/a%0d%0aX:%20y",
					     "/a%20b" };
	struct caller c = browser();

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		answer_is_error(get(&c, strf("/oauth/oidc?redirect=%s", paths[i])), 400,
				"VALIDATION_ERROR", "redirect");
}

/*
 * The state
 */

static struct answer come_back_well(const struct trip *t)
{
	return come_back(t, query_of(t, token_code(t, claims_of(new_word(), new_email()), "")));
}

Test(identity_oauth, a_state_is_good_in_the_browser_that_it_was_given_to)
{
	struct trip mine = begin("oidc"), others = begin("oidc");
	struct trip stolen = mine;

	stolen.cookie = others.cookie;
	answer_is_error(come_back_well(&stolen), 401, "AUTH_TOKEN_EXPIRED", NULL);
	stolen.cookie = "a=b";
	answer_is_error(come_back_well(&stolen), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is(come_back_well(&mine), 200);
}

Test(identity_oauth, a_state_is_good_once)
{
	struct trip t = begin("oidc");

	answer_is(come_back_well(&t), 200);
	answer_is_error(come_back_well(&t), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, a_state_is_over_after_ten_minutes)
{
	struct trip t = begin("oidc");

	database_run("UPDATE oauth_states SET expires_at = now() WHERE provider = 'oidc' AND "
		     "expires_at > now() + interval '9 minutes'",
		     NULL);
	answer_is_error(come_back_well(&t), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, a_state_is_one_providers)
{
	struct trip t = begin("oidc");

	t.provider = "github";
	answer_is_error(come_back_well(&t), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, two_tabs_of_a_browser_do_not_disturb_each_other)
{
	struct trip first = begin("oidc"), second;
	struct caller c = browser();

	second = trip_of(
		"oidc", ask_with(&c, "GET", "/oauth/oidc", NULL, strf("Cookie: %s", first.cookie)));
	cr_assert_str_eq(first.cookie, second.cookie);
	cr_assert_str_neq(first.state, second.state);
	answer_is(come_back_well(&second), 200);
	answer_is(come_back_well(&first), 200);
}

/*
 * What the provider says
 */

Test(identity_oauth, id_tokens_that_are_not_for_this_log_in_are_not_believed)
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
		struct trip t = begin("oidc");
		const char *code =
			token_code(&t, strf("%s,%s", claims_of(new_word(), email), cases[i].claims),
				   cases[i].more);

		answer_is_error(come_back(&t, query_of(&t, code)), 502, "BAD_GATEWAY", NULL);
		cr_assert_eq(accounts_of(email), 0, "%s%s", cases[i].claims, cases[i].more);
	}
}

Test(identity_oauth, both_algorithms_are_understood)
{
	static const char *const more[] = { ",\"alg\":\"RS256\"", ",\"alg\":\"ES256\"" };

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		struct trip t = begin("oidc");

		answer_is(come_back(&t,
				    query_of(&t, token_code(&t, claims_of(new_word(), new_email()),
							    more[i]))),
			  200);
	}
}

Test(identity_oauth, answers_of_another_issuer_are_not_believed)
{
	struct trip t = begin("oidc");
	const char *code = code_of(token_code(&t, claims_of(new_word(), new_email()), ""));

	answer_is_error(
		come_back(&t, strf("state=%s&code=%s&iss=https://another.test", t.state, code)),
		502, "BAD_GATEWAY", NULL);
	t = begin("oidc");
	code = code_of(token_code(&t, claims_of(new_word(), new_email()), ""));
	answer_is_error(come_back(&t, strf("state=%s&code=%s", t.state, code)), 502, "BAD_GATEWAY",
			NULL);
}

Test(identity_oauth, a_code_that_is_over_begins_again)
{
	struct trip t = begin("oidc");
	const char *code = strf("{\"challenge\":\"%s\",\"error\":\"invalid_grant\"}", t.challenge);

	answer_is_error(come_back(&t, query_of(&t, code)), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, a_code_of_another_log_in_is_refused)
{
	struct trip mine = begin("oidc"), others = begin("oidc");
	const char *code = token_code(&others, claims_of(new_word(), new_email()), "");

	answer_is_error(come_back(&mine, query_of(&mine, code)), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, a_person_may_say_no)
{
	struct trip t = begin("oidc");

	answer_is_error(
		come_back(&t, strf("state=%s&error=access_denied&iss=%s", t.state, issuer())), 403,
		"AUTH_FORBIDDEN", NULL);
}

Test(identity_oauth, an_answer_that_makes_no_sense_is_the_providers_fault)
{
	static const char *const codes[] = { "", "not json", "{\"error\":\"server_error\"" };
	struct trip t;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		t = begin("oidc");
		answer_is_error(come_back(&t, query_of(&t, codes[i])), 502, "BAD_GATEWAY", NULL);
	}
}

Test(identity_oauth, an_email_may_come_from_userinfo)
{
	struct trip t = begin("oidc");
	const char *subject = new_word(), *email = new_email();
	const char *more = strf(",\"userinfo\":{\"sub\":\"%s\",\"email\":\"%s\","
				"\"email_verified\":true}",
				subject, email);
	struct answer a =
		come_back(&t, query_of(&t, token_code(&t, strf("\"sub\":\"%s\"", subject), more)));

	cr_assert_str_eq(answer_text(answer_is(a, 200), "user.email"), email);
}

Test(identity_oauth, userinfo_about_somebody_else_is_not_believed)
{
	struct trip t = begin("oidc");
	const char *more = strf(",\"userinfo\":{\"sub\":\"another\",\"email\":\"%s\","
				"\"email_verified\":true}",
				new_email());

	answer_is_error(
		come_back(&t,
			  query_of(&t, token_code(&t, strf("\"sub\":\"%s\"", new_word()), more))),
		502, "BAD_GATEWAY", NULL);
}

Test(identity_oauth, a_new_key_of_the_provider_is_found)
{
	for (int i = 0; i < 4; i++) {
		struct trip t = begin("oidc");

		answer_is(come_back(&t,
				    query_of(&t, token_code(&t, claims_of(new_word(), new_email()),
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
	return strf("state=%s&code=%s", t->state, code_of(code));
}

static const char *new_number(void)
{
	return database_value("SELECT (random() * 1e15)::bigint::text", NULL);
}

Test(identity_oauth, github_says_who_it_is)
{
	const char *id = new_number(), *email = new_email();
	struct trip t = begin("github");
	struct answer first =
		answer_is(come_back(&t, github_query(&t, github_code(&t, id, email, "true"))), 200);
	struct answer again;

	cr_assert_str_eq(answer_text(first, "user.email"), email);
	cr_assert_str_eq(answer_text(first, "user.firstName"), "Ann");
	cr_assert_str_eq(answer_text(first, "user.lastName"), "van Example");
	t = begin("github");
	again = answer_is(
		come_back(&t, github_query(&t, github_code(&t, id, new_email(), "false"))), 200);
	cr_assert_str_eq(answer_text(first, "user.id"), answer_text(again, "user.id"));
}

Test(identity_oauth, an_email_that_github_has_not_verified_counts_for_nothing)
{
	struct trip t = begin("github");

	answer_is_error(come_back(&t, github_query(&t, github_code(&t, new_number(), new_email(),
								   "false"))),
			403, "AUTH_EMAIL_UNVERIFIED", NULL);
}

Test(identity_oauth, a_code_that_github_does_not_know_begins_again)
{
	struct trip t = begin("github");

	answer_is_error(come_back(&t, github_query(&t, "{\"error\":\"bad_verification_code\"}")),
			401, "AUTH_TOKEN_EXPIRED", NULL);
}

/*
 * Settings
 */

Test(identity_oauth, a_document_that_names_another_issuer_is_not_believed)
{
	struct caller c = browser();

	c.url = site_start(
		"impostor",
		(const char *[]){ strf("OAUTH_OIDC_ISSUER=%s/impostor", issuer()), NULL });
	answer_is_error(get(&c, "/oauth/oidc"), 502, "BAD_GATEWAY", NULL);
	site_stop("impostor");
}

Test(identity_oauth, a_provider_on_this_network_is_called_only_when_an_admin_allows_it)
{
	struct caller c = browser();

	c.url = site_start("guarded", (const char *[]){ "OUTBOUND_ALLOW=127.0.0.2", NULL });
	answer_is_error(get(&c, "/oauth/oidc"), 502, "BAD_GATEWAY", NULL);
	site_stop("guarded");
}

Test(identity_oauth, where_nobody_signs_up_through_a_provider_nobody_does)
{
	const char *email = new_email();
	struct caller c = browser();
	struct trip t;

	c.url = site_start("closed", (const char *[]){ "OAUTH_SIGN_UP=false", NULL });
	t = begin_at(&c, "oidc");
	answer_is_error(come_back_as(&c, &t,
				     query_of(&t, token_code(&t, claims_of(new_word(), email), "")),
				     "application/json"),
			403, "AUTH_FORBIDDEN", NULL);
	cr_assert_eq(accounts_of(email), 0);
	site_stop("closed");
}
