/* Webhooks' secrets and signatures, by libsodium: see whsec.h. */
#include "crypto/whsec.h"

#include "base/id.h"
#include "crypto/token.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PREFIX    "whsec_"
#define VERSION   "v1,"
#define BYTES_MIN 24 /* "between 24 bytes (192 bits) and 64 bytes (512 bits)" */
#define BYTES_MAX 64
#define BASE64    sodium_base64_VARIANT_ORIGINAL

static_assert(WHSEC_TEXT_SIZE ==
		      sizeof(PREFIX) - 1 + sodium_base64_ENCODED_LEN(WHSEC_BYTES, BASE64),
	      "the prefix and base64 of the bytes");
static_assert(WHSEC_SIGNATURE_SIZE ==
		      sizeof(VERSION) - 1 +
			      sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, BASE64),
	      "the version and base64 of the HMAC");

void whsec_make(char ret[WHSEC_TEXT_SIZE])
{
	uint8_t bytes[WHSEC_BYTES];
	size_t at = sizeof(PREFIX) - 1;

	memcpy(ret, PREFIX, at);
	random_bytes(bytes, sizeof(bytes));
	sodium_bin2base64(ret + at, WHSEC_TEXT_SIZE - at, bytes, sizeof(bytes), BASE64);
	secret_wipe(bytes, sizeof(bytes));
}

static bool read_secret(struct str text, uint8_t ret[BYTES_MAX], size_t *ret_len)
{
	size_t at = sizeof(PREFIX) - 1;

	return str_starts(text, PREFIX) &&
	       sodium_base642bin(ret, BYTES_MAX, text.ptr + at, text.len - at, NULL, ret_len, NULL,
				 BASE64) == 0 &&
	       *ret_len >= BYTES_MIN;
}

bool whsec_sign(struct str secret, struct str id, int64_t at_s, struct str body,
		char ret[WHSEC_SIGNATURE_SIZE])
{
	crypto_auth_hmacsha256_state state;
	uint8_t key[BYTES_MAX], mac[crypto_auth_hmacsha256_BYTES];
	char at[32];
	size_t len, prefix = sizeof(VERSION) - 1;

	if (!read_secret(secret, key, &len))
		return false;

	(void)snprintf(at, sizeof(at), ".%lld.", (long long)at_s);
	crypto_auth_hmacsha256_init(&state, key, len);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)id.ptr, id.len);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)at, strlen(at));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)body.ptr, body.len);
	crypto_auth_hmacsha256_final(&state, mac);
	memcpy(ret, VERSION, prefix);
	sodium_bin2base64(ret + prefix, WHSEC_SIGNATURE_SIZE - prefix, mac, sizeof(mac), BASE64);
	secret_wipe(key, sizeof(key));

	return true;
}
