/*
 * The superadmin tier's accounts over HTTP: shapes, handlers, rows. The rules are identity's.
 */
#include "domains/platform/platform.h"

#include "http/api.h"
#include "identity/device.h"
#include "identity/grant_reply.h"
#include "identity/oversight.h"

/*
 * Shapes
 */

/* clang-format off */
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

static const char *const statuses[] = { "active", "locked", NULL };

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct account_filter, search), .min = 1, .max = 200,
	  .about = "Text to find in email or names", .example = "ann" },
	{ "status", T_ENUM, OPTIONAL, offsetof(struct account_filter, status), .words = statuses,
	  .about = "Only accounts with this status", .example = "locked" },
};
static const struct shape filter = SHAPE("AccountFilter", struct account_filter, filter_fields);

static const struct field account_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE },
	{ "email", T_EMAIL, REQUIRED, .about = "What the person logs in with", .example = "ann@example.com" },
	{ "firstName", T_STRING, NULLABLE, .about = "Given name", .example = "Ann" },
	{ "lastName", T_STRING, NULLABLE, .about = "Family name", .example = "Example" },
	{ "realm", T_SLUG, REQUIRED, .about = "Where the email is unique", .example = "platform" },
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "A locked account can do nothing", .example = "active" },
	{ "lockedAt", T_DATETIME, NULLABLE, .about = "When it was locked", .example = TIME_EXAMPLE },
	{ "resetRequired", T_BOOL, REQUIRED, .about = "The password has to be reset before the next log-in", .example = "false" },
	{ "emailVerified", T_BOOL, REQUIRED, .about = "The person has shown to own the email", .example = "true" },
	{ "mfaEnabled", T_BOOL, REQUIRED, .about = "Logs in with a second factor", .example = "false" },
	{ "isGlobalAdmin", T_BOOL, REQUIRED, .about = "One of the platform's own people", .example = "false" },
	{ "lastLoginAt", T_DATETIME, NULLABLE, .about = "When the person last logged in", .example = TIME_EXAMPLE },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created", .example = TIME_EXAMPLE },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = TIME_EXAMPLE },
};
static const struct shape account = REPLY_SHAPE("PlatformAccount", account_fields);

static const struct field event_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE },
	{ "type", T_STRING, REQUIRED, .about = "What happened", .example = "account.loginRefused" },
	{ "sessionId", T_UUID, NULLABLE, .about = "The log-in that it was done in", .example = ID_EXAMPLE },
	{ "impersonatedBy", T_UUID, NULLABLE, .about = "The account of the platform that acted as this one", .example = ID_EXAMPLE },
	{ "ip", T_STRING, NULLABLE, .about = "From where", .example = "203.0.113.7" },
	{ "device", T_STRING, NULLABLE, .about = "What the device calls itself", .example = "Mozilla/5.0" },
	{ "requestId", T_STRING, NULLABLE, .about = "X-Request-Id of the request", .example = "req_8f2b" },
	{ "data", T_JSON, REQUIRED, .about = "What the type says beside", .example = "{}" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it happened", .example = TIME_EXAMPLE },
};
static const struct shape account_event = REPLY_SHAPE("AccountEvent", event_fields);

static const struct field impersonation_fields[] = {
	{ "tenantId", T_UUID, REQUIRED, offsetof(struct impersonation, tenant), .about = "The one tenant to act in", .example = ID_EXAMPLE },
	{ "userId", T_UUID, REQUIRED, offsetof(struct impersonation, user), .about = "The user of it to act as", .example = ID_EXAMPLE },
	{ "reason", T_STRING, REQUIRED, offsetof(struct impersonation, reason), .min = 3, .max = 500,
	  .about = "Why, for the audit", .example = "Ticket 4711: the export fails" },
	{ "minutes", T_INT, OPTIONAL, offsetof(struct impersonation, minutes), .min = 1, .max = 60, .fallback = "30",
	  .about = "For how long", .example = "15" },
	{ "asCookie", T_BOOL, OPTIONAL, offsetof(struct impersonation, as_cookie), .fallback = "false",
	  .about = "Sets the session's cookie too, in place of one's own: for the dashboard", .example = "false" },
};
static const struct shape impersonation = SHAPE("Impersonation", struct impersonation, impersonation_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct account_id id_of(const struct request *r)
{
	return (struct account_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return oversight_accounts(r->ctx, r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return oversight_account(r->ctx, id_of(r), ret);
}

static int events(struct request *r, const struct page **ret)
{
	return oversight_events(r->ctx, id_of(r), r->paging, ret);
}

static int lock(struct request *r, const struct rows **ret)
{
	return oversight_lock(r->ctx, id_of(r), ret);
}

static int unlock(struct request *r, const struct rows **ret)
{
	return oversight_unlock(r->ctx, id_of(r), ret);
}

static int require_reset(struct request *r, const struct rows **ret)
{
	return oversight_require_reset(r->ctx, id_of(r), ret);
}

static int revoke_sessions(struct request *r)
{
	return oversight_revoke_sessions(r->ctx, id_of(r));
}

static int impersonate(struct request *r)
{
	struct grant g;
	int err;

	err = oversight_impersonate(r->ctx, r->body, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/accounts", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .query = &filter, .reply = &account, .sorts = "createdAt email",
	  .summary = "List all accounts", .page = list },

	{ GET, "/accounts/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_READ,
	  .reply = &account,
	  .summary = "Get an account", .one = get },

	{ GET, "/accounts/:id/events", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .reply = &account_event, .sorts = "createdAt",
	  .summary = "List what happened to an account", .about = "Log-ins, refused ones, changes of credentials; the newest first", .page = events },

	{ POST, "/accounts/:id/lock", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &account, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Lock an account", .about = "Ends its sessions at once; neither log-in nor API key is good until it is unlocked", .one = lock },

	{ POST, "/accounts/:id/unlock", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &account, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Unlock an account", .one = unlock },

	{ POST, "/accounts/:id/require-password-reset", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &account,
	  .summary = "Want the password reset", .about = "Ends its sessions; the next log-in wants a password that was reset by mail", .one = require_reset },

	{ POST, "/accounts/:id/revoke-sessions", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .summary = "End all sessions of an account", .none = revoke_sessions },

	{ POST, "/impersonate", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .body = &impersonation, .reply = &impersonation_shape, .status = 201, .flags = ROUTE_NO_STORE | ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .summary = "Act as a user", .about = "An access token, and a cookie if wanted, of a session as that user in that tenant. The claim imp says by "
	  "whom, and so does every event. Credentials are out of its reach", .handle = impersonate },

	{ 0 },
};
/* clang-format on */

const struct mount platform_accounts_mount = { "accounts", routes, NULL,
					       "All accounts, for the platform's own people" };
