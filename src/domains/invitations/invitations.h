/*
 * Invitations: how a pending user (domains/users) finds its person. Here as the tenant sees them;
 * accepting one is identity's (identity/invite.h).
 *
 * *ret is the row as sql/queries/invitations.sql names its columns, in c's arena.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/id.h"

struct batch;
struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct invitation_id {
	struct uuid u;
};

struct invitation_filter {
	const char *status; /* "pending", "expired", "accepted", "revoked"; NULL: all */
};

extern const struct mount invitations_mount;

/* Adds to b the invitation of a user who was just made, and the mail. The batch fails with
 * ERR_RATE_LIMIT_EXCEEDED when the tenant has sent as many in an hour as it may. */
void invitations_add(struct batch *b, struct ctx *c, struct user_id u);

int invitations_list(struct ctx *c, const struct invitation_filter *f, const struct paging *p,
		     const struct page **ret) MUST_CHECK;

/* These want c's If-Match, when there is one, to be the invitation's version; ERR_RESOURCE_CONFLICT
 * when it was accepted or revoked. */

/* Another mail; it can be accepted for as long as a new one. */
int invitations_resend(struct ctx *c, struct invitation_id id, const struct rows **ret) MUST_CHECK;

/* No link of it works any more, and the pending user is gone: the email may be invited again. */
int invitations_revoke(struct ctx *c, struct invitation_id id) MUST_CHECK;
