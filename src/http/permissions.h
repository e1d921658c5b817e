/*
 * Permissions: what a role may grant and a route may want. One table (permissions.c), read by the
 * stage that checks, the seed of built-in roles, the OpenAPI document and docs/permissions.md.
 *
 * To add one: a value here, a row there, run scripts/check --write, and give it to a built-in role.
 * tests/closure/tables.c looks: each is wanted by a route and held by a role.
 */
#pragma once

#include "base/base.h"

enum perm {
	PERM_UNSTATED,     /* a row that says nothing does not start */
	PERM_PUBLIC,       /* anyone, no credential looked at */
	PERM_ACCOUNT,      /* whoever is logged in; no tenant needed */
	PERM_MEMBER,       /* any active member of the tenant */
	PERM_GLOBAL_ADMIN, /* the platform's own people */
	PERM_VIEW_USERS,
	PERM_MANAGE_USERS,
	PERM_VIEW_ROLES,
	PERM_MANAGE_ROLES,
	PERM_MANAGE_API_KEYS,
	PERM_VIEW_PROJECTS,
	PERM_MANAGE_PROJECTS,
	PERM_MANAGE_TENANT,
	PERM_DELETE_TENANT,
	PERM_MANAGE_BILLING,
	PERM_MANAGE_SERVERS,
	PERM_VIEW_AUDIT_LOGS,
	PERM_VIEW_WEBHOOKS,
	PERM_MANAGE_WEBHOOKS,
	PERM_VIEW_JOBS,
	PERM_MANAGE_JOBS,
	PERM_COUNT
};

/* Bits of built-in roles, for the holders column. */
enum builtin_role {
	ROLE_OWNER = 1 << 0,
	ROLE_ADMIN = 1 << 1,
	ROLE_MEMBER = 1 << 2,
	ROLE_VIEWER = 1 << 3
};

struct permission {
	const char *name;    /* "canViewUsers"; NULL for the four kinds that are not permissions */
	const char *summary; /* what the holder may do */
	unsigned holders;    /* built-in roles that have it */
};

extern const struct permission permissions[PERM_COUNT];

const char *builtin_role_name(enum builtin_role r); /* "owner" */
