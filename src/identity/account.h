/*
 * Accounts: a person's log-in, in a realm, with an email and a password. What a person may do in a
 * tenant is the seat's affair (domains/users), not the account's.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "identity/grant.h"

struct ctx;
struct rows;

struct sign_up {
	const char *email;         /* lower case */
	const char *password;      /* 8…128 characters */
	const char *first_name;    /* NULL: not said */
	const char *last_name;     /* the same */
	const char *tenant_name;   /* the tenant's; NULL: made of the person's name */
	const char *invite_token;  /* of an invitation to this email; NULL: founds a tenant */
	const char *captcha_token; /* NULL: not sent */
};

struct log_in {
	const char *email; /* lower case */
	const char *password;
	const char *tenant; /* slug or id; NULL: the one used last */
};

struct account_patch {
	const char *first_name, *last_name;
	bool has_first_name, has_last_name;
};

struct tenant_new {
	const char *name; /* 1…200 characters; the slug comes of it */
};

struct password_given {
	const char *password;
};

struct password_change {
	const char *current;
	const char *new; /* 8…128 characters */
};

extern const struct conflict account_conflicts[];

/*
 * user_agent: what the device calls itself, UTF-8, or NULL.
 *
 * An account with a tenant of its own, which it owns, and a session; with an invitation, a seat in
 * the tenant that invites (identity/invite.h says what may come of that). A mail to verify the
 * email is on its way. ERR_RESOURCE_CONFLICT (path "email") when the email cannot be used;
 * ERR_VALIDATION_ERROR (path "password") when the password is one that others guess. Where the
 * email has to be verified first: signup_later().
 */
int account_sign_up(struct ctx *c, const struct sign_up *in, const char *user_agent,
		    struct grant *ret) MUST_CHECK;

/*
 * A session for the password. ERR_AUTH_INVALID_CREDENTIALS, after the same work and time, whatever
 * is wrong; ERR_RATE_LIMIT_EXCEEDED after failures, whether or not the email has an account.
 */
int account_log_in(struct ctx *c, const struct log_in *in, const char *user_agent,
		   struct grant *ret) MUST_CHECK;

/* Whether the password may be that of the email; ERR_VALIDATION_ERROR about path when it may not.
 */
int account_judge_password(struct ctx *c, const char *path, const char *password, const char *email)
	MUST_CHECK;

/* What is said of the account that acts: the shapes Me and ActiveTenant, and until when its session
 * lives. */
struct me {
	struct grant said; /* me and tenant alone */
	int64_t ends_at_us;
};
int account_me(struct ctx *c, struct me *ret) MUST_CHECK;

/* Its seats, 1000 at most: the shape Seat. */
int account_tenants(struct ctx *c, const struct rows **ret) MUST_CHECK;

/*
 * One tenant more, which the account owns; its session goes on where it is. *ret: its seat there,
 * the shape Seat. ERR_PLAN_LIMIT_EXCEEDED when it owns ACCOUNT_TENANTS_MAX already.
 */
int account_found_tenant(struct ctx *c, const struct tenant_new *in, const struct rows **ret)
	MUST_CHECK;

int account_update(struct ctx *c, const struct account_patch *in, struct grant *ret) MUST_CHECK;

/*
 * Whose session it is knows the password too: for what a stolen session may not do. Attempts are
 * counted with those at a second factor and delayed alike: ERR_AUTH_INVALID_CREDENTIALS about path,
 * ERR_RATE_LIMIT_EXCEEDED. *ret: the row of identity_password.
 */
int account_prove_password(struct ctx *c, const char *path, const char *password,
			   const struct rows **ret) MUST_CHECK;

/* From now on, for 15 minutes, the present session may do what wants a recent log-in
 * (ROUTE_RECENT). ERR_AUTH_INVALID_CREDENTIALS as above. */
int account_confirm_password(struct ctx *c, const struct password_given *in) MUST_CHECK;

/* Revokes all sessions but the present one. ERR_AUTH_INVALID_CREDENTIALS when `current` is wrong.
 */
int account_change_password(struct ctx *c, const struct password_change *in) MUST_CHECK;
