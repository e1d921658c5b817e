/* What a new master takes over; tests/integration/prefork.c has whole reloads. */
#include "prefork/inherited.h"
#include "prefork/master_impl.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static int run(struct worker *w UNUSED)
{
	return 0;
}

/* An upgrade may change the scoreboard's layout: who was born with the old one writes nothing into
 * the new one, and lives. */
Test(reload, workers_of_another_layout_are_in_the_scoreboard_until_they_leave)
{
	static const struct pool pools[] = {
		{ .name = "fast", .workers = 1, .listen_fd = -1, .run = run },
		{ .name = "work", .workers = 1, .listen_fd = -1, .run = run },
	};
	static struct master m;
	char workers[64];
	int ends[2];

	cr_assert(channel_make(ends));
	(void)snprintf(workers, sizeof(workers), "%d:3:work:0:%d:%d", (int)getpid(), ends[0],
		       ends[1]);
	cr_assert_eq(setenv(INHERITED_WORKERS, workers, 1), 0);
	cr_assert_eq(unsetenv(INHERITED_FDS), 0); /* no scoreboard that is of use */
	m.pools = pools;
	m.pools_len = ARRAY_LEN(pools);

	reload_adopt(&m);
	cr_expect_eq(m.children[3].pid, getpid());
	cr_expect_eq(m.board->slots[3].pid, getpid());
	cr_expect_eq(m.board->slots[3].pool, 1);
	cr_expect_eq(m.board->slots[3].state, SLOT_DRAINING);
	cr_expect_null(getenv(INHERITED_WORKERS), "nobody else takes them over");

	scoreboard_free(m.board);
	closep(&m.board_fd);
	closep(&ends[0]);
	closep(&ends[1]);
}
