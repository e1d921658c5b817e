#include "crypto/password.h"

#include "base/base.h"
#include "base/clock.h"

#include <criterion/criterion.h>
#include <string.h>

/* Made by libsodium with m = 8 MiB, t = 1, for "correct horse". */
static const char weak_hash[] =
	"$argon2id$v=19$m=8192,t=1,p=1$"
	"zY7BKNkAb3QldqchZb39RQ$05Cf0fP6arKB7LRD5lFXsFqMw5+UJaLtuOgEE3kc10c";

static const char *const common[] = {
#include "crypto/common_passwords.def"
};

Test(password, a_hash_verifies_its_password_and_no_other)
{
	char hash[PASSWORD_HASH_SIZE];

	password_hash(STR("correct horse"), hash);
	cr_assert(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0, "%s", hash);
	cr_assert(password_verify(STR("correct horse"), hash));
	cr_assert_not(password_verify(STR("correct horsf"), hash));
	cr_assert_not(password_verify(STR("correct hors"), hash));
	cr_assert_not(password_verify(STR(""), hash));
}

Test(password, two_hashes_of_one_password_differ)
{
	char one[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];

	password_hash(STR("correct horse"), one);
	password_hash(STR("correct horse"), other);
	cr_assert_str_neq(one, other);
}

Test(password, nobody_s_hash_matches_nothing_and_takes_as_long)
{
	char hash[PASSWORD_HASH_SIZE];
	int64_t started_us, with_us, without_us;

	password_hash(STR("correct horse"), hash);
	cr_assert_not(password_verify(STR("correct horse"), NULL));

	started_us = clock_monotonic_us();
	(void)password_verify(STR("wrong horse"), hash);
	with_us = clock_monotonic_us() - started_us;
	started_us = clock_monotonic_us();
	(void)password_verify(STR("wrong horse"), NULL);
	without_us = clock_monotonic_us() - started_us;

	/* A refusal without the work would be thousands of times faster. */
	cr_assert_gt(without_us * 10, with_us);
}

Test(password, a_hash_that_is_not_one_matches_nothing)
{
	cr_assert_not(password_verify(STR("correct horse"), ""));
	cr_assert_not(password_verify(STR("correct horse"), "$2b$12$abcdefghijklmnopqrstuu"));
	cr_assert_not(password_verify(STR("correct horse"), "$argon2id$v=19$m=19456,t=2,p=1$"));
}

Test(password, other_parameters_are_outdated)
{
	char hash[PASSWORD_HASH_SIZE];

	password_hash(STR("correct horse"), hash);
	cr_assert_not(password_is_outdated(hash));
	cr_assert(password_verify(STR("correct horse"), weak_hash));
	cr_assert(password_is_outdated(weak_hash));
}

Test(password, what_may_not_be_a_password)
{
	static const struct {
		const char *password, *email;
		const char *why; /* begins so; NULL: may be used */
	} rows[] = {
		{ "", NULL, "Password must be at least 8" },
		{ "1234567", NULL, "Password must be at least 8" },
		{ "äöüäöüä", NULL, "Password must be at least 8" }, /* 14 bytes, 7 characters */
		{ "äöüäöüäö", NULL, NULL },
		{ "password", NULL, "Password is too common" },
		{ "PassWord", NULL, "Password is too common" },
		{ "qwertyuiop", NULL, "Password is too common" },
		{ "Summer2024!", NULL, "Password is too common" },
		{ "!@#$%^&*", NULL, "Password is too common" },
		{ "zzzzzzzz", NULL, "Password is too common" },
		{ "zzzzzzzzq", NULL, NULL },
		{ "ann@example.com", "ann@example.com", "Password must not be your email" },
		{ "Ann@Example.com", "ann@example.com", "Password must not be your email" },
		{ "AnnSmith-Jones", "annsmith-jones@example.com",
		  "Password must not be your email" },
		{ "annsmith-jones2", "annsmith-jones@example.com", NULL },
		{ "annsmith-jones", "bob@example.com", NULL },
		{ "annsmith-jones", NULL, NULL },
		{ "correct horse battery", "ann@example.com", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = password_refused(str_of(rows[i].password), rows[i].email);

		if (!rows[i].why)
			cr_expect_null(why, "%s: %s", rows[i].password, why);
		else
			cr_expect(why && strncmp(why, rows[i].why, strlen(rows[i].why)) == 0,
				  "%s: %s", rows[i].password, why ? why : "may be used");
	}
}

Test(password, the_longest_has_128_characters)
{
	char text[2 * 129];

	for (size_t i = 0; i < 129; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2); /* é */

	cr_assert_null(password_refused((struct str){ text, sizeof(text) - 2 }, NULL));
	cr_assert_str_eq(password_refused((struct str){ text, sizeof(text) }, NULL),
			 "Password must be at most 128 characters");
}

Test(password, every_common_password_is_refused_in_either_case)
{
	char upper[64];

	cr_assert_gt(ARRAY_LEN(common), 1000);
	for (size_t i = 0; i < ARRAY_LEN(common); i++) {
		size_t len = strlen(common[i]);

		cr_expect(len >= 8 && len <= 32, "%s: 8 to 32 characters", common[i]);
		cr_expect(i == 0 || strcmp(common[i - 1], common[i]) < 0, "%s: out of order",
			  common[i]);
		for (size_t j = 0; j <= len && j < sizeof(upper); j++) {
			char ch = common[i][j];

			cr_expect_not(ch >= 'A' && ch <= 'Z', "%s: lower case only", common[i]);
			upper[j] = ch >= 'a' && ch <= 'z' ? (char)(ch - 0x20) : ch;
		}
		cr_expect_not_null(password_refused(str_of(common[i]), NULL), "%s", common[i]);
		cr_expect_not_null(password_refused(str_of(upper), NULL), "%s", upper);
	}
}
