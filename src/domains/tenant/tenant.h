/*
 * The current tenant: the customer organisation that the caller works in.
 *
 * *ret is the row as sql/queries/tenant.sql names its columns, in c's arena.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct ctx;
struct mount;
struct rows;

/* What is not given stays as it is. */
struct tenant_patch {
	const char *slug;    /* unique on the platform; the tenant's name in log-ins */
	const char *name;    /* shown to people; 1…200 characters */
	struct str settings; /* a JSON object of at most 16 KiB, replaced as a whole */
	bool has_slug, has_name, has_settings;
};

extern const struct mount tenant_mount;
extern const struct conflict tenant_conflicts[];

int tenant_get(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* With the event tenant.updated. ERR_RESOURCE_CONFLICT (path "slug") when the slug is taken. */
int tenant_update(struct ctx *c, const struct tenant_patch *in, const struct rows **ret) MUST_CHECK;
