/*
 * The current tenant over HTTP: shapes, handlers, rows.
 */
#include "domains/tenant/tenant.h"

#include "domains/tenant/tenant_shapes.h"
#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "active", "suspended", NULL };

static const struct field tenant_patch_fields[] = {
	{ "slug", T_SLUG, OPTIONAL, offsetof(struct tenant_patch, slug), .min = 2, .max = 63,
	  .has = offsetof(struct tenant_patch, has_slug),
	  .about = "Name in log-ins, unique on the platform", .example = "acme" },
	{ "name", T_STRING, OPTIONAL, offsetof(struct tenant_patch, name), .min = 1, .max = 200,
	  .has = offsetof(struct tenant_patch, has_name),
	  .about = "Name shown to people", .example = "Acme Inc." },
	{ "settings", T_JSON, OPTIONAL, offsetof(struct tenant_patch, settings), .max = 16384,
	  .has = offsetof(struct tenant_patch, has_settings),
	  .about = "The dashboard's settings, replaced as a whole", .example = "{\"theme\":\"dark\"}" },
};
static const struct shape tenant_patch = SHAPE("TenantPatch", struct tenant_patch, tenant_patch_fields);

static const struct field tenant_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "slug", T_SLUG, REQUIRED, .about = "Name in log-ins, unique on the platform", .example = "acme" },
	{ "name", T_STRING, REQUIRED, .about = "Name shown to people", .example = "Acme Inc." },
	{ "plan", T_STRING, REQUIRED, .about = "What the tenant has subscribed to", .example = "free" },
	{ "settings", T_JSON, REQUIRED, .about = "The dashboard's settings", .example = "{\"theme\":\"dark\"}" },
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "Nobody may do anything in a suspended tenant",
	  .example = "active" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created", .example = "2026-01-31T12:00:00.000Z" },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = "2026-01-31T12:00:00.000Z" },
};
const struct shape tenant_shape = REPLY_SHAPE("Tenant", tenant_fields);
/* clang-format on */

/*
 * Handlers
 */

static int get(struct request *r, const struct rows **ret)
{
	return tenant_get(r->ctx, ret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return tenant_update(r->ctx, r->body, ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/tenant", TENANT_TIERS, PERM_MEMBER, RATE_READ,
	  .reply = &tenant_shape,
	  .summary = "Get the current tenant", .one = get },

	{ PATCH, "/tenant", TENANT_TIERS, PERM_MANAGE_TENANT, RATE_WRITE,
	  .body = &tenant_patch, .reply = &tenant_shape, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Change the current tenant", .one = patch },

	{ 0 },
};
/* clang-format on */

const struct mount tenant_mount = { "tenant", routes, tenant_conflicts };
