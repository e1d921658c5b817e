/*
 * Multi-factor authentication: one-time codes by another program (oathtool), recovery codes, the
 * log-in in two halves, step-up, and the tenant that wants it. Passkeys need a device: their
 * ceremonies are in tests/e2e, their verification in tests/unit/crypto/webauthn.c.
 */
#include "base/clock.h"
#include "base/str.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/* The code of so many steps from now. */
static const char *code_at(const char *secret, int steps)
{
	int64_t at_s = clock_now_us() / US_PER_S + 30 * steps;
	const char *argv[] = { "oathtool", "--totp", "-b", "-N", strf("@%lld", (long long)at_s),
			       secret,     NULL };

	return strf("%.6s", world_run(argv, NULL).ptr);
}

/* The present code, as if the one before had been used long ago. */
static const char *fresh_code(const struct caller *c, const char *secret)
{
	database_run("UPDATE totp_factors SET last_step = 0 WHERE account_id = $1::uuid",
		     id_text(c->account.u), NULL);
	return code_at(secret, 0);
}

static const char *with_code(const char *code)
{
	return strf("{\"code\":\"%s\"}", code);
}

/* Somebody who has set up one-time codes; the answer that showed the recovery codes. */
struct enrolled {
	struct person person;
	const char *secret;
	struct answer codes;
};

static struct enrolled enroll(void)
{
	struct enrolled e = { .person = person_sign_up() };
	const struct caller *c = &e.person.caller;

	e.secret =
		strf("%s", answer_text(answer_is(post(c, "/mfa/totp/setup", NULL), 200), "secret"));
	e.codes = answer_is(post(c, "/mfa/totp/enable", with_code(code_at(e.secret, 0))), 200);
	return e;
}

/* The first half of a log-in; its mfaToken. */
static const char *begin_log_in(const struct enrolled *e)
{
	struct answer a =
		answer_is(try_log_in(e->person.caller.email, e->person.password, NULL), 200);

	cr_assert(answer_bool(a, "mfaRequired"));
	cr_assert_null(answer_cookie(&a), "no session yet");
	return strf("%s", answer_text(a, "mfaToken"));
}

static struct answer challenge(const char *token, const char *code)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);

	return post(&v, "/mfa/challenge",
		    strf("{\"mfaToken\":\"%s\",\"code\":\"%s\"}", token, code));
}

static int64_t events_of(const struct caller *c, const char *type)
{
	return database_number(
		"SELECT count(*) FROM account_events WHERE account_id = $1::uuid AND type = $2",
		id_text(c->account.u), type, NULL);
}

/*
 * Setting up
 */

static void verify_email(const struct person *p)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *token = mail_token(p->caller.email, "Verify");

	answer_is(post(&v, "/email/verify", strf("{\"token\":\"%s\"}", token)), 204);
}

/* Whoever has stolen a session can add a factor, with the password remove one: its person is to
 * know. */
Test(identity_mfa, factors_that_come_and_go_are_told_by_mail)
{
	struct person ann = person_sign_up();
	struct answer setup;

	verify_email(&ann);
	setup = answer_is(post(&ann.caller, "/mfa/totp/setup", NULL), 200);
	answer_is(post(&ann.caller, "/mfa/totp/enable",
		       with_code(code_at(answer_text(setup, "secret"), 0))),
		  200);
	cr_assert(strstr(mail_wait(ann.caller.email, "was added").text, ann.caller.email));
	answer_is(
		post(&ann.caller, "/mfa/totp/disable", strf("{\"password\":\"%s\"}", ann.password)),
		204);
	cr_assert(strstr(mail_wait(ann.caller.email, "was removed").text, ann.caller.email));
}

