/* A WebAuthn device made of OpenSSL: see device.h. */
#include "support/device.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "crypto/token.h"

#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#define FLAGS_TOUCHED 0x05 /* user present, user verified */
#define FLAG_ATTESTED 0x40

static EVP_PKEY *make_key(int algorithm)
{
	if (algorithm == -7)
		return EVP_EC_gen("P-256");
	if (algorithm == -257)
		return EVP_RSA_gen(2048);

	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

void device_init(struct device *d, struct arena *a, int algorithm)
{
	char *challenge = arena_alloc(a, 32);

	random_bytes(challenge, 32);
	*d = (struct device){
		.arena = a,
		.key = make_key(algorithm),
		.algorithm = algorithm,
		.rp_id = "example.com",
		.origin = "https://app.example.com",
		.challenge = { challenge, 32 },
		.id = "a-device",
		.flags = FLAGS_TOUCHED,
		.sign_count = 1,
	};
	cr_assert(d->key);
}

void device_done(struct device *d)
{
	EVP_PKEY_free(d->key);
}

struct str device_client_data(const struct device *d, const char *type)
{
	return str_of(arena_printf(
		d->arena,
		"{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\",\"crossOrigin\":false}",
		type, str_base64url(d->arena, d->challenge.ptr, d->challenge.len), d->origin));
}

/*
 * CBOR, as much as a device writes
 */

static void head(struct buf *b, unsigned major, size_t n)
{
	if (n < 24) {
		buf_char(b, (char)(major << 5 | n));
	} else if (n < 256) {
		buf_char(b, (char)(major << 5 | 24));
		buf_char(b, (char)n);
	} else {
		buf_char(b, (char)(major << 5 | 25));
		buf_char(b, (char)(n >> 8));
		buf_char(b, (char)n);
	}
}

static void number(struct buf *b, int v)
{
	head(b, v < 0 ? 1U : 0U, (size_t)(v < 0 ? -1 - v : v));
}

static void bytes(struct buf *b, const void *p, size_t n)
{
	head(b, 2, n);
	buf_add(b, p, n);
}

static void text(struct buf *b, const char *s)
{
	head(b, 3, strlen(s));
	buf_str(b, s);
}

static void parameter(struct buf *b, const struct device *d, int label, const char *name)
{
	unsigned char out[512];
	BIGNUM *n = NULL;
	int len;

	cr_assert(EVP_PKEY_get_bn_param(d->key, name, &n));
	len = d->algorithm == -7 ? BN_bn2binpad(n, out, 32) : BN_bn2bin(n, out);
	BN_free(n);
	number(b, label);
	bytes(b, out, (size_t)len);
}

static void public_key(struct buf *b, const struct device *d)
{
	unsigned char raw[32];
	size_t len = sizeof(raw);

	head(b, 5, d->algorithm == -7 ? 5 : 4);
	number(b, 1);
	number(b, d->algorithm == -7 ? 2 : d->algorithm == -8 ? 1 : 3);
	number(b, 3);
	number(b, d->algorithm);
	if (d->algorithm == -257) {
		parameter(b, d, -1, OSSL_PKEY_PARAM_RSA_N);
		parameter(b, d, -2, OSSL_PKEY_PARAM_RSA_E);
		return;
	}
	number(b, -1);
	number(b, d->algorithm == -7 ? 1 : 6);
	if (d->algorithm == -7) {
		parameter(b, d, -2, OSSL_PKEY_PARAM_EC_PUB_X);
		parameter(b, d, -3, OSSL_PKEY_PARAM_EC_PUB_Y);
		return;
	}
	cr_assert(EVP_PKEY_get_raw_public_key(d->key, raw, &len));
	number(b, -2);
	bytes(b, raw, len);
}

struct str device_authenticator_data(const struct device *d, bool is_attested)
{
	uint8_t hash[32];
	struct buf b;

	buf_init(&b, d->arena, KIB(4));
	sha256(str_of(d->rp_id), hash);
	buf_add(&b, hash, sizeof(hash));
	buf_char(&b, (char)(d->flags | (is_attested ? FLAG_ATTESTED : 0)));
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_char(&b, (char)(d->sign_count >> shift));
	if (is_attested) {
		buf_add(&b, "0123456789abcdef", 16); /* AAGUID */
		buf_add(&b, "\0\x08", 2);
		buf_add(&b, d->id, 8);
		public_key(&b, d);
	}

	return buf_view(&b);
}

struct str device_attestation(const struct device *d)
{
	struct str data = device_authenticator_data(d, true);
	struct buf b;

	buf_init(&b, d->arena, KIB(4));
	head(&b, 5, 3);
	text(&b, "fmt");
	text(&b, "none");
	text(&b, "attStmt");
	head(&b, 5, 0);
	text(&b, "authData");
	bytes(&b, data.ptr, data.len);

	return buf_view(&b);
}

struct str device_sign(const struct device *d, struct str authenticator_data,
		       struct str client_data)
{
	const EVP_MD *digest = d->algorithm == -8 ? NULL : EVP_sha256();
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = 512;
	unsigned char *signature = arena_alloc(d->arena, len);
	uint8_t hash[32];
	struct buf b;

	sha256(client_data, hash);
	buf_init(&b, d->arena, KIB(8));
	buf_add(&b, authenticator_data.ptr, authenticator_data.len);
	buf_add(&b, hash, sizeof(hash));
	cr_assert(EVP_DigestSignInit(c, NULL, digest, NULL, d->key));
	cr_assert(EVP_DigestSign(c, signature, &len, (const unsigned char *)b.data, b.len));
	EVP_MD_CTX_free(c);

	return (struct str){ (const char *)signature, len };
}
