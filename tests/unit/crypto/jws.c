#define ZYGO_MAY_ALLOCATE
#include "crypto/jws.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"

#include <criterion/criterion.h>
#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#define ISSUER   "https://api.example.com"
#define AUDIENCE "zygo"

static struct arena *arena;
static struct jws_key foreign; /* a good key, but not ours */
static const char *public_pem, *private_pem, *kid;

static void set_new_key(void)
{
	struct jws_key key;

	jws_key_make(&key);
	key.signs = true;
	public_pem = arena_strdup(arena, key.public_pem);
	private_pem = arena_strdup(arena, key.private_pem);
	kid = arena_strdup(arena, key.kid);
	jws_keys_set(&key, 1, ISSUER, AUDIENCE);
}

static void begin(void)
{
	arena = arena_new();
	jws_key_make(&foreign);
	set_new_key();
}

static void end(void)
{
	jws_keys_set(NULL, 0, NULL, NULL);
	jws_key_done(&foreign);
	arena_free(arena);
}

TestSuite(jws, .init = begin, .fini = end);

static int64_t now_s(void)
{
	return clock_now_us() / US_PER_S;
}

static struct claims claims_of_ann(void)
{
	return (struct claims){ .account = { uuid_v7() },
				.session = { uuid_v7() },
				.tenant = { uuid_v7() },
				.issued_s = now_s(),
				.expires_s = now_s() + 900 };
}

static bool verifies(const char *token)
{
	struct claims claims;
	bool expired;

	return jws_verify(arena, str_of(token), &claims, &expired);
}

/* A token of our claims with one thing about it changed, made by libjwt as any signer would. */
struct forgery {
	const char *what;
	jwt_alg_t alg;
	const char *key;           /* PEM; NULL: ours, private */
	const char *kid;           /* NULL: ours */
	const char *claim, *value; /* this one instead; value NULL: left out */
	int64_t issued_in_s, expires_in_s;
};

static const char *forge(const struct forgery *f)
{
	char account[UUID_TEXT_SIZE];
	const char *key = f->key ? f->key : private_pem;
	const char *token;
	jwt_t *jwt;
	char *text;

	uuid_format(uuid_v7(), account);
	cr_assert_eq(jwt_new(&jwt), 0);
	cr_assert_eq(jwt_set_alg(jwt, f->alg, f->alg ? (const unsigned char *)key : NULL,
				 f->alg ? (int)strlen(key) : 0),
		     0);
	jwt_add_header(jwt, "kid", f->kid ? f->kid : kid);
	jwt_add_grant(jwt, "iss", ISSUER);
	jwt_add_grant(jwt, "aud", AUDIENCE);
	jwt_add_grant(jwt, "sub", account);
	jwt_add_grant_int(jwt, "iat", now_s() + f->issued_in_s);
	jwt_add_grant_int(jwt, "exp", now_s() + f->expires_in_s);
	if (f->claim) {
		jwt_del_grants(jwt, f->claim);
		if (f->value)
			jwt_add_grant(jwt, f->claim, f->value);
	}
	text = jwt_encode_str(jwt);
	cr_assert_not_null(text, "%s", f->what);
	token = arena_strdup(arena, text);
	free(text);
	jwt_free(jwt);

	return token;
}

Test(jws, a_token_says_again_what_was_signed)
{
	struct claims in = claims_of_ann(), out;
	const char *token = jws_sign(arena, &in);
	bool expired = true;

	/* Twice: verified, then remembered. */
	for (int i = 0; i < 2; i++) {
		cr_assert(jws_verify(arena, str_of(token), &out, &expired));
		cr_assert_not(expired);
		cr_assert(uuid_eq(in.account.u, out.account.u));
		cr_assert(uuid_eq(in.session.u, out.session.u));
		cr_assert(uuid_eq(in.tenant.u, out.tenant.u));
		cr_assert_eq(in.issued_s, out.issued_s);
		cr_assert_eq(in.expires_s, out.expires_s);
	}
}

Test(jws, ids_that_are_nil_are_left_out)
{
	struct claims in = claims_of_ann(), out;
	bool expired;

	in.session.u = in.tenant.u = (struct uuid){ 0 };
	cr_assert(jws_verify(arena, str_of(jws_sign(arena, &in)), &out, &expired));
	cr_assert(uuid_is_nil(out.session.u));
	cr_assert(uuid_is_nil(out.tenant.u));
}

/* The payload of a token, as a tree. */
static const struct json *payload_of(const char *token)
{
	struct str rest = str_of(token), text;
	const struct json *payload;
	const char *why;
	size_t at;

	(void)str_cut(&rest, '.');
	cr_assert(str_unbase64url(arena, str_cut(&rest, '.'), &text));
	cr_assert(jsonread_parse(arena, text, &payload, &why, &at));
	return payload;
}

