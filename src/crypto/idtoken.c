/* ID tokens: see idtoken.h. JSON by base/jsonread, keys and signatures by OpenSSL. */
#include "crypto/idtoken.h"

#include "base/arena.h"
#include "base/jsonread.h"
#include "crypto/webauthn_impl.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define TOKEN_MAX  KIB(16)
#define LEEWAY_S   60  /* between our clock and the provider's */
#define AGE_MAX_S  600 /* an ID token is read right after it was made */
#define ES256_HALF 32  /* bytes of r and of s */

/* A signature's algorithm, by its names in JOSE and COSE. */
static const struct algorithm {
	const char *jose, *key_type, *curve;
	int64_t cose, cose_type, cose_curve;
} algorithms[] = {
	{ "RS256", "RSA", NULL, -257, 3, 0 },
	{ "ES256", "EC", "P-256", -7, 2, 1 },
};

/* A token's three parts, the first two decoded. */
struct parts {
	const struct json *header, *claims;
	struct str signed_text; /* header and payload as they were sent */
	struct str signature;
};

static const char *text_of(const struct json *object, const char *name)
{
	return jsonread_member_text(object, name).ptr;
}

static bool is_text(const struct json *object, const char *name, const char *value)
{
	return str_is(str_of(text_of(object, name)), value);
}

static bool number_of(const struct json *object, const char *name, int64_t *ret)
{
	const struct json *j;

	return jsonread_member(object, name, &j) && json_kind(j) == JSON_INT &&
	       jsonread_i64(j, ret);
}

static bool read_object(struct arena *a, struct str part, const struct json **ret)
{
	struct str bytes;
	const char *why;
	size_t at;

	return str_unbase64url(a, part, &bytes) && jsonread_parse(a, bytes, ret, &why, &at) &&
	       json_kind(*ret) == JSON_OBJECT;
}

static bool split(struct arena *a, struct str token, struct parts *ret)
{
	struct str rest = token;
	struct str header = str_cut(&rest, '.');
	struct str payload = str_cut(&rest, '.');

	if (token.len > TOKEN_MAX || !payload.ptr || !rest.ptr)
		return false;
	ret->signed_text = (struct str){ token.ptr, header.len + 1 + payload.len };

	return read_object(a, header, &ret->header) && read_object(a, payload, &ret->claims) &&
	       str_unbase64url(a, rest, &ret->signature);
}

/*
 * Keys
 */

static const struct algorithm *algorithm_of_key(const struct json *jwk)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		const struct algorithm *g = &algorithms[i];

		if (is_text(jwk, "kty", g->key_type) &&
		    (!g->curve || is_text(jwk, "crv", g->curve)))
			return g;
	}

	return NULL;
}

/* The set's key that the header names, or its only one when it names none; not one that is for
 * something else. */
static const struct json *key_of(const struct json *jwks, const struct json *header)
{
	const char *kid = text_of(header, "kid");
	const struct json *keys, *found = NULL;

	if (json_kind(jwks) != JSON_OBJECT || !jsonread_member(jwks, "keys", &keys) ||
	    json_kind(keys) != JSON_ARRAY)
		return NULL;
	for (size_t i = 0; i < jsonread_len(keys); i++) {
		const struct json *jwk = jsonread_at(keys, i);

		if (json_kind(jwk) != JSON_OBJECT || !algorithm_of_key(jwk) ||
		    (text_of(jwk, "use") && !is_text(jwk, "use", "sig")) ||
		    (kid && !is_text(jwk, "kid", kid)))
			continue;
		if (found)
			return NULL; /* two would do: which one is not for the token to choose */
		found = jwk;
	}

	return found;
}

static bool bytes_of(struct arena *a, const struct json *jwk, const char *name, struct str *ret)
{
	const char *text = text_of(jwk, name);

	return text && str_unbase64url(a, str_of(text), ret);
}

static bool key_der(struct arena *a, const struct json *jwk, const struct algorithm *g,
		    struct str *ret)
{
	struct cose_key key = { .type = g->cose_type,
				.algorithm = g->cose,
				.curve = g->cose_curve };

	if (g->curve ? !bytes_of(a, jwk, "x", &key.x) || !bytes_of(a, jwk, "y", &key.y)
		     : !bytes_of(a, jwk, "n", &key.n) || !bytes_of(a, jwk, "e", &key.e))
		return false;

	return cose_key_der(a, &key, ret);
}

/*
 * Signatures
 */

