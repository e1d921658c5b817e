/*
 * Logging in through another provider: OAuth 2.1 with PKCE, and OpenID Connect where the provider
 * speaks it.
 *
 *	oauth_begin()      the browser goes to ret->url, with a cookie that binds it
 *	…                  logs in there, and comes back with a state and a code
 *	oauth_finish()     whose identity it is, and so whose account
 *
 * A person is who the provider says only by the pair of its issuer and their subject there. An
 * email joins the two only when the provider has verified it, and never onto an account that a
 * password opens: whoever has that password has to ask for it (is_link). An identity may be linked
 * once a realm.
 *
 * Tokens of the provider are used once, to ask who it is, and not kept.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/id.h"
#include "identity/grant.h"

struct ctx;
struct rows;

struct oauth_start {
	const char *provider; /* its name in the address */
	const char *redirect; /* a path of the dashboard, to go to when it is done; NULL: "/" */
	const char *browser;  /* the cookie it has already, so that two of its tabs do not disturb
				 each  other; NULL: none */
	const char *tenant;   /* slug, host or id of the one to work in; NULL: the one used last */
	const char *invite_token; /* of an invitation, whose tenant it is then; NULL: none */
	bool is_link;             /* for the account that acts, not to log in */
};

struct oauth_started {
	const char *url;     /* at the provider */
	const char *browser; /* the cookie to have when it comes back, within OAUTH_WAIT_S */
};

#define OAUTH_WAIT_S 600 /* as oauth_states.expires_at has it */

/* What the browser brings back; each NULL when it does not. */
struct oauth_return {
	const char *state, *code, *error;
	const char *issuer; /* iss: RFC 9207 */
};

struct oauth_finished {
	const char *redirect; /* as above */
	bool is_link;         /* nobody has logged in: what follows is empty */
	struct grant grant;
};

extern const struct conflict oauth_conflicts[];

/* ERR_RESOURCE_NOT_FOUND for a provider that is not on, a tenant or an invitation that is not
 * there; ERR_BAD_GATEWAY or ERR_GATEWAY_TIMEOUT for a provider that cannot be asked. */
int oauth_begin(struct ctx *c, const struct oauth_start *in, struct oauth_started *ret) MUST_CHECK;

/*
 * Beside those errors: ERR_AUTH_TOKEN_EXPIRED when the state or the code is used, over, or of
 * another browser; ERR_AUTH_FORBIDDEN when the person or the provider has refused, or may not sign
 * up, or has no seat in the tenant that was named; ERR_AUTH_EMAIL_UNVERIFIED when the provider has
 * no verified email of one who is new; ERR_RESOURCE_CONFLICT when the account with the email has to
 * be logged in to first.
 *
 * browser: its cookie, or NULL; user_agent as in account_log_in().
 */
int oauth_finish(struct ctx *c, const char *provider, const char *browser,
		 const struct oauth_return *in, const char *user_agent, struct oauth_finished *ret)
	MUST_CHECK;

/* Those of the account that acts, 100 at most: the shape OAuthIdentity. */
int oauth_identities(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* ERR_RULE_VIOLATED for the last way to log in. */
int oauth_unlink(struct ctx *c, struct uuid id) MUST_CHECK;
