/*
 * Who may call what: every route, on every tier, with every kind of credential. What is expected is
 * computed from the row; nothing is listed here by route.
 *
 * To add a kind of credential: a row in credentials[].
 */
#include "closure/access_rows.h"

#include "base/err.h"
#include "crypto/apikey.h"
#include "http/permissions.h"
#include "support/credential.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>

/*
 * The kinds: whose credential it is, and what it gets
 */

static struct caller nobody(UNUSED const struct mounted *row)
{
	return caller_nobody();
}

/* The other tiers' credential and not this one's. */
static struct caller wrong_kind(const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	if (tier_takes_token(row->tier))
		c.token = NULL;
	else
		c.cookie = NULL;
	return c;
}

static int expect_wrong_kind(const struct mounted *row)
{
	return row->tier == TIER_AUTH ? row_holds(row, ROLE_OWNER) : row_unknown(row);
}

/* A different forgery at each call, so that the walk tries them all. */
static struct caller forged(UNUSED const struct mounted *row)
{
	static size_t turn;
	struct caller c = caller(ROLE_OWNER);

	if (!forgeries[turn].name)
		turn = 0;
	c.cookie = strf("%s%c", c.cookie + 1, c.cookie[0]);
	return with_token(c, forgeries[turn++].make(&c));
}

static struct caller expired_token(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	c.cookie = NULL;
	return with_token(c, credential_expired(&c));
}

static int expect_expired_token(const struct mounted *row)
{
	return tier_takes_token(row->tier) ? row_not_believed(row) : row_unknown(row);
}

static struct caller revoked(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	caller_revoke(&c);
	return c;
}

static struct caller run_out(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	caller_expire(&c);
	return c;
}

static struct caller account_deleted(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	database_run("UPDATE accounts SET deleted_at = now() WHERE id = $1::uuid",
		     id_text(c.account.u), NULL);
	return c;
}

static struct caller outsider(UNUSED const struct mounted *row)
{
	return caller_outsider();
}

static int expect_outsider(const struct mounted *row)
{
	return row_turned_away(row, ERR_AUTH_FORBIDDEN);
}

static struct caller seat_removed(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	database_run(
		"UPDATE users SET deleted_at = now() WHERE tenant_id = $1::uuid AND id = $2::uuid",
		id_text(c.tenant.u), id_text(c.user.u), NULL);
	return c;
}

static int expect_seat_removed(const struct mounted *row)
{
	return row_turned_away(row, ERR_AUTH_UNAUTHORIZED);
}

static struct caller seat_suspended(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	database_run("UPDATE users SET status = 'suspended' "
		     "WHERE tenant_id = $1::uuid AND id = $2::uuid",
		     id_text(c.tenant.u), id_text(c.user.u), NULL);
	return c;
}

static struct caller tenant_suspended(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	tenant_suspend(c.tenant);
	return c;
}

static int expect_tenant_suspended(const struct mounted *row)
{
	return row_turned_away(row, ERR_TENANT_SUSPENDED);
}

/* An owner, who names a tenant where somebody else is. */
static struct caller stranger(UNUSED const struct mounted *row)
{
	return naming(caller(ROLE_OWNER), caller(ROLE_OWNER).tenant);
}

/* An owner, who names one that does not exist. */
static struct caller lost(UNUSED const struct mounted *row)
{
	return naming(caller(ROLE_OWNER), (struct tenant_id){ uuid_v7() });
}

static struct caller owner(UNUSED const struct mounted *row)
{
	return caller(ROLE_OWNER);
}

static int expect_owner(const struct mounted *row)
{
	return row_holds(row, ROLE_OWNER);
}

static struct caller admin(UNUSED const struct mounted *row)
{
	return caller(ROLE_ADMIN);
}

static int expect_admin(const struct mounted *row)
{
	return row_holds(row, ROLE_ADMIN);
}

static struct caller member(UNUSED const struct mounted *row)
{
	return caller(ROLE_MEMBER);
}

static int expect_member(const struct mounted *row)
{
	return row_holds(row, ROLE_MEMBER);
}

static struct caller viewer(UNUSED const struct mounted *row)
{
	return caller(ROLE_VIEWER);
}

static int expect_viewer(const struct mounted *row)
{
	return row_holds(row, ROLE_VIEWER);
}

/* An owner in two tenants, who names the one that the session is not in. */
static struct caller member_of_two(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_VIEWER);
	struct tenant_id second = tenant_make();

	(void)user_make_of(second, ROLE_OWNER, c.account);
	return naming(c, second);
}

