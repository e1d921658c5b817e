/*
 * Opaque tokens and digests: HMAC by libsodium, whose keyed state is made once; plain SHA-256 by
 * OpenSSL, which uses the processor's instructions and so is right for bodies of a megabyte.
 */
#include "crypto/token.h"

#include "base/id.h"

#include <assert.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>

#define TOKEN_BYTES 32

static_assert(TOKEN_TEXT_SIZE ==
		      sodium_base64_ENCODED_LEN(TOKEN_BYTES,
						sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	      "the text of a token is base64url of its bytes");
static_assert(TOKEN_HASH_SIZE == crypto_auth_hmacsha256_BYTES, "the hash is an HMAC-SHA256");

/* HMAC after its key, before any data. */
static crypto_auth_hmacsha256_state keyed;
static bool ready;

void token_init(const char *secret)
{
	crypto_auth_hmacsha256_init(&keyed, (const unsigned char *)secret, strlen(secret));
	ready = true;
}

void token_make(char ret[TOKEN_TEXT_SIZE])
{
	uint8_t bytes[TOKEN_BYTES];

	random_bytes(bytes, sizeof(bytes));
	sodium_bin2base64(ret, TOKEN_TEXT_SIZE, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	secret_wipe(bytes, sizeof(bytes));
}

void token_hash(struct str token, struct token_hash *ret)
{
	crypto_auth_hmacsha256_state state = keyed;

	BUG_IF(!ready);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)token.ptr, token.len);
	crypto_auth_hmacsha256_final(&state, ret->bytes);
}

void sha256(struct str data, uint8_t ret[32])
{
	SHA256((const unsigned char *)data.ptr, data.len, ret);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

void secret_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}
