/* Names of processes that no other process ever has: see name.h. */
#include "jobs/name.h"

#include "base/str.h"

#include <fcntl.h>
#include <unistd.h>

#define HOST_MAX 64
#define STARTED_AT                                                                                 \
	19 /* of the words behind the command's name in /proc/PID/stat: proc(5), starttime */

/* Clock ticks from boot to the process's begin; 0 when there is no such process. */
static int64_t began(pid_t pid)
{
	char path[64], text[1024];
	_cleanup_(closep) int fd = -1;
	struct str rest;
	int64_t ticks;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;

	text[n] = '\0';
	rest = str_of(strrchr(text, ')')); /* a name may hold anything */
	for (unsigned i = 0; i <= STARTED_AT; i++)
		(void)str_cut(&rest, ' ');
	if (!str_to_i64(str_cut(&rest, ' '), 0, INT64_MAX, &ticks))
		return 0;

	return ticks;
}

bool name_is_alive(const char *name)
{
	const char *slash = strrchr(name, '/');
	struct str rest = str_of(slash ? slash + 1 : name), word = str_cut(&rest, '.');
	int64_t pid, ticks;

	return str_to_i64(word, 1, INT32_MAX, &pid) && str_to_i64(rest, 1, INT64_MAX, &ticks) &&
	       began((pid_t)pid) == ticks;
}

void name_of_master(pid_t pid, char ret[NAME_SIZE])
{
	char host[HOST_MAX + 1] = "";

	(void)gethostname(host, HOST_MAX); /* a longer name is cut, and still ends in NUL */
	(void)snprintf(ret, NAME_SIZE, "%s/%d.%lld", host, (int)pid, (long long)began(pid));
}

void name_of_worker(const char *master, pid_t pid, char ret[NAME_SIZE])
{
	(void)snprintf(ret, NAME_SIZE, "%s/%d.%lld", master, (int)pid, (long long)began(pid));
}
