/*
 * The superadmin tier's tenants over HTTP: shapes, handlers, rows. Its accounts are in
 * platform_accounts_api.c.
 */
#include "domains/platform/platform.h"

#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

static const char *const statuses[] = { "active", "suspended", NULL };

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct tenant_filter, search), .min = 1, .max = 200,
	  .about = "Text to find in slug, name or host", .example = "acme" },
	{ "status", T_ENUM, OPTIONAL, offsetof(struct tenant_filter, status), .words = statuses,
	  .about = "Only tenants with this status", .example = "active" },
	{ "plan", T_SLUG, OPTIONAL, offsetof(struct tenant_filter, plan), .min = 1, .max = 40,
	  .about = "Only tenants with this plan", .example = "free" },
};
static const struct shape filter = SHAPE("TenantFilter", struct tenant_filter, filter_fields);

#define LIMIT(name_, member_, about_) \
	{ name_, T_INT, OPTIONAL, offsetof(struct tenant_limits, member_), .min = 0, .max = 1000000, \
	  .has = offsetof(struct tenant_limits, has_##member_), .about = (about_), .example = "100" }
static const struct field limits_fields[] = {
	LIMIT("users", users, "Users, those who are invited included"),
	LIMIT("projects", projects, "Projects that are not deleted"),
	LIMIT("apiKeys", api_keys, "API keys that are not revoked"),
	LIMIT("webhooks", webhooks, "Webhooks that are not deleted"),
};
static const struct shape limits = SHAPE("TenantLimits", struct tenant_limits, limits_fields);

static const struct field new_fields[] = {
	{ "name", T_STRING, REQUIRED, offsetof(struct platform_tenant_new, name), .min = 1, .max = 200, .pattern = "line",
	  .about = "Name shown to people", .example = "Acme Inc." },
	{ "slug", T_SLUG, REQUIRED, offsetof(struct platform_tenant_new, slug), .min = 2, .max = 63,
	  .about = "Name in log-ins, unique on the platform", .example = "acme" },
	{ "host", T_HOSTNAME, OPTIONAL, offsetof(struct platform_tenant_new, host),
	  .about = "Its own host name, unique; log-ins may name it by that", .example = "acme.example.com" },
	{ "plan", T_SLUG, OPTIONAL, offsetof(struct platform_tenant_new, plan), .min = 1, .max = 40,
	  .about = "What it has subscribed to; free if absent", .example = "business" },
	{ "ownerEmail", T_EMAIL, REQUIRED, offsetof(struct platform_tenant_new, owner_email), .max = 254,
	  .about = "Who is invited to own it", .example = "ann@example.com" },
	{ "ownRealm", T_BOOL, OPTIONAL, offsetof(struct platform_tenant_new, own_realm), .fallback = "false",
	  .about = "Its people are its own: the same email elsewhere is another person with another password. It cannot be changed later",
	  .example = "true" },
};
static const struct shape tenant_new = SHAPE("PlatformTenantNew", struct platform_tenant_new, new_fields);

static const struct field patch_fields[] = {
	{ "plan", T_SLUG, OPTIONAL, offsetof(struct platform_tenant_patch, plan), .min = 1, .max = 40,
	  .has = offsetof(struct platform_tenant_patch, has_plan),
	  .about = "What the tenant has subscribed to", .example = "business" },
	{ "limits", T_OBJECT, OPTIONAL, offsetof(struct platform_tenant_patch, limits), .shape = &limits,
	  .has = offsetof(struct platform_tenant_patch, has_limits),
	  .about = "How many there may be at most, replaced as a whole; what is absent has no limit", .example = "{\"users\":100}" },
	{ "host", T_HOSTNAME, OPTIONAL_NULLABLE, offsetof(struct platform_tenant_patch, host),
	  .has = offsetof(struct platform_tenant_patch, has_host),
	  .about = "Its own host name, unique; null: none", .example = "acme.example.com" },
};
static const struct shape tenant_patch = SHAPE("PlatformTenantPatch", struct platform_tenant_patch, patch_fields);

static const struct field suspension_fields[] = {
	{ "reason", T_STRING, REQUIRED, offsetof(struct tenant_suspension, reason), .min = 3, .max = 500,
	  .about = "Why, for the audit", .example = "Unpaid since January" },
};
static const struct shape suspension = SHAPE("TenantSuspension", struct tenant_suspension, suspension_fields);

static const struct field invitation_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct platform_invitation, email), .max = 254,
	  .about = "Who is invited", .example = "ann@example.com" },
	{ "role", T_SLUG, OPTIONAL, offsetof(struct platform_invitation, role), .min = 1, .max = 63, .fallback = "member",
	  .about = "Key of a role of the tenant", .example = "admin" },
	{ "isGuest", T_BOOL, OPTIONAL, offsetof(struct platform_invitation, is_guest), .fallback = "false",
	  .about = "In a tenant with its own realm: an account of the platform's realm, which otherwise cannot sit there", .example = "true" },
};
static const struct shape invitation = SHAPE("PlatformInvitation", struct platform_invitation, invitation_fields);

