#include "cache/ratelimit_impl.h"

#include "base/arena.h"
#include "base/clock.h"

#include <criterion/criterion.h>

#define WINDOW_S 60

static const struct ratelimit eight = { "read", "a:1", 8, WINDOW_S };

static int64_t admitted(struct str key, const struct ratelimit *limit, int times)
{
	int64_t n = 0;

	for (int i = 0; i < times; i++)
		n += local_take(key, limit).allowed;
	return n;
}

static void begin(void)
{
	ratelimit_init(1);
}

TestSuite(ratelimit_local, .init = begin);

Test(ratelimit_local, admits_the_limit_and_counts_down)
{
	for (int64_t left = 7; left >= 0; left--) {
		struct room room = local_take(STR("k"), &eight);

		cr_assert(room.allowed);
		cr_assert_eq(room.remaining, left);
	}
	cr_assert_not(local_take(STR("k"), &eight).allowed);
	cr_assert_gt(local_take(STR("k"), &eight).reset_ms, 0);
}

Test(ratelimit_local, each_worker_has_its_share_and_at_least_one)
{
	ratelimit_init(4);
	cr_assert_eq(admitted(STR("k"), &eight, 20), 2);
	ratelimit_init(100);
	cr_assert_eq(admitted(STR("k"), &eight, 20), 1);
}

Test(ratelimit_local, subjects_do_not_share)
{
	cr_assert_eq(admitted(STR("k"), &eight, 20), 8);
	cr_assert_eq(admitted(STR("l"), &eight, 20), 8);
}

Test(ratelimit_local, the_window_slides_and_then_is_over)
{
	cr_assert_eq(admitted(STR("k"), &eight, 20), 8);

	/* Half a window into the next one, half of the last still counts. */
	clock_shift((WINDOW_S + WINDOW_S / 2) * US_PER_S);
	cr_assert_eq(admitted(STR("k"), &eight, 20), 4);

	clock_shift(3 * WINDOW_S * US_PER_S);
	cr_assert_eq(admitted(STR("k"), &eight, 20), 8);
}

Test(ratelimit_local, a_clock_set_back_does_not_lock_out)
{
	cr_assert_eq(admitted(STR("k"), &eight, 20), 8);
	clock_shift(-2 * WINDOW_S * US_PER_S);
	cr_assert_eq(admitted(STR("k"), &eight, 20), 8);
}

Test(ratelimit_local, what_was_given_back_can_be_taken_again)
{
	cr_assert_eq(admitted(STR("k"), &eight, 20), 8);
	local_give_back(STR("k"));
	local_give_back(STR("unheard of"));
	cr_assert_eq(admitted(STR("k"), &eight, 20), 1);
}

Test(ratelimit_local, more_subjects_than_places_are_still_served)
{
	struct arena *a = arena_new();

	for (int i = 0; i < 10000; i++)
		cr_assert(local_take(str_of(arena_printf(a, "ip:%d", i)), &eight).allowed);
	arena_free(a);
}
