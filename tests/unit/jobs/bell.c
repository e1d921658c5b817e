/* Calls between processes. */
#include "jobs/bell.h"

#include "base/clock.h"
#include "prefork/supervisor.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SLEEPERS 4
#define CALLS    20

static struct bell bell;

/* What those who wait have seen, in memory of all. */
static struct {
	_Atomic unsigned woken, called;
} * seen;

static void make(void)
{
	bell_make(&bell);
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(seen != MAP_FAILED);
}

TestSuite(bell, .init = make);

/* A process that counts its calls. */
static void lie_down(enum bed bed)
{
	char queue[BELL_NAME_SIZE];
	struct worker w = { 0 };
	int ends[2], lies[2];
	char byte;

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(pipe(lies), 0);
	if (fork() != 0) {
		cr_assert_eq(read(lies[0], &byte, 1), 1);
		return; /* the other end of its pipe stays open: the master says nothing */
	}

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	w.wake_fd = ends[0];
	bell_wait(&bell, bed, &w, 0);
	(void)!write(lies[1], "x", 1);
	for (;;) {
		bell_wait(&bell, bed, &w, 60 * US_PER_MINUTE);
		seen->woken++;
		usleep(2000); /* so that all who were woken are, before the call is taken */
		while (bell_take(&bell, bed, queue))
			seen->called += strcmp(queue, "email") == 0;
	}
}

Test(bell, a_call_wakes_one_of_those_who_sleep)
{
	for (unsigned i = 0; i < SLEEPERS; i++)
		lie_down(BED_ASLEEP);
	lie_down(BED_PARKED);
	for (unsigned i = 1; i <= CALLS; i++) {
		bell_ring(&bell, "email");
		while (seen->called < i)
			usleep(1000);
	}
	/* Whoever lies down just then may see the call too. */
	cr_expect_lt(seen->woken, 3 * CALLS);
}

Test(bell, what_is_called_while_nobody_sleeps_is_not_waited_for)
{
	char queue[BELL_NAME_SIZE];

	for (unsigned i = 0; i < 10000; i++)
		bell_ring(&bell, "email");
	cr_expect(bell_take(&bell, BED_ASLEEP, queue));
	cr_expect_str_eq(queue, "email");
	cr_expect_not(bell_take(&bell, BED_PARKED, queue));
}
