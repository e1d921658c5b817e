/* Leases between processes. */
#include "jobs/lease.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY_WORKERS 1000

static struct leases *leases;

static void make(void)
{
	leases = leases_new(MANY_WORKERS);
}

TestSuite(lease, .init = make);

/* A process that holds one for an hour, as soon as it can. */
static pid_t other(void)
{
	int ends[2];
	char byte = 0;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!lease_hold(leases, (60 * US_PER_MINUTE)))
			usleep(1000);
		(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	cr_assert(pid > 0);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static void end(pid_t pid)
{
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(lease, there_are_as_many_as_processors_within_limits)
{
	cr_expect_eq(leases_for(8, 50), 8);
	cr_expect_eq(leases_for(1, 50), 2);
	cr_expect_eq(leases_for(-1, 50), 2);
	cr_expect_eq(leases_for(64, 50), 16);
	cr_expect_eq(leases_for(64, 3), 3);
	cr_expect_eq(leases_for(1, 1), 1);
}

Test(lease, a_process_holds_one_however_often_it_asks)
{
	unsigned n = leases_count(MANY_WORKERS);

	cr_expect_eq(leases_spare(leases), n);
	cr_expect(lease_hold(leases, (60 * US_PER_MINUTE)));
	cr_expect(lease_hold(leases, (60 * US_PER_MINUTE)));
	cr_expect_eq(leases_spare(leases), n - 1);
	lease_drop(leases);
	lease_drop(leases);
	cr_expect_eq(leases_spare(leases), n);
}

Test(lease, that_all_others_hold_is_had_when_one_of_them_is_dead)
{
	pid_t pid = 0;

	for (unsigned i = leases_count(MANY_WORKERS); i > 0; i--)
		pid = other();
	cr_expect_eq(leases_spare(leases), 0);
	cr_expect_not(lease_hold(leases, (60 * US_PER_MINUTE)));
	end(pid);
	cr_expect_eq(leases_spare(leases), 1);
	cr_expect(lease_hold(leases, (60 * US_PER_MINUTE)));
}

Test(lease, whose_time_is_over_is_anothers)
{
	for (unsigned i = leases_count(MANY_WORKERS); i > 1; i--)
		(void)other();
	cr_assert(lease_hold(leases, US_PER_MS));
	(void)other(); /* returns when it holds ours */
	cr_expect_not(lease_hold(leases, (60 * US_PER_MINUTE)));
	lease_drop(leases);
	cr_expect_eq(leases_spare(leases), 0);
}