Test(jws, role_permissions_and_extra_claims_are_in_the_payload)
{
	const struct str permissions[] = { STR("canViewUsers"), STR("canManageUsers") };
	struct claims in = claims_of_ann();
	const struct json *payload, *value;

	in.role = "admin";
	in.permissions = permissions;
	in.permissions_len = ARRAY_LEN(permissions);
	in.extra = STR("{\"plan\":\"pro\",\"sub\":\"somebody else\",\"nbf\":1}");
	payload = payload_of(jws_sign(arena, &in));

	cr_assert(jsonread_member(payload, "role", &value) &&
		  str_is(jsonread_string(value), "admin"));
	cr_assert(jsonread_member(payload, "plan", &value) &&
		  str_is(jsonread_string(value), "pro"));
	cr_assert(jsonread_member(payload, "permissions", &value));
	cr_assert_eq(jsonread_len(value), 2);
	cr_assert(str_is(jsonread_string(jsonread_at(value, 1)), "canManageUsers"));
	cr_assert(jsonread_member(payload, "jti", &value));
	cr_assert(jsonread_member(payload, "sub", &value) && jsonread_string(value).len == 36);
	cr_assert_not(jsonread_member(payload, "nbf", &value));
}

Test(jws, an_extra_tenant_cannot_stand_in_for_none)
{
	struct claims in = claims_of_ann(), out;
	bool expired;

	in.tenant.u = (struct uuid){ 0 };
	in.extra = STR("{\"tid\":\"018f0000-0000-7000-8000-000000000001\"}");
	cr_assert(jws_verify(arena, str_of(jws_sign(arena, &in)), &out, &expired));
	cr_assert(uuid_is_nil(out.tenant.u));
}

Test(jws, claims_that_do_not_fit_are_not_signed)
{
	struct claims in = claims_of_ann();
	char *extra = arena_alloc(arena, 5001);

	memset(extra, ' ', 5000);
	memcpy(extra, "{\"note\":\"", 9);
	memset(extra + 9, 'x', 4980);
	memcpy(extra + 4989, "\"}", 2);
	in.extra = (struct str){ extra, 4991 };
	cr_assert_null(jws_sign(arena, &in));
	in.extra = STR("[\"not an object\"]");
	cr_assert_null(jws_sign(arena, &in));
}

Test(jws, without_a_signing_key_nothing_is_signed)
{
	struct claims in = claims_of_ann();
	struct jws_key key = { .public_pem = strdup(public_pem) };

	jws_keys_set(&key, 1, ISSUER, AUDIENCE);
	cr_assert_null(jws_sign(arena, &in));
}

Test(jws, an_honest_token_of_libjwt_is_accepted)
{
	struct forgery honest = { "honest", JWT_ALG_ES256, .expires_in_s = 900 };

	cr_assert(verifies(forge(&honest)));
}

