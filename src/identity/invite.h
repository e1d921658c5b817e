/*
 * Invitations, for whom they were sent to. The token of the mail shows that the email is theirs;
 * who joins is the account with that email, in the tenant's realm, and nobody else. What the tenant
 * sees of invitations is domains/invitations.
 *
 * ERR_RESOURCE_NOT_FOUND ("Invitation not found") for a token that never was, and for an invitation
 * that is over, revoked, or accepted: of two acceptances at once, one is told so.
 */
#pragma once

#include "base/base.h"
#include "identity/grant.h"

struct batch;
struct ctx;
struct rows;
struct sign_up;
struct token_hash;

struct invite_accept {
	const char
		*password; /* of the account with the email; or, for a new one, 8…128 characters */
	const char *first_name; /* of a new one; NULL: not said */
	const char *last_name;  /* the same */
};

/* The shape InvitationShown. */
int invite_show(struct ctx *c, const char *token, const struct rows **ret) MUST_CHECK;

/* The account that acts takes its seat: the shape Seat. Its session goes on where it is.
 * ERR_AUTH_FORBIDDEN when the invitation is for another email. */
int invite_join(struct ctx *c, const char *token, const struct rows **ret) MUST_CHECK;

/*
 * By password: as the account that has the email, or as a new one. A session in the tenant.
 * ERR_AUTH_INVALID_CREDENTIALS for a wrong password (it counts as a failed log-in);
 * ERR_VALIDATION_ERROR (path "password") for a new one that others guess.
 */
int invite_accept(struct ctx *c, const char *token, const struct invite_accept *in,
		  const char *user_agent, struct grant *ret) MUST_CHECK;

/* Signing up with an invitation: as a new account; no tenant is founded. ERR_VALIDATION_ERROR (path
 * "email") when it is for another one; ERR_RESOURCE_CONFLICT when the email has an account. */
int invite_sign_up(struct ctx *c, const struct sign_up *in, const char *user_agent,
		   struct grant *ret) MUST_CHECK;

/*
 * What other ways in need: a row of identity_invitation_find; and, in a batch, the seat for the
 * account that acts, which acts in the tenant from there on.
 */
int invite_find(struct ctx *c, const struct token_hash *token, const struct rows **ret) MUST_CHECK;
void invite_add_seat(struct batch *b, struct ctx *c, const struct token_hash *token,
		     const struct rows *found);
