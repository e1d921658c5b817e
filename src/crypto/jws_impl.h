/*
 * What the files of jws share: jws.c reads and writes tokens (libjwt), jws_keys.c has the key set
 * (OpenSSL), jws_memory.c remembers what was verified.
 */
#pragma once

#include "crypto/jws.h"

/* The keys of the process, and whom its tokens are from and for. */
struct jws_set {
	struct jws_key keys[JWS_KEYS_MAX];
	size_t len;
	const char *issuer, *audience;
};

const struct jws_set *jws_set(void);

/* NULL when there is none. */
const struct jws_key *jws_key_by_kid(struct str kid);
const struct jws_key *jws_key_that_signs(void);

/* A token is known by its SHA-256. */
struct jws_digest {
	uint8_t bytes[32];
};

/* False when it is not remembered; an expired one may be. */
bool jws_recall(const struct jws_digest *token, struct claims *ret) MUST_CHECK;
void jws_remember(const struct jws_digest *token, const struct claims *claims);
void jws_forget_all(void);