static struct caller global_admin(UNUSED const struct mounted *row)
{
	return caller_global_admin();
}

static int expect_global_admin(const struct mounted *row)
{
	return probe_needs_tenant(row) ? ERR_VALIDATION_ERROR : ALLOWED;
}

static struct caller global_admin_naming(UNUSED const struct mounted *row)
{
	return naming(caller_global_admin(), tenant_make());
}

static int expect_allowed(UNUSED const struct mounted *row)
{
	return ALLOWED;
}

static struct caller global_admin_without_mfa(UNUSED const struct mounted *row)
{
	struct caller c = naming(caller_global_admin(), tenant_make());

	database_run("UPDATE accounts SET mfa_enabled = false WHERE id = $1::uuid",
		     id_text(c.account.u), NULL);
	return c;
}

static int expect_without_mfa(const struct mounted *row)
{
	return row->route->perm > PERM_ACCOUNT ? ERR_AUTH_MFA_REQUIRED : ALLOWED;
}

/* Has a second factor, which this session proved too long ago. */
static struct caller mfa_stale(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	database_run("UPDATE accounts SET mfa_enabled = true WHERE id = $1::uuid",
		     id_text(c.account.u), NULL);
	database_run("UPDATE sessions SET mfa_at = now() - interval '16 minutes' "
		     "WHERE id = $1::uuid",
		     id_text(c.session.u), NULL);
	return c;
}

static int expect_mfa_stale(const struct mounted *row)
{
	if (row->route->flags & ROUTE_STEP_UP && row->route->perm != PERM_GLOBAL_ADMIN)
		return ERR_AUTH_MFA_REQUIRED;
	return row_holds(row, ROLE_OWNER);
}

/* Has none, and logged in too long ago to get one. */
static struct caller login_stale(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	database_run("UPDATE sessions SET created_at = now() - interval '16 minutes' "
		     "WHERE id = $1::uuid",
		     id_text(c.session.u), NULL);
	return c;
}

static int expect_login_stale(const struct mounted *row)
{
	if (row->route->flags & ROUTE_RECENT)
		return ERR_AUTH_RECENT_LOGIN_REQUIRED;
	return row_holds(row, ROLE_OWNER);
}

/* Has none, where the tenant wants one. */
static struct caller mfa_due(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_OWNER);

	database_run("UPDATE tenants SET mfa_required_at = now() WHERE id = $1::uuid",
		     id_text(c.tenant.u), NULL);
	return c;
}

static int expect_mfa_due(const struct mounted *row)
{
	return row_turned_away(row, ERR_AUTH_MFA_REQUIRED);
}

/* A page of somebody else's, which the browser sends the cookie for. */
static struct caller foreign_page(const struct mounted *row)
{
	struct caller c =
		row->route->perm == PERM_GLOBAL_ADMIN ? caller_global_admin() : caller(ROLE_OWNER);

	c.token = NULL;
	c.origin = "https://evil.example.com";
	return c;
}

static int expect_foreign_page(const struct mounted *row)
{
	if (row->tier == TIER_API || row->tier == TIER_SYSTEM)
		return row_unknown(row);
	return row_is_unsafe(row) ? ERR_AUTH_CSRF : ALLOWED;
}

/*
 * API keys: programs of an owner's, known on the public tier alone
 */

/* All permissions that a key may be scoped to, but this one. */
static const char *scopes_but(enum perm p)
{
	const char *scopes = "";

	for (enum perm q = PERM_GLOBAL_ADMIN + 1; q < PERM_COUNT; q++) {
		if (q != p && q != PERM_MANAGE_API_KEYS)
			scopes = strf("%s%s%s", scopes, *scopes ? " " : "", permissions[q].name);
	}
	return scopes;
}

static struct caller program_of(struct caller c, enum perm but)
{
	return with_api_key(c, api_key_make(c.tenant, c.user, scopes_but(but)));
}

static struct caller api_key(UNUSED const struct mounted *row)
{
	return program_of(caller(ROLE_OWNER), PERM_UNSTATED);
}

/* On the public tier this, and elsewhere nobody. */
static int there(const struct mounted *row, int err)
{
	if (row->tier != TIER_API || row_is_public(row))
		return row_unknown(row);
	return err;
}

static int expect_api_key(const struct mounted *row)
{
	return there(row,
		     route_takes_api_key(row->route, row->tier) ? ALLOWED : ERR_AUTH_FORBIDDEN);
}

static struct caller api_key_as_token(const struct mounted *row)
{
	struct caller c = api_key(row);

	return with_token(with_api_key(c, NULL), c.api_key);
}

