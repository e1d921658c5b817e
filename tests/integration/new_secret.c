/*
 * A new JWT_SECRET: what is kept as a hash under the old one, and is not to be void with it.
 */
#include "base/config.h"
#include "crypto/token.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>

#define NEW_SECRET "JWT_SECRET=the-secret-that-comes-after-the-one-that-leaked"

/* A host that has the new one, and knows of the old. */
static const char *new_site(const char *name)
{
	const char *previous = strf("JWT_SECRET_PREVIOUS=%s", config()->jwt_secret);

	return site_start(name, (const char *[]){ NEW_SECRET, previous, NULL });
}

static struct caller at(struct caller c, const char *url)
{
	c.url = url;
	return c;
}

/* Who uses one while both are there has it after, on hosts with the old secret alone, too. */
Test(new_secret, keeps_the_api_keys_that_are_used_meanwhile)
{
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_API);
	struct caller used = with_api_key(ann, api_key_make(ann.tenant, ann.user, "canViewUsers"));
	struct caller unused =
		with_api_key(ann, api_key_make(ann.tenant, ann.user, "canViewUsers"));
	struct caller there = at(used, new_site("both"));

	for (int i = 0; i < 2; i++)
		answer_is(get(&there, "/users"), 200);
	answer_is(get(&used, "/users"), 200);
	site_stop("both");

	there = at(used, site_start("new", (const char *[]){ NEW_SECRET, NULL }));
	answer_is(get(&there, "/users"), 200);
	unused = at(unused, there.url);
	answer_is_error(get(&unused, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	site_stop("new");
}

/* The older secret of a rotated key ends when it was to end, under whichever hash. */
Test(new_secret, lengthens_no_key)
{
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_API);
	struct caller key = with_api_key(ann, api_key_make(ann.tenant, ann.user, "canViewUsers"));

	database_run(
		"UPDATE api_key_secrets SET expires_at = now() + interval '1 hour' WHERE tenant_id = $1::uuid",
		id_text(ann.tenant.u), NULL);
	key.url = new_site("both");
	answer_is(get(&key, "/users"), 200);
	cr_assert_eq(
		database_number("SELECT count(*) FROM api_key_secrets WHERE tenant_id = $1::uuid"
				" AND expires_at < now() + interval '1 hour'",
				id_text(ann.tenant.u), NULL),
		2);
	site_stop("both");
}

static const char *with_code(const char *code)
{
	return strf("{\"code\":\"%s\"}", code);
}

Test(new_secret, keeps_recovery_codes)
{
	struct person p = person_sign_up();
	struct caller c = p.caller;
	struct token_hash hash;

	token_hash(STR("ABCDEFGHIJKL"), &hash);
	database_run("UPDATE accounts SET mfa_enabled = true WHERE id = $1::uuid",
		     id_text(c.account.u), NULL);
	database_run(
		"INSERT INTO recovery_codes (account_id, code_hash) VALUES ($1::uuid, decode($2, 'hex'))",
		id_text(c.account.u), str_hex(world_arena(), hash.bytes, sizeof(hash.bytes)), NULL);
	c.url = new_site("both");
	answer_is_error(post(&c, "/mfa/step-up", with_code("ABCD-EFGH-IJKM")), 401,
			"AUTH_MFA_INVALID", NULL);
	answer_is(post(&c, "/mfa/step-up", with_code("ABCD-EFGH-IJKL")), 204);
	answer_is_error(post(&c, "/mfa/step-up", with_code("ABCD-EFGH-IJKL")), 401,
			"AUTH_MFA_INVALID", NULL);
	site_stop("both");
}

Test(new_secret, is_told_by_doctor)
{
	const char *argv[] = { world()->binary, "doctor", NULL };
	struct caller ann = caller(ROLE_ADMIN);
	struct str said;

	(void)api_key_make(ann.tenant, ann.user, "canViewUsers");
	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	said = world_run(argv, NULL);
	cr_assert(strstr(strf("%.*s", STR_FMT(said)), "under JWT_SECRET alone"));
	(void)setenv("JWT_SECRET_PREVIOUS", config()->jwt_secret, 1);
	said = world_run(argv, NULL);
	cr_assert(strstr(strf("%.*s", STR_FMT(said)), "end with JWT_SECRET_PREVIOUS"), "%.*s",
		  STR_FMT(said));
}
