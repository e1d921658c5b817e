/*
 * Projects over HTTP: shapes, handlers, rows. The model of every X_api.c.
 *
 * To add a route: a handler, a row. tests/closure walks the rows.
 */
#include "domains/projects/projects.h"
#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "active", "archived", NULL };

static const struct field project_new_fields[] = {
	{ "slug", T_SLUG, REQUIRED, offsetof(struct project_new, slug), .max = 63,
	  .about = "Name in URLs, unique in the tenant", .example = "blue" },
	{ "name", T_STRING, REQUIRED, offsetof(struct project_new, name), .min = 1, .max = 200, .pattern = "line",
	  .about = "Name shown to people", .example = "Blue team" },
	{ "description", T_STRING, OPTIONAL_NULLABLE, offsetof(struct project_new, description), .max = 2000,
	  .about = "What the project is for", .example = "Everything that is blue" },
};
static const struct shape project_new = SHAPE("ProjectNew", struct project_new, project_new_fields);

static const struct field project_patch_fields[] = {
	{ "slug", T_SLUG, OPTIONAL, offsetof(struct project_patch, slug), .max = 63,
	  .has = offsetof(struct project_patch, has_slug),
	  .about = "Name in URLs, unique in the tenant", .example = "blue" },
	{ "name", T_STRING, OPTIONAL, offsetof(struct project_patch, name), .min = 1, .max = 200, .pattern = "line",
	  .has = offsetof(struct project_patch, has_name),
	  .about = "Name shown to people", .example = "Blue team" },
	{ "description", T_STRING, OPTIONAL_NULLABLE, offsetof(struct project_patch, description), .max = 2000,
	  .has = offsetof(struct project_patch, has_description),
	  .about = "What the project is for; null removes it", .example = "Everything that is blue" },
};
static const struct shape project_patch = SHAPE("ProjectPatch", struct project_patch, project_patch_fields);

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct project_filter, search), .min = 1, .max = 200,
	  .about = "Text to find in name or slug", .example = "blue" },
	{ "status", T_ENUM, OPTIONAL, offsetof(struct project_filter, status), .words = statuses,
	  .about = "Only projects with this status", .example = "active" },
};
static const struct shape filter = SHAPE("ProjectFilter", struct project_filter, filter_fields);

static const struct field project_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes",
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "slug", T_SLUG, REQUIRED, .about = "Name in URLs, unique in the tenant", .example = "blue" },
	{ "name", T_STRING, REQUIRED, .about = "Name shown to people", .example = "Blue team" },
	{ "description", T_STRING, NULLABLE, .about = "What the project is for",
	  .example = "Everything that is blue" },
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "An archived project is kept, but out of the way",
	  .example = "active" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created",
	  .example = "2026-01-31T12:00:00.000Z" },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed",
	  .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape project = REPLY_SHAPE("Project", project_fields);

/* clang-format on */

/*
 * Handlers
 */

static struct project_id id_of(const struct request *r)
{
	return (struct project_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return projects_list(r->ctx, r->query, r->paging, ret);
}

static int create(struct request *r, const struct rows **ret)
{
	return projects_create(r->ctx, r->body, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return projects_get(r->ctx, id_of(r), ret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return projects_update(r->ctx, id_of(r), r->body, ret);
}

static int archive(struct request *r, const struct rows **ret)
{
	return projects_archive(r->ctx, id_of(r), ret);
}

static int restore(struct request *r, const struct rows **ret)
{
	return projects_restore(r->ctx, id_of(r), ret);
}

static int remove_one(struct request *r)
{
	return projects_delete(r->ctx, id_of(r));
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/projects", TENANT_TIERS, PERM_VIEW_PROJECTS, RATE_SEARCH,
	  .query = &filter, .reply = &project, .sorts = "createdAt name", .flags = ROUTE_REPLICA,
	  .summary = "List projects", .page = list },

	{ POST, "/projects", TENANT_TIERS, PERM_MANAGE_PROJECTS, RATE_WRITE,
	  .body = &project_new, .reply = &project, .status = 201, .flags = ROUTE_IDEMPOTENT,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_PLAN_LIMIT_EXCEEDED),
	  .summary = "Create a project", .one = create },

	{ GET, "/projects/:id", TENANT_TIERS, PERM_VIEW_PROJECTS, RATE_READ,
	  .reply = &project,
	  .summary = "Get a project", .one = get },

	{ PATCH, "/projects/:id", TENANT_TIERS, PERM_MANAGE_PROJECTS, RATE_WRITE,
	  .body = &project_patch, .reply = &project,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Change a project", .one = patch },

	{ DELETE, "/projects/:id", TENANT_TIERS, PERM_MANAGE_PROJECTS, RATE_WRITE,
	  .summary = "Delete a project", .none = remove_one },

	{ POST, "/projects/:id/archive", TENANT_TIERS, PERM_MANAGE_PROJECTS, RATE_WRITE,
	  .reply = &project, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Archive a project", .one = archive },

	{ POST, "/projects/:id/restore", TENANT_TIERS, PERM_MANAGE_PROJECTS, RATE_WRITE,
	  .reply = &project, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Restore an archived project", .one = restore },

	{ 0 },
};
/* clang-format on */

const struct mount projects_mount = { "projects", routes, projects_conflicts,
				      "What groups a tenant's resources" };
