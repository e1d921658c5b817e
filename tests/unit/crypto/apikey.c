/* The text of API keys. */
#include "crypto/apikey.h"

#include <criterion/criterion.h>
#include <string.h>

Test(apikey, of_both_kinds_is_whole_and_never_the_same)
{
	char live[APIKEY_TEXT_SIZE], test[APIKEY_TEXT_SIZE], another[APIKEY_TEXT_SIZE];

	apikey_make(true, live);
	apikey_make(true, another);
	apikey_make(false, test);
	cr_expect(str_starts(str_of(live), "zk_live_"));
	cr_expect(str_starts(str_of(test), "zk_test_"));
	cr_expect_eq(strlen(live), APIKEY_TEXT_SIZE - 1);
	cr_expect(apikey_is_whole(str_of(live)));
	cr_expect(apikey_is_whole(str_of(test)));
	cr_expect_str_neq(live, another);
}

/* The checksum is zlib's CRC-32, so that a scanner of repositories can tell a key by itself. */
Test(apikey, has_the_checksum_that_others_compute)
{
	cr_expect(apikey_is_whole(STR("zk_live_0123456789ABCDEFGHIJKLMNOPQRSTUV2xkbNj")));
}

Test(apikey, with_any_character_changed_is_not_whole)
{
	char key[APIKEY_TEXT_SIZE];

	apikey_make(true, key);
	for (size_t i = 0; i < APIKEY_TEXT_SIZE - 1; i++) {
		char was = key[i];

		key[i] = was == 'a' ? 'b' : 'a';
		cr_expect_not(apikey_is_whole(str_of(key)), "%s", key);
		key[i] = was;
	}
	cr_expect(apikey_is_whole(str_of(key)));
}

Test(apikey, is_nothing_else_that_comes_as_one)
{
	static const char *const others[] = {
		"", "zk_", "zk_live_", "zk_live_4fGh", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
	};
	char key[APIKEY_TEXT_SIZE + 1];

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		cr_expect_not(apikey_is_whole(str_of(others[i])), "%s", others[i]);

	apikey_make(false, key);
	cr_expect_not(apikey_is_whole((struct str){ key, APIKEY_TEXT_SIZE - 2 }));
	memcpy(key + APIKEY_TEXT_SIZE - 1, "0", 2);
	cr_expect_not(apikey_is_whole(str_of(key)));
}

Test(apikey, uses_every_digit)
{
	bool seen[128] = { 0 };
	char key[APIKEY_TEXT_SIZE];
	size_t n = 0;

	for (int i = 0; i < 200; i++) {
		apikey_make(true, key);
		for (size_t k = 8; k < 40; k++)
			seen[(unsigned char)key[k] % 128] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		n += seen[i];
	cr_expect_eq(n, 62, "%zu different ones", n);
}
