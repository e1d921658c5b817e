/*
 * Signing up and logging in: what one gets, and what nobody learns.
 */
#include "base/str.h"
#include "crypto/token.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static int64_t events_of(const struct caller *c, const char *type)
{
	return database_number(
		"SELECT count(*) FROM account_events WHERE account_id = $1::uuid AND type = $2",
		id_text(c->account.u), type, NULL);
}

Test(identity_login, sign_up_founds_a_tenant_that_one_owns)
{
	struct person ann = person_sign_up();
	struct answer me = answer_is(get(&ann.caller, "/me"), 200);
	struct caller api = on_tier(ann.caller, TIER_API);

	cr_assert_str_eq(answer_text(me, "user.email"), ann.caller.email);
	cr_assert_str_eq(answer_text(me, "user.role"), "owner");
	cr_assert_str_eq(answer_text(me, "tenant.name"), "Ann's team");
	cr_assert_str_eq(answer_text(answer_is(get(&api, "/users"), 200), "data.0.email"),
			 ann.caller.email);
	cr_assert_eq(database_number("SELECT count(*) FROM roles WHERE tenant_id = $1::uuid",
				     id_text(ann.caller.tenant.u), NULL),
		     4);
	cr_assert_eq(database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
				     "type IN ('tenant.created', 'user.created') AND account_id = "
				     "$2::uuid",
				     id_text(ann.caller.tenant.u), id_text(ann.caller.account.u),
				     NULL),
		     2);
	cr_assert_eq(events_of(&ann.caller, "account.created"), 1);
}

Test(identity_login, two_tenants_of_one_name_have_two_slugs)
{
	struct person ann = person_sign_up(), bob = person_sign_up();

	cr_assert_str_neq(ann.slug, bob.slug);
}

Test(identity_login, an_email_signs_up_once_in_any_case)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *shouted = strf("%c%s", ann.caller.email[0] - 'a' + 'A', ann.caller.email + 1);

	answer_is_error(post(&v, "/signup",
			     strf("{\"email\":\"%s\",\"password\":\"%s\"}", shouted, ann.password)),
			409, "RESOURCE_CONFLICT", "email");
	cr_assert_eq(database_number("SELECT count(*) FROM accounts WHERE email = lower($1)",
				     shouted, NULL),
		     1);
}

Test(identity_login, a_password_that_others_guess_is_refused)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *email = strf("%s@example.com", new_word());

	answer_is_error(
		post(&v, "/signup", strf("{\"email\":\"%s\",\"password\":\"password1\"}", email)),
		400, "VALIDATION_ERROR", "password");
	answer_is_error(
		post(&v, "/signup", strf("{\"email\":\"%s\",\"password\":\"%s\"}", email, email)),
		400, "VALIDATION_ERROR", "password");
	answer_is_error(
		post(&v, "/signup", strf("{\"email\":\"%s\",\"password\":\"short\"}", email)), 400,
		"VALIDATION_ERROR", "password");
}

Test(identity_login, the_password_opens_a_session_for_both_credentials)
{
	struct person ann = person_sign_up(), again = person_log_in(&ann);
	struct caller dashboard = on_tier(again.caller, TIER_ADMIN);
	struct caller api = on_tier(again.caller, TIER_API);

	cr_assert(!uuid_eq(ann.caller.session.u, again.caller.session.u));
	answer_is(get(&dashboard, "/users"), 200);
	answer_is(get(&api, "/users"), 200);
	cr_assert_eq(events_of(&ann.caller, "account.loggedIn"), 1);
}

/* All but the moment and the request's id. */
static const char *without_particulars(struct answer a)
{
	return strf("%d %s %s", a.status, answer_text(a, "error"), answer_text(a, "message"));
}

Test(identity_login, a_wrong_password_and_an_unknown_email_are_answered_alike)
{
	struct person ann = person_sign_up();
	struct answer wrong = try_log_in(ann.caller.email, "not it", NULL);
	struct answer unknown = try_log_in(strf("%s@example.com", new_word()), "not it", NULL);

	answer_is_error(wrong, 401, "AUTH_INVALID_CREDENTIALS", NULL);
	cr_assert_str_eq(without_particulars(wrong), without_particulars(unknown));
	cr_assert_null(answer_cookie(&wrong));
	cr_assert_eq(events_of(&ann.caller, "account.loginRefused"), 1);
}

/* What attempts to log in with an email are counted under, in hexadecimal. */
static const char *counted_as(const char *email)
{
	struct token_hash hash;

	world();
	token_hash(str_of(email), &hash);
	return str_hex(world_arena(), hash.bytes, sizeof(hash.bytes));
}

/* Where a wait has begun, makes it so long that no slow test outlasts it. */
static void prolong_wait(const char *email)
{
	database_run("UPDATE login_attempts SET locked_until = locked_until + interval '1 hour' "
		     "WHERE email_hash = decode($1, 'hex')",
		     counted_as(email), NULL);
}

/* Lets the wait of an email be over. */
static void end_wait(const char *email)
{
	database_run("UPDATE login_attempts SET locked_until = now() "
		     "WHERE email_hash = decode($1, 'hex')",
		     counted_as(email), NULL);
}

/* Five attempts are looked at, the sixth is not. */
static void lock_out(const char *email)
{
	struct answer a;

	for (unsigned i = 0; i < 5; i++)
		answer_is(try_log_in(email, "not it", NULL), 401);
	prolong_wait(email);
	a = answer_is_error(try_log_in(email, "not it", NULL), 429, "RATE_LIMIT_EXCEEDED", NULL);
	cr_assert(answer_header(&a, "Retry-After"));
	cr_assert_geq(answer_int(a, "details.retryAfter"), 1);
}

