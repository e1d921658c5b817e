/*
 * Finds or makes a pool's listening socket: see socket.h. The protocol of LISTEN_FDS is that of
 * sd_listen_fds(3).
 */
#include "prefork/socket.h"

#include "base/str.h"
#include "prefork/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START 3
/* Connections that wait for a worker; the kernel cuts it to net.core.somaxconn (4096). */
#define BACKLOG 4096

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

static bool address_of(const char *path, struct sockaddr_un *ret)
{
	size_t len = strlen(path);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof(ret->sun_path))
		return false;
	memcpy(ret->sun_path, path, len);

	return true;
}

static bool is_bound_to(int fd, const char *path)
{
	struct sockaddr_un at = { 0 };
	socklen_t len = sizeof(at);
	void *p = &at;

	return getsockname(fd, p, &len) == 0 && at.sun_family == AF_UNIX && len < sizeof(at) + 1 &&
	       strncmp(at.sun_path, path, sizeof(at.sun_path)) == 0;
}

/* A reload kept it; not taken when the configuration now names another path. */
static int from_earlier_master(const char *name, const char *path)
{
	int fd = inherited_fd(name);

	if (fd < 0 || !is_listening(fd))
		return -1;
	if (socket_is_ours(fd) && !is_bound_to(fd, path)) {
		(void)close(fd);
		return -1;
	}

	return fd;
}

/* How many sockets systemd gave to this process: descriptors from LISTEN_FDS_START on. */
static int systemd_fds(void)
{
	int64_t n, pid;

	if (!str_to_i64(str_of(getenv("LISTEN_PID")), 1, INT32_MAX, &pid) || pid != getpid() ||
	    !str_to_i64(str_of(getenv("LISTEN_FDS")), 1, 64, &n))
		return 0;

	return (int)n;
}

/* Without LISTEN_FDNAMES they come in the order fast, slow. */
static int from_systemd(const char *name)
{
	struct str names = str_of(getenv("LISTEN_FDNAMES")), one;
	int end = LISTEN_FDS_START + systemd_fds();
	int fd = LISTEN_FDS_START;

	if (!names.len)
		names = STR("fast:slow");
	for (one = str_cut(&names, ':'); one.ptr && fd < end; one = str_cut(&names, ':')) {
		if (str_is(one, name) && is_listening(fd))
			return fd;
		fd++;
	}

	return -1;
}

static int from_spawner(const char *name)
{
	return strcmp(name, "fast") == 0 && is_listening(STDIN_FILENO) ? STDIN_FILENO : -1;
}

/* Somebody answers at that address. */
static bool is_in_use(const struct sockaddr_un *at)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const void *p = at;

	return fd >= 0 && (connect(fd, p, sizeof(*at)) == 0 || errno == EAGAIN);
}

/* Removes what a killed master left; false when that is not a socket or is in use. */
static bool clear_path(const struct sockaddr_un *at, const char **ret_why)
{
	struct stat st;

	if (lstat(at->sun_path, &st) != 0)
		return true; /* nothing there; if it is something worse, bind() says so */
	if (!S_ISSOCK(st.st_mode)) {
		*ret_why = "a file that is not a socket is in its place";
		return false;
	}
	if (is_in_use(at)) {
		*ret_why = "another process listens on it";
		return false;
	}
	if (unlink(at->sun_path) != 0) {
		*ret_why = strerror(errno);
		return false;
	}

	return true;
}

static int make(const char *path, const char **ret_why)
{
	struct sockaddr_un at;
	const void *p = &at;
	mode_t mask;
	int fd, bound;

	if (!address_of(path, &at)) {
		*ret_why = "the path is longer than a socket's may be (107 bytes)";
		return -1;
	}
	if (!clear_path(&at, ret_why))
		return -1;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0117); /* 0660 from the first moment */
	bound = fd < 0 ? -1 : bind(fd, p, sizeof(at));
	(void)umask(mask);
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		*ret_why = strerror(errno);
		closep(&fd);
		return -1;
	}

	return fd;
}

int socket_listen(const char *name, const char *path, const char **ret_why)
{
	int fd = from_earlier_master(name, path);

	if (fd < 0)
		fd = from_systemd(name);
	if (fd < 0)
		fd = from_spawner(name);
	if (fd < 0)
		return make(path, ret_why);

	fd_set_cloexec(fd, true);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);

	return fd;
}

bool socket_is_ours(int fd)
{
	return fd != STDIN_FILENO &&
	       !(fd >= LISTEN_FDS_START && fd < LISTEN_FDS_START + systemd_fds());
}
