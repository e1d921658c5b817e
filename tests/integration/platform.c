/*
 * What the platform's people do: to tenants, to accounts, and as somebody else.
 */
#include "base/str.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct caller admin(void)
{
	return on_tier(caller_global_admin(), TIER_SUPER);
}

static const char *event_of(struct tenant_id t, const char *type)
{
	return database_value("SELECT account_id FROM events WHERE tenant_id = $1::uuid "
			      "AND type = $2 ORDER BY created_at DESC LIMIT 1",
			      id_text(t.u), type, NULL);
}

/*
 * Tenants
 */

Test(platform, a_suspended_tenant_answers_nobody)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	const char *path = strf("/tenants/%s", id_text(ann.tenant.u));
	struct answer a;

	a = answer_is(post(&root, strf("%s/suspend", path), "{\"reason\":\"Unpaid\"}"), 200);
	cr_assert_str_eq(answer_text(a, "status"), "suspended");
	cr_assert_str_eq(answer_text(a, "suspendedReason"), "Unpaid");
	answer_is_error(get(&ann, "/users"), 403, "TENANT_SUSPENDED", NULL);
	answer_is_error(post(&root, strf("%s/suspend", path), "{\"reason\":\"Again\"}"), 409,
			"RESOURCE_CONFLICT", "status");
	answer_is(post(&root, strf("%s/reactivate", path), NULL), 200);
	answer_is(get(&ann, "/users"), 200);
	cr_assert_str_eq(event_of(ann.tenant, "tenant.suspended"), id_text(root.account.u));
	cr_assert_str_eq(event_of(ann.tenant, "tenant.reactivated"), id_text(root.account.u));
}

Test(platform, limits_hold_from_the_next_request_on)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	struct answer a;

	a = answer_is(patch(&root, strf("/tenants/%s", id_text(ann.tenant.u)),
			    "{\"plan\":\"small\",\"limits\":{\"projects\":1}}"),
		      200);
	cr_assert_str_eq(answer_text(a, "plan"), "small");
	cr_assert_eq(answer_int(a, "limits.projects"), 1);
	answer_is(post(&ann, "/projects", "{\"slug\":\"one\",\"name\":\"One\"}"), 201);
	answer_is_error(post(&ann, "/projects", "{\"slug\":\"two\",\"name\":\"Two\"}"), 402,
			"PLAN_LIMIT_EXCEEDED", NULL);
}

Test(platform, tenants_are_found_by_plan_and_name)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	const char *plan = new_word();

	answer_is(patch(&root, strf("/tenants/%s", id_text(ann.tenant.u)),
			strf("{\"plan\":\"%s\"}", plan)),
		  200);
	cr_assert_eq(answer_len(get(&root, strf("/tenants?plan=%s", plan)), "data"), 1);
}

/*
 * Accounts
 */

static const char *account_path(const struct caller *c)
{
	return strf("/accounts/%s", id_text(c->account.u));
}

