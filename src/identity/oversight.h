/*
 * Oversight: what the platform's own people do to accounts. Who may is the routes' permission; here
 * is what it does. Each act is an event of the account.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "identity/grant.h"

struct ctx;
struct page;
struct paging;
struct rows;

struct account_filter {
	const char *search; /* somewhere in email or names, in either case; NULL: all */
	const char *status; /* "active", "locked"; NULL: all */
};

struct impersonation {
	struct tenant_id tenant;
	struct user_id user;
	const char *reason; /* 3…500 characters */
	int64_t minutes;    /* 1…60 */
	bool as_cookie;     /* the dashboard is to be used: gives a cookie beside the token */
};

/* *ret as sql/queries/oversight.sql names its columns. */
int oversight_accounts(struct ctx *c, const struct account_filter *f, const struct paging *p,
		       const struct page **ret) MUST_CHECK;
int oversight_account(struct ctx *c, struct account_id a, const struct rows **ret) MUST_CHECK;

/* What happened to it, the newest first. */
int oversight_events(struct ctx *c, struct account_id a, const struct paging *p,
		     const struct page **ret) MUST_CHECK;

/* Ends its sessions, those included in which it acts as somebody else; neither log-in nor API key
 * is good until it is unlocked. ERR_RULE_VIOLATED for one's own. */
int oversight_lock(struct ctx *c, struct account_id a, const struct rows **ret) MUST_CHECK;
int oversight_unlock(struct ctx *c, struct account_id a, const struct rows **ret) MUST_CHECK;

/* Ends its sessions; the next log-in wants a password that was reset by mail. */
int oversight_require_reset(struct ctx *c, struct account_id a, const struct rows **ret) MUST_CHECK;

int oversight_revoke_sessions(struct ctx *c, struct account_id a) MUST_CHECK;

/* Global admins: id, email, mfaEnabled, realm, and whether that isOurs, of each, by email. */
int oversight_admins(struct ctx *c, const struct rows **ret) MUST_CHECK;

/*
 * Makes the account of that email, in the platform's realm, a global admin, or takes that from it
 * and ends its sessions, those included in which it acts as somebody else. whom: the email, or the
 * id of a global admin, of whatever realm. No route does this: who runs the platform is said at its
 * host. ERR_RESOURCE_CONFLICT when it is so already.
 */
int oversight_set_admin(struct ctx *c, const char *whom, bool is_admin, const struct rows **ret)
	MUST_CHECK;

/*
 * A session as that user, for so many minutes, in that tenant alone. The token says by whom in its
 * claim imp; what is written in it says so in its events; credentials are out of its reach
 * (sql/migrations/0008, guard_credentials()). It has no refresh token. From then on the user is
 * c's actor.
 */
int oversight_impersonate(struct ctx *c, const struct impersonation *in, const char *user_agent,
			  struct grant *ret) MUST_CHECK;
