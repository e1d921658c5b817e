/*
 * Keys that sign access tokens: a rotation, in this process with the servers' database; and how the
 * server learns of a key and forgets it. Other tests log in meanwhile, so the key that the server
 * signs with stays.
 */
#include "identity/keys.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "crypto/jws.h"
#include "db/conn.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/person.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;

static struct ctx *unit_of_work(void)
{
	static struct ctx c;

	if (!arena)
		arena = arena_new();
	ctx_reset(&c, arena);
	c.actor.kind = ACTOR_SYSTEM;

	return &c;
}

static const char *sign_for(const struct caller *who)
{
	int64_t now_s = clock_now_us() / US_PER_S;
	struct claims claims = {
		.account = who->account,
		.session = who->session,
		.tenant = who->tenant,
		.issued_s = now_s,
		.expires_s = now_s + 600,
	};

	return jws_sign(world_arena(), &claims);
}

static bool is_verified(const char *token)
{
	struct claims claims;
	bool is_expired;

	return jws_verify(world_arena(), str_of(token), &claims, &is_expired);
}

/*
 * A rotation
 */

/* Whatever a test did to the keys; the one that signs does so further on. */
static void put_back(const char *kid)
{
	database_run("DELETE FROM signing_keys WHERE kid = $1", kid, NULL);
	database_run("UPDATE signing_keys SET retires_at = NULL WHERE retires_at > now()", NULL);
	clock_shift(0);
}

Test(identity_keys, a_new_key_is_published_signs_later_and_the_old_one_still_verifies)
{
	struct caller nobody = { .account = { uuid_v7() }, .session = { uuid_v7() } };
	const char *by_old, *by_new, *kid;

	world();
	db_init("test");
	cr_assert_eq(keys_init(), 0);
	by_old = sign_for(&nobody);

	cr_assert_eq(keys_rotate(unit_of_work(), &kid), OK);
	kid = strf("%s", kid);
	keys_refresh(KEYS_AGE_NONE);
	cr_assert(jws_has_kid(world_arena(), str_of(by_old)));
	cr_assert(is_verified(by_old));
	cr_assert_eq(keys_rotate(unit_of_work(), &(const char *){ NULL }), ERR_RULE_VIOLATED,
		     "one rotation at a time");

	clock_shift(KEYS_LEAD_US + US_PER_S);
	keys_refresh(KEYS_AGE_VERIFY_US); /* its time has come: no age is young enough */
	by_new = sign_for(&nobody);
	cr_assert(is_verified(by_old));
	cr_assert(is_verified(by_new));

	database_run("UPDATE signing_keys SET retires_at = now() WHERE kid = $1", kid, NULL);
	keys_refresh(KEYS_AGE_NONE);
	cr_assert(!is_verified(by_new), "a retired key's token");
	cr_assert(is_verified(by_old));
	put_back(kid);
	db_done();
}

/*
 * The server
 */

/* A key that only this process can sign with. It is older than any, so that the server never does.
 */
static const char *plant_key(void)
{
	struct jws_key key;
	const char *kid;

	jws_key_make(&key);
	key.signs = true;
	kid = strf("%s", key.kid);
	database_run("INSERT INTO signing_keys (kid, private_sealed, public_pem, signs_from) "
		     "VALUES ($1, '', $2, '2000-01-01')",
		     key.kid, key.public_pem, NULL);
	jws_keys_set(&key, 1, config()->jwt_issuer, config()->jwt_audience);

	return kid;
}

static bool is_let_in(void *c)
{
	return get(c, "/projects").status == 200;
}

/* A token whose key nobody knows makes a worker look for it, and see what else has changed. */
static bool is_refused(void *c)
{
	struct caller stranger = *(struct caller *)c;

	stranger.token = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5vYm9keSJ9.e30.AAAA";
	answer_is(get(&stranger, "/projects"), 401);

	return get(c, "/projects").status == 401;
}

Test(identity_keys, the_server_learns_of_a_key_and_forgets_it)
{
	struct person ann = person_sign_up();
	struct caller usual = on_tier(ann.caller, TIER_API);
	const char *kid = plant_key();
	struct caller other = with_token(usual, sign_for(&usual));

	wait_until(is_let_in, &other, "a token of a new key is believed");
	answer_is(get(&usual, "/projects"), 200);

	database_run("UPDATE signing_keys SET retires_at = now() WHERE kid = $1", kid, NULL);
	wait_until(is_refused, &other, "a token of a retired key is refused");
	answer_is(get(&usual, "/projects"), 200);
	put_back(kid);
}

Test(identity_keys, all_that_verify_are_published)
{
	struct answer a = answer_is(
		answer_to(&(struct ask){ .method = "GET", .path = "/.well-known/jwks.json" }), 200);

	cr_assert_geq(answer_len(a, "keys"), 1);
	cr_assert_str_eq(answer_text(a, "keys.0.alg"), "ES256");
	cr_assert_str_eq(answer_text(a, "keys.0.kty"), "EC");
	cr_assert(!strstr(str_dup(world_arena(), a.body), "\"d\""), "no private half");
}
