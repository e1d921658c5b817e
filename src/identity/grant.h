/*
 * Grants: what somebody gets who has proven who they are: a session, its tokens, and what the reply
 * says of them. Made in two steps, because the token says what the transaction has found.
 *
 *	grant_start(b, c, &who, &g);      statements of a batch
 *	err = batch_run(b);
 *	if (!err)
 *		err = grant_sign(c, session, &g);
 *
 * It is the one end of every way in: password, link, invitation, provider. An account with a second
 * factor gets no session here, but a token with which to prove that factor (mfa.h), and callers
 * need not know: the session's own INSERT decides, and grant_reply() says which of the two it was.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct batch;
struct ctx;
struct rows;

/* Everything lives in the ctx's arena, which is wiped at its end. */
struct grant {
	const struct rows *demand; /* a row: no session yet, a second factor is wanted first */
	const char *mfa_token;     /* to prove it with; NULL: a session, and all of what follows */
	const struct rows *device; /* of a new session: whether the account knows it */
	const struct rows *me;     /* one row: the shape Me */
	const struct rows *tenant; /* the shape ActiveTenant; no row: there is none */
	const char *access_token;
	int64_t expires_in_s;      /* of the access token; 0 before it is made: as configured */
	const char *refresh_token; /* NULL: the one there is goes on */
	const char *cookie;        /* the session's; NULL: the one there is goes on */
	int64_t cookie_max_age_s;
	struct account_id impersonator; /* of the session; nil: the account itself */
	const struct rows *hooked;      /* what hook_custom_claims() has added; NULL: not asked */
};

struct grantee {
	struct account_id account;
	struct tenant_id tenant; /* nil: no seat anywhere */
	struct user_id user;     /* the seat in it */
	const char *user_agent;  /* NULL: not known */
	bool has_proven_mfa;     /* a second factor, or a passkey that is both, just now */
};

/* Names who acts in the rest of the batch's transaction: what enter() does for those who were
 * known. */
void grant_act_as(struct batch *b, const struct grantee *who, struct session_id session);

/*
 * A new session for whom grant_act_as() has named, with cookie and refresh token, and grant_read();
 * or else the demand for a second factor.
 */
void grant_start(struct batch *b, struct ctx *c, const struct grantee *who, struct grant *ret);

/* What the reply says of the account that acts. */
void grant_read(struct batch *b, struct grant *ret);

/* An opaque token in the arena; its hash is what is stored. */
struct token_hash;
const char *grant_token(struct ctx *c, struct token_hash **ret_hash);

/*
 * After the batch has run: the access token of the session, unless there is a demand. From now on
 * who was granted it is ctx->actor, for the log.
 */
int grant_sign(struct ctx *c, struct session_id session, struct grant *g) MUST_CHECK;
