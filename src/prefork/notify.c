/* The datagrams of notify.h. Failure is silent: there is nobody else to tell. */
#include "prefork/notify.h"

#include "base/clock.h"
#include "base/str.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *text)
{
	struct str path = str_of(getenv("NOTIFY_SOCKET"));
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const void *p = &at;
	_cleanup_(closep) int fd = -1;

	if (!path.len || path.len >= sizeof(at.sun_path))
		return;
	memcpy(at.sun_path, path.ptr, path.len);
	if (at.sun_path[0] == '@') /* an abstract address */
		at.sun_path[0] = '\0';

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, p,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len));
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)clock_monotonic_us());
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}

int64_t notify_watchdog_us(void)
{
	int64_t us, pid;

	if (!str_to_i64(str_of(getenv("WATCHDOG_USEC")), 1, INT64_MAX, &us))
		return 0;
	if (getenv("WATCHDOG_PID") &&
	    (!str_to_i64(str_of(getenv("WATCHDOG_PID")), 1, INT32_MAX, &pid) || pid != getpid()))
		return 0;

	return us;
}
