/*
 * What the files of webauthn share: webauthn.c has the two ceremonies, webauthn_data.c takes bytes
 * apart (CBOR by libcbor), webauthn_key.c has keys and signatures (OpenSSL).
 */
#pragma once

#include "crypto/webauthn.h"

#define WEBAUTHN_HASH_BYTES 32

/* Authenticator data (section 6.1); parts point into it. */
struct authenticator_data {
	const uint8_t *rp_id_hash; /* WEBAUTHN_HASH_BYTES */
	bool user_present, user_verified;
	int64_t sign_count;
	struct str credential_id; /* ptr NULL: it attests to no credential */
	struct str public_key;    /* COSE_Key, CBOR */
};

/* A COSE_Key (RFC 9053 sections 7.1, 7.2; RFC 8230 section 4); parts point into its CBOR. */
struct cose_key {
	int64_t type, algorithm, curve;
	struct str x, y; /* of a curve */
	struct str n, e; /* of RSA */
};

/* Each wants all of its bytes to be what it reads, and no more. */
bool authenticator_data_read(struct str bytes, struct authenticator_data *ret) MUST_CHECK;
bool attestation_read(struct str bytes, struct str *ret_authenticator_data) MUST_CHECK;
bool cose_key_read(struct str bytes, struct cose_key *ret) MUST_CHECK;

/* As a SubjectPublicKeyInfo in the arena; false when it is no key of an algorithm of ours. */
bool cose_key_der(struct arena *a, const struct cose_key *key, struct str *ret) MUST_CHECK;

/* The signature is the key's, over the first followed by the second. */
bool webauthn_signature_is_right(const struct webauthn_credential *c, struct str signature,
				 struct str first, const uint8_t second[WEBAUTHN_HASH_BYTES]);
