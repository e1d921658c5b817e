/*
 * A WebAuthn device made of OpenSSL, for tests: it registers and signs as an authenticator does,
 * and as one should not.
 */
#pragma once

#include "base/str.h"

#include <openssl/evp.h>

struct arena;

struct device {
	struct arena *arena;
	EVP_PKEY *key;
	int algorithm; /* COSE's: -7, -8 or -257 */
	const char *rp_id;
	const char *origin;
	struct str challenge; /* what it was given to sign */
	const char *id;       /* of its credential: text of 8 bytes */
	unsigned flags;       /* of authenticator data; attested data says so by itself */
	uint32_t sign_count;
};

/* User present and verified, for https://app.example.com, with a challenge of its own. */
void device_init(struct device *d, struct arena *a, int algorithm);
void device_done(struct device *d);

/* What the browser says: type is "webauthn.create" or "webauthn.get". */
struct str device_client_data(const struct device *d, const char *type);

/* An attestation object of format "none". */
struct str device_attestation(const struct device *d);

struct str device_authenticator_data(const struct device *d, bool is_attested);
struct str device_sign(const struct device *d, struct str authenticator_data,
		       struct str client_data);
