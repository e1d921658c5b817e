/* What one master writes, the next one reads. */
#include "prefork/inherited.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(inherited, what_was_put_is_found)
{
	const struct inherited_worker put = { 4711, 3, "fast", 1, 9, 10 },
				      more = { 4712, 4, "slow", 0, 11, 12 };
	struct inherited_worker w;
	struct buf fds, workers;

	buf_init_heap(&fds, 100);
	buf_init_heap(&workers, 100);
	inherited_put_fd(&fds, "scoreboard", 5);
	inherited_put_fd(&fds, "fast", 6);
	inherited_put_worker(&workers, &put);
	inherited_put_worker(&workers, &more);
	(void)setenv(INHERITED_FDS, fds.data, 1);
	(void)setenv(INHERITED_WORKERS, workers.data, 1);

	cr_expect_eq(inherited_fd("scoreboard"), 5);
	cr_expect_eq(inherited_fd("fast"), 6);
	cr_expect_eq(inherited_fd("slow"), -1);
	cr_assert(inherited_worker(0, &w));
	cr_expect(w.pid == 4711 && w.slot == 3 && w.index == 1 && w.end == 9 && w.far_end == 10);
	cr_expect_str_eq(w.pool, "fast");
	cr_assert(inherited_worker(1, &w));
	cr_expect_eq(w.pid, 4712);
	cr_expect(!inherited_worker(2, &w));

	inherited_forget();
	cr_expect_eq(inherited_fd("fast"), -1);
	cr_expect(!inherited_worker(0, &w));
	buf_done(&fds);
	buf_done(&workers);
}

Test(inherited, what_cannot_be_read_is_left_out)
{
	static const char *const cases[] = {
		"",
		"x",
		"1:2:fast:0:5:6", /* init is nobody's worker */
		"99:2:fast:0:5",
		"99:2:a-name-that-is-much-too-long:0:5:6",
		"99:-2:fast:0:5:6",
	};
	struct inherited_worker w;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)setenv(INHERITED_WORKERS, cases[i], 1);
		cr_expect(!inherited_worker(0, &w), "%s", cases[i]);
	}
}
