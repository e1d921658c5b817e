/*
 * The platform over all tenants, for global admins. These paths run as zygo_system and see every
 * tenant (docs/security.md lists them).
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct tenant_filter {
	const char *search; /* somewhere in slug or name, in either case; NULL: all */
	const char *status; /* "active", "suspended"; NULL: all */
};

extern const struct mount platform_mount;

int platform_tenants_list(struct ctx *c, const struct tenant_filter *f, const struct paging *p,
			  const struct page **ret) MUST_CHECK;
int platform_tenants_get(struct ctx *c, struct tenant_id id, const struct rows **ret) MUST_CHECK;
