/*
 * The current tenant over HTTP: shapes, handlers, rows.
 */
#include "domains/tenant/tenant.h"

#include "base/arena.h"
#include "domains/tenant/tenant_shapes.h"
#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "active", "suspended", NULL };

static const char *const themes[] = { "light", "dark", "system", NULL };
static const char *const week_starts[] = { "monday", "sunday", "saturday", NULL };
static const struct field settings_fields[] = {
	{ "theme", T_ENUM, OPTIONAL, offsetof(struct tenant_settings, theme), .words = themes,
	  .about = "How the dashboard looks", .example = "dark" },
	{ "locale", T_STRING, OPTIONAL, offsetof(struct tenant_settings, locale), .min = 2, .max = 35,
	  .about = "Language of its people, a BCP 47 tag", .example = "de-CH" },
	{ "timeZone", T_STRING, OPTIONAL, offsetof(struct tenant_settings, time_zone), .min = 1, .max = 64,
	  .about = "Where its days begin, a name of the IANA database", .example = "Europe/Zurich" },
	{ "weekStart", T_ENUM, OPTIONAL, offsetof(struct tenant_settings, week_start), .words = week_starts,
	  .about = "The first day of the week", .example = "monday" },
	{ "logoUrl", T_URI, OPTIONAL, offsetof(struct tenant_settings, logo_url), .max = 2000,
	  .about = "Its logo", .example = "https://acme.example.com/logo.svg" },
	{ "supportEmail", T_EMAIL, OPTIONAL, offsetof(struct tenant_settings, support_email), .max = 254,
	  .about = "Whom its people ask", .example = "help@acme.example.com" },
};
static const struct shape settings = SHAPE("TenantSettings", struct tenant_settings, settings_fields);

static const struct field transfer_fields[] = {
	{ "userId", T_UUID, REQUIRED, offsetof(struct tenant_transfer, user), .about = "The active user who owns the tenant from now on",
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
};
static const struct shape transfer_shape = SHAPE("TenantTransfer", struct tenant_transfer, transfer_fields);

static const struct field tenant_patch_fields[] = {
	{ "slug", T_SLUG, OPTIONAL, offsetof(struct tenant_patch, slug), .min = 2, .max = 63,
	  .has = offsetof(struct tenant_patch, has_slug),
	  .about = "Name in log-ins, unique on the platform; the one before is taken for 90 days more", .example = "acme" },
	{ "name", T_STRING, OPTIONAL, offsetof(struct tenant_patch, name), .min = 1, .max = 200, .pattern = "line",
	  .has = offsetof(struct tenant_patch, has_name),
	  .about = "Name shown to people", .example = "Acme Inc." },
	{ "settings", T_OBJECT, OPTIONAL, offsetof(struct tenant_patch, settings), .shape = &settings,
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

static const struct field public_fields[] = {
	{ "slug", T_SLUG, REQUIRED, .about = "Name in log-ins, as it is now", .example = "acme" },
	{ "name", T_STRING, REQUIRED, .about = "Name shown to people", .example = "Acme Inc." },
	{ "hasOwnRealm", T_BOOL, REQUIRED, .about = "Its people are its own: log-ins must name it", .example = "false" },
	{ "logoUrl", T_STRING, NULLABLE, .about = "Its logo", .example = "https://acme.example.com/logo.svg" },
};
static const struct shape public_shape = REPLY_SHAPE("TenantPublic", public_fields);
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

/* Under another name than its slug, 301 to the slug. */
static int get_public(struct request *r)
{
	const struct rows *row;
	const char *slug;
	int err;

	err = tenant_public(r->ctx, request_param(r, "slug"), &row, &slug);
	if (err)
		return err;
	if (!slug)
		return reply_row(r, row);

	err = reply_redirect(
		r, arena_printf(r->ctx->arena, "%s/tenants/%s", tier_prefix(r->tier), slug));
	reply_status(r, 301);

	return err;
}

static int leave(struct request *r)
{
	return tenant_leave(r->ctx);
}

static int transfer(struct request *r)
{
	return tenant_transfer(r->ctx, r->body);
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

	{ GET, "/tenants/:slug", TIER_AUTH, PERM_PUBLIC, RATE_READ,
	  .reply = &public_shape, .flags = ROUTE_MOVES,
	  .summary = "Find a tenant to log in to", .about = "By slug or host name; 301 to the slug that it has where that is another", .handle = get_public },

	{ POST, "/tenant/leave", TENANT_TIERS, PERM_MEMBER, RATE_WRITE, .flags = ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_RULE_VIOLATED),
	  .summary = "Leave the current tenant", .about = "The last owner cannot: transfer the tenant first", .none = leave },

	{ POST, "/tenant/transfer", TENANT_TIERS, PERM_MANAGE_TENANT, RATE_WRITE,
	  .body = &transfer_shape, .flags = ROUTE_STEP_UP, .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_RULE_VIOLATED),
	  .summary = "Transfer the current tenant", .about = "The user becomes an owner, and who asks an administrator", .none = transfer },

	{ 0 },
};
/* clang-format on */

const struct mount tenant_mount = { "tenant", routes, tenant_conflicts,
				    "The tenant that one works in: its settings and its end" };