Test(platform, a_locked_account_can_do_nothing)
{
	struct caller root = admin();
	struct person p = person_sign_up();
	const char *path = account_path(&p.caller);
	struct caller key =
		with_api_key(on_tier(p.caller, TIER_API),
			     api_key_make(p.caller.tenant, p.caller.user, "canViewUsers"));

	answer_is(get(&key, "/users"), 200);
	cr_assert_str_eq(
		answer_text(answer_is(post(&root, strf("%s/lock", path), NULL), 200), "status"),
		"locked");
	answer_is_error(get(&p.caller, "/sessions"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&key, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(try_log_in(p.caller.email, p.password, NULL), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(try_log_in(p.caller.email, "wrong", NULL), 401, "AUTH_INVALID_CREDENTIALS",
			NULL);
	answer_is(post(&root, strf("%s/unlock", path), NULL), 200);
	answer_is(try_log_in(p.caller.email, p.password, NULL), 200);
	cr_assert_geq(answer_int(get(&root, strf("%s/events?limit=100", path)), "pagination.total"),
		      4);
}

Test(platform, nobody_locks_themselves)
{
	struct caller root = admin();

	answer_is_error(post(&root, strf("%s/lock", account_path(&root)), NULL), 422,
			"RULE_VIOLATED", NULL);
}

Test(platform, a_password_is_reset_before_the_next_log_in)
{
	struct caller root = admin();
	struct person p = person_sign_up();
	const char *path = account_path(&p.caller);
	struct answer a;

	a = answer_is(post(&root, strf("%s/require-password-reset", path), NULL), 200);
	cr_assert(answer_bool(a, "resetRequired"));
	answer_is_error(get(&p.caller, "/sessions"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(try_log_in(p.caller.email, p.password, NULL), 403, "AUTH_FORBIDDEN", NULL);
}

Test(platform, sessions_are_ended_at_once)
{
	struct caller root = admin();
	struct person p = person_sign_up();

	answer_is(post(&root, strf("%s/revoke-sessions", account_path(&p.caller)), NULL), 204);
	answer_is_error(get(&p.caller, "/sessions"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is(try_log_in(p.caller.email, p.password, NULL), 200);
}

Test(platform, accounts_are_found_by_email)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	struct answer a = answer_is(get(&root, strf("/accounts?search=%s", ann.email)), 200);

	cr_assert_eq(answer_len(a, "data"), 1);
	cr_assert_str_eq(answer_text(a, "data.0.id"), id_text(ann.account.u));
	a = answer_is(get(&root, account_path(&ann)), 200);
	cr_assert_str_eq(answer_text(a, "realm"), "platform");
}

/*
 * Acting as somebody else
 */

static struct answer try_impersonate(const struct caller *root, const struct caller *as)
{
	return post(root, "/impersonate",
		    strf("{\"tenantId\":\"%s\",\"userId\":\"%s\",\"reason\":\"Ticket 4711\","
			 "\"minutes\":5,\"asCookie\":true}",
			 id_text(as->tenant.u), id_text(as->user.u)));
}

static struct caller impersonate(const struct caller *root, const struct caller *as)
{
	struct answer a = answer_is(try_impersonate(root, as), 201);
	struct caller c = *as;

	cr_assert_eq(answer_int(a, "expiresIn"), 300);
	c.token = strf("%s", answer_text(a, "accessToken"));
	c.cookie = answer_cookie(&a);
	return c;
}

Test(platform, who_acts_as_somebody_else_is_named_in_all_they_write)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	struct caller as = impersonate(&root, &ann), me = on_tier(as, TIER_AUTH);

	answer_is(patch(&as, "/tenant", "{\"name\":\"Acme\"}"), 200);
	cr_assert_str_eq(database_value("SELECT impersonated_by FROM events WHERE tenant_id = "
					"$1::uuid AND type = 'tenant.updated'",
					id_text(ann.tenant.u), NULL),
			 id_text(root.account.u));
	cr_assert_str_eq(database_value("SELECT data ->> 'reason' FROM events WHERE tenant_id = "
					"$1::uuid AND type = 'impersonation.started'",
					id_text(ann.tenant.u), NULL),
			 "Ticket 4711");
	cr_assert_str_eq(answer_text(answer_is(get(&me, "/me"), 200), "user.impersonatedBy"),
			 id_text(root.account.u));
	answer_is(patch(&ann, "/tenant", "{\"name\":\"Mine\"}"), 200);
	cr_assert_eq(database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
				     "type = 'tenant.updated' AND impersonated_by IS NULL",
				     id_text(ann.tenant.u), NULL),
		     1);
}

/* The claim that a banner is shown for. */
Test(platform, who_acts_as_somebody_else_has_it_in_the_token)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	struct str rest = str_of(impersonate(&root, &ann).token), claims;

	str_cut(&rest, '.');
	cr_assert(str_unbase64url(world_arena(), str_cut(&rest, '.'), &claims));
	cr_assert(memmem(claims.ptr, claims.len, id_text(root.account.u), 36));
	cr_assert(memmem(claims.ptr, claims.len, "\"imp\"", 5));
}

Test(platform, who_acts_as_somebody_else_touches_no_credential)
{
	struct caller root = admin();
	struct person p = person_sign_up();
	struct caller as = impersonate(&root, &p.caller);
	struct caller own = on_tier(as, TIER_AUTH), api = on_tier(as, TIER_API);
	const char *password = strf("{\"currentPassword\":\"%s\",\"newPassword\":\"a new %s\"}",
				    p.password, new_word());

	answer_is_error(post(&own, "/password/change", password), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&own, "/mfa/totp/setup", NULL), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(del(&own, strf("/sessions/%s", id_text(p.caller.session.u))), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&own, "/logout-all", NULL), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&api, "/api-keys", "{\"name\":\"x\",\"scopes\":[\"canViewUsers\"]}"),
			403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&api, "/webhooks", "{\"url\":\"https://example.com/told\"}"), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is(get(&p.caller, "/sessions"), 200);
	answer_is(post(&own, "/logout", NULL), 204);
	answer_is_error(get(&api, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(platform, who_acts_as_somebody_else_stays_in_one_tenant)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	struct tenant_id second = tenant_make();
	struct caller as, own;

	(void)user_make_of(second, ROLE_OWNER, ann.account);
	as = impersonate(&root, &ann);
	own = on_tier(as, TIER_ADMIN);
	answer_is_error(post(&own, "/organisations", "{\"name\":\"Third\"}"), 403, "AUTH_FORBIDDEN",
			NULL);
	own = on_tier(as, TIER_AUTH);
	as = naming(as, second);
	answer_is_error(get(&as, "/users"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(
		post(&own, "/switch-tenant", strf("{\"tenantId\":\"%s\"}", id_text(second.u))), 403,
		"AUTH_FORBIDDEN", NULL);
}

Test(platform, nobody_acts_as_a_global_admin)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);

	database_run("UPDATE accounts SET is_global_admin = true WHERE id = $1::uuid",
		     id_text(ann.account.u), NULL);
	answer_is_error(try_impersonate(&root, &ann), 403, "AUTH_FORBIDDEN", NULL);
}

/* An admin who is locked out is so in every shape. */
Test(platform, a_locked_admin_acts_as_nobody_any_more)
{
	struct caller root = admin(), other = admin(), ann = caller(ROLE_OWNER);
	struct caller as = impersonate(&other, &ann);

	answer_is(get(&as, "/users"), 200);
	answer_is(post(&root, strf("%s/lock", account_path(&other)), NULL), 200);
	answer_is_error(get(&as, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

/*
 * Who they are
 */

static const char *host_says(const char *verb, const char *email, int *ret_status)
{
	const char *argv[] = { world()->binary, "admin", verb, email, NULL };
	struct str out;

	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	out = world_run(argv, ret_status);

	return strf("%.*s", STR_FMT(out));
}

Test(platform, its_people_are_named_at_its_host)
{
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_SUPER);
	const char *email = database_value("SELECT upper(email) FROM accounts WHERE id = $1::uuid",
					   id_text(ann.account.u), NULL);
	int status;

	answer_is_error(get(&ann, "/tenants"), 403, "AUTH_FORBIDDEN", NULL);
	database_run("UPDATE accounts SET email_verified_at = NULL WHERE id = $1::uuid",
		     id_text(ann.account.u), NULL);
	(void)host_says("grant", email, &status);
	cr_assert_eq(status, 1, "nobody has shown that the email is theirs");
	database_run("UPDATE accounts SET email_verified_at = now() WHERE id = $1::uuid",
		     id_text(ann.account.u), NULL);
	cr_assert(strstr(host_says("grant", email, NULL), "no second factor"));
	answer_is_error(get(&ann, "/tenants"), 403, "AUTH_MFA_REQUIRED", NULL);
	database_run("UPDATE accounts SET mfa_enabled = true WHERE id = $1::uuid",
		     id_text(ann.account.u), NULL);
	answer_is(get(&ann, "/tenants"), 200);
	cr_assert(strcasestr(host_says("list", NULL, NULL), email));

	(void)host_says("grant", email, &status);
	cr_assert_eq(status, 1, "a global admin already");
	(void)host_says("revoke", email, NULL);
	answer_is_error(get(&ann, "/tenants"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	(void)host_says("revoke", email, &status);
	cr_assert_eq(status, 1, "no global admin any more");
	(void)host_says("grant", "nobody@here.test", &status);
	cr_assert_eq(status, 1, "there is no such account");
	(void)host_says("grant", NULL, &status);
	cr_assert_eq(status, 2, "an email is wanted");
}

/* Such a one can only come of the database; who is listed must be within reach. */
Test(platform, an_admin_of_another_realm_is_named_by_the_id)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	const char *id = id_text(ann.account.u);
	const char *email =
		database_value("SELECT email FROM accounts WHERE id = $1::uuid", id, NULL);
	int status;

	database_run(
		"WITH r AS (INSERT INTO realms (id, slug, name) VALUES ($1::uuid, $1, 'Acme') RETURNING id)"
		" UPDATE accounts a SET realm_id = r.id, is_global_admin = true FROM r WHERE a.id = r.id",
		id, NULL);
	cr_assert(strstr(host_says("list", NULL, NULL),
			 strf("%s  %s, of the realm %s", email, id, id)));
	(void)host_says("revoke", email, &status);
	cr_assert_eq(status, 1, "an email is one of the platform's realm");
	(void)host_says("revoke", id_text(bob.account.u), &status);
	cr_assert_eq(status, 1, "no global admin");
	(void)host_says("revoke", id, &status);
	cr_assert_eq(status, 0);
	answer_is_error(get(&ann, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_assert_not(strstr(host_says("list", NULL, NULL), id));
}
