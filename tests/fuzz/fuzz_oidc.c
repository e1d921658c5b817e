/*
 * Any bytes as what a provider says. The first chooses what they are:
 *
 *	o  the answers of one that speaks OpenID Connect, in the order they are asked for: its
 *document, the tokens, its keys, its userinfo g  GitHub's: the token, the user, the emails k  a key
 *set and an ID token c  the claims of an ID token, which is signed here, so that what stands behind
 *the signature is reached
 *
 * Answers are parted by a byte 0x1e. Whoever is believed has a subject, and an address if an email
 *is believed.
 */
#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/str.h"
#include "crypto/idtoken.h"
#include "identity/oauth_providers.h"
#include "net/fetch.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <string.h>

#define PARTED    '\x1e'
#define NOW       INT64_C(1700000000)
#define DOCUMENTS 8 /* that oauth_document.c keeps */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_fetch(struct ctx *c, const struct fetch *f, struct fetched *ret);

static struct str answers; /* what is left of them */

/* In place of the network (Makefile.am): the next answer, or {} for a document that only drives out
 * another. */
int __wrap_fetch(struct ctx *c, const struct fetch *f, struct fetched *ret)
{
	bool is_filler = strstr(f->url, "filler") != NULL;
	struct str body = is_filler ? STR("{}") : str_cut(&answers, PARTED);

	if (!body.ptr)
		return fail(c, ERR_BAD_GATEWAY, NULL, NULL);
	*ret = (struct fetched){ .status = 200, .body = { str_dup(c->arena, body), body.len } };

	return OK;
}

/* What a run has kept would be found by the next. */
static void forget_documents(struct ctx *c)
{
	const struct json *document;

	for (int i = 0; i < DOCUMENTS; i++)
		BUG_IF(oauth_document(c, arena_printf(c->arena, "https://filler.test/%d", i), true,
				      &document));
}

static void try_provider(struct ctx *c, const struct oauth_speech *speech, struct str said)
{
	const struct oauth_provider p = { "fuzz",   "Fuzz",   "https://issuer.test",
					  "client", "secret", "openid email",
					  speech };
	const struct oauth_code code = { "code", "verifier", "nonce",
					 "https://here.test/callback" };
	struct oauth_person person;
	const char *url;

	answers = said;
	forget_documents(c);
	if (speech->find_authorization(c, &p, &url) == OK)
		BUG_IF(!url);
	(void)speech->check_issuer(c, &p, "https://issuer.test");
	(void)speech->check_issuer(c, &p, NULL);
	if (speech->identify(c, &p, &code, &person) != OK)
		return;
	BUG_IF(!person.subject || !*person.subject);
	BUG_IF(person.email && !strchr(person.email, '@'));
}

static void try_token(struct arena *a, struct str token, const struct json *jwks)
{
	const struct id_token_wanted wanted = { "https://issuer.test", "client", "nonce", NOW };
	struct id_token said;
	const char *why = NULL;

	if (id_token_read(a, token, jwks, &wanted, &said, &why) == ID_TOKEN_GOOD)
		BUG_IF(why || !said.subject || !*said.subject);
	else
		BUG_IF(!why);
}

static void try_keys(struct arena *a, struct str said)
{
	struct str set = str_cut(&said, PARTED);
	const struct json *jwks;
	const char *why;
	size_t at;

	if (said.ptr && jsonread_parse(a, set, &jwks, &why, &at))
		try_token(a, said, jwks);
}

/*
 * Claims
 */

static EVP_PKEY *key;

static const char *coordinate(struct arena *a, const char *name)
{
	unsigned char bytes[32];
	BIGNUM *bn = NULL;

	BUG_IF(!EVP_PKEY_get_bn_param(key, name, &bn));
	BUG_IF(BN_bn2binpad(bn, bytes, sizeof(bytes)) != sizeof(bytes));
	BN_free(bn);

	return str_base64url(a, bytes, sizeof(bytes));
}

static const struct json *key_set(struct arena *a)
{
	const struct json *jwks;
	const char *why;
	size_t at;

	if (!key)
		key = EVP_EC_gen("P-256");
	BUG_IF(!key);
	BUG_IF(!jsonread_parse(
		a,
		str_of(arena_printf(
			a,
			"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}]}",
			coordinate(a, OSSL_PKEY_PARAM_EC_PUB_X),
			coordinate(a, OSSL_PKEY_PARAM_EC_PUB_Y))),
		&jwks, &why, &at));

	return jwks;
}

/* r and s side by side, as JOSE has them. */
static const char *signature_of(struct arena *a, const char *text)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	unsigned char der[256], raw[64];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *pair;

	BUG_IF(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) != 1);
	BUG_IF(EVP_DigestSign(digest, der, &len, (const unsigned char *)text, strlen(text)) != 1);
	EVP_MD_CTX_free(digest);
	pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	BUG_IF(!pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32);
	ECDSA_SIG_free(pair);

	return str_base64url(a, raw, sizeof(raw));
}

static void try_claims(struct arena *a, struct str claims)
{
	const struct json *jwks = key_set(a);
	const char *header = str_base64url(a, "{\"alg\":\"ES256\"}", 15);
	const char *text =
		arena_printf(a, "%s.%s", header, str_base64url(a, claims.ptr, claims.len));

	try_token(a, str_of(arena_printf(a, "%s.%s", text, signature_of(a, text))), jwks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config settings = { .oauth_github_api_url = "https://api.issuer.test" };
	static struct arena *a;
	struct str said = { (const char *)data + 1, size - 1 };
	struct ctx c;

	if (!a) {
		a = arena_new();
		config_set(&settings);
	}
	if (!size)
		return 0;
	arena_reset(a);
	ctx_reset(&c, a);
	switch (data[0]) {
	case 'o': try_provider(&c, &oauth_openid, said); break;
	case 'g': try_provider(&c, &oauth_github, said); break;
	case 'k': try_keys(a, said); break;
	case 'c': try_claims(a, said); break;
	default: break;
	}

	return 0;
}