static int expect_api_key_as_token(const struct mounted *row)
{
	return row->tier == TIER_AUTH ? row_not_believed(row) : expect_api_key(row);
}

static struct caller api_key_mistyped(const struct mounted *row)
{
	struct caller c = api_key(row);

	return with_api_key(
		c, strf("%.20s%c%s", c.api_key, c.api_key[20] == 'x' ? 'y' : 'x', c.api_key + 21));
}

/* Its checksum is right, and nobody was ever given it. */
static struct caller api_key_invented(UNUSED const struct mounted *row)
{
	char *key = arena_alloc(world_arena(), APIKEY_TEXT_SIZE);

	apikey_make(true, key);
	return with_api_key(caller(ROLE_OWNER), key);
}

/* With this column of api_keys set to that. */
static struct caller api_key_set(const char *column, const char *value)
{
	struct caller c = api_key(NULL);

	database_run(strf("UPDATE api_keys SET %s = %s WHERE tenant_id = $1::uuid", column, value),
		     id_text(c.tenant.u), NULL);
	return c;
}

static struct caller api_key_revoked(UNUSED const struct mounted *row)
{
	return api_key_set("revoked_at", "now()");
}

static struct caller api_key_expired(UNUSED const struct mounted *row)
{
	return api_key_set("expires_at", "now()");
}

static int expect_api_key_dead(const struct mounted *row)
{
	return there(row, ERR_AUTH_TOKEN_EXPIRED);
}

static struct caller api_key_elsewhere(UNUSED const struct mounted *row)
{
	return api_key_set("allowed_ips", "'{192.0.2.0/24,2001:db8::/32}'");
}

static int expect_api_key_forbidden(const struct mounted *row)
{
	return there(row, ERR_AUTH_FORBIDDEN);
}

static struct caller api_key_at_home(UNUSED const struct mounted *row)
{
	return api_key_set("allowed_ips", "'{192.0.2.0/24,127.0.0.0/8}'");
}

static struct caller api_key_without_scope(const struct mounted *row)
{
	return program_of(caller(ROLE_OWNER), row->route->perm);
}

static int expect_api_key_without_scope(const struct mounted *row)
{
	return row->route->perm == PERM_MEMBER ? expect_api_key(row)
					       : there(row, ERR_AUTH_FORBIDDEN);
}

/* Made by somebody who may do less than its scopes say. */
static struct caller api_key_of_viewer(UNUSED const struct mounted *row)
{
	return program_of(caller(ROLE_VIEWER), PERM_UNSTATED);
}

static int expect_api_key_of_viewer(const struct mounted *row)
{
	return row_holds(row, ROLE_VIEWER) == ALLOWED ? expect_api_key(row)
						      : there(row, ERR_AUTH_FORBIDDEN);
}

static struct caller api_key_of_suspended(const struct mounted *row)
{
	struct caller c = seat_suspended(row);

	return program_of(c, PERM_UNSTATED);
}

static struct caller api_key_of_suspended_tenant(const struct mounted *row)
{
	struct caller c = tenant_suspended(row);

	return program_of(c, PERM_UNSTATED);
}

static int expect_api_key_of_suspended_tenant(const struct mounted *row)
{
	return there(row, ERR_TENANT_SUSPENDED);
}

/* Its maker has a seat there too, and the key has not. */
static struct caller api_key_naming(const struct mounted *row)
{
	struct caller c = api_key(row);
	struct tenant_id second = tenant_make();

	(void)user_make_of(second, ROLE_OWNER, c.account);
	return naming(c, second);
}

static struct caller api_key_of_global_admin(UNUSED const struct mounted *row)
{
	struct caller c = caller(ROLE_VIEWER);

	database_run(
		"UPDATE accounts SET is_global_admin = true, mfa_enabled = true WHERE id = $1::uuid",
		id_text(c.account.u), NULL);
	return program_of(c, PERM_UNSTATED);
}

