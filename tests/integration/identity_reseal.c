/*
 * `zygo keys reseal`, run as an admin does in the middle of a change of ENCRYPTION_KEY: with the
 * site's own as the new one, and as the previous one a key under which this test has sealed what it
 * put there.
 */
#include "base/config.h"
#include "base/str.h"
#include "crypto/seal.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PREVIOUS "5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f"

static void setup(void)
{
	uint8_t previous[32];

	(void)world();
	for (size_t i = 0; i < sizeof(previous); i++)
		previous[i] = i % 2 ? 0x1f : 0x5e;
	seal_init(previous);
}

TestSuite(reseal, .init = setup);

static const char *hex(struct str bytes)
{
	char *text = arena_alloc(world_arena(), bytes.len * 2 + 1);

	for (size_t i = 0; i < bytes.len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes.ptr[i]);

	return text;
}

static struct str unhex(const char *text)
{
	size_t n = strlen(text) / 2;
	char *bytes = arena_alloc(world_arena(), n + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)strtoul((char[]){ text[2 * i], text[2 * i + 1], '\0' }, NULL, 16);

	return (struct str){ bytes, n };
}

/* What the admin sees. Other tests' keys that open with nothing make it fail, so its status says
 * nothing here. */
static struct str run(void)
{
	const char *argv[] = { world()->binary, "keys", "reseal", NULL };
	int status;

	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	(void)setenv("ENCRYPTION_KEY_PREVIOUS", PREVIOUS, 1);

	return world_run(argv, &status);
}

/* Whether the value opens under the site's key alone. */
static bool is_anew(const char *sealed_hex, const char *aad)
{
	struct str plain;

	seal_init(config()->encryption_key);

	return unseal(world_arena(), unhex(sealed_hex), str_of(aad), &plain) &&
	       str_is(plain, "a secret");
}

/* One row of each kind, sealed under the previous key, and more of one than a page holds. */
Test(reseal, puts_everything_under_the_new_key)
{
	struct person ann = person_sign_up();
	const char *account = id_text(ann.caller.account.u), *job = id_text(uuid_v7());
	const char *aad = strf("totp_factors:%s", account);
	struct str of_job = seal(world_arena(), STR("a secret"), str_of(strf("jobs:%s", job)));
	struct str said;

	database_run(
		"INSERT INTO totp_factors (account_id, secret_sealed) VALUES ($1::uuid, decode($2, 'hex'))",
		account, hex(seal(world_arena(), STR("a secret"), str_of(aad))), NULL);
	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, max_attempts, is_private) "
		"VALUES (platform_tenant(), $1::uuid, 'email', 'account.signUp', "
		"jsonb_build_object('sealed', $2::text), 'failed', 1, true)",
		job, str_base64url(world_arena(), of_job.ptr, of_job.len), NULL);
	for (int i = 0; i < 201; i++) {
		const char *kid = strf("reseal-%03d-%.8s", i, job);

		database_run(
			"INSERT INTO signing_keys (kid, private_sealed, public_pem, signs_from, retires_at) "
			"VALUES ($1, decode($2, 'hex'), '', '2000-01-01', '2000-01-02')",
			kid,
			hex(seal(world_arena(), STR("a secret"),
				 str_of(strf("signing_keys:%s", kid)))),
			NULL);
	}

	said = run();
	cr_expect(memmem(said.ptr, said.len, "ENCRYPTION_KEY_PREVIOUS is needed until", 39), "%.*s",
		  STR_FMT(said));
	cr_expect(is_anew(
		database_value(
			"SELECT encode(secret_sealed, 'hex') FROM totp_factors WHERE account_id = $1::uuid",
			account, NULL),
		aad));
	cr_expect(is_anew(
		database_value(
			"SELECT encode(decode(rpad(t, (length(t) + 3) / 4 * 4, '='), 'base64'), 'hex') "
			"FROM jobs, translate(payload ->> 'sealed', '-_', '+/') AS t WHERE id = $1::uuid",
			job, NULL),
		strf("jobs:%s", job)));
	for (int i = 0; i < 201; i++) {
		const char *kid = strf("reseal-%03d-%.8s", i, job);

		cr_assert(
			is_anew(database_value(
					"SELECT encode(private_sealed, 'hex') FROM signing_keys WHERE kid = $1",
					kid, NULL),
				strf("signing_keys:%s", kid)),
			"%s", kid);
	}
	database_run("DELETE FROM signing_keys WHERE kid LIKE $1", strf("reseal-___-%.8s", job),
		     NULL);
	database_run("DELETE FROM jobs WHERE id = $1::uuid", job, NULL);
}

/* Broken off and run again, or run for nothing: what is done stays as it is. */
Test(reseal, passes_over_what_is_done)
{
	struct person ann = person_sign_up();
	const char *account = id_text(ann.caller.account.u), *first;
	static const char read[] =
		"SELECT encode(secret_sealed, 'hex') FROM totp_factors WHERE account_id = $1::uuid";

	database_run(
		"INSERT INTO totp_factors (account_id, secret_sealed) VALUES ($1::uuid, decode($2, 'hex'))",
		account,
		hex(seal(world_arena(), STR("a secret"), str_of(strf("totp_factors:%s", account)))),
		NULL);
	(void)run();
	first = database_value(read, account, NULL);
	(void)run();
	cr_assert_str_eq(database_value(read, account, NULL), first);
}

/* What neither key opens is counted, left alone, and fails the command. */
Test(reseal, leaves_what_does_not_open)
{
	const char *argv[] = { world()->binary, "keys", "reseal", NULL };
	const char *kid = strf("reseal-lost-%s", new_word());
	int status;

	database_run(
		"INSERT INTO signing_keys (kid, private_sealed, public_pem, signs_from, retires_at) "
		"VALUES ($1, '\\x0102', '', '2000-01-01', '2000-01-02')",
		kid, NULL);
	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	(void)world_run(argv, &status);
	cr_expect_eq(status, 1);
	cr_expect_str_eq(
		database_value(
			"SELECT encode(private_sealed, 'hex') FROM signing_keys WHERE kid = $1",
			kid, NULL),
		"0102");
	database_run("DELETE FROM signing_keys WHERE kid = $1", kid, NULL);
}
