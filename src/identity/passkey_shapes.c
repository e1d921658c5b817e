/* The shapes of passkeys: see passkey_reply.h. */
#include "identity/passkey_reply.h"

#include "identity/passkey.h"

/* clang-format off */
#define BYTES_MAX     16384 /* characters of base64url: attestations carry certificates */
#define ID_MAX        1364  /* of 1023 bytes */
#define EXAMPLE_CREATE "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQSIsIm9yaWdpbiI6Imh0dHBzOi8vbG9jYWxob3N0In0"
#define EXAMPLE_GET    "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQSIsIm9yaWdpbiI6Imh0dHBzOi8vbG9jYWxob3N0In0"

static const char *const credential_types[] = { "public-key", NULL };
static const char *const requirements[] = { "required", "preferred", "discouraged", NULL };
static const struct field transport = { .type = T_STRING, .min = 1, .max = 32, .about = "How the device is reached", .example = "internal" };

/*
 * A passkey
 */

static const struct field passkey_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "name", T_STRING, REQUIRED, .about = "What the person calls it", .example = "Ann's phone" },
	{ "transports", T_ARRAY, REQUIRED, .of = &transport, .about = "How the device is reached", .example = "[\"internal\"]" },
	{ "lastUsedAt", T_DATETIME, NULLABLE, .about = "When it last logged in or stepped up", .example = "2026-01-31T12:00:00.000Z" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was registered", .example = "2026-01-31T12:00:00.000Z" },
};
const struct shape passkey_shape = REPLY_SHAPE("Passkey", passkey_fields);

static const struct field patch_fields[] = {
	{ "name", T_STRING, REQUIRED, offsetof(struct passkey_patch, name), .min = 1, .max = 100, .pattern = "line",
	  .about = "What the person calls it", .example = "Ann's phone" },
};
const struct shape passkey_patch_shape = SHAPE("PasskeyPatch", struct passkey_patch, patch_fields);

/*
 * What a browser sends
 */

#define BESIDE(type) \
	{ "rawId", T_STRING, OPTIONAL, offsetof(struct type, beside.text), .max = ID_MAX, .about = "As id" }, \
	{ "type", T_ENUM, OPTIONAL, offsetof(struct type, beside.text), .words = credential_types, \
	  .about = "The kind of credential", .example = "public-key" }, \
	{ "authenticatorAttachment", T_STRING, OPTIONAL_NULLABLE, offsetof(struct type, beside.text), .max = 32, \
	  .about = "Whether the device is part of the browser's", .example = "platform" }, \
	{ "clientExtensionResults", T_JSON, OPTIONAL, offsetof(struct type, beside.object), .max = 4096, \
	  .about = "What extensions say", .example = "{}" }
#define CREDENTIAL_ID(type) \
	{ "id", T_STRING, REQUIRED, offsetof(struct type, id), .min = 1, .max = ID_MAX, \
	  .about = "The credential's, base64url", .example = "AAAAAAAAAAAAAAAAAAAAAA" }
#define BASE64URL(name_, type, member, about_, example_) \
	{ name_, T_STRING, REQUIRED, offsetof(struct type, member), .min = 1, .max = BYTES_MAX, .about = about_ ", base64url", .example = (example_) }

static const struct field attestation_fields[] = {
	BASE64URL("clientDataJSON", passkey_attestation, client_data, "What the browser says", EXAMPLE_CREATE),
	BASE64URL("attestationObject", passkey_attestation, attestation, "What the device says", "oA"),
	{ "transports", T_ARRAY, OPTIONAL, offsetof(struct passkey_attestation, transports), .of = &transport, .max = 8,
	  .about = "How the device is reached", .example = "[\"internal\"]" },
	{ "authenticatorData", T_STRING, OPTIONAL, offsetof(struct passkey_attestation, beside.text), .max = BYTES_MAX,
	  .about = "Part of attestationObject" },
	{ "publicKey", T_STRING, OPTIONAL_NULLABLE, offsetof(struct passkey_attestation, beside.text), .max = BYTES_MAX,
	  .about = "Part of attestationObject" },
	{ "publicKeyAlgorithm", T_INT, OPTIONAL, offsetof(struct passkey_attestation, beside.number), .min = -70000, .max = 70000,
	  .about = "Part of attestationObject", .example = "-7" },
};
static const struct shape attestation = SHAPE("PasskeyAttestation", struct passkey_attestation, attestation_fields);

