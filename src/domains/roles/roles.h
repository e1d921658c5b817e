/*
 * Roles: what the seats of a tenant may do. Four are built in and alike everywhere; others a tenant
 * makes for itself. Permissions are a fixed list (http/permissions.h).
 *
 * Two rules hold for every change: a built-in role is never changed, and nobody gives, or changes a
 * role with, a permission that they do not hold themselves. A change counts on the very next
 * request of everybody who has the role. *ret is the row as sql/queries/roles.sql names its
 * columns, in c's arena.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"
#include "base/list.h"

struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct role_id {
	struct uuid u;
};

struct role_new {
	const char *key;  /* unique in the tenant, for good; 1…63 bytes of a-z, 0-9 and '-' */
	const char *name; /* shown to people; 1…100 characters */
	const char *description; /* at most 500 characters, or NULL */
	struct list permissions; /* const char *: their names */
};

/* What is not given stays as it is. */
struct role_patch {
	const char *name, *description;
	struct list permissions;
	bool has_name, has_description, has_permissions;
};

struct role_filter {
	const char *search;     /* somewhere in name or key, in either case; NULL: all */
	const char *permission; /* only roles with this one; NULL: all */
};

extern const struct mount roles_mount;
extern const struct conflict roles_conflicts[];

/*
 * With the event role.created. ERR_RESOURCE_CONFLICT (path "key") when the key is taken;
 * ERR_VALIDATION_ERROR (path "permissions") for one that does not exist; ERR_AUTH_FORBIDDEN, which
 * names it, for one that the acting seat lacks.
 */
int roles_create(struct ctx *c, const struct role_new *in, const struct rows **ret) MUST_CHECK;

int roles_get(struct ctx *c, struct role_id id, const struct rows **ret) MUST_CHECK;
int roles_list(struct ctx *c, const struct role_filter *f, const struct paging *p,
	       const struct page **ret) MUST_CHECK;

/* Both want c's If-Match, when there is one, to be the role's version. ERR_RULE_VIOLATED for a
 * built-in role. */
int roles_update(struct ctx *c, struct role_id id, const struct role_patch *in,
		 const struct rows **ret) MUST_CHECK;

/* ERR_RESOURCE_CONFLICT, which says how many, while users have the role. */
int roles_delete(struct ctx *c, struct role_id id) MUST_CHECK;
