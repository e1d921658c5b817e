#include "crypto/seal.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t key[32] = "0123456789abcdef0123456789abcdef";
static const uint8_t other_key[32] = "0123456789abcdef0123456789abcdeF";

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
	seal_init(key);
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(seal, .init = begin, .fini = end);

Test(seal, what_was_sealed_opens)
{
	static const struct str plains[] = { { "", 0 },
					     { "s", 1 },
					     { "a\0b", 3 },
					     { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38 } };
	struct str plain;

	for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
		struct str sealed = seal(arena, plains[i], STR("secrets:1"));

		cr_assert_eq(sealed.len, 1 + 12 + plains[i].len + 16);
		cr_assert(unseal(arena, sealed, STR("secrets:1"), &plain), "row %zu", i);
		cr_assert(str_eq(plain, plains[i]), "row %zu", i);
	}
}

Test(seal, the_same_value_never_seals_to_the_same_bytes)
{
	struct str one = seal(arena, STR("value"), STR("place"));
	struct str other = seal(arena, STR("value"), STR("place"));

	cr_assert_not(str_eq(one, other));
}

Test(seal, a_value_moved_to_another_place_does_not_open)
{
	struct str sealed = seal(arena, STR("value"), STR("secrets:1"));
	struct str plain = STR("untouched");

	cr_assert_not(unseal(arena, sealed, STR("secrets:2"), &plain));
	cr_assert_not(unseal(arena, sealed, STR(""), &plain));
	cr_assert(str_is(plain, "untouched"));
}

Test(seal, another_key_does_not_open)
{
	struct str sealed = seal(arena, STR("value"), STR("place"));
	struct str plain;

	seal_init(other_key);
	cr_assert_not(unseal(arena, sealed, STR("place"), &plain));
}

Test(seal, a_change_of_any_bit_is_seen)
{
	struct str sealed = seal(arena, STR("a value of some bytes"), STR("place"));
	struct str plain;

	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		char *changed = arena_strndup(arena, sealed.ptr, sealed.len);

		changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
		cr_assert_not(
			unseal(arena, (struct str){ changed, sealed.len }, STR("place"), &plain),
			"bit %zu", bit);
	}
}

Test(seal, what_was_cut_does_not_open)
{
	struct str sealed = seal(arena, STR("value"), STR("place"));
	struct str plain;

	for (size_t len = 0; len < sealed.len; len++)
		cr_assert_not(unseal(arena, (struct str){ sealed.ptr, len }, STR("place"), &plain),
			      "%zu bytes", len);
}

/* While one key takes the other's place both open, and the first alone seals. */
Test(seal, a_second_key_opens_and_seals_nothing)
{
	struct str sealed = seal(arena, STR("value"), STR("place")), anew, plain;

	seal_init(other_key);
	seal_also_open(key);
	cr_assert(unseal(arena, sealed, STR("place"), &plain));
	cr_assert(str_is(plain, "value"));
	anew = seal(arena, STR("value"), STR("place"));

	seal_init(key);
	cr_assert_not(unseal(arena, anew, STR("place"), &plain));
	seal_init(other_key);
	cr_assert(unseal(arena, anew, STR("place"), &plain));
	cr_assert_not(unseal(arena, sealed, STR("place"), &plain));
}

Test(seal, what_the_second_key_opens_is_sealed_under_the_first)
{
	struct str sealed = seal(arena, STR("value"), STR("place")), anew, plain;

	seal_init(other_key);
	seal_also_open(key);
	cr_assert(reseal(arena, sealed, STR("place"), &anew));
	seal_init(other_key);
	cr_assert(unseal(arena, anew, STR("place"), &plain));
	cr_assert(str_is(plain, "value"));

	cr_assert(reseal(arena, anew, STR("place"), &plain));
	cr_assert_null(plain.ptr, "it is under the first key already");
	cr_assert_not(reseal(arena, anew, STR("elsewhere"), &plain));
	cr_assert_not(reseal(arena, sealed, STR("place"), &plain));
}
