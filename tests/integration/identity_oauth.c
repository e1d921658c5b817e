/*
 * Logging in through other providers: whose account it is, what a browser sees of it, and what a
 * state is good for. What a provider may say is in identity_oauth_provider.c.
 */
#include "base/config.h"
#include "base/str.h"
#include "crypto/token.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/person.h"
#include "support/trip.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static int64_t events_of(const char *account, const char *type)
{
	return database_number(
		"SELECT count(*) FROM account_events WHERE account_id = $1::uuid AND type = $2",
		account, type, NULL);
}

Test(identity_oauth, providers_that_are_on_are_listed)
{
	struct caller c = trip_browser();
	struct answer a = answer_is(get(&c, "/oauth/providers"), 200);

	cr_assert_eq(answer_len(a, "data"), 2);
	cr_assert_str_eq(answer_text(a, "data.0.name"), "github");
	cr_assert_str_eq(answer_text(a, "data.1.name"), "oidc");
	answer_is_error(get(&c, "/oauth/google"), 404, "RESOURCE_NOT_FOUND", NULL);
}

Test(identity_oauth, the_provider_gets_state_nonce_and_pkce)
{
	struct caller c = trip_browser();
	const char *url = answer_text(answer_is(get(&c, "/oauth/oidc"), 200), "url");

	cr_assert(str_starts(str_of(url), strf("%s/authorize?tenant=test&", oidc_issuer())), "%s",
		  url);
	cr_assert_str_eq(url_parameter(url, "response_type"), "code");
	cr_assert_str_eq(url_parameter(url, "client_id"), config()->oauth_oidc_client_id);
	cr_assert_str_eq(url_parameter(url, "redirect_uri"),
			 strf("%s/api/auth/oauth/oidc/callback", config()->api_url));
	cr_assert_str_eq(url_parameter(url, "scope"), "openid email profile");
	cr_assert_str_eq(url_parameter(url, "code_challenge_method"), "S256");
	cr_assert_eq(strlen(url_parameter(url, "state")), 43);
	cr_assert_eq(strlen(url_parameter(url, "nonce")), 43);
	cr_assert_eq(strlen(url_parameter(url, "code_challenge")), 43);
}

Test(identity_oauth, somebody_new_has_an_account_and_a_tenant)
{
	const char *email = new_email();
	struct answer a = answer_is(provider_log_in(new_word(), email), 200);
	struct caller c = with_token(trip_browser(), answer_text(a, "accessToken"));
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
	struct answer first = answer_is(provider_log_in(subject, email), 200);
	struct answer again = answer_is(provider_log_in(subject, other), 200);

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
		struct trip t = trip_begin("oidc");
		const char *claims =
			strf("\"sub\":\"%s\",\"email\":\"%s\"%s", new_word(), email, verified[i]);

		answer_is_error(trip_end(&t, trip_query(&t, trip_code(&t, claims, ""))), 403,
				"AUTH_EMAIL_UNVERIFIED", NULL);
	}
	cr_assert_eq(accounts_of(email), 0);
}

Test(identity_oauth, nobody_comes_by_an_email_to_an_account_that_a_password_opens)
{
	struct person ann = person_sign_up();

	database_run("UPDATE accounts SET email_verified_at = now() WHERE id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	answer_is_error(provider_log_in(new_word(), ann.caller.email), 409, "RESOURCE_CONFLICT",
			NULL);
	cr_assert_eq(identities_of(ann.caller.account), 0);
}

Test(identity_oauth, nor_to_one_whose_email_nobody_has_shown)
{
	struct account_id a = account_make(NULL);

	database_run("UPDATE accounts SET email_verified_at = NULL, password_hash = NULL "
		     "WHERE id = $1::uuid",
		     id_text(a.u), NULL);
	answer_is_error(provider_log_in(new_word(), account_email(a)), 409, "RESOURCE_CONFLICT",
			NULL);
	cr_assert_eq(identities_of(a), 0);
}

Test(identity_oauth, a_verified_email_comes_to_an_account_without_a_password)
{
	struct account_id a = account_make(NULL);
	const char *subject = new_word();

	cr_assert_str_eq(
		answer_text(answer_is(provider_log_in(subject, account_email(a)), 200), "user.id"),
		id_text(a.u));
	cr_assert_eq(identities_of(a), 1);
	answer_is(provider_log_in(subject, account_email(a)), 200);
	cr_assert_eq(identities_of(a), 1);
}

/* The account links the subject. */
static struct answer link_to(const struct caller *c, const char *subject)
{
	struct trip t = trip_begin_link(c, "oidc");
	struct caller nobody = trip_browser();

