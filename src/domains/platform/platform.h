/*
 * The platform over all tenants, for global admins. These paths run as zygo_system and see every
 * tenant (docs/security.md lists them); what they do to a tenant is an event of that tenant. What
 * they do to accounts is identity's (identity/oversight.h).
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/id.h"

struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct tenant_filter {
	const char *search; /* somewhere in slug, name or host, in either case; NULL: all */
	const char *status; /* "active", "suspended"; NULL: all */
	const char *plan;   /* NULL: all */
};

/* How many there may be at most; what is not given has no limit. */
struct tenant_limits {
	int64_t users, projects, api_keys, webhooks;
	bool has_users, has_projects, has_api_keys, has_webhooks;
};

struct platform_tenant_new {
	const char *name;
	const char *slug;        /* unique on the platform */
	const char *host;        /* its own host name, unique; NULL: none */
	const char *plan;        /* NULL: free */
	const char *owner_email; /* who is invited to own it */
	bool own_realm; /* its people are its own: the same email elsewhere is somebody else */
};

struct platform_tenant_patch {
	const char *plan;
	const struct tenant_limits *limits; /* replaced as a whole */
	const char *host;
	bool has_plan, has_limits, has_host;
};

struct platform_invitation {
	const char *email;
	const char *role; /* a role's key */
	bool is_guest;    /* of the platform's realm, in a tenant that has its own */
};

struct tenant_suspension {
	const char *reason;
};

extern const struct mount platform_mount, platform_accounts_mount;
extern const struct conflict platform_conflicts[];

/* *ret as sql/queries/platform.sql names its columns. */
int platform_tenants_list(struct ctx *c, const struct tenant_filter *f, const struct paging *p,
			  const struct page **ret) MUST_CHECK;
int platform_tenants_get(struct ctx *c, struct tenant_id id, const struct rows **ret) MUST_CHECK;

/* With its roles, and an invitation to own it. ERR_RESOURCE_CONFLICT about slug or host. */
int platform_tenants_create(struct ctx *c, const struct platform_tenant_new *in,
			    const struct rows **ret) MUST_CHECK;
int platform_tenants_update(struct ctx *c, struct tenant_id id,
			    const struct platform_tenant_patch *in, const struct rows **ret)
	MUST_CHECK;

/* Nobody may do anything in a suspended tenant, from the next request on. */
int platform_tenants_suspend(struct ctx *c, struct tenant_id id, const struct tenant_suspension *in,
			     const struct rows **ret) MUST_CHECK;
int platform_tenants_reactivate(struct ctx *c, struct tenant_id id, const struct rows **ret)
	MUST_CHECK;

/* A seat that waits, with a mail to whom it is for. */
int platform_invite(struct ctx *c, struct tenant_id id, const struct platform_invitation *in)
	MUST_CHECK;
