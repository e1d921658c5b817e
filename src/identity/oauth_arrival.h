/*
 * Who comes back from a provider: the account that is theirs, or becomes theirs, and a session.
 * Private to the files of oauth.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "crypto/token.h"
#include "identity/grant.h"

struct batch;
struct ctx;
struct oauth_person;
struct oauth_provider;
struct rows;

/* Where to, as it was said on the way there. */
struct oauth_aim {
	const char *tenant_slug; /* NULL: not named, or named by id */
	struct uuid tenant_id;   /* nil: not named, or named by slug */
	bool has_invitation;     /* whose tenant it is then */
	struct token_hash invitation;
};

/* Of a tenant's slug, host or id, and of the token of an invitation; each may be NULL. */
struct oauth_aim oauth_aim(const char *tenant, const char *invite_token);

/*
 * A session for the account that the identity is linked to; else for the one with the email, when
 * no password opens it; else for a new one, with a tenant of its own or in the one that invites.
 * All in the realm of the tenant that is named. Errors as oauth_finish() has them.
 */
int oauth_arrive(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
		 const struct oauth_aim *aim, const char *user_agent, struct grant *ret) MUST_CHECK;

/* What linking needs too: a row of oauth_find. aim NULL: in the realm of the account that links. */
int oauth_find(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
	       const struct oauth_aim *aim, struct account_id linking, const struct rows **ret)
	MUST_CHECK;

/* The identity becomes the account's that acts. */
void oauth_add_identity(struct batch *b, struct ctx *c, const struct oauth_provider *p,
			const struct oauth_person *who, const char *user_agent);

/* One way more into an account that is there: its person is told. */
void oauth_tell_linked(struct batch *b, struct ctx *c, const struct oauth_provider *p,
		       struct account_id account);
