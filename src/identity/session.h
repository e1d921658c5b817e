/*
 * Sessions: one log-in on one device. Its cookie, its refresh tokens and its access tokens end with
 * it, on the very next request anywhere, because enter() looks at it every time.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "identity/grant.h"

struct ctx;
struct mount;
struct rows;

struct refresh {
	const char *token;
};

struct tenant_switch {
	struct uuid tenant;
};

/*
 * A new access token, with what the account may do now, for a refresh token, and the next refresh
 * token. ERR_AUTH_TOKEN_EXPIRED when there is no such token or its session is over;
 * ERR_AUTH_TOKEN_REUSED when it was used before: then the session has been revoked.
 */
int session_refresh(struct ctx *c, const struct refresh *in, struct grant *ret) MUST_CHECK;

/* The present session works in another tenant of the account; ERR_RESOURCE_NOT_FOUND when it has no
 * seat there. */
int session_switch_tenant(struct ctx *c, struct tenant_id t, struct grant *ret) MUST_CHECK;

/* The account's living ones, the last used first, 100 at most: the shape Session. */
int session_list(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* Ends one of the account's own: ERR_RESOURCE_NOT_FOUND when it has no such one. */
int session_revoke(struct ctx *c, struct session_id id) MUST_CHECK;

/* Ends the present one; all of the account. */
int session_log_out(struct ctx *c) MUST_CHECK;
int session_log_out_all(struct ctx *c) MUST_CHECK;
