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
static crypto_auth_hmacsha256_state keyed, keyed_before;
static bool ready, has_before;

static void key(crypto_auth_hmacsha256_state *state, const char *secret)
{
	crypto_auth_hmacsha256_init(state, (const unsigned char *)secret, strlen(secret));
}

void token_init(const char *secret, const char *previous)
{
	key(&keyed, secret);
	ready = true;
	has_before = previous != NULL;
	if (has_before)
		key(&keyed_before, previous);
}

void token_make(char ret[TOKEN_TEXT_SIZE])
{
	uint8_t bytes[TOKEN_BYTES];

	random_bytes(bytes, sizeof(bytes));
	sodium_bin2base64(ret, TOKEN_TEXT_SIZE, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	secret_wipe(bytes, sizeof(bytes));
}

static void hash(crypto_auth_hmacsha256_state state, struct str token, struct token_hash *ret)
{
	BUG_IF(!ready);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)token.ptr, token.len);
	crypto_auth_hmacsha256_final(&state, ret->bytes);
}

void token_hash(struct str token, struct token_hash *ret)
{
	hash(keyed, token, ret);
}

bool token_hash_before(struct str token, struct token_hash *ret)
{
	if (has_before)
		hash(keyed_before, token, ret);

	return has_before;
}

void token_mark(struct token_hash *ret)
{
	hash(keyed, STR("keyed_by"), ret);
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
