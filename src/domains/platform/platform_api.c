/*
 * The superadmin tier: shapes, handlers, rows.
 */
#include "domains/platform/platform.h"

#include "domains/tenant/tenant_shapes.h"
#include "http/api.h"

/* clang-format off */
static const char *const statuses[] = { "active", "suspended", NULL };

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct tenant_filter, search), .min = 1, .max = 200,
	  .about = "Text to find in slug or name", .example = "acme" },
	{ "status", T_ENUM, OPTIONAL, offsetof(struct tenant_filter, status), .words = statuses,
	  .about = "Only tenants with this status", .example = "active" },
};
static const struct shape filter = SHAPE("TenantFilter", struct tenant_filter, filter_fields);
/* clang-format on */

static int list(struct request *r, const struct page **ret)
{
	return platform_tenants_list(r->ctx, r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return platform_tenants_get(r->ctx, (struct tenant_id){ request_id_param(r, "id") }, ret);
}

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/tenants", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .query = &filter, .reply = &tenant_shape, .sorts = "createdAt name",
	  .summary = "List all tenants", .page = list },

	{ GET, "/tenants/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_READ,
	  .reply = &tenant_shape,
	  .summary = "Get a tenant", .one = get },

	{ 0 },
};
/* clang-format on */

const struct mount platform_mount = { "platform", routes, NULL };
