/*
 * Sessions: refreshing, ending, switching, and that what has ended is over on the very next
 * request.
 */
#include "base/str.h"
#include "identity/credential.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/person.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/* Neither credential of the session opens anything any more, on any tier. */
static void is_over(const struct caller *c)
{
	struct caller token = on_tier(*c, TIER_AUTH), cookie = with_cookie(token);
	struct caller api = on_tier(*c, TIER_API), dashboard = on_tier(*c, TIER_ADMIN);
	struct caller super = on_tier(*c, TIER_SUPER);

	answer_is_error(get(&token, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&cookie, "/me"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&api, "/projects"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&dashboard, "/projects"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&super, "/tenants"), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

/* Both do; and a hot copy is made under each. */
static void is_alive(const struct caller *c)
{
	struct caller cookie = with_cookie(*c);

	answer_is(get(c, "/me"), 200);
	answer_is(get(&cookie, "/me"), 200);
}

static int64_t events_of(const struct caller *c, const char *type)
{
	return database_number(
		"SELECT count(*) FROM account_events WHERE account_id = $1::uuid AND type = $2",
		id_text(c->account.u), type, NULL);
}

/*
 * Refreshing
 */

Test(identity_sessions, a_refresh_gives_the_next_tokens)
{
	struct person ann = person_sign_up();
	struct answer a = answer_is(try_refresh(ann.refresh_token), 200);
	struct caller api =
		on_tier(with_token(ann.caller, answer_text(a, "accessToken")), TIER_API);

	cr_assert_str_neq(answer_text(a, "refreshToken"), ann.refresh_token);
	cr_assert_str_neq(answer_text(a, "accessToken"), ann.caller.token);
	answer_is(get(&api, "/projects"), 200);
	answer_is(try_refresh(answer_text(a, "refreshToken")), 200);
}

Test(identity_sessions, a_refresh_token_that_comes_again_ends_its_session)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);
	struct answer a = answer_is(try_refresh(ann.refresh_token), 200);
	const char *next = answer_text(a, "refreshToken");

	is_alive(&ann.caller);
	answer_is_error(try_refresh(ann.refresh_token), 401, "AUTH_TOKEN_REUSED", NULL);
	is_over(&ann.caller);
	answer_is_error(try_refresh(next), 401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_assert_eq(events_of(&ann.caller, "account.tokenReused"), 1);
	is_alive(&elsewhere.caller);
}

Test(identity_sessions, of_refreshes_at_once_exactly_one_wins)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	struct ask ask = {
		.method = "POST",
		.path = "/api/auth/refresh",
		.caller = &v,
		.body = strf("{\"refreshToken\":\"%s\"}", ann.refresh_token),
	};
	struct answer answers[8];
	unsigned won = 0, reused = 0;

	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		won += answers[i].status == 200;
		reused += answers[i].status == 401;
	}
	cr_assert_eq(won, 1);
	cr_assert_eq(reused, ARRAY_LEN(answers) - 1);
	is_over(&ann.caller);
}

