/* Words and descriptors between two processes. */
#include "prefork/channel.h"

#include <criterion/criterion.h>
#include <unistd.h>

static int ends[2];

static void make(void)
{
	cr_assert(channel_make(ends));
}

static void unmake(void)
{
	closep(&ends[0]);
	closep(&ends[1]);
}

TestSuite(channel, .init = make, .fini = unmake);

Test(channel, words_come_in_order_and_one_by_one)
{
	int passed;

	cr_assert(channel_send(ends[0], WORD_READY, -1));
	cr_assert(channel_send(ends[0], WORD_DUE, -1));
	cr_expect_eq(channel_receive(ends[1], &passed), WORD_READY);
	cr_expect_eq(passed, -1);
	cr_expect_eq(channel_receive(ends[1], &passed), WORD_DUE);
	cr_expect_eq(channel_receive(ends[1], &passed), WORD_NONE);
}

Test(channel, a_descriptor_is_passed)
{
	int pipe_ends[2], passed;
	char byte = 0;

	cr_assert_eq(pipe(pipe_ends), 0);
	cr_assert(channel_send(ends[0], WORD_CONNECTION, pipe_ends[1]));
	(void)close(pipe_ends[1]); /* it lives on, on its way */
	cr_assert_eq(channel_receive(ends[1], &passed), WORD_CONNECTION);
	cr_assert_geq(passed, 0);
	cr_assert_eq(write(passed, "x", 1), 1);
	cr_assert_eq(read(pipe_ends[0], &byte, 1), 1);
	cr_expect_eq(byte, 'x');
	(void)close(passed);
	(void)close(pipe_ends[0]);
}

Test(channel, a_full_queue_refuses_and_loses_nothing)
{
	int sent = 0, received = 0, passed;

	while (channel_send(ends[0], WORD_CONNECTION, STDIN_FILENO))
		sent++;
	cr_expect_gt(sent, 10);
	while (channel_receive(ends[1], &passed) == WORD_CONNECTION) {
		received++;
		(void)close(passed);
	}
	cr_expect_eq(received, sent);
	cr_expect(channel_send(ends[0], WORD_LEAVE, -1));
}

Test(channel, the_other_end_s_end_is_heard_after_its_words)
{
	int passed;

	cr_assert(channel_send(ends[0], WORD_STOP, -1));
	closep(&ends[0]);
	ends[0] = -1;
	cr_expect_eq(channel_receive(ends[1], &passed), WORD_STOP);
	cr_expect_eq(channel_receive(ends[1], &passed), WORD_CLOSED);
	cr_expect(!channel_send(ends[1], WORD_READY, -1));
}