static const struct field tenant_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE },
	{ "slug", T_SLUG, REQUIRED, .about = "Name in log-ins, unique on the platform", .example = "acme" },
	{ "name", T_STRING, REQUIRED, .about = "Name shown to people", .example = "Acme Inc." },
	{ "host", T_STRING, NULLABLE, .about = "Its own host name", .example = "acme.example.com" },
	{ "realm", T_SLUG, REQUIRED, .about = "Where its people's emails are unique: platform, or a realm of its own", .example = "platform" },
	{ "plan", T_STRING, REQUIRED, .about = "What the tenant has subscribed to", .example = "free" },
	{ "limits", T_JSON, REQUIRED, .about = "How many there may be at most", .example = "{\"users\":100}" },
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "Nobody may do anything in a suspended tenant", .example = "active" },
	{ "suspendedReason", T_STRING, NULLABLE, .about = "Why it is suspended", .example = "Unpaid since January" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created", .example = TIME_EXAMPLE },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = TIME_EXAMPLE },
};
static const struct shape tenant = REPLY_SHAPE("PlatformTenant", tenant_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct tenant_id id_of(const struct request *r)
{
	return (struct tenant_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return platform_tenants_list(r->ctx, r->query, r->paging, ret);
}

static int create(struct request *r, const struct rows **ret)
{
	return platform_tenants_create(r->ctx, r->body, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return platform_tenants_get(r->ctx, id_of(r), ret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return platform_tenants_update(r->ctx, id_of(r), r->body, ret);
}

static int suspend(struct request *r, const struct rows **ret)
{
	return platform_tenants_suspend(r->ctx, id_of(r), r->body, ret);
}

static int reactivate(struct request *r, const struct rows **ret)
{
	return platform_tenants_reactivate(r->ctx, id_of(r), ret);
}

static int invite(struct request *r)
{
	return platform_invite(r->ctx, id_of(r), r->body);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/tenants", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .query = &filter, .reply = &tenant, .sorts = "createdAt name",
	  .summary = "List all tenants", .page = list },

	{ POST, "/tenants", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .body = &tenant_new, .reply = &tenant, .status = 201, .flags = ROUTE_IDEMPOTENT,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Create a tenant", .about = "With its built-in roles; its owner is invited by mail. It may have a realm of its own", .one = create },

	{ GET, "/tenants/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_READ,
	  .reply = &tenant,
	  .summary = "Get a tenant", .one = get },

	{ PATCH, "/tenants/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .body = &tenant_patch, .reply = &tenant, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Change a tenant's plan, limits or host", .one = patch },

	{ POST, "/tenants/:id/suspend", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .body = &suspension, .reply = &tenant, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Suspend a tenant", .about = "From the next request on its routes are refused with TENANT_SUSPENDED", .one = suspend },

	{ POST, "/tenants/:id/reactivate", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &tenant, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Let a suspended tenant go on", .one = reactivate },

	{ POST, "/tenants/:id/invitations", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .body = &invitation, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_PLAN_LIMIT_EXCEEDED),
	  .summary = "Invite somebody into a tenant", .about = "Only so an account of the platform's realm gets into a tenant that has its own", .none = invite },

	{ 0 },
};
/* clang-format on */

const struct mount platform_mount = { "platform", routes, platform_conflicts,
				      "All tenants, for the platform's own people" };
