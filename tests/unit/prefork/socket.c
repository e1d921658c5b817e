/* Whose socket it is that a pool listens on. */
#include "prefork/socket.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[32], path[64];
static const char *why;

static void make(void)
{
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("ZYGO_FDS");
	(void)snprintf(dir, sizeof(dir), "/tmp/zygo-socket-XXXXXX");
	cr_assert(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/fast.sock", dir);
	why = NULL;
}

static void unmake(void)
{
	(void)unlink(path);
	(void)rmdir(dir);
}

TestSuite(socket, .init = make, .fini = unmake);

static bool can_connect(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const void *p = &at;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);

	return connect(fd, p, sizeof(at)) == 0;
}

Test(socket, is_made_for_its_group_and_ours)
{
	int fd = socket_listen("slow", path, &why);
	struct stat st;

	cr_assert_geq(fd, 0, "%s", why);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
	cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect(socket_is_ours(fd));
	cr_expect(can_connect());
	(void)close(fd);
}

Test(socket, a_file_that_nobody_listens_on_is_replaced)
{
	int fd = socket_listen("slow", path, &why);

	(void)close(fd); /* as a killed master leaves it */
	cr_assert(!can_connect());
	fd = socket_listen("slow", path, &why);
	cr_assert_geq(fd, 0, "%s", why);
	cr_expect(can_connect());
	(void)close(fd);
}

Test(socket, one_that_is_in_use_is_not_taken)
{
	int fd = socket_listen("slow", path, &why);

	cr_expect_eq(socket_listen("slow", path, &why), -1);
	cr_expect_str_eq(why, "another process listens on it");
	cr_expect(can_connect());
	(void)close(fd);
}

Test(socket, a_file_of_another_kind_is_not_removed)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)close(fd);
	cr_expect_eq(socket_listen("slow", path, &why), -1);
	cr_expect_eq(access(path, F_OK), 0);
}

Test(socket, a_path_that_is_too_long_is_refused)
{
	char longer[200];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_eq(socket_listen("slow", longer, &why), -1);
	cr_expect_not_null(why);
}

Test(socket, systemd_s_is_taken_by_name_and_not_ours)
{
	int fd = socket_listen("slow", path, &why);
	char text[16];

	cr_assert_eq(dup2(fd, 4), 4);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", text, 1);
	(void)setenv("LISTEN_FDS", "2", 1);
	(void)setenv("LISTEN_FDNAMES", "fast:slow", 1);
	cr_expect_eq(socket_listen("slow", "/nowhere/slow.sock", &why), 4);
	cr_expect(!socket_is_ours(4));

	(void)setenv("LISTEN_PID", "1", 1); /* meant for somebody else */
	cr_expect_eq(socket_listen("slow", "/nowhere/slow.sock", &why), -1);
	cr_expect(socket_is_ours(4));
	(void)close(4);
}

Test(socket, what_an_earlier_master_left_is_taken_where_the_path_is_the_same)
{
	int fd = socket_listen("slow", path, &why), other;
	char text[32], elsewhere[96];

	(void)snprintf(text, sizeof(text), "scoreboard=90 slow=%d", fd);
	(void)setenv("ZYGO_FDS", text, 1);
	cr_expect_eq(socket_listen("slow", path, &why), fd);

	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/slow.sock", dir);
	other = socket_listen("slow", elsewhere, &why);
	cr_assert_geq(other, 0, "%s", why);
	cr_expect(!can_connect()); /* the old one is closed */
	(void)close(other);
	(void)unlink(elsewhere);
}
