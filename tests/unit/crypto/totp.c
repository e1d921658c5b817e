/*
 * One-time codes: the vectors of RFC 6238, drift, and each code once.
 */
#include "crypto/totp.h"

#include "base/arena.h"

#include <criterion/criterion.h>

#define SECRET STR("12345678901234567890")

/* RFC 6238 appendix B, SHA1: the last six of its eight digits. */
static const struct {
	int64_t at_s;
	const char *code;
} vectors[] = {
	{ 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
	{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
};

Test(totp, the_codes_are_those_of_the_standard)
{
	int64_t step;

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		cr_expect(totp_verify(SECRET, str_of(vectors[i].code), vectors[i].at_s, 0, &step),
			  "at %lld", (long long)vectors[i].at_s);
		cr_expect_eq(step, vectors[i].at_s / 30);
	}
}

Test(totp, a_code_is_good_one_step_early_and_one_late)
{
	const int64_t at_s = 1234567890, start_s = at_s - at_s % 30;
	struct str code = STR("005924");
	int64_t step;

	cr_assert(totp_verify(SECRET, code, start_s - 30, 0, &step));
	cr_assert_eq(step, at_s / 30);
	cr_assert(totp_verify(SECRET, code, start_s + 59, 0, &step));
	cr_assert_eq(step, at_s / 30);
	cr_assert_not(totp_verify(SECRET, code, start_s - 31, 0, &step));
	cr_assert_not(totp_verify(SECRET, code, start_s + 60, 0, &step));
}

Test(totp, a_code_is_good_once_and_none_before_it)
{
	const int64_t at_s = 1234567890;
	int64_t step;

	cr_assert(totp_verify(SECRET, STR("005924"), at_s, at_s / 30 - 1, &step));
	cr_assert_not(totp_verify(SECRET, STR("005924"), at_s, at_s / 30, &step));
	cr_assert_not(totp_verify(SECRET, STR("005924"), at_s, at_s / 30 + 1, &step));
}

Test(totp, what_is_not_six_digits_is_no_code)
{
	static const char *const not_codes[] = { "",       "5924",   "0059240",
						 "00592x", "      ", "\xff\xff\xff\xff\xff\xff" };
	int64_t step;

	for (size_t i = 0; i < ARRAY_LEN(not_codes); i++)
		cr_expect_not(totp_verify(SECRET, str_of(not_codes[i]), 1234567890, 0, &step), "%s",
			      not_codes[i]);
}

/* RFC 4648 section 10, without padding. */
static const struct {
	const char *plain, *base32;
} texts[] = {
	{ "", "" },
	{ "f", "MY" },
	{ "fo", "MZXQ" },
	{ "foo", "MZXW6" },
	{ "foob", "MZXW6YQ" },
	{ "fooba", "MZXW6YTB" },
	{ "foobar", "MZXW6YTBOI" },
};

Test(totp, the_secret_is_shown_in_base32)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_str_eq(totp_base32(a, texts[i].plain, strlen(texts[i].plain)),
				 texts[i].base32);
	arena_free(a);
}
