/* ID tokens of a provider of the test's own: what is believed, and each way not to be. */
#include "crypto/idtoken.h"

#include "base/arena.h"
#include "base/jsonread.h"

#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <string.h>

#define NOW INT64_C(1700000000)

static struct arena *a;
static EVP_PKEY *rsa, *ec, *other;

static void begin(void)
{
	a = arena_new();
	rsa = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256");
	other = EVP_EC_gen("P-256");
}

static void end(void)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(other);
	arena_free(a);
}

TestSuite(idtoken, .init = begin, .fini = end);

static const char *number(EVP_PKEY *key, const char *name, int width)
{
	unsigned char bytes[512];
	BIGNUM *bn = NULL;
	int n;

	cr_assert(EVP_PKEY_get_bn_param(key, name, &bn));
	n = BN_bn2binpad(bn, bytes, width ? width : BN_num_bytes(bn));
	BN_free(bn);

	return str_base64url(a, bytes, (size_t)n);
}

static const struct json *parsed(const char *text)
{
	const struct json *j;
	const char *why;
	size_t at;

	cr_assert(jsonread_parse(a, str_of(text), &j, &why, &at), "%s: %s", text, why);

	return j;
}

/* Both keys, and one that is for something else. */
static const struct json *key_set(void)
{
	const char *x = number(ec, OSSL_PKEY_PARAM_EC_PUB_X, 32);
	const char *y = number(ec, OSSL_PKEY_PARAM_EC_PUB_Y, 32);

	return parsed(arena_printf(
		a,
		"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"%s\",\"e\":\"%s\",\"use\":\"sig\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"%s\",\"y\":\"%s\",\"alg\":\"ES256\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"enc\",\"use\":\"enc\",\"x\":\"%s\",\"y\":\"%s\"}]}",
		number(rsa, OSSL_PKEY_PARAM_RSA_N, 0), number(rsa, OSSL_PKEY_PARAM_RSA_E, 0), x, y,
		x, y));
}

static const char *encoded(const char *text)
{
	return str_base64url(a, text, strlen(text));
}

/* r and s side by side, as JOSE has them. */
static size_t raw_of(unsigned char *signature, size_t len)
{
	const unsigned char *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);

	cr_assert(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32);
	ECDSA_SIG_free(pair);

	return 64;
}

static const char *token_of(EVP_PKEY *key, const char *header, const char *claims)
{
	const char *text = arena_printf(a, "%s.%s", encoded(header), encoded(claims));
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	unsigned char signature[512];
	size_t len = sizeof(signature);

	cr_assert(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) == 1);
	cr_assert(EVP_DigestSign(digest, signature, &len, (const unsigned char *)text,
				 strlen(text)) == 1);
	EVP_MD_CTX_free(digest);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		len = raw_of(signature, len);

	return arena_printf(a, "%s.%s", text, str_base64url(a, signature, len));
}

static const char claims[] =
	"{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"n\",\"sub\":\"ann\",\"iat\":1700000000,"
	"\"exp\":1700000300,\"email\":\"ann@id.test\",\"email_verified\":true,\"given_name\":\"Ann\"}";
static const char es256[] = "{\"alg\":\"ES256\",\"kid\":\"e\"}";
static const char rs256[] = "{\"alg\":\"RS256\",\"kid\":\"r\"}";

static enum id_token_outcome read_token(const char *token, struct id_token *ret,
					const char **ret_why)
{
	static const struct id_token_wanted wanted = { "https://id.test", "us", "n", NOW };

	return id_token_read(a, str_of(token), key_set(), &wanted, ret, ret_why);
}

static void is_refused(const char *token, enum id_token_outcome outcome, const char *why)
{
	struct id_token said;
	const char *because;

	cr_assert_eq(read_token(token, &said, &because), outcome, "%s: %s", token, because);
	cr_assert_str_eq(because, why);
}