static const struct field created_fields[] = {
	CREDENTIAL_ID(passkey_created),
	BESIDE(passkey_created),
	{ "response", T_OBJECT, REQUIRED, offsetof(struct passkey_created, response), .shape = &attestation, .about = "The device's" },
};
static const struct shape created = SHAPE("PasskeyCreated", struct passkey_created, created_fields);

static const struct field new_fields[] = {
	{ "name", T_STRING, OPTIONAL, offsetof(struct passkey_new, name), .min = 1, .max = 100, .pattern = "line", .fallback = "Passkey",
	  .about = "What the person calls it", .example = "Ann's phone" },
	{ "credential", T_OBJECT, REQUIRED, offsetof(struct passkey_new, credential), .shape = &created,
	  .about = "What toJSON() of the new credential gives" },
};
const struct shape passkey_new_shape = SHAPE("PasskeyNew", struct passkey_new, new_fields);

static const struct field assertion_fields[] = {
	BASE64URL("clientDataJSON", passkey_assertion, client_data, "What the browser says", EXAMPLE_GET),
	BASE64URL("authenticatorData", passkey_assertion, authenticator_data, "What the device says", "AA"),
	BASE64URL("signature", passkey_assertion, signature, "Over both", "AA"),
	{ "userHandle", T_STRING, OPTIONAL_NULLABLE, offsetof(struct passkey_assertion, user_handle), .max = 128,
	  .about = "The account that the device keeps with the passkey, base64url", .example = "AAAAAAAAAAAAAAAAAAAAAA" },
};
static const struct shape assertion = SHAPE("PasskeyAssertion", struct passkey_assertion, assertion_fields);

static const struct field answer_fields[] = {
	CREDENTIAL_ID(passkey_answer),
	BESIDE(passkey_answer),
	{ "response", T_OBJECT, REQUIRED, offsetof(struct passkey_answer, response), .shape = &assertion, .about = "The device's" },
};
static const struct shape answer = SHAPE("PasskeyAnswer", struct passkey_answer, answer_fields);

#define ANSWER(type) \
	{ "credential", T_OBJECT, REQUIRED, offsetof(struct type, credential), .shape = &answer, .about = "What toJSON() of the assertion gives" }
#define MFA_TOKEN(type) \
	{ "mfaToken", T_STRING, OPTIONAL, offsetof(struct type, mfa_token), .min = 1, .max = 128, .secret = true, \
	  .about = "What the log-in gave; absent: the passkey is the only factor" }

static const struct field login_ask_fields[] = { MFA_TOKEN(passkey_login_ask) };
const struct shape passkey_login_ask_shape = SHAPE("PasskeyLoginAsk", struct passkey_login_ask, login_ask_fields);

static const struct field login_fields[] = { MFA_TOKEN(passkey_login), ANSWER(passkey_login) };
const struct shape passkey_login_shape = SHAPE("PasskeyLogin", struct passkey_login, login_fields);

static const struct field step_up_fields[] = { ANSWER(passkey_step_up) };
const struct shape passkey_step_up_shape = SHAPE("PasskeyStepUp", struct passkey_step_up, step_up_fields);

/*
 * What a browser is told
 */

