/*
 * The two ceremonies of WebAuthn: see webauthn.h. The order is that of sections 7.1 and 7.2.
 */
#include "crypto/webauthn_impl.h"

#include "base/arena.h"
#include "base/jsonread.h"
#include "crypto/token.h"

/*
 * What the browser says: CollectedClientData (section 5.8.1)
 */

static bool read_client_data(struct arena *a, struct str text, const struct json **ret)
{
	const char *why;
	size_t at;

	return jsonread_parse(a, text, ret, &why, &at) && json_kind(*ret) == JSON_OBJECT;
}

bool webauthn_challenge(struct arena *a, struct str client_data, struct str *ret)
{
	const struct json *client;

	return read_client_data(a, client_data, &client) &&
	       str_unbase64url(a, jsonread_member_text(client, "challenge"), ret) &&
	       ret->len == WEBAUTHN_CHALLENGE_BYTES;
}

static bool is_one_of(const char *const *origins, struct str origin)
{
	for (; *origins; origins++)
		if (str_is(origin, *origins))
			return true;

	return false;
}

/* A page of another origin that frames ours may not use our people's devices. */
static bool is_framed(const struct json *client)
{
	const struct json *cross;

	return jsonread_member(client, "crossOrigin", &cross) &&
	       !(json_kind(cross) == JSON_BOOL && !jsonread_bool(cross));
}

static const char *check_client(struct arena *a, const struct webauthn_want *want,
				struct str client_data, const char *type)
{
	const struct json *client;
	struct str challenge;

	if (!read_client_data(a, client_data, &client))
		return "the client data is no JSON object";
	if (!str_is(jsonread_member_text(client, "type"), type))
		return "the client data is of another ceremony";
	if (!str_unbase64url(a, jsonread_member_text(client, "challenge"), &challenge) ||
	    challenge.len != want->challenge.len ||
	    !secret_equal(challenge.ptr, want->challenge.ptr, challenge.len))
		return "the challenge is another one";
	if (!is_one_of(want->origins, jsonread_member_text(client, "origin")))
		return "the origin is another one";
	if (is_framed(client))
		return "the page was in a frame of another origin";

	return NULL;
}

/*
 * What the device says
 */

static const char *check_device(const struct webauthn_want *want,
				const struct authenticator_data *said)
{
	uint8_t rp_id_hash[WEBAUTHN_HASH_BYTES];

	sha256(str_of(want->rp_id), rp_id_hash);
	if (!secret_equal(said->rp_id_hash, rp_id_hash, sizeof(rp_id_hash)))
		return "the credential is of another relying party";
	if (!said->user_present)
		return "nobody touched the device";
	if (want->user_verified && !said->user_verified)
		return "the device did not verify who touched it";

	return NULL;
}

const char *webauthn_register(struct arena *a, const struct webauthn_want *want,
			      struct str client_data, struct str attestation,
			      struct webauthn_credential *ret)
{
	const char *why = check_client(a, want, client_data, "webauthn.create");
	struct authenticator_data said;
	struct cose_key key;
	struct str bytes, der;

	if (why)
		return why;
	if (!attestation_read(attestation, &bytes))
		return "the attestation object cannot be read";
	if (!authenticator_data_read(bytes, &said) || !said.credential_id.ptr)
		return "the authenticator data cannot be read";

	why = check_device(want, &said);
	if (why)
		return why;
	if (!cose_key_read(said.public_key, &key) || !cose_key_der(a, &key, &der))
		return "the public key is none of an algorithm that was offered";

	*ret = (struct webauthn_credential){
		.id = said.credential_id,
		.public_key = der,
		.algorithm = key.algorithm,
		.sign_count = said.sign_count,
	};
	return NULL;
}

const char *webauthn_verify(struct arena *a, const struct webauthn_want *want,
			    const struct webauthn_credential *credential, struct str client_data,
			    struct str authenticator_data, struct str signature,
			    int64_t *ret_sign_count)
{
	const char *why = check_client(a, want, client_data, "webauthn.get");
	uint8_t client_hash[WEBAUTHN_HASH_BYTES];
	struct authenticator_data said;

	if (why)
		return why;
	if (!authenticator_data_read(authenticator_data, &said))
		return "the authenticator data cannot be read";
	why = check_device(want, &said);
	if (why)
		return why;

	sha256(client_data, client_hash);
	if (!webauthn_signature_is_right(credential, signature, authenticator_data, client_hash))
		return "the signature is not the credential's";
	if ((said.sign_count || credential->sign_count) &&
	    said.sign_count <= credential->sign_count)
		return "the signature counter has not grown: the device may have been copied";

	*ret_sign_count = said.sign_count;
	return NULL;
}
