/*
 * WebAuthn (Level 2): what a device has signed, as the browser hands it on, verified.
 *
 * Nothing of it is believed before its signature, or at registration its form, has been looked at;
 * all of it is input of anybody's. A registration's attestation is not looked at: which make of
 * device a person uses is their affair (conveyance "none").
 *
 * Functions give NULL, or why not: one sentence for the log.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

#define WEBAUTHN_CREDENTIAL_ID_MAX 1023 /* bytes; section 4, "credential ID" */
#define WEBAUTHN_CHALLENGE_BYTES   32

/* What must be so. */
struct webauthn_want {
	struct str challenge;       /* the bytes that were sent out */
	const char *rp_id;          /* "example.com" */
	const char *const *origins; /* "https://app.example.com"; ends with NULL */
	bool user_verified;         /* by PIN or finger: the device is the only factor */
};

struct webauthn_credential {
	struct str id;
	struct str public_key; /* DER of a SubjectPublicKeyInfo */
	int64_t algorithm;     /* COSE's number */
	int64_t sign_count;    /* 0 for good when the device does not count */
};

/* COSE's numbers of the algorithms that are verified, the one preferred first: EdDSA, ES256, RS256.
 */
extern const int webauthn_algorithms[];
extern const size_t webauthn_algorithms_len;

/* The challenge that a client data names, to look it up; false when it is no client data. */
bool webauthn_challenge(struct arena *a, struct str client_data, struct str *ret) MUST_CHECK;

/* A registration (section 7.1). *ret lives in the arena. */
const char *webauthn_register(struct arena *a, const struct webauthn_want *want,
			      struct str client_data, struct str attestation,
			      struct webauthn_credential *ret) MUST_CHECK;

/*
 * An assertion (section 7.2) of a credential that was registered. *ret_sign_count: to be kept. A
 * counter that has not grown says that the device was copied, and is refused.
 */
const char *webauthn_verify(struct arena *a, const struct webauthn_want *want,
			    const struct webauthn_credential *credential, struct str client_data,
			    struct str authenticator_data, struct str signature,
			    int64_t *ret_sign_count) MUST_CHECK;
