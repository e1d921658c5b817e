/* Names of processes. */
#include "jobs/name.h"

#include "base/str.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

static void name_of(pid_t pid, char ret[NAME_SIZE])
{
	char master[NAME_SIZE];

	name_of_master(getppid(), master);
	name_of_worker(master, pid, ret);
}

Test(name, says_whether_its_process_is_alive)
{
	char mine[NAME_SIZE], its[NAME_SIZE];
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	name_of(getpid(), mine);
	name_of(child, its);
	cr_expect(name_is_alive(mine));
	cr_expect(name_is_alive(its));
	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_expect_not(name_is_alive(its));
}

Test(name, of_another_process_with_the_same_id_is_another)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "host/1.2/%d.1", (int)getpid());
	cr_expect_not(name_is_alive(name));
	cr_expect_not(name_is_alive("host/1.2/0.0"));
	cr_expect_not(name_is_alive("nothing of the kind"));
}
