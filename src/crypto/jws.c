/*
 * Tokens: signs claims, and believes a token only when its header names one of our keys and that
 * key's algorithm, its signature is of that key, and its claims are from us, for us and of this
 * time. libjwt does the signature.
 */
#include "crypto/jws_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "crypto/token.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM       "ES256" /* of every key of ours, whatever a header says */
#define SIGNATURE_BYTES 64

/* Claims that only jws_sign() writes: an admin's extra claims cannot stand in for one that is
 * absent. */
static const char *const reserved[] = { "iss",         "aud", "sub", "sid", "tid", "role",
					"permissions", "imp", "iat", "nbf", "exp", "jti" };

static void jwtp(jwt_t **p)
{
	if (*p)
		jwt_free(*p);
}

/* ---- signing ---- */

static void write_id(struct jsonwrite *w, const char *name, struct uuid id)
{
	if (uuid_is_nil(id))
		return;
	jsonwrite_key(w, name);
	jsonwrite_uuid(w, &id);
}

/* The claims of ours as one JSON object. */
static const char *claims_json(struct arena *a, const struct claims *claims)
{
	struct buf out;
	struct jsonwrite w;

	buf_init(&out, a, JWS_TOKEN_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "iss", jws_set()->issuer);
	jsonwrite_member_text(&w, "aud", jws_set()->audience);
	write_id(&w, "sub", claims->account.u);
	write_id(&w, "sid", claims->session.u);
	write_id(&w, "tid", claims->tenant.u);
	write_id(&w, "imp", claims->impersonator.u);
	write_id(&w, "jti", uuid_v7());
	jsonwrite_member_i64(&w, "iat", claims->issued_s);
	jsonwrite_member_i64(&w, "exp", claims->expires_s);
	if (claims->role)
		jsonwrite_member_text(&w, "role", claims->role);
	jsonwrite_key(&w, "permissions");
	jsonwrite_array(&w);
	for (size_t i = 0; i < claims->permissions_len; i++)
		jsonwrite_str(&w, claims->permissions[i]);
	jsonwrite_array_end(&w);
	jsonwrite_object_end(&w);

	return out.overflow ? NULL : out.data;
}

static int add_claims(struct arena *a, jwt_t *jwt, const struct claims *claims)
{
	const char *ours = claims_json(a, claims);
	int err;

	if (!ours)
		return -1;

	if (claims->extra.len) {
		err = jwt_add_grants_json(jwt, str_dup(a, claims->extra));
		if (err)
			return err;
		for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
			jwt_del_grants(jwt, reserved[i]);
	}

	return jwt_add_grants_json(jwt, ours);
}

const char *jws_sign(struct arena *a, const struct claims *claims)
{
	const struct jws_key *key = jws_key_that_signs();
	_cleanup_(jwtp) jwt_t *jwt = NULL;
	const char *token;
	char *text;

	if (!key)
		return NULL;

	BUG_IF(jwt_new(&jwt) != 0);
	BUG_IF(jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)key->private_pem,
			   (int)strlen(key->private_pem)) != 0);
	BUG_IF(jwt_add_header(jwt, "kid", key->kid) != 0);
	if (add_claims(a, jwt, claims) != 0)
		return NULL;

	text = jwt_encode_str(jwt);
	BUG_IF(!text);
	token = strlen(text) <= JWS_TOKEN_MAX ? arena_strdup(a, text) : NULL;
	arena_holds_secret(a);
	secret_wipe(text, strlen(text));
	free(text);

	return token;
}

/* ---- verifying ---- */

/*
 * The key that a header (base64url) names; NULL when there is none, when another algorithm than the
 * key's is asked for, or when it says that extensions must be understood (RFC 7515 section 4.1.11:
 * we know none).
 */
