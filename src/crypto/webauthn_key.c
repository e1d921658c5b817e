/*
 * Keys of WebAuthn, by OpenSSL: from COSE to a SubjectPublicKeyInfo, and signatures made with them.
 */
#include "crypto/webauthn_impl.h"

#include "base/arena.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

/* The IANA registry "COSE Algorithms", "COSE Key Types", "COSE Elliptic Curves". */
#define EDDSA         (-8)
#define ES256         (-7)
#define RS256         (-257)
#define TYPE_OKP      1
#define TYPE_EC2      2
#define TYPE_RSA      3
#define CURVE_P256    1
#define CURVE_ED25519 6

#define POINT_BYTES   32
#define RSA_BYTES_MIN 256 /* 2048 bits */
#define RSA_BYTES_MAX 512 /* a longer one would cost milliseconds at each log-in */

const int webauthn_algorithms[] = { EDDSA, ES256, RS256 };
const size_t webauthn_algorithms_len = ARRAY_LEN(webauthn_algorithms);

static void pkeyp(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void contextp(EVP_PKEY_CTX **p)
{
	EVP_PKEY_CTX_free(*p);
}

static void builderp(OSSL_PARAM_BLD **p)
{
	OSSL_PARAM_BLD_free(*p);
}

static void paramsp(OSSL_PARAM **p)
{
	OSSL_PARAM_free(*p);
}

static void bignump(BIGNUM **p)
{
	BN_free(*p);
}

static void digestp(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}

static const uint8_t *bytes_of(struct str s)
{
	return (const uint8_t *)s.ptr;
}

/*
 * From COSE
 */

/* NULL when the parameters are no key: a point beside the curve, for example. */
static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *builder)
{
	_cleanup_(paramsp) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	_cleanup_(contextp) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	BUG_IF(!params || !c || EVP_PKEY_fromdata_init(c) != 1);
	if (EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;

	return key;
}

static EVP_PKEY *key_of_curve(const struct cose_key *k)
{
	_cleanup_(builderp) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * POINT_BYTES] = { 4 }; /* uncompressed, SEC 1 section 2.3.3 */

	if (k->curve != CURVE_P256 || k->x.len != POINT_BYTES || k->y.len != POINT_BYTES)
		return NULL;

	memcpy(point + 1, k->x.ptr, POINT_BYTES);
	memcpy(point + 1 + POINT_BYTES, k->y.ptr, POINT_BYTES);
	BUG_IF(!builder);
	BUG_IF(!OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
						0));
	BUG_IF(!OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
						 sizeof(point)));

	return key_of("EC", builder);
}

static EVP_PKEY *key_of_rsa(const struct cose_key *k)
{
	_cleanup_(builderp) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	_cleanup_(bignump) BIGNUM *n = NULL;
	_cleanup_(bignump) BIGNUM *e = NULL;

	if (k->n.len < RSA_BYTES_MIN || k->n.len > RSA_BYTES_MAX || k->e.len == 0 || k->e.len > 4)
		return NULL;

	n = BN_bin2bn(bytes_of(k->n), (int)k->n.len, NULL);
	e = BN_bin2bn(bytes_of(k->e), (int)k->e.len, NULL);
	BUG_IF(!builder || !n || !e);
	BUG_IF(!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n));
	BUG_IF(!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e));

	return key_of("RSA", builder);
}

static EVP_PKEY *key_of_ed25519(const struct cose_key *k)
{
	if (k->curve != CURVE_ED25519 || k->x.len != POINT_BYTES)
		return NULL;

	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes_of(k->x), k->x.len);
}

static EVP_PKEY *key_of_cose(const struct cose_key *k)
{
	if (k->algorithm == ES256 && k->type == TYPE_EC2)
		return key_of_curve(k);
	if (k->algorithm == RS256 && k->type == TYPE_RSA)
		return key_of_rsa(k);
	if (k->algorithm == EDDSA && k->type == TYPE_OKP)
		return key_of_ed25519(k);

	return NULL;
}

bool cose_key_der(struct arena *a, const struct cose_key *k, struct str *ret)
{
	_cleanup_(pkeyp) EVP_PKEY *key = key_of_cose(k);
	unsigned char *der = NULL;
	int len;

	ERR_clear_error(); /* what was no key has left its reasons there */
	if (!key)
		return false;

	len = i2d_PUBKEY(key, &der);
	BUG_IF(len <= 0);
	*ret = (struct str){ arena_strndup(a, (const char *)der, (size_t)len), (size_t)len };
	OPENSSL_free(der);

	return true;
}

/*
 * Signatures
 */

/* EdDSA hashes by itself. */
static const EVP_MD *digest_of(int64_t algorithm)
{
	return algorithm == EDDSA ? NULL : EVP_sha256();
}

bool webauthn_signature_is_right(const struct webauthn_credential *c, struct str signature,
				 struct str first, const uint8_t second[WEBAUTHN_HASH_BYTES])
{
	const unsigned char *der = bytes_of(c->public_key);
	_cleanup_(pkeyp) EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)c->public_key.len);
	_cleanup_(digestp) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	size_t len = size_add(first.len, WEBAUTHN_HASH_BYTES);
	uint8_t data[KIB(8)];
	bool is_right;

	BUG_IF(!key || !digest);
	if (len > sizeof(data))
		return false;
	memcpy(data, first.ptr, first.len);
	memcpy(data + first.len, second, WEBAUTHN_HASH_BYTES);

	BUG_IF(EVP_DigestVerifyInit(digest, NULL, digest_of(c->algorithm), NULL, key) != 1);
	is_right = EVP_DigestVerify(digest, bytes_of(signature), signature.len, data, len) == 1;
	ERR_clear_error();

	return is_right;
}
