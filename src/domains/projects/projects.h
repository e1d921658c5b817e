/*
 * Projects group a tenant's resources. The rules' face; no HTTP: jobs and other domains call these
 * too.
 *
 * *ret is the row as sql/queries/projects.sql names its columns; it lives in c's arena.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"

struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct project_id {
	struct uuid u;
};

struct project_new {
	const char *slug;        /* unique in the tenant; 1…63 bytes of a-z, 0-9 and '-' */
	const char *name;        /* shown to people; 1…200 characters */
	const char *description; /* at most 2,000 characters, or NULL */
};

/* What is not given stays as it is. */
struct project_patch {
	const char *slug, *name, *description;
	bool has_slug, has_name, has_description;
};

struct project_filter {
	const char *search; /* somewhere in name or slug, in either case; NULL: all */
	const char *status; /* "active", "archived"; NULL: all */
};

extern const struct mount projects_mount;
extern const struct conflict projects_conflicts[];

/* Creates a project, with the event project.created. ERR_RESOURCE_CONFLICT (path "slug") when the
 * slug is taken. */
int projects_create(struct ctx *c, const struct project_new *in, const struct rows **ret)
	MUST_CHECK;

int projects_get(struct ctx *c, struct project_id id, const struct rows **ret) MUST_CHECK;
int projects_list(struct ctx *c, const struct project_filter *f, const struct paging *p,
		  const struct page **ret) MUST_CHECK;

/* Each of these wants c's If-Match, when there is one, to be the project's version. */
int projects_update(struct ctx *c, struct project_id id, const struct project_patch *in,
		    const struct rows **ret) MUST_CHECK;
int projects_archive(struct ctx *c, struct project_id id, const struct rows **ret) MUST_CHECK;
int projects_restore(struct ctx *c, struct project_id id, const struct rows **ret) MUST_CHECK;
int projects_delete(struct ctx *c, struct project_id id) MUST_CHECK;
