/*
 * Users: the seats of one tenant. What a person may do is what the roles of the seat permit.
 *
 * Two rules hold for every change: nobody grants a permission, or acts on a user with one, that
 * they do not hold themselves; and somebody active owns the tenant afterwards. *ret is the row as
 * sql/queries/users.sql names its columns, in c's arena.
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

struct user_new {
	const char *email; /* lower case; one living seat a tenant */
	const char *first_name, *last_name, *display_name, *phone; /* or NULL */
	struct list roles; /* const char *: keys of the tenant's roles; empty: "member" */
};

/* What is not given stays as it is; null removes. */
struct user_patch {
	const char *first_name, *last_name, *display_name, *avatar, *phone;
	bool has_first_name, has_last_name, has_display_name, has_avatar, has_phone;
};

struct user_roles {
	struct list roles; /* const char *: keys; at least one */
};

struct user_filter {
	const char *search; /* somewhere in email or names, in either case; NULL: all */
	const char *status; /* "active", "pending", "suspended"; NULL: all */
	const char *role;   /* a role's key; NULL: all */
};

extern const struct mount users_mount;
extern const struct conflict users_conflicts[];

/*
 * Invites: the seat is pending until the person accepts, with the event user.created, and a mail is
 * on its way. ERR_RATE_LIMIT_EXCEEDED when the tenant has sent as many in an hour as it may.
 * ERR_RESOURCE_CONFLICT (path "email") when the email has a seat here, ERR_VALIDATION_ERROR (path
 * "roles") for a role that does not exist.
 */
int users_create(struct ctx *c, const struct user_new *in, const struct rows **ret) MUST_CHECK;

int users_get(struct ctx *c, struct user_id id, const struct rows **ret) MUST_CHECK;
int users_list(struct ctx *c, const struct user_filter *f, const struct paging *p,
	       const struct page **ret) MUST_CHECK;

/* Each of these wants c's If-Match, when there is one, to be the user's version. */
int users_update(struct ctx *c, struct user_id id, const struct user_patch *in,
		 const struct rows **ret) MUST_CHECK;
int users_set_roles(struct ctx *c, struct user_id id, const struct user_roles *in,
		    const struct rows **ret) MUST_CHECK;

/* ERR_RESOURCE_CONFLICT when the user is not active; ERR_RULE_VIOLATED for oneself and the last
 * owner. */
int users_suspend(struct ctx *c, struct user_id id, const struct rows **ret) MUST_CHECK;
int users_reactivate(struct ctx *c, struct user_id id, const struct rows **ret) MUST_CHECK;

/* Soft: the row stays, nothing shows it. */
int users_delete(struct ctx *c, struct user_id id) MUST_CHECK;
