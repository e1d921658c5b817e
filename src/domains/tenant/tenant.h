/*
 * The current tenant: the customer organisation that the caller works in.
 *
 * *ret is the row as sql/queries/tenant.sql names its columns, in c's arena.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"

struct ctx;
struct mount;
struct rows;

/* What a dashboard keeps of a tenant's taste; NULL: not said. */
struct tenant_settings {
	const char *theme;         /* "light", "dark", "system" */
	const char *locale;        /* BCP 47: "en", "de-CH" */
	const char *time_zone;     /* "Europe/Zurich" */
	const char *week_start;    /* "monday", "sunday", "saturday" */
	const char *logo_url;      /* absolute */
	const char *support_email; /* whom its people ask */
};

struct tenant_transfer {
	struct user_id user; /* who owns it from now on */
};

/* What is not given stays as it is. */
struct tenant_patch {
	const char *slug; /* unique on the platform; log-ins take the old one for 90 days more */
	const char *name; /* shown to people; 1…200 characters */
	const struct tenant_settings *settings; /* replaced as a whole */
	bool has_slug, has_name, has_settings;
};

extern const struct mount tenant_mount;
extern const struct conflict tenant_conflicts[];

int tenant_get(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* With the event tenant.updated. ERR_RESOURCE_CONFLICT (path "slug") when the slug is taken. */
int tenant_update(struct ctx *c, const struct tenant_patch *in, const struct rows **ret) MUST_CHECK;

/* The acting user's seat ends, with the event user.left. ERR_RULE_VIOLATED for the last owner. */
int tenant_leave(struct ctx *c) MUST_CHECK;

/*
 * Makes the user an owner, and who asks an administrator: with the events
 * tenant.ownershipTransferred and user.rolesChanged. ERR_AUTH_FORBIDDEN for who is no owner.
 */
int tenant_transfer(struct ctx *c, const struct tenant_transfer *in) MUST_CHECK;

/* What anybody may know of the tenant with this slug or host, or that had this slug. *ret_slug: the
 * one that it has, where that is another; else NULL. */
int tenant_public(struct ctx *c, const char *name, const struct rows **ret, const char **ret_slug)
	MUST_CHECK;