Test(identity_mfa, a_secret_counts_when_a_code_of_it_was_seen)
{
	struct person ann = person_sign_up();
	struct answer setup = answer_is(post(&ann.caller, "/mfa/totp/setup", NULL), 200);
	const char *secret = strf("%s", answer_text(setup, "secret"));

	cr_assert(strstr(answer_text(setup, "otpauthUrl"), secret));
	cr_assert(strstr(answer_text(setup, "otpauthUrl"), "otpauth://totp/Zygo:"));
	cr_assert(strstr(answer_text(setup, "otpauthUrl"), "&issuer=Zygo&"));
	cr_assert(strstr(answer_text(setup, "qrSvg"), "<svg "));
	cr_assert_not(answer_bool(answer_is(get(&ann.caller, "/mfa"), 200), "enabled"));
	answer_is_error(post(&ann.caller, "/mfa/totp/enable", with_code("000000")), 401,
			"AUTH_MFA_INVALID", NULL);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);

	setup = answer_is(post(&ann.caller, "/mfa/totp/enable", with_code(code_at(secret, 0))),
			  200);
	cr_assert_eq(answer_len(setup, "recoveryCodes"), 10);
	cr_assert(answer_bool(answer_is(get(&ann.caller, "/mfa"), 200), "enabled"));
	cr_assert(answer_bool(answer_is(get(&ann.caller, "/me"), 200), "user.mfaEnabled"));
	cr_assert_eq(events_of(&ann.caller, "mfa.enabled"), 1);
	answer_is_error(post(&ann.caller, "/mfa/totp/setup", NULL), 409, "RESOURCE_CONFLICT", NULL);
}

Test(identity_mfa, the_secret_is_sealed)
{
	struct enrolled e = enroll();

	cr_assert_eq(database_number("SELECT count(*) FROM totp_factors WHERE account_id = "
				     "$1::uuid AND length(secret_sealed) = 1 + 12 + 20 + 16",
				     id_text(e.person.caller.account.u), NULL),
		     1);
}

