/*
 * Audit: who did what, through which credential, from where, and what it changed. The events are
 * written by those who cause them (events/event.h) and completed by the database
 * (sql/migrations/0009); here they are read.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

/* What is NULL, nil or 0 is not asked. */
struct audit_filter {
	const char *type; /* "user.created", or "user" for all of them */
	struct uuid user; /* the seat that acted */
	struct uuid subject;
	int64_t from, to;   /* microseconds since 1970; to is not included */
	const char *search; /* somewhere in type, data or the actor's email, in either case */

	/* of all tenants only */
	struct uuid tenant;
	struct uuid account; /* that acted, or in whose place somebody did */
};

extern const struct mount audit_mount;

/* Columns as sql/queries/audit.sql names them. */
int audit_list(struct ctx *c, const struct audit_filter *f, const struct paging *p,
	       const struct page **ret) MUST_CHECK;
int audit_get(struct ctx *c, struct uuid id, const struct rows **ret) MUST_CHECK;

/* For global admins. */
int audit_list_all_tenants(struct ctx *c, const struct audit_filter *f, const struct paging *p,
			   const struct page **ret) MUST_CHECK;
