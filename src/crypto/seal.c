/*
 * AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits: safe for 2^32 values under one key,
 * which is far more secrets than one installation holds.
 */
#include "crypto/seal.h"

#include "base/arena.h"
#include "base/id.h"
#include "crypto/token.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define VERSION     1
#define KEY_BYTES   32
#define NONCE_BYTES 12
#define TAG_BYTES   16
#define HEAD_BYTES  (1 + NONCE_BYTES)
#define PLAIN_MAX   MIB(16) /* what a value may have; OpenSSL counts in int */

/* The first seals; all open. */
static uint8_t keys[2][KEY_BYTES];
static size_t keys_len;

static void cipherp(EVP_CIPHER_CTX **p)
{
	EVP_CIPHER_CTX_free(*p);
}

void seal_init(const uint8_t key[32])
{
	memcpy(keys[0], key, sizeof(keys[0]));
	keys_len = 1;
}

void seal_also_open(const uint8_t key[32])
{
	BUG_IF(!keys_len);
	memcpy(keys[1], key, sizeof(keys[1]));
	keys_len = 2;
}

/* A cipher that has taken in key, nonce and aad; to encrypt or to decrypt. */
static EVP_CIPHER_CTX *cipher_new(const uint8_t *key, const uint8_t *nonce, struct str aad,
				  bool encrypt)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	int len;

	BUG_IF(!keys_len || !cipher || aad.len > INT_MAX);
	BUG_IF(!EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce, encrypt));
	BUG_IF(!EVP_CipherUpdate(cipher, NULL, &len, (const uint8_t *)aad.ptr, (int)aad.len));

	return cipher;
}

struct str seal(struct arena *a, struct str plain, struct str aad)
{
	_cleanup_(cipherp) EVP_CIPHER_CTX *cipher = NULL;
	size_t len = size_add(HEAD_BYTES + TAG_BYTES, plain.len);
	uint8_t *sealed = arena_alloc(a, len);
	uint8_t *text = sealed + HEAD_BYTES;
	int n;

	BUG_IF(plain.len > PLAIN_MAX);
	sealed[0] = VERSION;
	random_bytes(sealed + 1, NONCE_BYTES);

	cipher = cipher_new(keys[0], sealed + 1, aad, true);
	BUG_IF(!EVP_CipherUpdate(cipher, text, &n, (const uint8_t *)plain.ptr, (int)plain.len));
	BUG_IF(!EVP_CipherFinal_ex(cipher, text + plain.len, &n));
	BUG_IF(!EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, text + plain.len));
	arena_holds_secret(a);

	return (struct str){ (const char *)sealed, len };
}

static bool open_with(const uint8_t *key, struct arena *a, struct str sealed, struct str aad,
		      struct str *ret)
{
	_cleanup_(cipherp) EVP_CIPHER_CTX *cipher = NULL;
	uint8_t tag[TAG_BYTES];
	const uint8_t *bytes = (const uint8_t *)sealed.ptr;
	uint8_t *plain;
	size_t len;
	int n;

	if (sealed.len < HEAD_BYTES + TAG_BYTES || bytes[0] != VERSION)
		return false;

	len = sealed.len - HEAD_BYTES - TAG_BYTES;
	if (len > PLAIN_MAX)
		return false;

	plain = arena_alloc(a, len + 1); /* and a NUL, for what is text */
	arena_holds_secret(a);
	memcpy(tag, bytes + HEAD_BYTES + len, sizeof(tag));

	cipher = cipher_new(key, bytes + 1, aad, false);
	BUG_IF(!EVP_CipherUpdate(cipher, plain, &n, bytes + HEAD_BYTES, (int)len));
	BUG_IF(!EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag));
	if (EVP_CipherFinal_ex(cipher, plain + len, &n) != 1) {
		secret_wipe(plain, len); /* decrypted, but not what was sealed */
		return false;
	}

	*ret = (struct str){ (const char *)plain, len };
	return true;
}

bool unseal(struct arena *a, struct str sealed, struct str aad, struct str *ret)
{
	for (size_t i = 0; i < keys_len; i++)
		if (open_with(keys[i], a, sealed, aad, ret))
			return true;

	return false;
}

bool reseal(struct arena *a, struct str sealed, struct str aad, struct str *ret)
{
	struct str plain;

	if (open_with(keys[0], a, sealed, aad, &plain)) {
		*ret = (struct str){ NULL, 0 };
		return true;
	}
	if (!unseal(a, sealed, aad, &plain))
		return false;
	*ret = seal(a, plain, aad);

	return true;
}
