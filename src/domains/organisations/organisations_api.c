/*
 * Organisations over HTTP: shapes, handlers, rows.
 */
#include "domains/organisations/organisations.h"

#include "http/api.h"
#include "identity/account.h"
#include "identity/identity.h"

/* clang-format off */
static const struct field tenant_new_fields[] = {
	{ "name", T_STRING, REQUIRED, offsetof(struct tenant_new, name), .min = 1, .max = 200, .pattern = "line",
	  .about = "Name shown to people; the slug comes of it", .example = "Acme Inc." },
};
static const struct shape tenant_new = SHAPE("OrganisationNew", struct tenant_new, tenant_new_fields);
/* clang-format on */

static int list(struct request *r, const struct rows **ret)
{
	return account_tenants(r->ctx, ret);
}

static int create(struct request *r, const struct rows **ret)
{
	return account_found_tenant(r->ctx, r->body, ret);
}

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/organisations", TIER_ADMIN, PERM_ACCOUNT, RATE_READ,
	  .reply = &seat_shape,
	  .summary = "List my organisations", .about = "At most 1000", .all = list },

	{ POST, "/organisations", TIER_ADMIN, PERM_ACCOUNT, RATE_WRITE,
	  .body = &tenant_new, .reply = &seat_shape, .status = 201, .flags = ROUTE_IDEMPOTENT,
	  .errors = ERRORS(ERR_PLAN_LIMIT_EXCEEDED),
	  .summary = "Create an organisation", .about = "The caller owns it; switch to it to work in it. How many one may own is limited",
	  .one = create },

	{ 0 },
};
/* clang-format on */

const struct mount organisations_mount = { "organisations", routes, NULL,
					   "The tenants that one has a seat in" };