static void pkeyp(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void digestp(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}

static void ecdsap(ECDSA_SIG **p)
{
	ECDSA_SIG_free(*p);
}

/* JOSE writes r and s side by side (RFC 7518 section 3.4), OpenSSL wants DER. */
static bool ecdsa_der(struct arena *a, struct str raw, struct str *ret)
{
	_cleanup_(ecdsap) ECDSA_SIG *pair = ECDSA_SIG_new();
	const unsigned char *bytes = (const unsigned char *)raw.ptr;
	unsigned char *der = NULL;
	int len;

	if (raw.len != 2 * ES256_HALF)
		return false;
	BUG_IF(!pair || !ECDSA_SIG_set0(pair, BN_bin2bn(bytes, ES256_HALF, NULL),
					BN_bin2bn(bytes + ES256_HALF, ES256_HALF, NULL)));
	len = i2d_ECDSA_SIG(pair, &der);
	BUG_IF(len <= 0);
	*ret = (struct str){ arena_strndup(a, (const char *)der, (size_t)len), (size_t)len };
	OPENSSL_free(der);

	return true;
}

static bool signature_is_right(struct arena *a, const struct parts *t, const struct json *jwk,
			       const struct algorithm *g)
{
	_cleanup_(digestp) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	_cleanup_(pkeyp) EVP_PKEY *key = NULL;
	struct str der, signature = t->signature;
	const unsigned char *at;
	bool is_right;

	if (!key_der(a, jwk, g, &der) || (g->curve && !ecdsa_der(a, t->signature, &signature)))
		return false;
	at = (const unsigned char *)der.ptr;
	key = d2i_PUBKEY(NULL, &at, (long)der.len);
	BUG_IF(!key || !digest);
	BUG_IF(EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key) != 1);
	is_right = EVP_DigestVerify(digest, (const unsigned char *)signature.ptr, signature.len,
				    (const unsigned char *)t->signed_text.ptr,
				    t->signed_text.len) == 1;
	ERR_clear_error();

	return is_right;
}

/*
 * Claims
 */

/* Ours alone, or ours among others and made for us. */
static bool is_for_us(const struct json *claims, const char *us)
{
	const struct json *aud;
	bool is_among = false;

	if (!jsonread_member(claims, "aud", &aud))
		return false;
	if (json_kind(aud) == JSON_STRING)
		return str_is(jsonread_string(aud), us);
	if (json_kind(aud) != JSON_ARRAY)
		return false;
	for (size_t i = 0; i < jsonread_len(aud); i++) {
		const struct json *one = jsonread_at(aud, i);

		is_among |= json_kind(one) == JSON_STRING && str_is(jsonread_string(one), us);
	}

	return is_among && (jsonread_len(aud) == 1 || is_text(claims, "azp", us));
}

static const char *refusal_of(const struct json *claims, const struct id_token_wanted *w)
{
	int64_t issued_s, expires_s;

	if (!is_text(claims, "iss", w->issuer))
		return "another issuer";
	if (!is_for_us(claims, w->audience))
		return "another audience";
	if (!is_text(claims, "nonce", w->nonce))
		return "another nonce";
	if (!number_of(claims, "exp", &expires_s) || expires_s <= w->now_s - LEEWAY_S)
		return "expired";
	if (!number_of(claims, "iat", &issued_s) || issued_s > w->now_s + LEEWAY_S ||
	    issued_s < w->now_s - AGE_MAX_S)
		return "not made just now";
	if (!text_of(claims, "sub") || !*text_of(claims, "sub"))
		return "no subject";

	return NULL;
}

static void read_claims(const struct json *claims, struct id_token *ret)
{
	const struct json *verified;

	*ret = (struct id_token){
		.subject = text_of(claims, "sub"),
		.email = text_of(claims, "email"),
		.given_name = text_of(claims, "given_name"),
		.family_name = text_of(claims, "family_name"),
	};
	ret->email_verified = jsonread_member(claims, "email_verified", &verified) &&
			      json_kind(verified) == JSON_BOOL && jsonread_bool(verified);
}

enum id_token_outcome id_token_read(struct arena *a, struct str token, const struct json *jwks,
				    const struct id_token_wanted *wanted, struct id_token *ret,
				    const char **ret_why)
{
	const struct algorithm *g;
	const struct json *jwk;
	struct parts t;

	*ret_why = "not a signed token";
	if (!split(a, token, &t) || jsonread_member(t.header, "crit", &jwk))
		return ID_TOKEN_REFUSED; /* "crit" names what we would have to understand */

	jwk = key_of(jwks, t.header);
	*ret_why = "an unknown key";
	if (!jwk)
		return ID_TOKEN_UNKNOWN_KEY;

	g = algorithm_of_key(jwk);
	*ret_why = "another algorithm than the key's";
	if (!is_text(t.header, "alg", g->jose) ||
	    (text_of(jwk, "alg") && !is_text(jwk, "alg", g->jose)))
		return ID_TOKEN_REFUSED;
	*ret_why = "a wrong signature";
	if (!signature_is_right(a, &t, jwk, g))
		return ID_TOKEN_REFUSED;

	*ret_why = refusal_of(t.claims, wanted);
	if (*ret_why)
		return ID_TOKEN_REFUSED;
	read_claims(t.claims, ret);

	return ID_TOKEN_GOOD;
}