Test(identity_login, five_failures_lock_out_whether_or_not_there_is_an_account)
{
	struct person ann = person_sign_up();

	lock_out(strf("%s@example.com", new_word()));
	lock_out(ann.caller.email);
	answer_is_error(try_log_in(ann.caller.email, ann.password, NULL), 429,
			"RATE_LIMIT_EXCEEDED", NULL);
}

Test(identity_login, each_failure_doubles_the_wait)
{
	struct person ann = person_sign_up();

	lock_out(ann.caller.email);
	for (int64_t wait_s = 2; wait_s <= 8; wait_s *= 2) {
		end_wait(ann.caller.email);
		answer_is(try_log_in(ann.caller.email, "not it", NULL), 401);
		cr_assert_eq(
			database_number("SELECT extract(epoch FROM locked_until - last_at)::int "
					"FROM login_attempts "
					"WHERE email_hash = decode($1, 'hex')",
					counted_as(ann.caller.email), NULL),
			wait_s);
	}

	end_wait(ann.caller.email);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
}

Test(identity_login, attempts_at_once_count_too)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	struct ask ask = {
		.method = "POST",
		.path = "/api/auth/login",
		.caller = &v,
		.body = strf("{\"email\":\"%s\",\"password\":\"not it\"}", ann.caller.email),
	};
	struct answer answers[12];
	unsigned looked_at = 0;

	/* the next failure makes all others wait for half a minute */
	answer_is(try_log_in(ann.caller.email, "not it", NULL), 401);
	database_run("UPDATE login_attempts SET failures = 9 WHERE email_hash = decode($1, 'hex')",
		     counted_as(ann.caller.email), NULL);
	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		looked_at += answers[i].status == 401;
	cr_assert_eq(looked_at, 1, "%u of 12 guesses were looked at", looked_at);
}

Test(identity_login, a_success_forgets_the_failures_before_it)
{
	struct person ann = person_sign_up();

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 3; i++)
			answer_is(try_log_in(ann.caller.email, "not it", NULL), 401);
		answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
	}
}

Test(identity_login, the_tenant_may_be_named_by_slug_or_id)
{
	struct person ann = person_sign_up();
	struct tenant_id other = tenant_make();
	const char *slug = database_value("SELECT slug FROM tenants WHERE id = $1::uuid",
					  id_text(other.u), NULL);
	struct answer a;

	user_make_of(other, ROLE_VIEWER, ann.caller.account);
	a = answer_is(try_log_in(ann.caller.email, ann.password, slug), 200);
	cr_assert_str_eq(answer_text(a, "tenant.slug"), slug);
	cr_assert_str_eq(answer_text(a, "user.role"), "viewer");
	a = answer_is(try_log_in(ann.caller.email, ann.password, id_text(ann.caller.tenant.u)),
		      200);
	cr_assert_str_eq(answer_text(a, "user.role"), "owner");
	a = answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
	cr_assert_str_eq(answer_text(a, "user.role"), "owner", "the one used last");
}

Test(identity_login, a_tenant_without_a_seat_is_no_tenant)
{
	struct person ann = person_sign_up(), bob = person_sign_up();

	answer_is_error(try_log_in(ann.caller.email, ann.password, bob.slug), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
	answer_is_error(try_log_in(ann.caller.email, ann.password, "no-such-tenant"), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

Test(identity_login, a_suspended_seat_leaves_the_others)
{
	struct person ann = person_sign_up();
	struct tenant_id other = tenant_make();
	const struct json *tenant;
	struct answer a;

	user_make_of(other, ROLE_VIEWER, ann.caller.account);
	database_run("UPDATE users SET status = 'suspended' WHERE tenant_id = $1::uuid",
		     id_text(ann.caller.tenant.u), NULL);
	a = answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(other.u));

	database_run("UPDATE users SET deleted_at = now() WHERE tenant_id = $1::uuid",
		     id_text(other.u), NULL);
	a = answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
	cr_assert(answer_find(&a, "tenant", &tenant));
	cr_assert_null(tenant, "a person without a seat has no tenant");
}

Test(identity_login, a_device_may_call_itself_whatever_it_likes)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *body =
		strf("{\"email\":\"%s\",\"password\":\"%s\"}", ann.caller.email, ann.password);

	answer_is(ask_with(&v, "POST", "/login", body, "User-Agent: caf\xe9"), 200);
	answer_is(ask_with(&v, "POST", "/login", body, strf("User-Agent: %01000d", 7)), 200);
	cr_assert_eq(
		database_number("SELECT count(*) FROM sessions WHERE account_id = $1::uuid AND "
				"user_agent IN ('caf', repeat('0', 512))",
				id_text(ann.caller.account.u), NULL),
		2);
}

Test(identity_login, an_outdated_hash_is_made_anew)
{
	struct person ann = person_sign_up();
	const char *id = id_text(ann.caller.account.u);
	const char *before, *after;

	/* "old password", by Argon2id with m = 8 MiB and one pass. */
	database_run("UPDATE accounts SET password_hash = "
		     "'$argon2id$v=19$m=8192,t=1,p=1$m4ClhKi4f27imym5NHWabQ$"
		     "Y7GXJ/QWfkcJ92iLzWwafjwem72GWMF/ILM2rjanjLs' WHERE id = $1::uuid",
		     id, NULL);
	before = database_value("SELECT password_hash FROM accounts WHERE id = $1::uuid", id, NULL);
	answer_is(try_log_in(ann.caller.email, "old password", NULL), 200);
	after = database_value("SELECT password_hash FROM accounts WHERE id = $1::uuid", id, NULL);
	cr_assert_str_neq(before, after);
	cr_assert(strstr(after, "m=19456,t=2,p=1"));
	answer_is(try_log_in(ann.caller.email, "old password", NULL), 200);
}