Test(identity_sessions, what_is_no_refresh_token_gives_nothing)
{
	struct person ann = person_sign_up();

	answer_is_error(try_refresh("x"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(try_refresh(ann.caller.cookie), 401, "AUTH_TOKEN_EXPIRED", NULL);
	database_run("UPDATE refresh_tokens SET expires_at = now() WHERE session_id = $1::uuid",
		     id_text(ann.caller.session.u), NULL);
	answer_is_error(try_refresh(ann.refresh_token), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_sessions, a_refresh_says_what_one_may_do_now)
{
	struct person ann = person_sign_up();
	struct answer a;

	database_run("WITH gone AS (DELETE FROM user_roles WHERE tenant_id = $1::uuid) "
		     "INSERT INTO user_roles (tenant_id, user_id, role_id) "
		     "SELECT tenant_id, $2::uuid, id FROM roles WHERE tenant_id = $1::uuid AND key "
		     "= 'viewer'",
		     id_text(ann.caller.tenant.u), id_text(ann.caller.user.u), NULL);
	a = answer_is(try_refresh(ann.refresh_token), 200);
	cr_assert_str_eq(answer_text(a, "user.role"), "viewer");
}

/*
 * Ending
 */

Test(identity_sessions, log_out_ends_the_session_and_takes_the_cookie)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);
	struct caller browser = with_cookie(ann.caller);
	struct answer a;

	is_alive(&ann.caller);
	a = answer_is(post(&browser, "/logout", NULL), 204);
	cr_assert(strstr(answer_header(&a, "Set-Cookie"), "Max-Age=0"));
	is_over(&ann.caller);
	answer_is_error(try_refresh(ann.refresh_token), 401, "AUTH_TOKEN_EXPIRED", NULL);
	is_alive(&elsewhere.caller);
	cr_assert_eq(events_of(&ann.caller, "account.loggedOut"), 1);
}

Test(identity_sessions, log_out_of_all_ends_every_session_of_the_account)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);
	struct person bob = person_sign_up();

	is_alive(&ann.caller);
	is_alive(&elsewhere.caller);
	answer_is(post(&ann.caller, "/logout-all", NULL), 204);
	is_over(&ann.caller);
	is_over(&elsewhere.caller);
	is_alive(&bob.caller);
}

/* A refresh token lives longer than a cookie that nobody uses: what it brings back is shown. */
Test(identity_sessions, one_that_a_refresh_brings_back_is_listed)
{
	struct person ann = person_sign_up(), idle = person_log_in(&ann);
	const char *id = id_text(idle.caller.session.u);
	struct answer a;

	database_run(
		"UPDATE sessions SET idle_expires_at = now() - interval '1 day' WHERE id = $1::uuid",
		id, NULL);
	cr_assert_eq(answer_len(answer_is(get(&ann.caller, "/sessions"), 200), "data"), 2);
	a = answer_is(try_refresh(idle.refresh_token), 200);
	cr_assert(answer_text(a, "accessToken"));

	database_run(
		"UPDATE sessions SET idle_expires_at = now() - interval '1 day' WHERE id = $1::uuid",
		id, NULL);
	database_run("UPDATE refresh_tokens SET expires_at = now() WHERE session_id = $1::uuid", id,
		     NULL);
	cr_assert_eq(answer_len(answer_is(get(&ann.caller, "/sessions"), 200), "data"), 1);
}

Test(identity_sessions, one_is_ended_from_another)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);
	struct answer a;

	is_alive(&elsewhere.caller);
	a = answer_is(get(&ann.caller, "/sessions"), 200);
	cr_assert_eq(answer_len(a, "data"), 2);
	answer_is(del(&ann.caller, strf("/sessions/%s", id_text(elsewhere.caller.session.u))), 204);
	is_over(&elsewhere.caller);
	is_alive(&ann.caller);
	cr_assert_eq(events_of(&ann.caller, "account.sessionRevoked"), 1);

	a = answer_is(get(&ann.caller, "/sessions"), 200);
	cr_assert_eq(answer_len(a, "data"), 1);
	cr_assert_str_eq(answer_text(a, "data.0.id"), id_text(ann.caller.session.u));
	cr_assert(answer_bool(a, "data.0.isCurrent"));
}

Test(identity_sessions, another_accounts_session_is_not_found)
{
	struct person ann = person_sign_up(), bob = person_sign_up();

	answer_is_error(del(&ann.caller, strf("/sessions/%s", id_text(bob.caller.session.u))), 404,
			"RESOURCE_NOT_FOUND", NULL);
	is_alive(&bob.caller);
}

Test(identity_sessions, an_idle_session_is_over)
{
	struct person ann = person_sign_up();

	caller_expire(&ann.caller);
	is_over(&ann.caller);
}

