/*
 * What an account does by mail: verifying its email, resetting its password, changing its email.
 * The mails are read from the folder that the worker writes them to.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/person.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct caller visitor(void)
{
	return on_tier(caller_nobody(), TIER_AUTH);
}

static struct answer say(const char *path, const char *body)
{
	struct caller v = visitor();

	return post(&v, path, body);
}

static const char *token_body(const char *token)
{
	return strf("{\"token\":\"%s\"}", token);
}

static const char *email_body(const char *email)
{
	return strf("{\"email\":\"%s\"}", email);
}

static int64_t events_of(const struct caller *c, const char *type)
{
	return database_number(
		"SELECT count(*) FROM account_events WHERE account_id = $1::uuid AND type = $2",
		id_text(c->account.u), type, NULL);
}

/*
 * Verification
 */

Test(identity_recovery, sign_up_sends_a_mail_that_verifies_the_email)
{
	struct person ann = person_sign_up();
	const char *token = mail_token(ann.caller.email, "Verify");

	cr_assert(!answer_bool(get(&ann.caller, "/me"), "user.emailVerified"));
	answer_is(say("/email/verify", token_body(token)), 204);
	cr_assert(answer_bool(get(&ann.caller, "/me"), "user.emailVerified"));
	cr_assert_eq(events_of(&ann.caller, "account.emailVerified"), 1);
	cr_assert_eq(database_number("SELECT count(*) FROM users WHERE account_id = $1::uuid AND "
				     "email_verified",
				     id_text(ann.caller.account.u), NULL),
		     1);
	answer_is_error(say("/email/verify", token_body(token)), 401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_expect_eq(mail_count(ann.caller.email, "Welcome to"), 1);
}

Test(identity_recovery, the_mail_greets_and_says_how_long)
{
	struct person ann = person_sign_up();
	struct letter l = mail_wait(ann.caller.email, "Verify");

	cr_assert(strstr(l.text, "Hello Ann,"), "%s", l.text);
	cr_assert(strstr(l.text, "for 1 day"), "%s", l.text);
	cr_assert(strstr(l.html, "<p>Hello Ann,</p>"), "%s", l.html);
	cr_assert(strstr(l.html,
			 strf("/verify-email#token=%s", mail_token(ann.caller.email, "Verify"))));
}

static struct answer sign_up_as(const char *email, const char *name)
{
	return say("/signup",
		   strf("{\"email\":\"%s\",\"password\":\"a good %s\",\"firstName\":\"%s\"}", email,
			new_word(), name));
}

Test(identity_recovery, a_name_cannot_put_markup_or_headers_into_a_mail)
{
	const char *email = strf("%s@example.com", new_word());
	struct letter l;

	answer_is_error(sign_up_as(email, "Ann\\r\\nBcc: eve@example.com"), 400, "VALIDATION_ERROR",
			"firstName");
	answer_is(sign_up_as(email, "<img src=x>"), 201);
	l = mail_wait(email, "Verify");
	cr_assert(!strstr(l.html, "<img"), "%s", l.html);
}

Test(identity_recovery, the_verification_mail_is_sent_again_to_who_needs_it)
{
	struct person ann = person_sign_up();

	mail_settle(); /* one that is still under way would not be asked for twice */
	answer_is(say("/email/resend", email_body(ann.caller.email)), 202);
	cr_assert_eq(mail_count(ann.caller.email, "Verify"), 2);
	answer_is(say("/email/verify", token_body(mail_token(ann.caller.email, "Verify"))), 204);
	answer_is(say("/email/resend", email_body(ann.caller.email)), 202);
	cr_assert_eq(mail_count(ann.caller.email, "Verify"), 2, "nobody needs it any more");
}

Test(identity_recovery, a_token_is_good_for_what_it_was_sent_for)
{
	struct person ann = person_sign_up();
	const char *token = mail_token(ann.caller.email, "Verify");
	const char *body = strf("{\"token\":\"%s\",\"password\":\"a %s\"}", token, new_word());

	answer_is_error(say("/password/reset", body), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(say("/magic-link/redeem", token_body(token)), 401, "AUTH_TOKEN_EXPIRED",
			NULL);
	answer_is_error(say("/email/change/confirm", token_body(token)), 401, "AUTH_TOKEN_EXPIRED",
			NULL);
	answer_is_error(say("/email/verify", token_body("nobody-made-this")), 401,
			"AUTH_TOKEN_EXPIRED", NULL);
	answer_is(say("/email/verify", token_body(token)), 204);
}

Test(identity_recovery, a_token_that_is_over_is_refused)
{
	struct person ann = person_sign_up();
	const char *token = mail_token(ann.caller.email, "Verify");

	database_run("UPDATE one_time_tokens SET expires_at = now() WHERE account_id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	answer_is_error(say("/email/verify", token_body(token)), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

/* A row of the table, a job, the log of events: none of them holds it. */
Test(identity_recovery, no_token_stands_anywhere_in_clear)
{
	struct person ann = person_sign_up();
	const char *token = mail_token(ann.caller.email, "Verify");
	const char *like = strf("%%%s%%", token);

	cr_assert_eq(
		database_number("SELECT (SELECT count(*) FROM jobs WHERE jobs::text LIKE $1) + "
				"(SELECT count(*) FROM one_time_tokens t WHERE t::text LIKE $1) + "
				"(SELECT count(*) FROM account_events e WHERE e::text LIKE $1)",
				like, NULL),
		0);
}

/*
 * The password
 */

static const char *reset_body(const char *token, const char *password)
{
	return strf("{\"token\":\"%s\",\"password\":\"%s\"}", token, password);
}

static const char *reset_token(const struct person *p)
{
	answer_is(say("/password/forgot", email_body(p->caller.email)), 202);

	return mail_token(p->caller.email, "Reset");
}

Test(identity_recovery, a_forgotten_password_is_replaced_and_ends_all_sessions)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);
	const char *token = reset_token(&ann), *password = strf("a new %s", new_word());

	answer_is(say("/password/reset", reset_body(token, password)), 204);
	answer_is_error(get(&ann.caller, "/sessions"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&elsewhere.caller, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(try_refresh(ann.refresh_token), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 401);
	answer_is(try_log_in(ann.caller.email, password, NULL), 200);
	cr_assert_eq(events_of(&ann.caller, "account.passwordReset"), 1);
	mail_wait(ann.caller.email, "was changed");
	answer_is_error(say("/password/reset", reset_body(token, password)), 401,
			"AUTH_TOKEN_EXPIRED", NULL);
}

/* Somebody signed up with another's email, and left himself ways in. */
Test(identity_recovery, whose_the_email_is_shares_the_account_with_nobody)
{
	struct person eve = person_sign_up();
	const char *account = id_text(eve.caller.account.u), *email = eve.caller.email;
	const char *key = api_key_make(eve.caller.tenant, eve.caller.user, "canViewUsers");
	struct caller program = with_api_key(on_tier(eve.caller, TIER_API), key);

	answer_is(get(&program, "/users"), 200);
	database_run("INSERT INTO totp_factors (account_id, secret_sealed, enabled_at) "
		     "VALUES ($1::uuid, 'eve', now())",
		     account, NULL);
	database_run("INSERT INTO passkeys (id, account_id, credential_id, public_key, algorithm, "
		     "sign_count, name) VALUES (gen_random_uuid(), $1::uuid, "
		     "convert_to($2, 'UTF8'), 'eve', -7, 0, 'Eve')",
		     account, email, NULL);
	database_run("INSERT INTO oauth_identities (id, account_id, provider, issuer, subject) "
		     "VALUES (gen_random_uuid(), $1::uuid, 'google', 'https://eve.example', $2)",
		     account, email, NULL);

	answer_is(
		say("/password/reset", reset_body(reset_token(&eve), strf("a new %s", new_word()))),
		204);
	cr_assert_eq(database_number("SELECT (SELECT count(*) FROM totp_factors WHERE account_id = "
				     "$1::uuid) + (SELECT count(*) FROM passkeys WHERE account_id "
				     "= $1::uuid) + (SELECT count(*) FROM oauth_identities WHERE "
				     "account_id = $1::uuid)",
				     account, NULL),
		     0);
	answer_is_error(get(&program, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_assert_null(database_value("SELECT email FROM accounts WHERE email = $1 AND mfa_enabled",
				      email, NULL),
		       "its owner needs no factor that Eve has");
}

Test(identity_recovery, a_reset_leaves_the_factors_of_who_had_shown_the_email)
{
	struct person ann = person_sign_up();
	const char *account = id_text(ann.caller.account.u);

	answer_is(say("/email/verify", token_body(mail_token(ann.caller.email, "Verify"))), 204);
	database_run("INSERT INTO totp_factors (account_id, secret_sealed, enabled_at) "
		     "VALUES ($1::uuid, 'ann', now())",
		     account, NULL);
	answer_is(
		say("/password/reset", reset_body(reset_token(&ann), strf("a new %s", new_word()))),
		204);
	cr_assert_eq(database_number("SELECT count(*) FROM totp_factors WHERE account_id = "
				     "$1::uuid",
				     account, NULL),
		     1);
}

Test(identity_recovery, a_reset_ends_the_wait_of_whoever_was_locked_out)
{
	struct person ann = person_sign_up();
	const char *password = strf("a new %s", new_word());

	while (try_log_in(ann.caller.email, "not it", NULL).status == 401)
		;
	answer_is(say("/password/reset", reset_body(reset_token(&ann), password)), 204);
	answer_is(try_log_in(ann.caller.email, password, NULL), 200);
}

Test(identity_recovery, a_reset_voids_the_tokens_before_it)
{
	struct person ann = person_sign_up();
	const char *first = reset_token(&ann), *second;

	mail_settle();
	answer_is(say("/password/forgot", email_body(ann.caller.email)), 202);
	cr_assert_eq(mail_count(ann.caller.email, "Reset"), 2);
	second = mail_token(ann.caller.email, "Reset");
	cr_assert_str_neq(first, second);
	answer_is(say("/password/reset", reset_body(second, strf("a %s", new_word()))), 204);
	answer_is_error(say("/password/reset", reset_body(first, strf("a %s", new_word()))), 401,
			"AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_recovery, a_password_that_others_guess_does_not_use_the_token)
{
	struct person ann = person_sign_up();
	const char *token = reset_token(&ann);

	answer_is_error(say("/password/reset", reset_body(token, "password1")), 400,
			"VALIDATION_ERROR", "password");
	answer_is(say("/password/reset", reset_body(token, strf("a %s", new_word()))), 204);
}

Test(identity_recovery, of_two_resets_with_one_token_one_is_made)
{
	struct person ann = person_sign_up();
	struct caller v = visitor();
	struct ask ask = {
		.method = "POST",
		.path = "/api/auth/password/reset",
		.caller = &v,
		.body = reset_body(reset_token(&ann), strf("a %s", new_word())),
	};
	struct answer answers[6];
	unsigned made = 0;

	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		made += answers[i].status == 204;
		cr_assert(answers[i].status == 204 || answers[i].status == 401);
	}
	cr_assert_eq(made, 1);
}

static const char *without_particulars(struct answer a)
{
	return strf("%d %.*s", a.status, STR_FMT(a.body));
}

Test(identity_recovery, asking_tells_nothing_about_an_email)
{
	static const char *const paths[] = { "/password/forgot", "/email/resend", "/magic-link",
					     "/email-otp" };
	struct person ann = person_sign_up();
	const char *nobody = strf("%s@example.com", new_word());

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		cr_expect_str_eq(without_particulars(say(paths[i], email_body(ann.caller.email))),
				 without_particulars(say(paths[i], email_body(nobody))), "%s",
				 paths[i]);
	cr_assert_eq(mail_count(nobody, ""), 0);
}

/* The mail server is the worker's affair: no request waits for it. */
Test(identity_recovery, a_mail_server_that_does_not_answer_holds_no_request)
{
	struct person ann = person_sign_up();
	struct caller v = visitor();

	v.url = site_start("mail", (const char *[]){ "SMTP_HOST=192.0.2.1",
						     "EMAIL_FROM=noreply@example.com", NULL });
	answer_is(post(&v, "/password/forgot", email_body(ann.caller.email)), 202);
	site_stop("mail");
	mail_wait(ann.caller.email, "Reset");
}

/* "correct horse battery staple": SHA-1 ABF7AAD6438836DBE526AA231ABDE2D0EEF74D42. */
Test(identity_recovery, a_password_of_others_leaks_is_refused_where_they_are_known)
{
	struct caller v = visitor();
	const char *folder = strf("%s/breached-%d", world()->dir, (int)getpid());
	const char *body =
		strf("{\"email\":\"%s@example.com\",\"password\":\"correct horse battery "
		     "staple\"}",
		     new_word());
	const char *make = strf("mkdir -m 755 %s && echo AD6438836DBE526AA231ABDE2D0EEF74D42:7 "
				">%s/ABF7A.txt",
				folder, folder);
	const char *argv[] = { "sh", "-c", make, NULL };

	world_run(argv, NULL);
	v.url = site_start("breached",
			   (const char *[]){ strf("BREACHED_PASSWORDS=%s", folder), NULL });
	answer_is_error(post(&v, "/signup", body), 400, "VALIDATION_ERROR", "password");
	site_stop("breached");
	v.url = NULL;
	answer_is(post(&v, "/signup", body), 201);
}

/*
 * Another email
 */

static struct answer ask_change(const struct person *p, const char *email)
{
	return post(&p->caller, "/email/change",
		    strf("{\"email\":\"%s\",\"password\":\"%s\"}", email, p->password));
}

Test(identity_recovery, an_email_changes_when_both_addresses_have_confirmed)
{
	struct person ann = person_sign_up();
	const char *email = strf("%s@example.org", new_word());
	struct answer a;

	answer_is(ask_change(&ann, email), 202);
	a = answer_is(say("/email/change/confirm", token_body(mail_token(email, "Confirm"))), 200);
	cr_assert(!answer_bool(a, "changed"));
	cr_assert_str_eq(answer_text(get(&ann.caller, "/me"), "user.email"), ann.caller.email);
	a = answer_is(say("/email/change/confirm",
			  token_body(mail_token(ann.caller.email, "Confirm the change"))),
		      200);
	cr_assert(answer_bool(a, "changed"));
	cr_assert_str_eq(answer_text(get(&ann.caller, "/me"), "user.email"), email);
	cr_assert(answer_bool(get(&ann.caller, "/me"), "user.emailVerified"));
	answer_is(try_log_in(email, ann.password, NULL), 200);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 401);
	cr_assert_eq(events_of(&ann.caller, "account.emailChangeConfirmed"), 2);
	cr_assert_eq(events_of(&ann.caller, "account.emailChanged"), 1);
	cr_assert_str_eq(database_value("SELECT email FROM users WHERE account_id = $1::uuid",
					id_text(ann.caller.account.u), NULL),
			 email);
}

Test(identity_recovery, a_change_of_email_wants_the_password_and_another_email)
{
	struct person ann = person_sign_up();

	answer_is_error(
		post(&ann.caller, "/email/change",
		     strf("{\"email\":\"%s@example.org\",\"password\":\"not it\"}", new_word())),
		401, "AUTH_INVALID_CREDENTIALS", "password");
	answer_is_error(ask_change(&ann, ann.caller.email), 400, "VALIDATION_ERROR", "email");
}

Test(identity_recovery, an_email_that_has_an_account_is_not_told)
{
	struct person ann = person_sign_up(), bob = person_sign_up();

	answer_is(ask_change(&ann, bob.caller.email), 202);
	cr_assert_eq(mail_count(bob.caller.email, "Confirm"), 0);
	mail_wait(ann.caller.email, "Confirm the change");
}

Test(identity_recovery, an_email_that_was_taken_meanwhile_is_a_conflict)
{
	struct person ann = person_sign_up();
	const char *email = strf("%s@example.org", new_word());

	answer_is(ask_change(&ann, email), 202);
	answer_is(say("/email/change/confirm",
		      token_body(mail_token(ann.caller.email, "Confirm the change"))),
		  200);
	mail_token(email, "Confirm");
	account_make(email);
	answer_is_error(say("/email/change/confirm", token_body(mail_token(email, "Confirm"))), 409,
			"RESOURCE_CONFLICT", "email");
}

Test(identity_recovery, tokens_of_an_earlier_change_confirm_nothing)
{
	struct person ann = person_sign_up();
	const char *first = strf("%s@example.org", new_word()), *token;

	answer_is(ask_change(&ann, first), 202);
	token = mail_token(first, "Confirm");
	answer_is(ask_change(&ann, strf("%s@example.org", new_word())), 202);
	answer_is(say("/email/change/confirm", token_body(token)), 404);
}

/*
 * Where emails have to be verified first
 */

#define REQUIRED_SITE ((const char *[]){ "EMAIL_VERIFICATION=required", NULL })

Test(identity_recovery, where_verification_is_required_nobody_logs_in_before_it)
{
	struct caller v = visitor();
	const char *email = strf("%s@example.com", new_word());
	const char *login = strf("{\"email\":\"%s\",\"password\":\"a good one\"}", email);
	struct answer a;

	v.url = site_start("verified", REQUIRED_SITE);
	a = answer_is(post(&v, "/signup", login), 202);
	cr_assert_null(answer_cookie(&a));
	mail_wait(email, "Verify");
	answer_is_error(post(&v, "/login", login), 403, "AUTH_EMAIL_UNVERIFIED", NULL);
	answer_is(post(&v, "/email/verify", token_body(mail_token(email, "Verify"))), 204);
	cr_assert_str_eq(answer_text(answer_is(post(&v, "/login", login), 200), "user.role"),
			 "owner");
	site_stop("verified");
}

Test(identity_recovery, where_verification_is_required_sign_up_tells_nothing)
{
	struct person ann = person_sign_up();
	struct caller v = visitor();
	const char *nobody = strf("%s@example.com", new_word());
	struct answer taken, free;

	v.url = site_start("silent", REQUIRED_SITE);
	taken = post(&v, "/signup",
		     strf("{\"email\":\"%s\",\"password\":\"a good one\"}", ann.caller.email));
	free = post(&v, "/signup", strf("{\"email\":\"%s\",\"password\":\"a good one\"}", nobody));
	cr_assert_str_eq(without_particulars(taken), without_particulars(free));
	mail_wait(ann.caller.email, "have an account");
	mail_wait(nobody, "Verify");
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
	site_stop("silent");
}

Test(identity_recovery, what_signed_up_waits_sealed)
{
	cr_assert_eq(database_number("SELECT count(*) FROM jobs WHERE kind = 'account.signUp' AND "
				     "payload::text ~ 'argon2|example.com'",
				     NULL),
		     0);
}
