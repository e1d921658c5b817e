/*
 * Roles and the list of permissions over HTTP: shapes, handlers, rows.
 */
#include "domains/roles/roles.h"

#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const struct field permission_name = { .type = T_STRING, .min = 1, .max = 100, .pattern = "permission",
	.about = "A permission, as GET /permissions names it", .example = "canViewUsers" };

static const struct field role_new_fields[] = {
	{ "key", T_SLUG, REQUIRED, offsetof(struct role_new, key), .max = 63,
	  .about = "What the role is given by; unique in the tenant, and never changes", .example = "support" },
	{ "name", T_STRING, REQUIRED, offsetof(struct role_new, name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Name shown to people", .example = "Support" },
	{ "description", T_STRING, OPTIONAL_NULLABLE, offsetof(struct role_new, description), .max = 500,
	  .about = "Who should have it", .example = "Answers customers" },
	{ "permissions", T_ARRAY, REQUIRED, offsetof(struct role_new, permissions), .of = &permission_name, .max = 100,
	  .about = "What its holders may do; none that the caller does not hold", .example = "[\"canViewUsers\"]" },
};
static const struct shape role_new = SHAPE("RoleNew", struct role_new, role_new_fields);

static const struct field role_patch_fields[] = {
	{ "name", T_STRING, OPTIONAL, offsetof(struct role_patch, name), .min = 1, .max = 100, .pattern = "line",
	  .has = offsetof(struct role_patch, has_name),
	  .about = "Name shown to people", .example = "Support" },
	{ "description", T_STRING, OPTIONAL_NULLABLE, offsetof(struct role_patch, description), .max = 500,
	  .has = offsetof(struct role_patch, has_description),
	  .about = "Who should have it; null removes it", .example = "Answers customers" },
	{ "permissions", T_ARRAY, OPTIONAL, offsetof(struct role_patch, permissions), .of = &permission_name, .max = 100,
	  .has = offsetof(struct role_patch, has_permissions),
	  .about = "What its holders may do from now on; none that the caller does not hold", .example = "[\"canViewUsers\"]" },
};
static const struct shape role_patch = SHAPE("RolePatch", struct role_patch, role_patch_fields);

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct role_filter, search), .min = 1, .max = 100,
	  .about = "Text to find in name or key", .example = "support" },
	{ "permission", T_STRING, OPTIONAL, offsetof(struct role_filter, permission), .min = 1, .max = 100, .pattern = "permission",
	  .about = "Only roles with this permission", .example = "canViewUsers" },
};
static const struct shape filter = SHAPE("RoleFilter", struct role_filter, filter_fields);

static const struct field role_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "key", T_SLUG, REQUIRED, .max = 63, .about = "What the role is given by", .example = "support" },
	{ "name", T_STRING, REQUIRED, .max = 100, .about = "Name shown to people", .example = "Support" },
	{ "description", T_STRING, NULLABLE, .max = 500, .about = "Who should have it", .example = "Answers customers" },
	{ "isBuiltIn", T_BOOL, REQUIRED, .about = "The same in every tenant; cannot be changed", .example = "false" },
	{ "permissions", T_ARRAY, REQUIRED, .of = &permission_name, .about = "What its holders may do",
	  .example = "[\"canViewUsers\"]" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created", .example = "2026-01-31T12:00:00.000Z" },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape role = REPLY_SHAPE("Role", role_fields);

static const struct field permission_fields[] = {
	{ "name", T_STRING, REQUIRED, .about = "What roles, API keys and refusals call it", .example = "canViewUsers" },
	{ "summary", T_STRING, REQUIRED, .about = "What the holder may do", .example = "See the tenant's users and invitations" },
};
static const struct shape permission = REPLY_SHAPE("Permission", permission_fields);
static const struct field one_permission = { .type = T_OBJECT, .shape = &permission, .about = "A permission" };

static const struct field permission_list_fields[] = {
	{ "data", T_ARRAY, REQUIRED, .of = &one_permission, .about = "All there are; only a new release adds one" },
};
static const struct shape permission_list = REPLY_SHAPE("PermissionList", permission_list_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct role_id id_of(const struct request *r)
{
	return (struct role_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return roles_list(r->ctx, r->query, r->paging, ret);
}

static int create(struct request *r, const struct rows **ret)
{
	return roles_create(r->ctx, r->body, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return roles_get(r->ctx, id_of(r), ret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return roles_update(r->ctx, id_of(r), r->body, ret);
}

static int remove_one(struct request *r)
{
	return roles_delete(r->ctx, id_of(r));
}

/* The table is the program's, so the database is asked for nothing but who the caller is. */
static int list_permissions(struct request *r)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_key(&w, "data");
	jsonwrite_array(&w);
	for (size_t i = 0; i < PERM_COUNT; i++) {
		if (!permissions[i].name)
			continue;
		jsonwrite_object(&w);
		jsonwrite_member_text(&w, "name", permissions[i].name);
		jsonwrite_member_text(&w, "summary", permissions[i].summary);
		jsonwrite_object_end(&w);
	}
	jsonwrite_array_end(&w);

	return reply_end(r, &w);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/permissions", TENANT_TIERS, PERM_MEMBER, RATE_READ,
	  .reply = &permission_list,
	  .summary = "List permissions", .about = "What a role may hold and an API key may be scoped to", .handle = list_permissions },

	{ GET, "/roles", TENANT_TIERS, PERM_VIEW_ROLES, RATE_SEARCH,
	  .query = &filter, .reply = &role, .sorts = "createdAt name", .flags = ROUTE_REPLICA,
	  .summary = "List roles", .page = list },

	{ POST, "/roles", TENANT_TIERS, PERM_MANAGE_ROLES, RATE_WRITE,
	  .body = &role_new, .reply = &role, .status = 201, .flags = ROUTE_IDEMPOTENT,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Create a role", .about = "Nobody gives a permission that they do not hold", .one = create },

	{ GET, "/roles/:id", TENANT_TIERS, PERM_VIEW_ROLES, RATE_READ,
	  .reply = &role,
	  .summary = "Get a role", .one = get },

	{ PATCH, "/roles/:id", TENANT_TIERS, PERM_MANAGE_ROLES, RATE_WRITE,
	  .body = &role_patch, .reply = &role, .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Change a role", .about = "Counts on the next request of everybody who has it. Not a built-in "
	  "role, and not one with a permission that the caller does not hold", .one = patch },

	{ DELETE, "/roles/:id", TENANT_TIERS, PERM_MANAGE_ROLES, RATE_WRITE,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Delete a role", .about = "Not a built-in role, and not while users have it", .none = remove_one },

	{ 0 },
};
/* clang-format on */

const struct mount roles_mount = { "roles", routes, roles_conflicts,
				   "Sets of permissions, and the permissions that there are" };