Test(idtoken, of_the_provider_are_believed)
{
	const char *tokens[] = { token_of(ec, es256, claims), token_of(rsa, rs256, claims) };

	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct id_token said;
		const char *why;

		cr_assert_eq(read_token(tokens[i], &said, &why), ID_TOKEN_GOOD, "%s", why);
		cr_assert_str_eq(said.subject, "ann");
		cr_assert_str_eq(said.email, "ann@id.test");
		cr_assert(said.email_verified);
		cr_assert_null(said.family_name);
	}
}

Test(idtoken, that_are_forged_are_refused)
{
	const char *good = token_of(ec, es256, claims), *last = strrchr(good, '.');
	const char *unsigned_text =
		arena_printf(a, "%s.%s.", encoded("{\"alg\":\"none\"}"), encoded(claims));
	const char *hs256 = arena_printf(a, "%s.%s", encoded("{\"alg\":\"HS256\",\"kid\":\"e\"}"),
					 encoded(claims));
	const char *x = number(ec, OSSL_PKEY_PARAM_EC_PUB_X, 32);
	unsigned char mac[32];

	HMAC(EVP_sha256(), x, (int)strlen(x), (const unsigned char *)hs256, strlen(hs256), mac,
	     NULL);

	is_refused(token_of(other, es256, claims), ID_TOKEN_REFUSED, "a wrong signature");
	is_refused(arena_printf(a, "%s.%s", hs256, str_base64url(a, mac, sizeof(mac))),
		   ID_TOKEN_REFUSED, "another algorithm than the key's");
	is_refused(unsigned_text, ID_TOKEN_UNKNOWN_KEY, "an unknown key"); /* two keys would do */
	is_refused(arena_printf(a, "%s.%s.", encoded("{\"alg\":\"none\",\"kid\":\"e\"}"),
				encoded(claims)),
		   ID_TOKEN_REFUSED, "another algorithm than the key's");
	is_refused(token_of(ec, "{\"alg\":\"ES256\",\"kid\":\"r\"}", claims), ID_TOKEN_REFUSED,
		   "another algorithm than the key's");
	is_refused(token_of(ec, "{\"alg\":\"ES256\",\"kid\":\"enc\"}", claims),
		   ID_TOKEN_UNKNOWN_KEY, "an unknown key");
	is_refused(token_of(ec, "{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[\"b64\"]}", claims),
		   ID_TOKEN_REFUSED, "not a signed token");
	is_refused(arena_strndup(a, good, (size_t)(last - good) + 9), ID_TOKEN_REFUSED,
		   "a wrong signature");
	is_refused("", ID_TOKEN_REFUSED, "not a signed token");
	is_refused("a.b.c", ID_TOKEN_REFUSED, "not a signed token");
	is_refused("....", ID_TOKEN_REFUSED, "not a signed token");
}

Test(idtoken, for_another_are_refused)
{
	static const struct {
		const char *claims, *why;
	} cases[] = {
		{ "{\"iss\":\"https://id.test/\"}", "another issuer" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"them\"}", "another audience" },
		{ "{\"iss\":\"https://id.test\",\"aud\":[\"them\",\"us\"]}", "another audience" },
		{ "{\"iss\":\"https://id.test\",\"aud\":[\"them\",\"us\"],\"azp\":\"them\"}",
		  "another audience" },
		{ "{\"iss\":\"https://id.test\",\"aud\":[]}", "another audience" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\"}", "another nonce" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"m\"}", "another nonce" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"n\"}", "expired" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"n\",\"exp\":1699999000}",
		  "expired" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"n\",\"exp\":1700000300,\"iat\":1600000000}",
		  "not made just now" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"n\",\"exp\":1700000300,\"iat\":1700009999}",
		  "not made just now" },
		{ "{\"iss\":\"https://id.test\",\"aud\":\"us\",\"nonce\":\"n\",\"exp\":1700000300,\"iat\":1700000000}",
		  "no subject" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		is_refused(token_of(ec, es256, cases[i].claims), ID_TOKEN_REFUSED, cases[i].why);
}
