/*
 * Who one is, in which tenants, from which devices, over HTTP.
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/account.h"
#include "identity/grant_reply.h"
#include "identity/hot.h"
#include "identity/principal.h"
#include "identity/session.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const tenant_statuses[] = { "active", "suspended", NULL };
static const char *const seat_statuses[] = { "active", "pending", "suspended", NULL };
static const struct field role_key = { .type = T_SLUG, .max = 63, .about = "A role's key", .example = "owner" };

static const struct field account_patch_fields[] = {
	{ "firstName", T_STRING, OPTIONAL_NULLABLE, offsetof(struct account_patch, first_name), .min = 1, .max = 100, .pattern = "line",
	  .has = offsetof(struct account_patch, has_first_name),
	  .about = "Given name", .example = "Ann" },
	{ "lastName", T_STRING, OPTIONAL_NULLABLE, offsetof(struct account_patch, last_name), .min = 1, .max = 100, .pattern = "line",
	  .has = offsetof(struct account_patch, has_last_name),
	  .about = "Family name", .example = "Example" },
};
static const struct shape account_patch = SHAPE("MePatch", struct account_patch, account_patch_fields);

static const struct field tenant_switch_fields[] = {
	{ "tenantId", T_UUID, REQUIRED, offsetof(struct tenant_switch, tenant),
	  .about = "One of /me/tenants", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e90" },
};
static const struct shape tenant_switch = SHAPE("TenantSwitch", struct tenant_switch, tenant_switch_fields);

static const struct field seat_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "The tenant", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e90" },
	{ "slug", T_SLUG, REQUIRED, .max = 63, .about = "Name in addresses", .example = "blue" },
	{ "name", T_STRING, REQUIRED, .max = 200, .about = "Name shown to people", .example = "Blue" },
	{ "plan", T_STRING, REQUIRED, .max = 40, .about = "What it has subscribed to", .example = "free" },
	{ "status", T_ENUM, REQUIRED, .words = tenant_statuses, .about = "The tenant's", .example = "active" },
	{ "userId", T_UUID, REQUIRED, .about = "The seat", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e91" },
	{ "userStatus", T_ENUM, REQUIRED, .words = seat_statuses, .about = "The seat's", .example = "active" },
	{ "roles", T_ARRAY, REQUIRED, .of = &role_key, .about = "Keys of the seat's roles", .example = "[\"owner\"]" },
	{ "isActive", T_BOOL, REQUIRED, .about = "The session works in this tenant", .example = "true" },
};
const struct shape seat_shape = REPLY_SHAPE("Seat", seat_fields);

static const struct field session_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e92" },
	{ "device", T_STRING, NULLABLE, .about = "What the device called itself at log-in (User-Agent)", .example = "Mozilla/5.0" },
	{ "ip", T_IP, NULLABLE, .about = "Where the log-in came from", .example = "192.0.2.1" },
	{ "isCurrent", T_BOOL, REQUIRED, .about = "The one that asks", .example = "true" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it began", .example = "2026-01-31T12:00:00.000Z" },
	{ "lastSeenAt", T_DATETIME, REQUIRED, .about = "When it was last used, to five minutes", .example = "2026-01-31T12:00:00.000Z" },
	{ "expiresAt", T_DATETIME, REQUIRED, .about = "When it ends, if it is not used", .example = "2026-02-07T12:00:00.000Z" },
};
static const struct shape session = REPLY_SHAPE("Session", session_fields);
/* clang-format on */

/*
 * Handlers
 */

/* The next time the reply needs no database. */
static void keep_hot(struct request *r, const struct me *me)
{
	struct hot h = {
		.session = r->ctx->actor.session,
		.account = r->ctx->actor.account,
		.ends_at_us = me->ends_at_us,
		.me = buf_view(&r->reply.body),
	};

	principal_keep(r->ctx, &h);
}

static int get_me(struct request *r)
{
	struct jsonwrite w;
	struct me me;
	int err;

	if (r->hot.ptr)
		return reply_body(r, NULL, r->hot.ptr, r->hot.len);

	err = account_me(r->ctx, &me);
	if (err)
		return err;
	reply_begin(r, &w);
	grant_write_me(&w, &me.said);
	err = reply_end(r, &w);
	if (err)
		return err;
	keep_hot(r, &me);

	return OK;
}

static int patch_me(struct request *r)
{
	struct jsonwrite w;
	struct grant said;
	int err;

	err = account_update(r->ctx, r->body, &said);
	if (err)
		return err;
	reply_begin(r, &w);
	grant_write_me(&w, &said);

	return reply_end(r, &w);
}

static int list_seats(struct request *r, const struct rows **ret)
{
	return account_tenants(r->ctx, ret);
}

static int switch_tenant(struct request *r)
{
	const struct tenant_switch *in = r->body;
	struct grant g;
	int err;

	err = session_switch_tenant(r->ctx, (struct tenant_id){ in->tenant }, &g);

	return err ? err : grant_reply(r, &g);
}

static int list_sessions(struct request *r, const struct rows **ret)
{
	return session_list(r->ctx, ret);
}

static int revoke_session(struct request *r)
{
	return session_revoke(r->ctx, (struct session_id){ request_id_param(r, "id") });
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/me", TIER_AUTH, PERM_ACCOUNT, RATE_READ,
	  .reply = &me_shape, .flags = ROUTE_HOT,
	  .summary = "Who am I", .about = "The account, the tenant that the session works in, and what it may do there", .handle = get_me },

	{ PATCH, "/me", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .body = &account_patch, .reply = &me_shape,
	  .summary = "Change my profile", .about = "The account's; what a tenant calls its user is the tenant's affair", .handle = patch_me },

	{ GET, "/me/tenants", TIER_AUTH, PERM_ACCOUNT, RATE_READ,
	  .reply = &seat_shape,
	  .summary = "List my tenants", .about = "At most 1000", .all = list_seats },

	{ POST, "/switch-tenant", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .body = &tenant_switch, .reply = &switch_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .summary = "Work in another tenant", .about = "The session does from now on; the refresh token stays as it is", .handle = switch_tenant },

	{ GET, "/sessions", TIER_AUTH, PERM_ACCOUNT, RATE_READ,
	  .reply = &session,
	  .summary = "List my sessions", .about = "Those that live, at most 100", .all = list_sessions },

	{ DELETE, "/sessions/:id", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .summary = "End a session", .none = revoke_session },

	{ 0 },
};
/* clang-format on */

const struct mount account_mount = {
	"account", routes, NULL, "Oneself: profile, sessions, tenants, the end of the account"
};