Test(identity_sessions, a_deleted_account_is_nobody)
{
	struct person ann = person_sign_up();

	database_run("UPDATE accounts SET deleted_at = now() WHERE id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	is_over(&ann.caller);
	answer_is_error(try_refresh(ann.refresh_token), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(try_log_in(ann.caller.email, ann.password, NULL), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

static bool is_touched(void *p)
{
	return database_number("SELECT count(*) FROM sessions WHERE id = $1::uuid AND last_seen_at "
			       "> now() - interval '1 minute' AND idle_expires_at > now() + "
			       "interval '1 day'",
			       id_text(((struct person *)p)->caller.session.u), NULL) == 1;
}

Test(identity_sessions, a_session_in_use_does_not_become_idle)
{
	struct person ann = person_sign_up();
	struct caller api = on_tier(ann.caller, TIER_API);

	database_run("UPDATE sessions SET last_seen_at = now() - interval '6 minutes', "
		     "idle_expires_at = now() + interval '1 minute' WHERE id = $1::uuid",
		     id_text(ann.caller.session.u), NULL);
	answer_is(get(&api, "/projects"), 200);
	wait_until(is_touched, &ann, "the session's last use is noted");
}

/*
 * The password
 */

static struct answer change_password(const struct caller *c, const char *present, const char *new)
{
	return post(c, "/password/change",
		    strf("{\"currentPassword\":\"%s\",\"newPassword\":\"%s\"}", present, new));
}

Test(identity_sessions, a_new_password_ends_all_other_sessions)
{
	struct person ann = person_sign_up(), elsewhere = person_log_in(&ann);

	is_alive(&elsewhere.caller);
	answer_is(change_password(&ann.caller, ann.password, "another one 4711"), 204);
	is_over(&elsewhere.caller);
	is_alive(&ann.caller);
	answer_is(try_refresh(ann.refresh_token), 200);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 401);
	answer_is(try_log_in(ann.caller.email, "another one 4711", NULL), 200);
	cr_assert_eq(events_of(&ann.caller, "account.passwordChanged"), 1);
}

Test(identity_sessions, a_new_password_is_told_by_mail)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	const char *token = mail_token(ann.caller.email, "Verify");

	answer_is(post(&v, "/email/verify", strf("{\"token\":\"%s\"}", token)), 204);
	answer_is(change_password(&ann.caller, ann.password, "another one 4711"), 204);
	mail_wait(ann.caller.email, "was changed");
}

/* Whoever has stolen a session does not find out the password with it. */
Test(identity_sessions, guesses_at_the_password_have_to_wait)
{
	struct person ann = person_sign_up();
	struct answer a;

	for (unsigned i = 0; i < 4; i++)
		answer_is_error(change_password(&ann.caller, "not it", "another one 4711"), 401,
				"AUTH_INVALID_CREDENTIALS", "currentPassword");
	answer_is_error(
		post(&ann.caller, "/email/change",
		     strf("{\"email\":\"%s@example.com\",\"password\":\"not it\"}", new_word())),
		401, "AUTH_INVALID_CREDENTIALS", "password");
	/* the wait has begun; longer, so that no slow test outlasts it */
	database_run("UPDATE mfa_attempts SET locked_until = locked_until + interval '1 minute' "
		     "WHERE account_id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	a = change_password(&ann.caller, ann.password, "another one 4711");
	answer_is_error(a, 429, "RATE_LIMIT_EXCEEDED", NULL);
	cr_assert_geq(answer_int(a, "details.retryAfter"), 1);
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
}

Test(identity_sessions, the_password_changes_for_who_knows_it)
{
	struct person ann = person_sign_up();

	answer_is_error(change_password(&ann.caller, "not it", "another one 4711"), 401,
			"AUTH_INVALID_CREDENTIALS", "currentPassword");
	answer_is_error(change_password(&ann.caller, ann.password, "password1"), 400,
			"VALIDATION_ERROR", "newPassword");
	answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
}

/*
 * Who one is, and where
 */

Test(identity_sessions, what_one_changes_is_said_at_once)
{
	struct person ann = person_sign_up();
	struct caller browser = with_cookie(ann.caller);

	is_alive(&ann.caller);
	is_alive(&ann.caller); /* from the hot copies */
	answer_is(patch(&ann.caller, "/me", "{\"firstName\":\"Anna\",\"lastName\":null}"), 200);
	cr_assert_str_eq(answer_text(get(&ann.caller, "/me"), "user.firstName"), "Anna");
	cr_assert_str_eq(answer_text(get(&browser, "/me"), "user.firstName"), "Anna");
}

Test(identity_sessions, a_session_works_in_another_of_ones_tenants)
{
	struct person ann = person_sign_up();
	struct tenant_id other = tenant_make();
	struct caller dashboard = on_tier(ann.caller, TIER_ADMIN);
	const char *to_other = strf("{\"tenantId\":\"%s\"}", id_text(other.u));
	struct answer a;

	answer_is_error(post(&ann.caller, "/switch-tenant", to_other), 404, "RESOURCE_NOT_FOUND",
			NULL);
	user_make_of(other, ROLE_VIEWER, ann.caller.account);
	is_alive(&ann.caller);

	a = answer_is(post(&ann.caller, "/switch-tenant", to_other), 200);
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(other.u));
	cr_assert_str_eq(answer_text(a, "user.role"), "viewer");
	cr_assert_str_eq(answer_text(get(&ann.caller, "/me"), "tenant.id"), id_text(other.u));
	cr_assert_eq(answer_len(answer_is(get(&ann.caller, "/me/tenants"), 200), "data"), 2);
	answer_is_error(post(&dashboard, "/projects", "{\"slug\":\"x\",\"name\":\"X\"}"), 403,
			"AUTH_FORBIDDEN", NULL);
	a = answer_is(try_log_in(ann.caller.email, ann.password, NULL), 200);
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(other.u), "the one used last");
}

/*
 * Which credential counts where
 */

Test(identity_sessions, a_tier_takes_its_own_credential_alone)
{
	struct person ann = person_sign_up();
	const char *bearer = strf("Authorization: Bearer %s", ann.caller.token);
	const char *cookie = strf("Cookie: %s=%s", SESSION_COOKIE, ann.caller.cookie);
	struct ask api = { .method = "GET", .path = "/api/v1/projects", .headers = { cookie } };
	struct ask admin = { .method = "GET",
			     .path = "/api/admin/projects",
			     .headers = { bearer } };
	struct ask super = { .method = "GET",
			     .path = "/api/superadmin/tenants",
			     .headers = { bearer } };
	struct answer a;

	a = answer_is_error(answer_to(&api), 401, "AUTH_UNAUTHORIZED", NULL);
	cr_assert_str_eq(answer_text(a, "message"), "Missing or invalid authorization header");
	a = answer_is_error(answer_to(&admin), 401, "AUTH_UNAUTHORIZED", NULL);
	cr_assert_str_eq(answer_text(a, "message"), "Authentication required");
	answer_is_error(answer_to(&super), 401, "AUTH_UNAUTHORIZED", NULL);
}

Test(identity_sessions, where_both_may_come_the_token_counts)
{
	struct person ann = person_sign_up();
	const char *cookie = strf("Cookie: %s=%s", SESSION_COOKIE, ann.caller.cookie);
	struct ask bad_token = { .method = "GET",
				 .path = "/api/auth/me",
				 .headers = { cookie, "Authorization: Bearer x" } };

	answer_is_error(answer_to(&bad_token), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(identity_sessions, a_foreign_tenant_cannot_be_named)
{
	struct person ann = person_sign_up();
	struct caller api = on_tier(naming(ann.caller, tenant_make()), TIER_API);
	struct answer a = answer_is_error(get(&api, "/projects"), 403, "AUTH_FORBIDDEN", NULL);

	cr_assert_str_eq(answer_text(a, "message"), "Tenant not found or inactive");
	api.named_tenant = "not-a-uuid";
	answer_is_error(get(&api, "/projects"), 400, "VALIDATION_ERROR", "X-Tenant-ID");
	api = naming(api, ann.caller.tenant);
	answer_is(get(&api, "/projects"), 200);
}