Test(jws, forgeries_are_refused)
{
	const struct forgery rows[] = {
		{ "no signature", JWT_ALG_NONE, .expires_in_s = 900 },
		{ "HMAC under the public key", JWT_ALG_HS256, .key = public_pem,
		  .expires_in_s = 900 },
		{ "longer HMAC under the public key", JWT_ALG_HS512, .key = public_pem,
		  .expires_in_s = 900 },
		{ "another's key", JWT_ALG_ES256, .key = foreign.private_pem, .expires_in_s = 900 },
		{ "kid unknown", JWT_ALG_ES256, .kid = foreign.kid, .expires_in_s = 900 },
		{ "kid empty", JWT_ALG_ES256, .kid = "", .expires_in_s = 900 },
		{ "another audience", JWT_ALG_ES256, NULL, NULL, "aud", "elsewhere", 0, 900 },
		{ "no audience", JWT_ALG_ES256, NULL, NULL, "aud", NULL, 0, 900 },
		{ "another issuer", JWT_ALG_ES256, NULL, NULL, "iss", "https://evil.example", 0,
		  900 },
		{ "no issuer", JWT_ALG_ES256, NULL, NULL, "iss", NULL, 0, 900 },
		{ "subject is no id", JWT_ALG_ES256, NULL, NULL, "sub", "admin", 0, 900 },
		{ "no subject", JWT_ALG_ES256, NULL, NULL, "sub", NULL, 0, 900 },
		{ "session is no id", JWT_ALG_ES256, NULL, NULL, "sid", "x", 0, 900 },
		{ "tenant is no id", JWT_ALG_ES256, NULL, NULL, "tid", "x", 0, 900 },
		{ "no expiry", JWT_ALG_ES256, NULL, NULL, "exp", NULL, 0, 900 },
		{ "expiry is text", JWT_ALG_ES256, NULL, NULL, "exp", "9999999999", 0, 900 },
		{ "no time of issue", JWT_ALG_ES256, NULL, NULL, "iat", NULL, 0, 900 },
		{ "issued in the future", JWT_ALG_ES256, .issued_in_s = JWS_LEEWAY_S + 5,
		  .expires_in_s = 900 },
		{ "over", JWT_ALG_ES256, .issued_in_s = -900, .expires_in_s = -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(verifies(forge(&rows[i])), "%s", rows[i].what);
}

/* header.payload.signature with the parts given; signed by nobody or by ours over other text. */
static const char *assemble(const char *header_json, const char *rest)
{
	return arena_printf(arena, "%s.%s", str_base64url(arena, header_json, strlen(header_json)),
			    rest);
}

Test(jws, headers_that_ask_for_something_else_are_refused)
{
	struct claims in = claims_of_ann();
	const char *rest = strchr(jws_sign(arena, &in), '.') + 1;
	const char *headers[] = {
		"",
		"{}",
		"[]",
		"null",
		"not json",
		arena_printf(arena, "{\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":null,\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":\"none\",\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":\"nOnE\",\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":\"es256\",\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":[\"ES256\"],\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"%s\"}", kid),
		arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":[\"%s\"]}", kid),
		arena_printf(arena, "{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"kid\":\"%s\"}", kid),
		"{\"alg\":\"ES256\"}",
	};

	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		cr_expect_not(verifies(assemble(headers[i], rest)), "%s", headers[i]);
}

Test(jws, texts_that_are_not_exactly_a_token_are_refused)
{
	struct claims in = claims_of_ann();
	const char *token = jws_sign(arena, &in);
	const char *texts[] = {
		"",
		".",
		"..",
		"...",
		"garbage",
		"a.b.c",
		arena_printf(arena, "%s.", token),
		arena_printf(arena, "%s.e30", token),
		arena_printf(arena, ".%s", token),
		arena_printf(arena, "%s=", token),
		arena_printf(arena, "%s ", token),
		arena_printf(arena, " %s", token),
		arena_printf(arena, "%s\n", token),
		arena_printf(arena, "%sAA", token),
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_not(verifies(texts[i]), "\"%s\"", texts[i]);
	cr_assert(verifies(token));
}

Test(jws, every_truncation_is_refused)
{
	struct claims in = claims_of_ann();
	const char *token = jws_sign(arena, &in);

	for (size_t len = 0; len < strlen(token); len++)
		cr_expect_not(verifies(arena_strndup(arena, token, len)), "%zu bytes", len);
}

Test(jws, every_changed_character_is_refused)
{
	struct claims in = claims_of_ann();
	const char *token = jws_sign(arena, &in);

	for (size_t i = 0; i < strlen(token); i++) {
		char *changed = arena_strdup(arena, token);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		cr_expect_not(verifies(changed), "character %zu", i);
	}
}

Test(jws, a_token_with_a_nul_inside_is_refused)
{
	struct claims in = claims_of_ann(), out;
	const char *token = jws_sign(arena, &in);
	size_t len = strlen(token);
	char *longer = arena_alloc(arena, len + 4);
	bool expired;

	memcpy(longer, token, len);
	cr_assert_not(jws_verify(arena, (struct str){ longer, len + 4 }, &out, &expired));
}

Test(jws, a_token_longer_than_the_bound_is_refused)
{
	char *text = arena_alloc(arena, JWS_TOKEN_MAX + 2);

	memset(text, 'A', JWS_TOKEN_MAX + 1);
	cr_assert_not(verifies(text));
	cr_assert_not(jws_has_kid(arena, str_of(text)));
}

Test(jws, an_expired_token_says_so_also_when_it_is_remembered)
{
	struct claims in = claims_of_ann(), out;
	const char *seen = jws_sign(arena, &in);
	const char *unseen = jws_sign(arena, &in);
	struct forgery forged = { "over", JWT_ALG_ES256, .key = foreign.private_pem,
				  .expires_in_s = -1 };
	bool expired;

	cr_assert(verifies(seen));
	clock_shift(900 * US_PER_S);
	cr_assert_not(jws_verify(arena, str_of(seen), &out, &expired));
	cr_assert(expired);
	cr_assert_not(jws_verify(arena, str_of(unseen), &out, &expired));
	cr_assert(expired);
	cr_assert_not(jws_verify(arena, str_of(forge(&forged)), &out, &expired));
	cr_assert_not(expired, "what is forged is not called expired");
	clock_shift(-900 * US_PER_S);
}

Test(jws, a_new_key_set_forgets_what_the_old_one_verified)
{
	struct claims in = claims_of_ann();
	const char *token = jws_sign(arena, &in);

	cr_assert(verifies(token));
	cr_assert(jws_has_kid(arena, str_of(token)));
	set_new_key();
	cr_assert_not(verifies(token));
	cr_assert_not(jws_has_kid(arena, str_of(token)));
}

Test(jws, both_keys_of_a_rotation_verify_and_the_new_one_signs)
{
	struct claims in = claims_of_ann();
	const char *before = jws_sign(arena, &in);
	struct jws_key keys[2] = { { .public_pem = strdup(public_pem) } };

	memcpy(keys[0].kid, kid, strlen(kid) + 1);
	jws_key_make(&keys[1]);
	keys[1].signs = true;
	jws_keys_set(keys, 2, ISSUER, AUDIENCE);

	cr_assert(verifies(before));
	cr_assert(verifies(jws_sign(arena, &in)));
}

Test(jws, more_tokens_than_are_remembered_still_verify)
{
	struct claims in = claims_of_ann();
	const char *first = jws_sign(arena, &in);

	cr_assert(verifies(first));
	for (int i = 0; i < 64; i++)
		cr_assert(verifies(jws_sign(arena, &in)));
	cr_assert(verifies(first));
}

/* The document that jws_write_jwks() writes, as a tree. */
static const struct json *jwks(void)
{
	struct buf out;
	struct jsonwrite w;
	const struct json *document;
	const char *why;
	size_t at;

	buf_init(&out, arena, KIB(16));
	jsonwrite_init(&w, &out);
	jws_write_jwks(&w);
	cr_assert(jsonread_parse(arena, buf_view(&out), &document, &why, &at), "%s", why);
	return document;
}

static struct str member(const struct json *object, const char *name)
{
	const struct json *value;

	cr_assert(jsonread_member(object, name, &value), "%s", name);
	return jsonread_string(value);
}

static EVP_PKEY *key_of_jwk(const struct json *jwk)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	unsigned char point[65] = { 4 }; /* uncompressed */
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;
	struct str x, y;

	cr_assert(str_unbase64url(arena, member(jwk, "x"), &x) && x.len == 32);
	cr_assert(str_unbase64url(arena, member(jwk, "y"), &y) && y.len == 32);
	memcpy(point + 1, x.ptr, 32);
	memcpy(point + 33, y.ptr, 32);
	OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	params = OSSL_PARAM_BLD_to_param(bld);
	cr_assert_eq(EVP_PKEY_fromdata_init(ctx), 1);
	cr_assert_eq(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);

	return key;
}

/* Verifies as a foreign consumer does, with OpenSSL alone. */
static bool openssl_verifies(EVP_PKEY *key, const char *token)
{
	const char *dot = strrchr(token, '.');
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	struct str raw;
	int len, ok;

	cr_assert(str_unbase64url(arena, str_of(dot + 1), &raw) && raw.len == 64);
	ECDSA_SIG_set0(sig, BN_bin2bn((const unsigned char *)raw.ptr, 32, NULL),
		       BN_bin2bn((const unsigned char *)raw.ptr + 32, 32, NULL));
	len = i2d_ECDSA_SIG(sig, &der);
	EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key);
	ok = EVP_DigestVerify(md, der, (size_t)len, (const unsigned char *)token,
			      (size_t)(dot - token));
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(md);

	return ok == 1;
}

Test(jws, the_published_key_verifies_a_token_and_says_nothing_private)
{
	struct claims in = claims_of_ann();
	const char *token = jws_sign(arena, &in);
	const struct json *keys, *jwk, *private_part;
	EVP_PKEY *key;

	cr_assert(jsonread_member(jwks(), "keys", &keys));
	cr_assert_eq(jsonread_len(keys), 1);
	jwk = jsonread_at(keys, 0);
	cr_assert(str_is(member(jwk, "kty"), "EC"));
	cr_assert(str_is(member(jwk, "crv"), "P-256"));
	cr_assert(str_is(member(jwk, "alg"), "ES256"));
	cr_assert(str_is(member(jwk, "use"), "sig"));
	cr_assert(str_is(member(jwk, "kid"), kid));
	cr_assert_not(jsonread_member(jwk, "d", &private_part));

	key = key_of_jwk(jwk);
	cr_assert(openssl_verifies(key, token));
	set_new_key();
	cr_assert_not(openssl_verifies(key, jws_sign(arena, &in)));
	EVP_PKEY_free(key);
}