static const struct {
	const char *name;
	struct caller (*make)(const struct mounted *row);
	int (*expect)(const struct mounted *row); /* enum err; 0: is let in */
} credentials[] = {
	{ "nobody", nobody, row_unknown },
	{ "the wrong kind of credential", wrong_kind, expect_wrong_kind },
	{ "a forged credential", forged, row_not_believed },
	{ "an expired token", expired_token, expect_expired_token },
	{ "a revoked session", revoked, row_not_believed },
	{ "a session that ran out", run_out, row_not_believed },
	{ "a deleted account", account_deleted, row_not_believed },
	{ "somebody without a seat", outsider, expect_outsider },
	{ "a removed seat", seat_removed, expect_seat_removed },
	{ "a suspended seat", seat_suspended, expect_outsider },
	{ "a suspended tenant", tenant_suspended, expect_tenant_suspended },
	{ "a stranger naming the tenant", stranger, expect_outsider },
	{ "a stranger naming no tenant that exists", lost, expect_outsider },
	{ "an owner", owner, expect_owner },
	{ "an admin", admin, expect_admin },
	{ "a member", member, expect_member },
	{ "a viewer", viewer, expect_viewer },
	{ "an owner of the tenant that is named", member_of_two, expect_owner },
	{ "a global admin", global_admin, expect_global_admin },
	{ "a global admin naming a tenant", global_admin_naming, expect_allowed },
	{ "a global admin without MFA", global_admin_without_mfa, expect_without_mfa },
	{ "an owner whose second factor was proven long ago", mfa_stale, expect_mfa_stale },
	{ "an owner without one who logged in long ago", login_stale, expect_login_stale },
	{ "an owner without the factor that the tenant wants", mfa_due, expect_mfa_due },
	{ "a page of another origin", foreign_page, expect_foreign_page },
	{ "an API key", api_key, expect_api_key },
	{ "an API key as bearer token", api_key_as_token, expect_api_key_as_token },
	{ "a mistyped API key", api_key_mistyped, expect_api_key_dead },
	{ "an invented API key", api_key_invented, expect_api_key_dead },
	{ "a revoked API key", api_key_revoked, expect_api_key_dead },
	{ "an expired API key", api_key_expired, expect_api_key_dead },
	{ "an API key from another address", api_key_elsewhere, expect_api_key_forbidden },
	{ "an API key from its own address", api_key_at_home, expect_api_key },
	{ "an API key without the scope", api_key_without_scope, expect_api_key_without_scope },
	{ "a viewer's API key", api_key_of_viewer, expect_api_key_of_viewer },
	{ "an API key of a suspended seat", api_key_of_suspended, expect_api_key_forbidden },
	{ "an API key in a suspended tenant", api_key_of_suspended_tenant,
	  expect_api_key_of_suspended_tenant },
	{ "an API key naming another tenant", api_key_naming, expect_api_key_forbidden },
	{ "a global admin's API key", api_key_of_global_admin, expect_api_key_of_viewer },
};

/*
 * The walk
 */

/* What says that the caller may not be here, unless the row's own handler says it of its input. */
static bool is_refusal(const struct route *r, int status, const char *code)
{
	for (const int *e = r->errors; e && *e; e++) {
		if (strcmp(err_info(*e)->code, code) == 0)
			return false;
	}
	return status == 401 || status == 403;
}

static void check(const struct mounted *row, const char *who, const struct answer *a, int err)
{
	const char *code = a->status >= 400 ? answer_text(*a, "error") : "";
	const char *permission = permissions[row->route->perm].name;

	if (err == ALLOWED) {
		cr_expect(!is_refusal(row->route, a->status, code), "%s, %s: refused with %d %.*s",
			  probe_name(row), who, a->status, STR_FMT(a->body));
		return;
	}
	cr_expect_eq(a->status, err_info(err)->status, "%s, %s: %d instead of %s: %.*s",
		     probe_name(row), who, a->status, err_info(err)->code, STR_FMT(a->body));
	cr_expect_str_eq(code, err_info(err)->code, "%s, %s: %.*s", probe_name(row), who,
			 STR_FMT(a->body));
	if (permission && code[0] &&
	    strcmp(answer_text(*a, "message"), "Insufficient permissions") == 0)
		cr_expect_str_eq(answer_text(*a, "details.required"), permission);
}

static void walk(unsigned tiers)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		const char *from = new_address(); /* one a row, so that their connection is kept */

		for (size_t k = 0; row.tier & tiers && k < ARRAY_LEN(credentials); k++) {
			struct caller c = on_tier(credentials[k].make(&row), row.tier);
			struct answer a;

			c.from = from;
			a = probe(&row, &c, probe_no_id());

			check(&row, credentials[k].name, &a, credentials[k].expect(&row));
			answers_forget(); /* the document is a large one, and there are many */
		}
	}
}

Test(access, of_each_credential_to_each_route_of_the_public_api)
{
	walk(TIER_API);
}

Test(access, of_each_credential_to_each_route_of_the_dashboard)
{
	walk(TIER_ADMIN);
}

Test(access, of_each_credential_to_each_route_of_the_platform)
{
	walk(TIER_SUPER | TIER_SYSTEM);
}

Test(access, of_each_credential_to_each_route_of_identity)
{
	walk(TIER_AUTH);
}