	return trip_end_as(&nobody, &t,
			   trip_query(&t, trip_code(&t, claims_of(subject, new_email()), "")),
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
	a = answer_is(provider_log_in(subject, new_email()), 200);
	cr_assert_str_eq(answer_text(a, "user.email"), ann.caller.email);
	answer_is(link_to(&ann.caller, subject), 302);
	cr_assert_eq(identities_of(ann.caller.account), 1, "once is enough");
}

/* Whoever had a session for a moment could have made themselves a way in. */
Test(identity_oauth, a_new_way_in_is_told_by_mail)
{
	struct person ann = person_sign_up();
	const char *subject = new_word();
	struct letter told;

	database_run("UPDATE accounts SET email_verified_at = now() WHERE id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	answer_is(link_to(&ann.caller, subject), 302);
	told = mail_wait(ann.caller.email, "You can log in with");
	cr_assert(strstr(told.text, ann.caller.email));
	answer_is(link_to(&ann.caller, subject), 302);
	mail_settle();
	cr_assert_eq(mail_count(ann.caller.email, "You can log in with"), 1);
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
	struct trip t = trip_begin_link(&ann.caller, "oidc");

	answer_is(post(&ann.caller, "/logout", NULL), 204);
	answer_is_error(
		trip_end(&t, trip_query(&t, trip_code(&t, claims_of(new_word(), "a@b.cd"), ""))),
		401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_assert_eq(identities_of(ann.caller.account), 0);
}

Test(identity_oauth, the_last_way_to_log_in_is_not_unlinked)
{
	struct answer a = answer_is(provider_log_in(new_word(), new_email()), 200);
	struct caller c = with_token(trip_browser(), answer_text(a, "accessToken"));
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

/* A passkey is a way to log in too: the last of all ways stays, whichever it is. */
Test(identity_oauth, the_last_way_to_log_in_may_be_a_passkey)
{
	struct answer a = answer_is(provider_log_in(new_word(), new_email()), 200);
	struct caller c = with_token(trip_browser(), answer_text(a, "accessToken"));
	const char *account = answer_text(a, "user.id"), *id = id_text(uuid_v7());

	database_run(
		"INSERT INTO passkeys (id, account_id, credential_id, public_key, algorithm, sign_count, name) "
		"VALUES ($1::uuid, $2::uuid, uuid_send($1::uuid), '', -7, 0, 'key')",
		id, account, NULL);
	database_run(
		"UPDATE sessions SET mfa_at = now(), revoked_at = NULL WHERE account_id = $1::uuid",
		account, NULL);
	answer_is(del(&c, strf("/oauth/identities/%s",
			       answer_text(get(&c, "/oauth/identities"), "data.0.id"))),
		  204);
	answer_is_error(del(&c, strf("/passkeys/%s", id)), 422, "RULE_VIOLATED", NULL);

	account_set_password((struct account_id){ id_of(account) }, "a password");
	answer_is(del(&c, strf("/passkeys/%s", id)), 204);
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
	const char *account =
		answer_text(answer_is(provider_log_in(subject, new_email()), 200), "user.id");

	database_run("INSERT INTO totp_factors (account_id, secret_sealed, enabled_at) "
		     "VALUES ($1::uuid, '\\x00', now())",
		     account, NULL);
	return account;
}

Test(identity_oauth, a_second_factor_is_asked_for_all_the_same)
{
	const char *subject = new_word(), *account = with_second_factor(subject), *location;
	struct answer a = answer_is(provider_log_in(subject, new_email()), 200);
	struct caller c = trip_browser();
	struct trip t = trip_begin("oidc");

	cr_assert(answer_bool(a, "mfaRequired"));
	cr_assert_null(answer_header(&a, "Set-Cookie"));
	a = trip_end_as(&c, &t, trip_query(&t, trip_code(&t, claims_of(subject, "a@b.cd"), "")),
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
	struct caller c = trip_browser();

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
	struct trip t = trip_of("oidc", url, &a);
	struct caller c = trip_browser();

	a = trip_end_as(&c, &t,
			trip_query(&t, trip_code(&t, claims_of(new_word(), new_email()), "")),
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
	struct caller c = trip_browser();

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		answer_is_error(get(&c, strf("/oauth/oidc?redirect=%s", paths[i])), 400,
				"VALIDATION_ERROR", "redirect");
}

/*
 * The state
 */

static struct answer come_back_well(const struct trip *t)
{
	return trip_end(t, trip_query(t, trip_code(t, claims_of(new_word(), new_email()), "")));
}

Test(identity_oauth, a_state_is_good_in_the_browser_that_it_was_given_to)
{
	struct trip mine = trip_begin("oidc"), others = trip_begin("oidc");
	struct trip stolen = mine;

	stolen.cookie = others.cookie;
	answer_is_error(come_back_well(&stolen), 401, "AUTH_TOKEN_EXPIRED", NULL);
	stolen.cookie = "a=b";
	answer_is_error(come_back_well(&stolen), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is(come_back_well(&mine), 200);
}

Test(identity_oauth, a_state_is_good_once)
{
	struct trip t = trip_begin("oidc");

	answer_is(come_back_well(&t), 200);
	answer_is_error(come_back_well(&t), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, a_state_is_over_after_ten_minutes)
{
	struct trip t = trip_begin("oidc");
	struct token_hash hash;
	const char *hex;

	token_hash(str_of(t.state), &hash);
	hex = str_hex(world_arena(), hash.bytes, sizeof(hash.bytes));
	cr_assert_eq(database_number("SELECT ceil(extract(epoch FROM expires_at - now()) / 60) "
				     "FROM oauth_states WHERE state_hash = decode($1, 'hex')",
				     hex, NULL),
		     10);
	database_run("UPDATE oauth_states SET expires_at = now() "
		     "WHERE state_hash = decode($1, 'hex')",
		     hex, NULL);
	answer_is_error(come_back_well(&t), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, a_state_is_one_providers)
{
	struct trip t = trip_begin("oidc");

	t.provider = "github";
	answer_is_error(come_back_well(&t), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_oauth, two_tabs_of_a_browser_do_not_disturb_each_other)
{
	struct trip first = trip_begin("oidc"), second;
	struct caller c = trip_browser();
	struct answer a;

	a = answer_is(ask_with(&c, "GET", "/oauth/oidc", NULL, strf("Cookie: %s", first.cookie)),
		      200);
	second = trip_of("oidc", answer_text(a, "url"), &a);
	cr_assert_str_eq(first.cookie, second.cookie);
	cr_assert_str_neq(first.state, second.state);
	answer_is(come_back_well(&second), 200);
	answer_is(come_back_well(&first), 200);
}
