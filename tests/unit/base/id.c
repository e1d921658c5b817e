#include "base/id.h"

#include "base/clock.h"
#include "base/str.h"

#include <criterion/criterion.h>

Test(id, text_reads_back_in_either_case)
{
	struct uuid a, b;
	char text[UUID_TEXT_SIZE];

	cr_assert(uuid_parse(STR("01a1fb3d-d41c-7a2d-b466-9f52b4764d91"), &a));
	cr_assert(uuid_parse(STR("01A1FB3D-D41C-7A2D-B466-9F52B4764D91"), &b));
	cr_assert(uuid_eq(a, b));
	cr_assert_eq(a.bytes[0], 0x01);
	cr_assert_eq(a.bytes[15], 0x91);
	uuid_format(b, text);
	cr_assert_str_eq(text, "01a1fb3d-d41c-7a2d-b466-9f52b4764d91");
}

Test(id, other_text_is_refused)
{
	static const char *const bad[] = {
		"",
		"01a1fb3d",
		"01a1fb3dd41c7a2db4669f52b4764d91",
		"01a1fb3d-d41c-7a2d-b466-9f52b4764d9",
		"01a1fb3d-d41c-7a2d-b466-9f52b4764d911",
		"{01a1fb3d-d41c-7a2d-b466-9f52b4764d}",
		"01a1fb3d-d41c-7a2d-b466-9f52b4764d9g",
		"01a1fb3d0d41c-7a2d-b466-9f52b4764d91",
		"01a1fb3-dd41c-7a2d-b466-9f52b4764d91",
	};
	struct uuid u;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert_not(uuid_parse(str_of(bad[i]), &u), "%s", bad[i]);
}

Test(id, a_new_one_is_a_uuidv7_of_now)
{
	struct uuid u = uuid_v7();
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | u.bytes[i];
	cr_assert_leq(ms, clock_now_us() / US_PER_MS);
	cr_assert_gt(ms, clock_now_us() / US_PER_MS - 60000);
	cr_assert_eq(u.bytes[6] >> 4, 7);
	cr_assert_eq(u.bytes[8] >> 6, 2);
	cr_assert_not(uuid_is_nil(u));
	cr_assert(uuid_is_nil((struct uuid){ 0 }));
}

Test(id, later_ones_sort_later_even_when_the_clock_goes_back)
{
	struct uuid last = uuid_v7();

	for (int i = 0; i < 20000; i++) {
		struct uuid next;

		if (i == 10000)
			clock_shift(-US_PER_DAY);
		next = uuid_v7();
		cr_assert_lt(memcmp(last.bytes, next.bytes, sizeof(last.bytes)), 0, "at %d", i);
		last = next;
	}
}

Test(id, random_bytes_fill_every_length)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };

	random_bytes(a, 0);
	cr_assert_eq(a[0], 0);
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	cr_assert_arr_neq(a, b, sizeof(a));
	cr_assert_arr_neq(a + 900, (uint8_t[100]){ 0 }, 100);
}
