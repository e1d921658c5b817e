/* Counting: what is counted stays counted. */
#include "prefork/scoreboard.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

static struct scoreboard *board;
static int fd = -1;

static void make(void)
{
	board = scoreboard_new(&fd);
}

static void unmake(void)
{
	scoreboard_free(board);
	closep(&fd);
}

TestSuite(scoreboard, .init = make, .fini = unmake);

Test(scoreboard, requests_are_counted_by_class_and_duration)
{
	struct slot *s = &board->slots[3], sum;

	slot_begin(s);
	slot_end(s, 200, 64);
	slot_begin(s);
	slot_end(s, 404, 65);
	slot_begin(s);
	slot_end(s, 503, INT64_C(1) << 40);
	scoreboard_sum(board, &sum);
	cr_expect_eq(sum.requests, 3);
	cr_expect_eq(sum.by_class[2], 1);
	cr_expect_eq(sum.by_class[4], 1);
	cr_expect_eq(sum.by_class[5], 1);
	cr_expect_eq(sum.buckets[0], 1);
	cr_expect_eq(sum.buckets[1], 1);
	cr_expect_eq(sum.buckets[SLOT_BUCKETS - 1], 1);
	cr_expect_eq(sum.micros, (UINT64_C(1) << 40) + 64 + 65);
}

Test(scoreboard, a_request_is_timed_from_its_first_begin)
{
	struct slot *s = &board->slots[0];
	int64_t since;

	s->state = SLOT_IDLE;
	slot_begin(s);
	since = s->since_us;
	cr_expect_gt(since, 0);
	cr_expect_eq(s->state, SLOT_BUSY);
	slot_begin(s);
	cr_expect_eq(s->since_us, since);
	slot_rest(s);
	cr_expect_eq(s->since_us, 0);
	cr_expect_eq(s->state, SLOT_IDLE);
	cr_expect_eq(s->requests, 0);
}

Test(scoreboard, a_draining_worker_stays_draining)
{
	struct slot *s = &board->slots[0];

	s->state = SLOT_DRAINING;
	slot_begin(s);
	slot_end(s, 200, 1);
	cr_expect_eq(s->state, SLOT_DRAINING);
}

Test(scoreboard, sums_never_go_back_when_workers_go)
{
	uint64_t last = 0, turns = 0;
	struct slot sum;
	pid_t master;

	master = fork();
	if (master == 0) { /* workers serve 10 requests each and are gone, again and again */
		for (int round = 0; round < 20000; round++) {
			struct slot *s = &board->slots[round % 7];

			for (int i = 0; i < 10; i++)
				slot_end(s, 200, 1);
			scoreboard_retire(board, s);
		}
		_exit(0);
	}
	while (waitpid(master, NULL, WNOHANG) == 0) {
		scoreboard_sum(board, &sum);
		cr_assert_geq(sum.requests, last);
		last = sum.requests;
		turns++;
	}
	scoreboard_sum(board, &sum);
	cr_expect_eq(sum.requests, 200000);
	cr_expect_gt(turns, 0);
}

Test(scoreboard, what_a_worker_held_goes_with_it)
{
	struct slot sum;

	board->slots[3].connections = 2;
	board->slots[3].rooms = 3;
	scoreboard_sum(board, &sum);
	cr_expect_eq(sum.connections, 2);
	cr_expect_eq(sum.rooms, 3);

	scoreboard_retire(board, &board->slots[3]);
	scoreboard_sum(board, &sum);
	cr_expect_eq(sum.connections, 0);
	cr_expect_eq(sum.rooms, 0);
}

Test(scoreboard, another_process_finds_the_same_counters)
{
	struct scoreboard *again;
	struct slot sum;

	slot_end(&board->slots[1], 200, 1);
	again = scoreboard_adopt(fd);
	cr_assert_not_null(again);
	scoreboard_sum(again, &sum);
	cr_expect_eq(sum.requests, 1);
	scoreboard_free(again);
}

Test(scoreboard, another_layout_is_not_adopted)
{
	board->layout++;
	cr_expect_null(scoreboard_adopt(fd));
	cr_expect_null(scoreboard_adopt(STDIN_FILENO));
}
