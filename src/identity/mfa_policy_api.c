/*
 * A tenant's demand for second factors over HTTP.
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/mfa_policy.h"

/*
 * Shapes
 */

/* clang-format off */
static const struct field policy_set_fields[] = {
	{ "required", T_BOOL, REQUIRED, offsetof(struct mfa_policy, required),
	  .about = "Members need a second factor", .example = "true" },
	{ "graceDays", T_INT, OPTIONAL, offsetof(struct mfa_policy, grace_days), .max = 90, .fallback = "7",
	  .about = "From when on, in days from now; an earlier date that was set before stands", .example = "7" },
};
static const struct shape policy_set = SHAPE("MfaPolicySet", struct mfa_policy, policy_set_fields);

static const struct field policy_fields[] = {
	{ "required", T_BOOL, REQUIRED, .about = "Members need a second factor", .example = "true" },
	{ "requiredFrom", T_DATETIME, NULLABLE, .about = "From then on members without one are refused", .example = "2026-02-07T12:00:00.000Z" },
	{ "usersWithout", T_INT, REQUIRED, .about = "Active users who have none yet", .example = "2" },
};
static const struct shape policy = REPLY_SHAPE("MfaPolicy", policy_fields);
/* clang-format on */

/*
 * Handlers
 */

static int get(struct request *r, const struct rows **ret)
{
	return mfa_policy_get(r->ctx, ret);
}

static int set(struct request *r, const struct rows **ret)
{
	return mfa_policy_set(r->ctx, r->body, ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/tenant/mfa", TENANT_TIERS, PERM_MANAGE_TENANT, RATE_READ,
	  .reply = &policy,
	  .summary = "Get who needs a second factor", .one = get },

	{ PUT, "/tenant/mfa", TIER_ADMIN, PERM_MANAGE_TENANT, RATE_WRITE,
	  .body = &policy_set, .reply = &policy, .flags = ROUTE_STEP_UP,
	  .summary = "Require second factors", .about = "After the days of grace, members without one are refused (AUTH_MFA_REQUIRED) until they "
	  "have set one up", .one = set },

	{ 0 },
};
/* clang-format on */

const struct mount mfa_policy_mount = { "MFA", routes, NULL, NULL };
