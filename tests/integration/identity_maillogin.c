/*
 * Logging in by a link or a code in a mail, and being told of a new device.
 */
#include "crypto/token.h"
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

static struct answer say(const char *path, const char *body)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);

	return post(&v, path, body);
}

static const char *link_body(const struct person *p)
{
	answer_is(say("/magic-link", strf("{\"email\":\"%s\"}", p->caller.email)), 202);

	return strf("{\"token\":\"%s\"}", mail_token(p->caller.email, "link to log in"));
}

static const char *code_body(const struct person *p, const char *code)
{
	return strf("{\"email\":\"%s\",\"code\":\"%s\"}", p->caller.email, code);
}

static const char *new_code(const struct person *p)
{
	mail_settle();
	answer_is(say("/email-otp", strf("{\"email\":\"%s\"}", p->caller.email)), 202);
	mail_settle();

	return mail_code(p->caller.email);
}

/* Another one than this. */
static const char *wrong_code(const char *code)
{
	return strf("%c%s", code[0] == '9' ? '0' : code[0] + 1, code + 1);
}

Test(identity_maillogin, a_link_logs_in_once)
{
	struct person ann = person_sign_up();
	const char *body = link_body(&ann);
	struct answer a = answer_is(say("/magic-link/redeem", body), 200);

	cr_assert_str_eq(answer_text(a, "user.email"), ann.caller.email);
	cr_assert_str_eq(answer_text(a, "user.role"), "owner");
	cr_assert(answer_bool(a, "user.emailVerified"), "whoever reads the mail has the address");
	cr_assert(answer_cookie(&a));
	answer_is_error(say("/magic-link/redeem", body), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

/* Whoever signed up with somebody else's email keeps neither session nor password. */
Test(identity_maillogin, a_link_takes_the_account_from_who_had_not_shown_the_email)
{
	struct person eve = person_sign_up();

	answer_is(get(&eve.caller, "/me"), 200); /* a hot copy is there now */
	answer_is(say("/magic-link/redeem", link_body(&eve)), 200);
	answer_is_error(get(&eve.caller, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(try_log_in(eve.caller.email, eve.password, NULL), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

Test(identity_maillogin, a_link_changes_nothing_for_who_had_shown_the_email)
{
	struct person ann = person_sign_up();
	const char *token = mail_token(ann.caller.email, "Verify");

	answer_is(say("/email/verify", strf("{\"token\":\"%s\"}", token)), 204);
	answer_is(say("/magic-link/redeem", link_body(&ann)), 200);
	answer_is(get(&ann.caller, "/me"), 200);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
}

Test(identity_maillogin, of_many_uses_of_a_link_at_once_one_logs_in)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	struct ask ask = { .method = "POST",
			   .path = "/api/auth/magic-link/redeem",
			   .caller = &v,
			   .body = link_body(&ann) };
	struct answer answers[6];
	unsigned granted = 0;

	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		granted += answers[i].status == 200;
	cr_assert_eq(granted, 1);
}

Test(identity_maillogin, a_link_works_for_who_is_locked_out)
{
	struct person ann = person_sign_up();

	while (try_log_in(ann.caller.email, "not it", NULL).status == 401)
		;
	answer_is(say("/magic-link/redeem", link_body(&ann)), 200);
}

Test(identity_maillogin, a_code_logs_in_once)
{
	struct person ann = person_sign_up();
	const char *code = new_code(&ann);

	answer_is(say("/email-otp/redeem", code_body(&ann, code)), 200);
	answer_is_error(say("/email-otp/redeem", code_body(&ann, code)), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

Test(identity_maillogin, wrong_codes_lock_out_like_wrong_passwords)
{
	struct person ann = person_sign_up();
	const char *code = new_code(&ann), *wrong = code_body(&ann, wrong_code(code));
	struct token_hash hash;

	for (unsigned i = 0; i < 5; i++)
		answer_is_error(say("/email-otp/redeem", wrong), 401, "AUTH_INVALID_CREDENTIALS",
				NULL);
	token_hash(str_of(ann.caller.email), &hash);
	database_run("UPDATE login_attempts SET locked_until = locked_until + interval '1 hour' "
		     "WHERE email_hash = decode($1, 'hex')", /* no slow test outlasts it */
		     str_hex(world_arena(), hash.bytes, sizeof(hash.bytes)), NULL);
	answer_is_error(say("/email-otp/redeem", code_body(&ann, code)), 429, "RATE_LIMIT_EXCEEDED",
			NULL);
}

Test(identity_maillogin, a_new_code_takes_the_place_of_the_old_one)
{
	struct person ann = person_sign_up();
	const char *first = new_code(&ann), *second = new_code(&ann);

	if (strcmp(first, second) == 0)
		return; /* one in a million */
	answer_is(say("/email-otp/redeem", code_body(&ann, first)), 401);
	answer_is(say("/email-otp/redeem", code_body(&ann, second)), 200);
}

Test(identity_maillogin, a_code_is_its_accounts_alone)
{
	struct person ann = person_sign_up(), bob = person_sign_up();

	answer_is(say("/email-otp/redeem", code_body(&bob, new_code(&ann))), 401);
}

Test(identity_maillogin, is_not_offered_where_it_is_off)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *ask = "{\"email\":\"ann@example.com\"}";

	v.url = site_start("off", (const char *[]){ "MAGIC_LINK=false", "EMAIL_OTP=false", NULL });
	answer_is_error(post(&v, "/magic-link", ask), 422, "RULE_VIOLATED", NULL);
	answer_is_error(post(&v, "/email-otp", ask), 422, "RULE_VIOLATED", NULL);
	answer_is_error(post(&v, "/magic-link/redeem", "{\"token\":\"x\"}"), 422, "RULE_VIOLATED",
			NULL);
	answer_is_error(post(&v, "/email-otp/redeem",
			     "{\"email\":\"ann@example.com\",\"code\":\"123456\"}"),
			422, "RULE_VIOLATED", NULL);
	site_stop("off");
}

/* Whatever tenant is named beside: each word, and each name of one tenant, would be one mail more.
 */
Test(identity_maillogin, the_same_mail_is_not_sent_twice_within_the_interval)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *const tenants[] = { ann.slug, id_text(ann.caller.tenant.u), "no-such", "none" };

	v.url = site_start("interval", (const char *[]){ "MAIL_INTERVAL=10m", NULL });
	for (unsigned i = 0; i < ARRAY_LEN(tenants); i++) {
		answer_is(post(&v, "/magic-link", strf("{\"email\":\"%s\"}", ann.caller.email)),
			  202);
		answer_is(post(&v, "/magic-link",
			       strf("{\"email\":\"%s\",\"tenant\":\"%s\"}", ann.caller.email,
				    tenants[i])),
			  202);
	}
	site_stop("interval");
	cr_assert_eq(mail_count(ann.caller.email, "link to log in"), 1);
}

static struct answer log_in_from(const struct person *p, const char *device)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);

	return answer_is(ask_with(&v, "POST", "/login",
				  strf("{\"email\":\"%s\",\"password\":\"%s\"}", p->caller.email,
				       p->password),
				  strf("User-Agent: %s", device)),
			 200);
}

Test(identity_maillogin, a_new_device_is_told_once_to_a_verified_email)
{
	struct person ann = person_sign_up();

	answer_is(say("/email/verify",
		      strf("{\"token\":\"%s\"}", mail_token(ann.caller.email, "Verify"))),
		  204);
	person_log_in(&ann);
	cr_assert_eq(mail_count(ann.caller.email, "new device"), 0, "the one of sign-up is known");
	log_in_from(&ann, "A <new> phone");
	log_in_from(&ann, "A <new> phone");
	cr_assert_eq(mail_count(ann.caller.email, "new device"), 1);
	cr_assert(strstr(mail_wait(ann.caller.email, "new device").html, "A &lt;new&gt; phone"));
}

Test(identity_maillogin, an_email_that_nobody_has_verified_is_not_told)
{
	struct person ann = person_sign_up();

	log_in_from(&ann, "Another phone");
	cr_assert_eq(mail_count(ann.caller.email, "new device"), 0);
}
