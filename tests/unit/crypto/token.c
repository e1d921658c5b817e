#include "crypto/token.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(token, .init = begin, .fini = end);

Test(token, is_32_random_bytes_as_base64url)
{
	char one[TOKEN_TEXT_SIZE], other[TOKEN_TEXT_SIZE];
	struct str bytes;

	token_make(one);
	token_make(other);
	cr_assert_eq(strlen(one), TOKEN_TEXT_SIZE - 1);
	cr_assert_str_neq(one, other);
	cr_assert(str_unbase64url(arena, str_of(one), &bytes));
	cr_assert_eq(bytes.len, 32);
}

/* RFC 4231 section 4.3. */
Test(token, its_hash_is_hmac_sha256)
{
	struct token_hash hash;

	token_init("Jefe", NULL);
	token_hash(STR("what do ya want for nothing?"), &hash);
	cr_assert_str_eq(str_hex(arena, hash.bytes, sizeof(hash.bytes)),
			 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

Test(token, another_key_gives_another_hash)
{
	struct token_hash one, other, again;

	token_init("a key of thirty-two characters..", NULL);
	token_hash(STR("token"), &one);
	token_hash(STR("token"), &again);
	token_init("another key, of some more characters", NULL);
	token_hash(STR("token"), &other);
	cr_assert(secret_equal(&one, &again, sizeof(one)));
	cr_assert_not(secret_equal(&one, &other, sizeof(one)));
}

Test(token, the_hash_of_before_is_that_under_the_previous_key)
{
	struct token_hash then, now, before, mark, mark_then;

	token_init("a key of thirty-two characters..", NULL);
	token_hash(STR("token"), &then);
	token_mark(&mark_then);
	cr_assert_not(token_hash_before(STR("token"), &before));

	token_init("another key, of some more characters", "a key of thirty-two characters..");
	token_hash(STR("token"), &now);
	token_mark(&mark);
	cr_assert(token_hash_before(STR("token"), &before));
	cr_assert(secret_equal(&before, &then, sizeof(then)));
	cr_assert_not(secret_equal(&before, &now, sizeof(now)));
	cr_assert_not(secret_equal(&mark, &mark_then, sizeof(mark)));
}

/* FIPS 180-4, the examples of one block and of none. */
Test(token, sha256_is_the_standard_s)
{
	uint8_t digest[32];

	sha256(STR("abc"), digest);
	cr_assert_str_eq(str_hex(arena, digest, sizeof(digest)),
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256((struct str){ NULL, 0 }, digest);
	cr_assert_str_eq(str_hex(arena, digest, sizeof(digest)),
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(token, secrets_are_compared_whole_and_wiped_whole)
{
	char secret[] = "sixteen bytes ..";
	char zeros[sizeof(secret)] = { 0 };

	cr_assert(secret_equal(secret, "sixteen bytes ..", sizeof(secret)));
	cr_assert_not(secret_equal(secret, "sixteen bytes .!", sizeof(secret)));
	cr_assert_not(secret_equal(secret, "Sixteen bytes ..", sizeof(secret)));
	secret_wipe(secret, sizeof(secret));
	cr_assert_eq(memcmp(secret, zeros, sizeof(zeros)), 0);
}