Test(identity_mfa, the_first_factor_ends_the_other_sessions)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);
	const char *secret =
		strf("%s", answer_text(post(&ann.caller, "/mfa/totp/setup", NULL), "secret"));

	answer_is(post(&ann.caller, "/mfa/totp/enable", with_code(code_at(secret, 0))), 200);
	answer_is(get(&ann.caller, "/me"), 200);
	answer_is_error(get(&elsewhere.caller, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

/*
 * Logging in
 */

Test(identity_mfa, a_log_in_has_two_halves)
{
	struct enrolled e = enroll();
	struct answer a = try_log_in(e.person.caller.email, e.person.password, NULL);
	const char *token = strf("%s", answer_text(a, "mfaToken"));
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);

	cr_assert_str_eq(answer_text(a, "methods.0"), "totp");
	cr_assert_str_eq(answer_text(a, "methods.1"), "recovery");
	cr_assert_eq(answer_len(a, "methods"), 2);
	v = with_token(v, token);
	answer_is_error(get(&v, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);

	a = answer_is(challenge(token, fresh_code(&e.person.caller, e.secret)), 200);
	cr_assert_str_eq(answer_text(a, "user.email"), e.person.caller.email);
	cr_assert_str_eq(answer_text(a, "tenant.slug"), e.person.slug);
	cr_assert(answer_cookie(&a));
	v = with_token(v, strf("%s", answer_text(a, "accessToken")));
	answer_is(get(&v, "/me"), 200);
}

Test(identity_mfa, a_code_is_good_once)
{
	struct enrolled e = enroll();
	const char *code = fresh_code(&e.person.caller, e.secret);

	answer_is(challenge(begin_log_in(&e), code), 200);
	answer_is_error(challenge(begin_log_in(&e), code), 401, "AUTH_MFA_INVALID", NULL);
	cr_assert_eq(events_of(&e.person.caller, "mfa.failed"), 1);
}

Test(identity_mfa, of_the_same_code_at_once_one_is_taken)
{
	struct enrolled e = enroll();
	const char *code = fresh_code(&e.person.caller, e.secret);
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	struct ask ask = {
		.method = "POST",
		.path = "/api/auth/mfa/challenge",
		.caller = &v,
		.body = strf("{\"mfaToken\":\"%s\",\"code\":\"%s\"}", begin_log_in(&e), code),
	};
	struct answer answers[4];
	unsigned taken = 0;

	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		taken += answers[i].status == 200;
	cr_assert_eq(taken, 1);
}

/* By the code before the present one; again when time has gone on a step meanwhile, as it does
 * twice a minute. */
static struct answer challenge_one_step_late(const struct enrolled *e)
{
	struct answer a;
	int64_t step;

	do {
		const char *token = begin_log_in(e);

		step = clock_now_us() / US_PER_S / 30;
		a = challenge(token, code_at(e->secret, -1));
	} while (a.status == 401 && clock_now_us() / US_PER_S / 30 != step);
	return a;
}

Test(identity_mfa, a_clock_may_be_one_step_off)
{
	struct enrolled e = enroll();

	fresh_code(&e.person.caller, e.secret);
	answer_is_error(challenge(begin_log_in(&e), code_at(e.secret, -3)), 401, "AUTH_MFA_INVALID",
			NULL);
	answer_is(challenge_one_step_late(&e), 200);
	answer_is(challenge(begin_log_in(&e), code_at(e.secret, 1)), 200);
	answer_is_error(challenge(begin_log_in(&e), code_at(e.secret, 0)), 401, "AUTH_MFA_INVALID",
			NULL);
}

Test(identity_mfa, an_mfa_token_is_good_once_and_for_a_while)
{
	struct enrolled e = enroll();
	const char *token = begin_log_in(&e);

	answer_is(challenge(token, fresh_code(&e.person.caller, e.secret)), 200);
	answer_is_error(challenge(token, fresh_code(&e.person.caller, e.secret)), 401,
			"AUTH_MFA_INVALID", "mfaToken");
	token = begin_log_in(&e);
	database_run("UPDATE mfa_demands SET expires_at = now() WHERE account_id = $1::uuid",
		     id_text(e.person.caller.account.u), NULL);
	answer_is_error(challenge(token, fresh_code(&e.person.caller, e.secret)), 401,
			"AUTH_MFA_INVALID", "mfaToken");
}

Test(identity_mfa, five_failures_make_one_wait_whatever_the_log_in)
{
	struct enrolled e = enroll();
	struct answer a;

	for (unsigned i = 0; i < 5; i++)
		answer_is(challenge(begin_log_in(&e), "000000"), 401);
	database_run("UPDATE mfa_attempts SET locked_until = locked_until + interval '1 hour' "
		     "WHERE account_id = $1::uuid", /* no slow test outlasts it */
		     id_text(e.person.caller.account.u), NULL);
	a = answer_is_error(challenge(begin_log_in(&e), "000000"), 429, "RATE_LIMIT_EXCEEDED",
			    NULL);
	cr_assert(answer_header(&a, "Retry-After"));
	answer_is_error(challenge(begin_log_in(&e), fresh_code(&e.person.caller, e.secret)), 429,
			"RATE_LIMIT_EXCEEDED", NULL);
}

/*
 * Recovery codes
 */

Test(identity_mfa, a_recovery_code_is_good_once)
{
	struct enrolled e = enroll();
	const char *code = answer_text(e.codes, "recoveryCodes.3");

	answer_is(challenge(begin_log_in(&e), code), 200);
	cr_assert_eq(events_of(&e.person.caller, "mfa.recoveryCodeUsed"), 1);
	answer_is_error(challenge(begin_log_in(&e), code), 401, "AUTH_MFA_INVALID", NULL);
	cr_assert_eq(answer_int(get(&e.person.caller, "/mfa"), "recoveryCodesLeft"), 9);
}

Test(identity_mfa, a_recovery_code_may_be_typed_as_people_type)
{
	struct enrolled e = enroll();
	const char *code = answer_text(e.codes, "recoveryCodes.0");
	const char *lower = str_lower(world_arena(), str_of(code));

	answer_is(challenge(begin_log_in(&e), strf(" %.4s %.4s %s", lower, lower + 5, lower + 10)),
		  200);
}

Test(identity_mfa, a_new_set_ends_the_old)
{
	struct enrolled e = enroll();
	struct answer renewed = answer_is(post(&e.person.caller, "/mfa/recovery-codes", NULL), 200);

	answer_is_error(challenge(begin_log_in(&e), answer_text(e.codes, "recoveryCodes.0")), 401,
			"AUTH_MFA_INVALID", NULL);
	answer_is(challenge(begin_log_in(&e), answer_text(renewed, "recoveryCodes.0")), 200);
}

Test(identity_mfa, without_a_factor_there_is_nothing_to_recover)
{
	struct person ann = person_sign_up();

	answer_is_error(post(&ann.caller, "/mfa/recovery-codes", NULL), 422, "RULE_VIOLATED", NULL);
}

/*
 * Disabling
 */

Test(identity_mfa, a_code_or_the_password_disables)
{
	struct enrolled e = enroll(), f = enroll();
	const struct caller *c = &e.person.caller;

	answer_is_error(post(c, "/mfa/totp/disable", "{}"), 400, "VALIDATION_ERROR", "code");
	answer_is_error(post(c, "/mfa/totp/disable", "{\"password\":\"not it\"}"), 401,
			"AUTH_MFA_INVALID", NULL);
	answer_is(post(c, "/mfa/totp/disable", strf("{\"password\":\"%s\"}", e.person.password)),
		  204);
	cr_assert_not(answer_bool(get(c, "/me"), "user.mfaEnabled"));
	cr_assert_eq(answer_int(get(c, "/mfa"), "recoveryCodesLeft"), 0);
	cr_assert(answer_cookie(&(struct answer[]){
		answer_is(try_log_in(c->email, e.person.password, NULL), 200) }[0]));

	c = &f.person.caller;
	answer_is(post(c, "/mfa/totp/disable", with_code(fresh_code(c, f.secret))), 204);
	cr_assert_eq(events_of(c, "mfa.disabled"), 1);
}

/*
 * Step-up
 */

static void let_proof_grow_old(const struct caller *c)
{
	database_run("UPDATE sessions SET mfa_at = now() - interval '16 minutes' "
		     "WHERE account_id = $1::uuid",
		     id_text(c->account.u), NULL);
}

Test(identity_mfa, what_is_dangerous_wants_a_recent_proof)
{
	struct enrolled e = enroll();
	const struct caller *c = &e.person.caller;

	answer_is(post(c, "/mfa/recovery-codes", NULL), 200);
	let_proof_grow_old(c);
	answer_is_error(post(c, "/mfa/recovery-codes", NULL), 403, "AUTH_MFA_REQUIRED", NULL);
	answer_is(get(c, "/mfa"), 200);

	answer_is_error(post(c, "/mfa/step-up", with_code("000000")), 401, "AUTH_MFA_INVALID",
			NULL);
	answer_is(post(c, "/mfa/step-up", with_code(fresh_code(c, e.secret))), 204);
	answer_is(post(c, "/mfa/recovery-codes", NULL), 200);
}

static void let_session_grow_old(const struct caller *c)
{
	database_run(
		"UPDATE sessions SET created_at = now() - interval '16 minutes',"
		" password_at = password_at - interval '16 minutes' WHERE account_id = $1::uuid",
		id_text(c->account.u), NULL);
}

/* Whoever has taken it would else keep its owner out with a factor of their own. */
Test(identity_mfa, an_old_session_gets_nobody_a_way_in)
{
	static const char *const ways[] = { "/mfa/totp/setup", "/passkeys/register/options",
					    "/oauth/no-such/link" };
	struct person p = person_sign_up();
	const struct caller *c = &p.caller;

	for (int confirmed = 0; confirmed < 2; confirmed++) {
		let_session_grow_old(c);
		for (size_t i = 0; i < ARRAY_LEN(ways); i++)
			answer_is_error(post(c, ways[i], NULL), 403, "AUTH_RECENT_LOGIN_REQUIRED",
					NULL);
		answer_is_error(post(c, "/mfa/totp/enable", with_code("000000")), 403,
				"AUTH_RECENT_LOGIN_REQUIRED", NULL);
		answer_is_error(post(c, "/password/confirm", "{\"password\":\"not this one\"}"),
				401, "AUTH_INVALID_CREDENTIALS", "password");
		answer_is(post(c, "/password/confirm", strf("{\"password\":\"%s\"}", p.password)),
			  204);
		answer_is(post(c, "/mfa/totp/setup", NULL), 200);
	}
}

/* A password that leaked is no factor: it steps up nobody who has one. */
Test(identity_mfa, the_password_stands_in_for_no_factor)
{
	struct enrolled e = enroll();
	const struct caller *c = &e.person.caller;

	let_proof_grow_old(c);
	answer_is(post(c, "/password/confirm", strf("{\"password\":\"%s\"}", e.person.password)),
		  204);
	answer_is_error(post(c, "/passkeys/register/options", NULL), 403, "AUTH_MFA_REQUIRED",
			NULL);
}

/* Nor can anybody get a first factor without a password but by logging in again. */
Test(identity_mfa, who_has_no_password_logs_in_again)
{
	struct person p = person_sign_up();
	const struct caller *c = &p.caller;

	database_run("UPDATE accounts SET password_hash = NULL WHERE id = $1::uuid",
		     id_text(c->account.u), NULL);
	answer_is(post(c, "/mfa/totp/setup", NULL), 200);
	let_session_grow_old(c);
	answer_is_error(post(c, "/password/confirm", "{\"password\":\"anything\"}"), 401,
			"AUTH_INVALID_CREDENTIALS", "password");
	answer_is_error(post(c, "/mfa/totp/setup", NULL), 403, "AUTH_RECENT_LOGIN_REQUIRED", NULL);
}

/*
 * The tenant, the global admin
 */

Test(identity_mfa, a_tenant_may_want_it_after_a_grace)
{
	struct enrolled e = enroll();
	struct caller owner = on_tier(e.person.caller, TIER_ADMIN);
	struct caller bob = caller_in(owner.tenant, ROLE_MEMBER);
	struct caller program =
		with_api_key(bob, api_key_make(bob.tenant, bob.user, "canViewProjects"));
	struct answer a =
		answer_is(put(&owner, "/tenant/mfa", "{\"required\":true,\"graceDays\":3}"), 200);

	cr_assert_eq(answer_int(a, "usersWithout"), 1);
	answer_is(get(&bob, "/projects"), 200);
	answer_is(get(&program, "/projects"), 200);

	answer_is(put(&owner, "/tenant/mfa", "{\"required\":true,\"graceDays\":0}"), 200);
	answer_is_error(get(&bob, "/projects"), 403, "AUTH_MFA_REQUIRED", NULL);
	answer_is_error(get(&program, "/projects"), 403, "AUTH_MFA_REQUIRED", NULL);
	program = with_api_key(on_tier(owner, TIER_API),
			       api_key_make(owner.tenant, owner.user, "canViewProjects"));
	answer_is(get(&program, "/projects"), 200);
	answer_is(get(&owner, "/projects"), 200);
	cr_assert(answer_bool(answer_is(get(&owner, "/tenant/mfa"), 200), "required"));
	bob = on_tier(bob, TIER_AUTH);
	answer_is(get(&bob, "/me"), 200);
	answer_is(post(&bob, "/mfa/totp/setup", NULL), 200);

	answer_is(put(&owner, "/tenant/mfa", "{\"required\":false}"), 200);
	owner = on_tier(owner, TIER_API);
	a = answer_is(get(&owner, "/tenant/mfa"), 200);
	cr_assert_not(answer_bool(a, "required"));
	bob = on_tier(bob, TIER_API);
	answer_is(get(&bob, "/projects"), 200);
}

Test(identity_mfa, a_global_admin_without_a_factor_is_an_ordinary_member)
{
	struct caller root = caller_global_admin(), seat = caller(ROLE_VIEWER);
	struct tenant_id foreign = tenant_make();
	struct caller there = naming(root, foreign);

	answer_is(get(&there, "/projects"), 200);
	database_run("UPDATE accounts SET mfa_enabled = false WHERE id = $1::uuid",
		     id_text(root.account.u), NULL);
	answer_is_error(get(&there, "/projects"), 403, "AUTH_MFA_REQUIRED", NULL);

	database_run("UPDATE accounts SET is_global_admin = true WHERE id = $1::uuid",
		     id_text(seat.account.u), NULL);
	answer_is(get(&seat, "/projects"), 200);
	answer_is_error(post(&seat, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 403,
			"AUTH_FORBIDDEN", NULL);
	there = naming(seat, foreign);
	answer_is_error(get(&there, "/projects"), 403, "AUTH_MFA_REQUIRED", NULL);
}