#define CHALLENGE \
	{ "challenge", T_STRING, REQUIRED, .about = "To be signed, once, within five minutes; base64url", \
	  .example = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
#define TIMEOUT { "timeout", T_INT, REQUIRED, .about = "Milliseconds", .example = "300000" }

static const struct field rp_fields[] = {
	{ "id", T_HOSTNAME, REQUIRED, .about = "The dashboard's host", .example = "app.example.com" },
	{ "name", T_STRING, REQUIRED, .about = "Shown by the device", .example = "Zygo" },
};
static const struct shape rp = REPLY_SHAPE("PasskeyRelyingParty", rp_fields);

static const struct field owner_fields[] = {
	{ "id", T_STRING, REQUIRED, .about = "The account, base64url", .example = "AAAAAAAAAAAAAAAAAAAAAA" },
	{ "name", T_STRING, REQUIRED, .about = "The email", .example = "ann@example.com" },
	{ "displayName", T_STRING, REQUIRED, .about = "The person's name", .example = "Ann Example" },
};
static const struct shape owner = REPLY_SHAPE("PasskeyOwner", owner_fields);

static const struct field parameter_fields[] = {
	{ "type", T_ENUM, REQUIRED, .words = credential_types, .about = "The kind of credential", .example = "public-key" },
	{ "alg", T_INT, REQUIRED, .about = "COSE's number of an algorithm", .example = "-7" },
};
static const struct shape parameter_shape = REPLY_SHAPE("PasskeyParameter", parameter_fields);
static const struct field parameter = { .type = T_OBJECT, .shape = &parameter_shape, .about = "An algorithm" };

static const struct field known_fields[] = {
	{ "type", T_ENUM, REQUIRED, .words = credential_types, .about = "The kind of credential", .example = "public-key" },
	{ "id", T_STRING, REQUIRED, .about = "Base64url", .example = "AAAAAAAAAAAAAAAAAAAAAA" },
	{ "transports", T_ARRAY, REQUIRED, .of = &transport, .about = "How its device is reached", .example = "[\"internal\"]" },
};
static const struct shape known_shape = REPLY_SHAPE("PasskeyKnown", known_fields);
static const struct field known = { .type = T_OBJECT, .shape = &known_shape, .about = "A passkey of the account" };

static const struct field selection_fields[] = {
	{ "residentKey", T_ENUM, REQUIRED, .words = requirements, .about = "Kept on the device, so that it can log in alone", .example = "preferred" },
	{ "userVerification", T_ENUM, REQUIRED, .words = requirements, .about = "By PIN or finger", .example = "preferred" },
};
static const struct shape selection = REPLY_SHAPE("PasskeySelection", selection_fields);

static const struct field creation_fields[] = {
	CHALLENGE,
	TIMEOUT,
	{ "rp", T_OBJECT, REQUIRED, .shape = &rp, .about = "Whom the passkey is for" },
	{ "user", T_OBJECT, REQUIRED, .shape = &owner, .about = "Whose it will be" },
	{ "pubKeyCredParams", T_ARRAY, REQUIRED, .of = &parameter, .about = "Algorithms, the best first" },
	{ "excludeCredentials", T_ARRAY, REQUIRED, .of = &known, .about = "Devices that have these are no new ones" },
	{ "authenticatorSelection", T_OBJECT, REQUIRED, .shape = &selection, .about = "Which devices may" },
	{ "attestation", T_STRING, REQUIRED, .about = "none: the make of a device is its owner's affair", .example = "none" },
};
const struct shape passkey_creation_shape = REPLY_SHAPE("PasskeyCreationOptions", creation_fields);

static const struct field request_fields[] = {
	CHALLENGE,
	TIMEOUT,
	{ "rpId", T_HOSTNAME, REQUIRED, .about = "The dashboard's host", .example = "app.example.com" },
	{ "allowCredentials", T_ARRAY, REQUIRED, .of = &known, .about = "Which may answer; none: the device knows" },
	{ "userVerification", T_ENUM, REQUIRED, .words = requirements, .about = "By PIN or finger", .example = "required" },
};
const struct shape passkey_request_shape = REPLY_SHAPE("PasskeyRequestOptions", request_fields);
/* clang-format on */
