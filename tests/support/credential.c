/*
 * Tokens through src/crypto/jws; forgeries by taking a good token apart.
 */
#define ZYGO_MAY_ALLOCATE
#include "support/credential.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/str.h"
#include "crypto/jws.h"
#include "crypto/seal.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

/*
 * The server's key
 */

static struct str unhex(const char *hex)
{
	size_t len = strlen(hex) / 2;
	char *bytes = arena_alloc(world_arena(), len);

	cr_assert(str_unhex(str_of(hex), bytes, len));
	return (struct str){ bytes, len };
}

/* The one that signs now, its private half opened. */
static struct jws_key server_key(void)
{
	struct jws_key key = { .signs = true };
	const char *kid, *sealed;
	struct str pem;

	kid = database_value(
		"SELECT kid FROM signing_keys "
		"WHERE signs_from <= now() AND (retires_at IS NULL OR retires_at > now()) "
		"ORDER BY signs_from DESC LIMIT 1",
		NULL);
	cr_assert(kid && strlen(kid) < sizeof(key.kid), "the server has made no signing key");
	memcpy(key.kid, kid, strlen(kid) + 1);

	sealed = database_value(
		"SELECT encode(private_sealed, 'hex') FROM signing_keys WHERE kid = $1", kid, NULL);
	cr_assert(unseal(world_arena(), unhex(sealed), str_of(strf("signing_keys:%s", kid)), &pem),
		  "the signing key is not sealed under this ENCRYPTION_KEY");
	key.private_pem = strndup(pem.ptr, pem.len);
	key.public_pem = strdup(
		database_value("SELECT public_pem FROM signing_keys WHERE kid = $1", kid, NULL));
	return key;
}

/* From now on tokens are signed with this key, as that issuer. */
static void sign_with(const struct jws_key *key, const char *issuer, const char *audience)
{
	jws_keys_set(key, 1, issuer, audience);
}

static void sign_as_the_server(void)
{
	static bool done;
	struct jws_key key;

	if (done)
		return;
	world();
	key = server_key();
	sign_with(&key, config()->jwt_issuer, config()->jwt_audience);
	done = true;
}

/* After a forgery that needed another key or name. */
static void sign_as_the_server_again(void)
{
	struct jws_key key = server_key();

	sign_with(&key, config()->jwt_issuer, config()->jwt_audience);
}

/*
 * Honest tokens
 */

static const char *sign(const struct caller *c, int64_t issued_s, int64_t expires_s)
{
	const char *token = jws_sign(world_arena(), &(struct claims){ .account = c->account,
								      .session = c->session,
								      .tenant = c->tenant,
								      .issued_s = issued_s,
								      .expires_s = expires_s });

	cr_assert(token, "no token could be signed");
	return token;
}

static const char *sign_now(const struct caller *c)
{
	int64_t now_s = clock_now_us() / US_PER_S;

	return sign(c, now_s, now_s + config()->jwt_expires_us / US_PER_S);
}

const char *credential_sign(const struct caller *c)
{
	sign_as_the_server();
	return sign_now(c);
}

const char *credential_expired(const struct caller *c)
{
	int64_t now_s = clock_now_us() / US_PER_S;

	sign_as_the_server();
	return sign(c, now_s - 7200, now_s - 3600);
}

/*
 * Forgeries
 */

static const char *base64url(const char *text)
{
	return str_base64url(world_arena(), text, strlen(text));
}

/* Cuts a token at its dots. */
static void take_apart(const char *token, struct str ret[3])
{
	struct str rest = str_of(token);

	for (size_t i = 0; i < 3; i++)
		ret[i] = str_cut(&rest, '.');
}

