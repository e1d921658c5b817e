/*
 * Users over HTTP: shapes, handlers, rows.
 */
#include "domains/users/users.h"

#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "active", "pending", "suspended", NULL };

static const struct field role_key = { .type = T_SLUG, .max = 63, .about = "A role's key", .example = "member" };

static const struct field user_new_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct user_new, email), .max = 254,
	  .about = "Whom to invite; one user a tenant", .example = "john@example.com" },
	{ "firstName", T_STRING, OPTIONAL, offsetof(struct user_new, first_name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Given name", .example = "John" },
	{ "lastName", T_STRING, OPTIONAL, offsetof(struct user_new, last_name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Family name", .example = "Doe" },
	{ "displayName", T_STRING, OPTIONAL, offsetof(struct user_new, display_name), .min = 1, .max = 200, .pattern = "line",
	  .about = "Name shown to people", .example = "Johnny" },
	{ "phone", T_STRING, OPTIONAL, offsetof(struct user_new, phone), .min = 3, .max = 20, .pattern = "phone",
	  .about = "Telephone number", .example = "+49 30 901820" },
	{ "roles", T_ARRAY, OPTIONAL, offsetof(struct user_new, roles), .min = 1, .max = 20, .of = &role_key,
	  .about = "Keys of roles to give; member if absent", .example = "[\"member\"]" },
};
static const struct shape user_new = SHAPE("UserNew", struct user_new, user_new_fields);

static const struct field user_patch_fields[] = {
	{ "firstName", T_STRING, OPTIONAL_NULLABLE, offsetof(struct user_patch, first_name), .min = 1, .max = 100, .pattern = "line",
	  .has = offsetof(struct user_patch, has_first_name),
	  .about = "Given name", .example = "John" },
	{ "lastName", T_STRING, OPTIONAL_NULLABLE, offsetof(struct user_patch, last_name), .min = 1, .max = 100, .pattern = "line",
	  .has = offsetof(struct user_patch, has_last_name),
	  .about = "Family name", .example = "Doe" },
	{ "displayName", T_STRING, OPTIONAL_NULLABLE, offsetof(struct user_patch, display_name), .min = 1, .max = 200, .pattern = "line",
	  .has = offsetof(struct user_patch, has_display_name),
	  .about = "Name shown to people", .example = "Johnny" },
	{ "avatar", T_URI, OPTIONAL_NULLABLE, offsetof(struct user_patch, avatar), .max = 2000,
	  .has = offsetof(struct user_patch, has_avatar),
	  .about = "Address of a picture", .example = "https://example.com/john.png" },
	{ "phone", T_STRING, OPTIONAL_NULLABLE, offsetof(struct user_patch, phone), .min = 3, .max = 20, .pattern = "phone",
	  .has = offsetof(struct user_patch, has_phone),
	  .about = "Telephone number", .example = "+49 30 901820" },
};
static const struct shape user_patch = SHAPE("UserPatch", struct user_patch, user_patch_fields);

static const struct field user_roles_fields[] = {
	{ "roles", T_ARRAY, REQUIRED, offsetof(struct user_roles, roles), .min = 1, .max = 20, .of = &role_key,
	  .about = "Keys of all roles that the user has from now on", .example = "[\"member\"]" },
};
static const struct shape user_roles = SHAPE("UserRoles", struct user_roles, user_roles_fields);

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct user_filter, search), .min = 1, .max = 200,
	  .about = "Text to find in email or names, in either case; \"john smith\" too", .example = "john" },
	{ "status", T_ENUM, OPTIONAL, offsetof(struct user_filter, status), .words = statuses,
	  .about = "Only users with this status", .example = "active" },
	{ "role", T_SLUG, OPTIONAL, offsetof(struct user_filter, role), .max = 63,
	  .about = "Only users with this role's key", .example = "member" },
};
static const struct shape filter = SHAPE("UserFilter", struct user_filter, filter_fields);

