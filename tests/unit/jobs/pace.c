/* What workers know of each other. */
#include "jobs/pace.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pace *pace;

static void make(void)
{
	pace = pace_new();
}

TestSuite(pace, .init = make);

Test(pace, what_jobs_take_is_known_to_all)
{
	pid_t pid = fork();

	if (pid == 0) {
		pace_learn(pace, 3, 250);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_expect_eq(pace_job_us(pace, 3), 250);
	cr_expect_eq(pace_job_us(pace, 2), 0);
}

Test(pace, one_job_that_lasts_is_not_taken_for_all)
{
	pace_learn(pace, 0, 100);
	pace_learn(pace, 0, 10100);
	cr_expect_eq(pace_job_us(pace, 0), 2600);
	for (unsigned i = 0; i < 40; i++)
		pace_learn(pace, 0, 0);
	cr_expect_eq(pace_job_us(pace, 0), 1);
}

Test(pace, a_worker_runs_jobs_of_one_queue)
{
	pace_run(pace, 0, 5);
	pace_run(pace, 1, 5);
	pace_run(pace, 2, 4);
	cr_expect_eq(pace_running(pace, 5), 2);
	pace_run(pace, 1, 4);
	cr_expect_eq(pace_running(pace, 5), 1);
	cr_expect_eq(pace_running(pace, 4), 2);
	pace_rest(pace, 1);
	pace_rest(pace, 2);
	cr_expect_eq(pace_running(pace, 4), 0);
}