static const struct jws_key *key_of_header(struct arena *a, struct str header)
{
	const struct json *object, *crit;
	struct str text, kid;
	const char *why;
	size_t at;

	if (!str_unbase64url(a, header, &text))
		return NULL;
	if (!jsonread_parse(a, text, &object, &why, &at) || json_kind(object) != JSON_OBJECT)
		return NULL;
	if (!str_is(jsonread_member_text(object, "alg"), ALGORITHM))
		return NULL;
	kid = jsonread_member_text(object, "kid");
	if (jsonread_member(object, "crit", &crit) || !kid.ptr)
		return NULL;

	return jws_key_by_kid(kid);
}

bool jws_has_kid(struct arena *a, struct str token)
{
	if (token.len > JWS_TOKEN_MAX)
		return false;
	return key_of_header(a, str_cut(&token, '.')) != NULL;
}

/*
 * Exactly three parts in the one form that base64url has for their bytes: libjwt skips what it does
 * not know, and then two texts would be one token.
 */
static const struct jws_key *key_of_token(struct arena *a, struct str token)
{
	struct str rest = token;
	struct str header = str_cut(&rest, '.');
	struct str payload = str_cut(&rest, '.');
	struct str bytes;

	if (!payload.ptr || !str_unbase64url(a, payload, &bytes))
		return NULL;
	if (!rest.ptr || !str_unbase64url(a, rest, &bytes) || bytes.len != SIGNATURE_BYTES)
		return NULL;

	return key_of_header(a, header);
}

/* A claim that is an id; absent is nil. False when it is something else. */
static bool read_id(jwt_t *jwt, const char *name, struct uuid *ret)
{
	const char *text = jwt_get_grant(jwt, name);

	*ret = (struct uuid){ 0 };
	return !text || uuid_parse(str_of(text), ret);
}

static bool grant_is(jwt_t *jwt, const char *name, const char *value)
{
	return str_is(str_of(jwt_get_grant(jwt, name)), value);
}

static bool read_claims(jwt_t *jwt, struct claims *ret)
{
	int64_t latest_s = clock_now_us() / US_PER_S + JWS_LEEWAY_S;
	struct claims c = { .issued_s = jwt_get_grant_int(jwt, "iat"),
			    .expires_s = jwt_get_grant_int(jwt, "exp") };

	if (!grant_is(jwt, "iss", jws_set()->issuer) || !grant_is(jwt, "aud", jws_set()->audience))
		return false;
	if (c.issued_s <= 0 || c.issued_s > latest_s || c.expires_s <= 0)
		return false;
	if (!read_id(jwt, "sub", &c.account.u) || uuid_is_nil(c.account.u))
		return false;
	if (!read_id(jwt, "sid", &c.session.u) || !read_id(jwt, "tid", &c.tenant.u))
		return false;

	*ret = c;
	return true;
}

static bool verify_anew(struct arena *a, struct str token, struct claims *ret)
{
	const struct jws_key *key = key_of_token(a, token);
	_cleanup_(jwtp) jwt_t *jwt = NULL;

	if (!key)
		return false;
	if (jwt_decode(&jwt, str_dup(a, token), (const unsigned char *)key->public_pem,
		       (int)strlen(key->public_pem)) != 0)
		return false;

	/* libjwt parsed the header itself: that it read the same algorithm is asked, not assumed.
	 */
	return jwt_get_alg(jwt) == JWT_ALG_ES256 && read_claims(jwt, ret);
}

bool jws_verify(struct arena *a, struct str token, struct claims *ret, bool *ret_expired)
{
	struct jws_digest digest;
	struct claims claims;
	bool known;

	*ret_expired = false;
	if (token.len > JWS_TOKEN_MAX)
		return false;

	sha256(token, digest.bytes);
	known = jws_recall(&digest, &claims);
	if (!known && !verify_anew(a, token, &claims))
		return false;

	*ret_expired = clock_now_us() / US_PER_S >= claims.expires_s;
	if (*ret_expired)
		return false;

	if (!known)
		jws_remember(&digest, &claims);
	*ret = claims;
	return true;
}
