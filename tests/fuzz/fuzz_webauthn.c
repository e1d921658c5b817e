/*
 * Any bytes as what a WebAuthn device says: an attestation object, authenticator data, a COSE key,
 * client data. Refused or read within their bounds; a key that is read is one of OpenSSL's.
 */
#include "crypto/webauthn_impl.h"

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_key(struct arena *a, struct str bytes)
{
	struct webauthn_credential credential = { .sign_count = 0 };
	uint8_t hash[WEBAUTHN_HASH_BYTES] = { 0 };
	struct cose_key key;

	if (!cose_key_read(bytes, &key) || !cose_key_der(a, &key, &credential.public_key))
		return;

	credential.algorithm = key.algorithm;
	BUG_IF(webauthn_signature_is_right(&credential, bytes, bytes, hash));
}

static void try_data(struct arena *a, struct str bytes)
{
	struct authenticator_data said;

	if (!authenticator_data_read(bytes, &said) || !said.credential_id.ptr)
		return;

	BUG_IF(said.credential_id.ptr < bytes.ptr ||
	       said.public_key.ptr + said.public_key.len > bytes.ptr + bytes.len);
	try_key(a, said.public_key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = { (const char *)data, size }, inner;
	struct arena *a = arena_new();

	if (attestation_read(bytes, &inner))
		try_data(a, inner);
	try_data(a, bytes);
	try_key(a, bytes);
	(void)webauthn_challenge(a, bytes, &inner);
	arena_free(a);

	return 0;
}
