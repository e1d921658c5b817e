/*
 * Access tokens: JWTs signed with ES256, by libjwt; and the keys they are signed with.
 *
 * libjwt would believe HS256 signed with the public key, so the algorithm in the header is compared
 * with the key's before anything is believed. A verified token is remembered until it expires:
 * verifying costs 0.4 ms, remembering a microsecond.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct arena;
struct jsonwrite;

#define JWS_KEYS_MAX  8
#define JWS_TOKEN_MAX 4096 /* bytes of a token: longer ones are neither made nor read */
#define JWS_LEEWAY_S  30   /* how far the clock of the host that signed may be ahead of ours */

struct jws_key {
	char kid[33];
	char *private_pem; /* NUL-terminated, on the heap; NULL: only verifies */
	char *public_pem;
	bool signs; /* the one that new tokens are signed with */
};

struct claims {
	struct account_id account;   /* sub */
	struct session_id session;   /* sid; nil: none */
	struct tenant_id tenant;     /* tid; nil: none chosen yet */
	int64_t issued_s, expires_s; /* seconds since 1970 */

	/* For signing only: jws_verify() leaves them empty, because what counts stands in
	 * PostgreSQL. */
	const char *role; /* NULL: none */
	const struct str *permissions;
	size_t permissions_len;
	struct account_id impersonator; /* imp: who acts as the account; nil: itself */
	struct str extra; /* a JSON object of more claims; those named here it cannot replace */
};

/* A new P-256 key with both PEMs, and a random kid; signs is false. */
void jws_key_make(struct jws_key *ret);
/* A key that was made before; its parts are copied. private_pem of length 0: it only verifies. */
void jws_key_take(struct jws_key *ret, const char *kid, struct str private_pem,
		  struct str public_pem);
void jws_key_done(struct jws_key *k); /* wipes the private half */

/*
 * Replaces the process's key set and forgets what was verified under the old one. Takes over the
 * PEMs of the n keys, at most JWS_KEYS_MAX; issuer and audience must live as long as the set.
 */
void jws_keys_set(const struct jws_key *keys, size_t n, const char *issuer, const char *audience);

/* The set has a key to sign with, and its private half. */
bool jws_can_sign(void);

/* The token names a key of the set: if not, the set may be old. */
bool jws_has_kid(struct arena *a, struct str token);

/* The token, in the arena; NULL when there is no signing key or the claims do not fit
 * JWS_TOKEN_MAX. */
const char *jws_sign(struct arena *a, const struct claims *claims);

/* False: not ours, forged, or over; *ret_expired tells the last apart. Remembers what it verified.
 */
bool jws_verify(struct arena *a, struct str token, struct claims *ret, bool *ret_expired)
	MUST_CHECK;

/* {"keys":[…]} (RFC 7517) with the public keys. */
void jws_write_jwks(struct jsonwrite *w);
