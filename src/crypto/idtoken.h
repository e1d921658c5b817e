/*
 * ID tokens: what an OpenID provider says of a person, signed with a key of the provider's (OpenID
 * Connect Core section 3.1.3.7, RFC 7515, RFC 7517). The key decides the algorithm, never the
 * token: RS256 for RSA, ES256 for P-256, and nothing else.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;
struct json;

struct id_token_wanted {
	const char *issuer; /* exactly */
	const char
		*audience; /* our client id: the audience, or one of several that names us as azp */
	const char *nonce; /* what we sent */
	int64_t now_s;
};

/* Strings are in the arena; NULL when not said. */
struct id_token {
	const char *subject; /* who it is, at that issuer, for good */
	const char *email, *given_name, *family_name;
	bool email_verified;
};

enum id_token_outcome {
	ID_TOKEN_GOOD,
	ID_TOKEN_UNKNOWN_KEY, /* signed with a key that is not in the set: the set may be old */
	ID_TOKEN_REFUSED,
};

/* jwks: the provider's key set, parsed. *ret_why: for the log, when it is not good. */
enum id_token_outcome id_token_read(struct arena *a, struct str token, const struct json *jwks,
				    const struct id_token_wanted *wanted, struct id_token *ret,
				    const char **ret_why) MUST_CHECK;