static const char *header(const char *alg)
{
	struct jws_key key = server_key();
	const char *text = strf("{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg, key.kid);

	jws_key_done(&key);
	return base64url(text);
}

/* Says that no signature is needed (RFC 7519 section 6). */
static const char *unsigned_token(const struct caller *c)
{
	struct str part[3];

	take_apart(credential_sign(c), part);
	return strf("%s.%.*s.", header("none"), STR_FMT(part[1]));
}

/* HS256 with the public key's text as secret: what libjwt alone would believe. */
static const char *public_key_as_secret(const struct caller *c)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len = 0;
	struct jws_key key = server_key();
	struct str part[3];
	const char *said;

	take_apart(credential_sign(c), part);
	said = strf("%s.%.*s", header("HS256"), STR_FMT(part[1]));
	HMAC(EVP_sha256(), key.public_pem, (int)strlen(key.public_pem), (const unsigned char *)said,
	     strlen(said), mac, &mac_len);
	jws_key_done(&key);
	return strf("%s.%s", said, str_base64url(world_arena(), mac, mac_len));
}

/* Signed rightly, as somebody else: with another key, from another issuer, for another audience. */
static const char *sign_otherwise(const struct caller *c, bool own_key, const char *kid,
				  const char *issuer, const char *audience)
{
	struct jws_key key;
	const char *token;

	if (own_key) {
		key = server_key();
	} else {
		jws_key_make(&key);
		key.signs = true;
		if (kid)
			memcpy(key.kid, kid, strlen(kid) + 1);
	}
	sign_with(&key, issuer, audience);
	token = sign_now(c);
	sign_as_the_server_again();
	return token;
}

static const char *own_key_under_our_name(const struct caller *c)
{
	struct jws_key key = server_key();
	const char *kid = strf("%s", key.kid);

	jws_key_done(&key);
	return sign_otherwise(c, false, kid, config()->jwt_issuer, config()->jwt_audience);
}

static const char *unknown_key(const struct caller *c)
{
	return sign_otherwise(c, false, NULL, config()->jwt_issuer, config()->jwt_audience);
}

static const char *another_issuer(const struct caller *c)
{
	return sign_otherwise(c, true, NULL, "https://elsewhere.example.com",
			      config()->jwt_audience);
}

static const char *another_audience(const struct caller *c)
{
	return sign_otherwise(c, true, NULL, config()->jwt_issuer, "elsewhere");
}

/* The signature of other claims: those of a session that is somebody else's. */
static const char *changed_claims(const struct caller *c)
{
	struct caller other = caller_outsider();
	struct str mine[3], theirs[3];

	take_apart(credential_sign(c), mine);
	take_apart(other.token, theirs);
	return strf("%.*s.%.*s.%.*s", STR_FMT(mine[0]), STR_FMT(mine[1]), STR_FMT(theirs[2]));
}

static const char *without_signature(const struct caller *c)
{
	struct str part[3];

	take_apart(credential_sign(c), part);
	return strf("%.*s.%.*s.", STR_FMT(part[0]), STR_FMT(part[1]));
}

static const char *two_parts(const struct caller *c)
{
	struct str part[3];

	take_apart(credential_sign(c), part);
	return strf("%.*s.%.*s", STR_FMT(part[0]), STR_FMT(part[1]));
}

static const char *words(UNUSED const struct caller *c)
{
	return "let-me-in";
}

static const char *session_cookie(const struct caller *c)
{
	return c->cookie;
}

static const char *too_long(UNUSED const struct caller *c)
{
	return strf("%0*d", JWS_TOKEN_MAX + 1, 7);
}

const struct forgery forgeries[] = {
	{ "alg none", unsigned_token },
	{ "HS256 with the public key", public_key_as_secret },
	{ "another key under our kid", own_key_under_our_name },
	{ "a key that we do not know", unknown_key },
	{ "another issuer", another_issuer },
	{ "another audience", another_audience },
	{ "another token's signature", changed_claims },
	{ "no signature", without_signature },
	{ "two parts", two_parts },
	{ "words", words },
	{ "the session's cookie", session_cookie },
	{ "a token that is too long", too_long },
	{ NULL, NULL },
};
