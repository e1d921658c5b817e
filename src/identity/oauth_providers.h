/*
 * The providers one may log in through: a table (oauth_providers.c), of which those are on whose
 * client the settings name.
 *
 * To add one: a row there, its settings in base/settings.c, and an oauth_speech of its own where it
 * speaks no OpenID Connect. tests/integration/identity_oauth.c logs in through each kind.
 */
#pragma once

#include "base/base.h"
#include "db/batch.h"

struct ctx;
struct json;
struct fetch;
struct fetched;
struct oauth_speech;

struct oauth_provider {
	const char *name;   /* in addresses: "google" */
	const char *title;  /* for people: "Google" */
	const char *issuer; /* who vouches; of OpenID Connect: where its document is */
	const char *client_id, *client_secret; /* secret NULL: a public client */
	const char *scope;
	const struct oauth_speech *speech;
};

/* What a code is changed for, and how that is proven. */
struct oauth_code {
	const char *code;
	const char *verifier;     /* PKCE (RFC 7636) */
	const char *nonce;        /* of the ID token */
	const char *redirect_uri; /* the same as on the way there */
};

/* Who it is, as the provider says; strings are in the ctx's arena, NULL when not said. */
struct oauth_person {
	const char *subject;
	const char *email; /* verified by the provider, lower case, an address; else NULL */
	const char *first_name, *last_name;
};

/* How a provider is spoken to. */
struct oauth_speech {
	bool has_nonce;

	/* Where browsers are sent to. */
	int (*find_authorization)(struct ctx *c, const struct oauth_provider *p, const char **ret);

	/* Whether an answer with this iss (NULL: without) may be the provider's (RFC 9207). */
	int (*check_issuer)(struct ctx *c, const struct oauth_provider *p, const char *issuer);

	/* Changes the code for who it is; nothing else of the answer is kept. */
	int (*identify)(struct ctx *c, const struct oauth_provider *p,
			const struct oauth_code *code, struct oauth_person *ret);
};

extern const struct oauth_speech oauth_openid; /* oauth_openid.c: OpenID Connect, by discovery */
extern const struct oauth_speech oauth_github; /* oauth_github.c: OAuth 2 and GitHub's API */

/* The i-th that is on; false behind the last. */
bool oauth_provider_at(size_t i, struct oauth_provider *ret);

/* Those of all that are on, as text[]: identities of others open nothing. In c's arena. */
struct arg oauth_issuers(struct ctx *c);

/* ERR_RESOURCE_NOT_FOUND when there is none, or it is not on. */
int oauth_provider_find(struct ctx *c, const char *name, struct oauth_provider *ret) MUST_CHECK;

/*
 * For both ways of speaking
 */

/*
 * The provider's JSON, with any status. ERR_BAD_GATEWAY when it is none, or nobody answers;
 * ERR_GATEWAY_TIMEOUT.
 */
int oauth_ask(struct ctx *c, const struct fetch *f, int *ret_status, const struct json **ret)
	MUST_CHECK;

/* The same as text, not read yet. */
int oauth_fetch(struct ctx *c, const struct fetch *f, struct fetched *ret) MUST_CHECK;

/* ERR_BAD_GATEWAY: there is no answer to be had; why is for the log. */
int oauth_cannot_ask(struct ctx *c, const char *url, const char *why) MUST_CHECK;

/* ERR_BAD_GATEWAY: it has answered what cannot be believed; why is for the log. */
int oauth_disbelieve(struct ctx *c, const struct oauth_provider *p, const char *why) MUST_CHECK;

/* ERR_AUTH_TOKEN_EXPIRED: the code is used up, over, or never was. */
int oauth_refuse_code(struct ctx *c, const char *why) MUST_CHECK;

/* A member that is text; NULL when it is not there or something else. */
const char *oauth_text(const struct json *object, const char *name);

/* A member is there, and true. */
bool oauth_is_true(const struct json *object, const char *name);

/* In lower case, in the arena; NULL when it is no address that mail can be sent to. */
const char *oauth_email(struct ctx *c, const char *email);

/*
 * What a provider publishes at an address, kept by the process as long as it allows, an hour when
 * it says nothing. anew: something is not in the copy, which is then fetched again, at most once a
 * minute. Lives until the next call. oauth_document.c.
 */
int oauth_document(struct ctx *c, const char *url, bool anew, const struct json **ret) MUST_CHECK;
