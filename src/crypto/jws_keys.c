/*
 * The keys that tokens are signed with: made and published with OpenSSL, kept as PEM because libjwt
 * wants that. With a P-256 key of our own making none of OpenSSL's calls here can fail but for want
 * of memory.
 */
#include "crypto/jws_impl.h"

#include "base/jsonwrite.h"
#include "base/str.h"
#include "crypto/token.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <string.h>

#define P256_BYTES 32 /* of one coordinate */
#define P256_TEXT_SIZE                                                                             \
	sodium_base64_ENCODED_LEN(P256_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

static struct jws_set set;

static void pkeyp(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void biop(BIO **p)
{
	BIO_free(*p);
}

/* What was written to the BIO, as a string on the heap. */
static char *bio_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = len > 0 ? strndup(data, (size_t)len) : NULL;

	BUG_IF(!text);
	return text;
}

static char *private_pem(EVP_PKEY *key)
{
	_cleanup_(biop) BIO *bio = BIO_new(BIO_s_secmem());

	BUG_IF(!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	return bio_text(bio);
}

static char *public_pem(EVP_PKEY *key)
{
	_cleanup_(biop) BIO *bio = BIO_new(BIO_s_mem());

	BUG_IF(!bio || !PEM_write_bio_PUBKEY(bio, key));
	return bio_text(bio);
}

void jws_key_make(struct jws_key *ret)
{
	_cleanup_(pkeyp) EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t id[16];

	BUG_IF(!key);
	random_bytes(id, sizeof(id));

	*ret = (struct jws_key){ .private_pem = private_pem(key), .public_pem = public_pem(key) };
	sodium_bin2hex(ret->kid, sizeof(ret->kid), id, sizeof(id));
}

void jws_key_take(struct jws_key *ret, const char *kid, struct str private, struct str public)
{
	*ret = (struct jws_key){
		.private_pem = private.len ? strndup(private.ptr, private.len) : NULL,
		.public_pem = strndup(public.ptr, public.len),
	};
	BUG_IF(!ret->public_pem || (private.len && !ret->private_pem));
	BUG_IF(strlen(kid) >= sizeof(ret->kid));
	memcpy(ret->kid, kid, strlen(kid) + 1);
}

void jws_key_done(struct jws_key *k)
{
	if (!k)
		return;

	if (k->private_pem)
		secret_wipe(k->private_pem, strlen(k->private_pem));
	free(k->private_pem);
	free(k->public_pem);
	*k = (struct jws_key){ 0 };
}

void jws_keys_set(const struct jws_key *keys, size_t n, const char *issuer, const char *audience)
{
	BUG_IF(n > JWS_KEYS_MAX);

	for (size_t i = 0; i < set.len; i++)
		jws_key_done(&set.keys[i]);

	set = (struct jws_set){ .len = n, .issuer = issuer, .audience = audience };
	for (size_t i = 0; i < n; i++)
		set.keys[i] = keys[i];
	jws_forget_all();
}

const struct jws_set *jws_set(void)
{
	return &set;
}

const struct jws_key *jws_key_by_kid(struct str kid)
{
	for (size_t i = 0; i < set.len; i++) {
		if (str_is(kid, set.keys[i].kid))
			return &set.keys[i];
	}

	return NULL;
}

const struct jws_key *jws_key_that_signs(void)
{
	for (size_t i = 0; i < set.len; i++) {
		if (set.keys[i].signs && set.keys[i].private_pem)
			return &set.keys[i];
	}

	return NULL;
}

bool jws_can_sign(void)
{
	return jws_key_that_signs() != NULL;
}

/* One coordinate of the public point, as RFC 7518 section 6.2.1 writes it. */
static void write_coordinate(struct jsonwrite *w, const char *name, EVP_PKEY *key,
			     const char *param)
{
	BIGNUM *bn = NULL;
	uint8_t bytes[P256_BYTES];
	char text[P256_TEXT_SIZE];

	BUG_IF(!EVP_PKEY_get_bn_param(key, param, &bn));
	BUG_IF(BN_bn2binpad(bn, bytes, sizeof(bytes)) != sizeof(bytes));
	BN_free(bn);

	sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	jsonwrite_member_text(w, name, text);
}

static void write_jwk(struct jsonwrite *w, const struct jws_key *k)
{
	_cleanup_(biop) BIO *bio = BIO_new_mem_buf(k->public_pem, -1);
	_cleanup_(pkeyp) EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BUG_IF(!key);

	jsonwrite_object(w);
	jsonwrite_member_text(w, "kty", "EC");
	jsonwrite_member_text(w, "crv", "P-256");
	jsonwrite_member_text(w, "use", "sig");
	jsonwrite_member_text(w, "alg", "ES256");
	jsonwrite_member_text(w, "kid", k->kid);
	write_coordinate(w, "x", key, OSSL_PKEY_PARAM_EC_PUB_X);
	write_coordinate(w, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y);
	jsonwrite_object_end(w);
}

void jws_write_jwks(struct jsonwrite *w)
{
	jsonwrite_object(w);
	jsonwrite_key(w, "keys");
	jsonwrite_array(w);
	for (size_t i = 0; i < set.len; i++)
		write_jwk(w, &set.keys[i]);
	jsonwrite_array_end(w);
	jsonwrite_object_end(w);
}