static const struct field user_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "email", T_EMAIL, REQUIRED, .about = "Where the person is reached", .example = "john@example.com" },
	{ "firstName", T_STRING, NULLABLE, .about = "Given name", .example = "John" },
	{ "lastName", T_STRING, NULLABLE, .about = "Family name", .example = "Doe" },
	{ "displayName", T_STRING, NULLABLE, .about = "Name shown to people", .example = "Johnny" },
	{ "avatar", T_URI, NULLABLE, .about = "Address of a picture", .example = "https://example.com/john.png" },
	{ "phone", T_STRING, NULLABLE, .about = "Telephone number", .example = "+49 30 901820" },
	{ "status", T_ENUM, REQUIRED, .words = statuses,
	  .about = "pending until the invitation is accepted; suspended users are refused everywhere", .example = "active" },
	{ "roles", T_ARRAY, REQUIRED, .of = &role_key, .about = "Keys of the user's roles", .example = "[\"member\"]" },
	{ "emailVerified", T_BOOL, REQUIRED, .about = "The person has shown to own the email", .example = "true" },
	{ "phoneVerified", T_BOOL, REQUIRED, .about = "The person has shown to own the telephone", .example = "false" },
	{ "mfaEnabled", T_BOOL, REQUIRED, .about = "Logs in with a second factor", .example = "false" },
	{ "lastLoginAt", T_DATETIME, NULLABLE, .about = "When the person last logged in", .example = "2026-01-31T12:00:00.000Z" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created", .example = "2026-01-31T12:00:00.000Z" },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape user = REPLY_SHAPE("User", user_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct user_id id_of(const struct request *r)
{
	return (struct user_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return users_list(r->ctx, r->query, r->paging, ret);
}

static int create(struct request *r, const struct rows **ret)
{
	return users_create(r->ctx, r->body, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return users_get(r->ctx, id_of(r), ret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return users_update(r->ctx, id_of(r), r->body, ret);
}

static int remove_one(struct request *r)
{
	return users_delete(r->ctx, id_of(r));
}

static int set_roles(struct request *r, const struct rows **ret)
{
	return users_set_roles(r->ctx, id_of(r), r->body, ret);
}

static int suspend(struct request *r, const struct rows **ret)
{
	return users_suspend(r->ctx, id_of(r), ret);
}

static int reactivate(struct request *r, const struct rows **ret)
{
	return users_reactivate(r->ctx, id_of(r), ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/users", TENANT_TIERS, PERM_VIEW_USERS, RATE_SEARCH,
	  .query = &filter, .reply = &user, .sorts = "createdAt email", .flags = ROUTE_REPLICA,
	  .summary = "List users", .about = "Get a paginated list of users in the tenant", .page = list },

	{ POST, "/users", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .body = &user_new, .reply = &user, .status = 201, .flags = ROUTE_IDEMPOTENT,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_PLAN_LIMIT_EXCEEDED),
	  .summary = "Invite a user", .about = "The user is pending until the person accepts; a mail says how", .one = create },

	{ GET, "/users/:id", TENANT_TIERS, PERM_VIEW_USERS, RATE_READ,
	  .reply = &user,
	  .summary = "Get a user", .one = get },

	{ PATCH, "/users/:id", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .body = &user_patch, .reply = &user,
	  .summary = "Change a user", .one = patch },

	{ DELETE, "/users/:id", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Delete a user", .about = "Not oneself, and not the last owner", .none = remove_one },

	{ PUT, "/users/:id/roles", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .body = &user_roles, .reply = &user, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Set a user's roles", .about = "Nobody grants a permission that they do not hold", .one = set_roles },

	{ POST, "/users/:id/suspend", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .reply = &user, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Suspend a user", .about = "Every request of theirs is refused from now on", .one = suspend },

	{ POST, "/users/:id/reactivate", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .reply = &user, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Reactivate a suspended user", .one = reactivate },

	{ 0 },
};
/* clang-format on */

const struct mount users_mount = { "users", routes, users_conflicts,
				   "People with a seat in the tenant" };
