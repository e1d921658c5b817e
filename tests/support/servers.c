/*
 * By way of scripts/server and /proc.
 */
#include "support/servers.h"

#include "base/str.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOKS_MAX     9000
#define LOOK_PAUSE_NS 20000000L

static struct str ask_server(const char *action, const char *name)
{
	const char *argv[] = { world()->server, world()->dir, action, name, NULL };

	return str_trim(world_run(argv, NULL));
}

void server_do(const char *action, const char *name)
{
	(void)ask_server(action, name);
}

static pid_t pid_of(struct str text)
{
	int64_t pid;

	cr_assert(str_to_i64(text, 2, INT32_MAX, &pid), "no process id: %.*s", STR_FMT(text));
	return (pid_t)pid;
}

pid_t server_master(void)
{
	return pid_of(ask_server("pid", "serve"));
}

const char *server_workers_text(void)
{
	pid_t master = server_master();
	const char *argv[] = { "cat", strf("/proc/%d/task/%d/children", master, master), NULL };

	return strf("%.*s", STR_FMT(str_trim(world_run(argv, NULL))));
}

void server_workers(pid_t *ret, size_t max, size_t *ret_len)
{
	struct str rest = str_of(server_workers_text()), one;

	*ret_len = 0;
	while (*ret_len < max && (one = str_cut(&rest, ' ')).len)
		ret[(*ret_len)++] = pid_of(one);
}

static bool has_workers(void *pid)
{
	return database_number("SELECT count(*) FROM job_workers WHERE master LIKE '%/' || $1 || "
			       "'.%'",
			       (const char *)pid, NULL) > 0;
}

pid_t work_start(void)
{
	const char *binary = world()->binary;
	pid_t pid;

	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execl(binary, "zygo", "work", (char *)NULL);
		_exit(127);
	}
	wait_until(has_workers, arena_strdup(world_arena(), strf("%d", (int)pid)), "its workers");
	return pid;
}

int work_stop(pid_t master)
{
	int status;

	cr_assert_eq(kill(master, SIGTERM), 0);
	cr_assert_eq(waitpid(master, &status, 0), master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void wait_until(bool (*is_so)(void *p), void *p, const char *what)
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE_NS };

	for (int i = 0; i < LOOKS_MAX; i++) {
		if (is_so(p))
			return;
		nanosleep(&pause, NULL);
	}
	cr_assert_fail("after three minutes still not: %s", what);
}
