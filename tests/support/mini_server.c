/* Both sides of mini_server.h: what a test calls, and the program that it starts. */
#include "support/mini_server.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/str.h"
#include "http/fcgi.h"
#include "prefork/socket.h"
#include "prefork/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SWITCH "ZYGO_TEST_MINI_SERVER" /* its value: "<dir> <workers> <requests> <limit ms>" */

/* ---- the server ---- */

static int64_t reloads_at_start;
static char big[100000];

static void do_sleep(int64_t us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	(void)nanosleep(&t, NULL);
}

static void handle(struct fcgi *f, void *p)
{
	static char body[KIB(512)];
	const char *what = fcgi_param(f, "DO");
	struct worker *w = p;
	char text[128];
	size_t len;

	slot_begin(w->slot);
	if (what && strcmp(what, "crash") == 0)
		abort();
	while (what && strcmp(what, "hang") == 0)
		(void)pause();
	if (what && strcmp(what, "sleep") == 0)
		do_sleep(50 * US_PER_MS);

	if (!fcgi_read(f, body, sizeof(body), &len))
		len = 0;
	(void)snprintf(text, sizeof(text), "%lld %lld %zu", (long long)getpid(),
		       (long long)reloads_at_start, len);
	if (what && strcmp(what, "big") == 0)
		fcgi_write(f, STR("Content-Type: text/plain\r\n\r\n"),
			   (struct str){ big, sizeof(big) });
	else
		fcgi_write(f,
			   fcgi_params_fit(f) ? STR("Status: 200\r\n\r\n")
					      : STR("Status: 431\r\n\r\n"),
			   str_of(text));
	slot_end(w->slot, 200, 1);
}

static int run(struct worker *w)
{
	if (access("die", F_OK) == 0)
		return 1;
	reloads_at_start = (int64_t)w->board->reloads;

	return fcgi_serve(w, handle, w);
}

static int64_t next_number(struct str *rest)
{
	int64_t v;

	BUG_IF(!str_to_i64(str_cut(rest, ' '), 0, INT32_MAX, &v));

	return v;
}

static int mini_main(struct str rest, int argc, char **argv)
{
	static char dir[64];
	struct config c = { .drain_timeout_us = 10 * US_PER_S };
	struct pool pool = { .name = "fast", .listen_path = "fast.sock", .run = run };
	struct str folder = str_cut(&rest, ' ');
	const char *why;

	memcpy(dir, folder.ptr, folder.len);
	if (chdir(dir) != 0)
		return 2;
	if (argc > 1 && strcmp(argv[argc - 1], "--check") == 0)
		return access("refuse", F_OK) == 0;

	pool.workers = (unsigned)next_number(&rest);
	c.worker_requests_max = next_number(&rest);
	pool.request_timeout_us = next_number(&rest) * US_PER_MS;
	config_set(&c);
	log_init(LOG_LEVEL_FATAL, LOG_FORMAT_JSON, "test");
	memset(big, 'x', sizeof(big));

	pool.listen_fd = socket_listen("fast", pool.listen_path, &why);
	if (pool.listen_fd < 0) {
		(void)fprintf(stderr, "no socket: %s\n", why);
		return 3;
	}

	return supervise(&pool, 1, argv);
}

/* Before main(): in a run that was started with the switch, the test framework never comes to
 * itself. */
static void __attribute__((constructor)) maybe_be_the_server(int argc, char **argv)
{
	const char *words = getenv(SWITCH);

	if (words)
		exit(mini_main(str_of(words), argc, argv));
}

/* ---- the tests' side ---- */

static void exec_server(const struct mini_server *s, struct mini_settings set)
{
	static char name[] = "zygo-mini";
	char *argv[] = { name, NULL };
	char text[160];
	sigset_t none;

	(void)snprintf(text, sizeof(text), "%s %u %u %u", s->dir, set.workers, set.requests_max,
		       set.request_limit_ms);
	(void)setenv(SWITCH, text, 1);
	(void)setenv("NOTIFY_SOCKET", s->notify_path, 1);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that fails leaves none behind */
	(void)execv("/proc/self/exe", argv);
	_exit(127);
}

static int listen_for_notices(const struct mini_server *s)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval wait = { .tv_sec = FCGI_CLIENT_WAIT_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const void *p = &at;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", s->notify_path);
	BUG_IF(fd < 0 || bind(fd, p, sizeof(at)) != 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));

	return fd;
}

void mini_start(struct mini_server *s, struct mini_settings set)
{
	_cleanup_(closep) int notices = -1;
	char text[64] = "";

	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/zygo-mini-XXXXXX");
	BUG_IF(!mkdtemp(s->dir));
	(void)snprintf(s->path, sizeof(s->path), "%s/fast.sock", s->dir);
	(void)snprintf(s->notify_path, sizeof(s->notify_path), "%s/notify", s->dir);
	notices = listen_for_notices(s);
	s->pid = fork();
	BUG_IF(s->pid < 0);
	if (s->pid == 0)
		exec_server(s, set);

	while (strncmp(text, "READY=1", strlen("READY=1")) != 0)
		BUG_IF(recv(notices, text, sizeof(text) - 1, 0) < 0 && errno != EINTR);
}

int mini_wait(struct mini_server *s)
{
	static const char *const files[] = { "refuse", "die" };
	int status;

	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		mini_set(s, files[i], false);
	(void)unlink(s->path);
	(void)unlink(s->notify_path);
	(void)rmdir(s->dir);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int mini_stop(struct mini_server *s)
{
	(void)kill(s->pid, SIGTERM);

	return mini_wait(s);
}

void mini_set(const struct mini_server *s, const char *file, bool there)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, file);
	if (!there) {
		(void)unlink(path);
		return;
	}
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	BUG_IF(fd < 0);
	(void)close(fd);
}

struct mini_answer mini_understand(const struct fcgi_answer *a)
{
	struct str rest = str_of(a->body);
	struct mini_answer ret = { 0 };

	ret.came = a->status == 200 && str_to_i64(str_cut(&rest, ' '), 0, INT32_MAX, &ret.pid) &&
		   str_to_i64(str_cut(&rest, ' '), 0, INT32_MAX, &ret.reloads) &&
		   str_to_i64(rest, 0, INT64_MAX, &ret.body_bytes);

	return ret;
}

struct mini_answer mini_ask(struct fcgi_client *c, const char *what)
{
	struct fcgi_pair pairs[] = { { "REQUEST_METHOD", "GET" }, { "DO", what }, { NULL, NULL } };
	struct fcgi_answer a;

	if (!what)
		pairs[1].name = NULL;
	if (!fcgi_client_ask(c, pairs, NULL, 0, &a))
		return (struct mini_answer){ 0 };

	return mini_understand(&a);
}

struct mini_answer mini_ask_once(const struct mini_server *s, const char *what)
{
	struct mini_answer a = { 0 };
	struct fcgi_client c;

	if (fcgi_client_connect(&c, s->path)) {
		a = mini_ask(&c, what);
		fcgi_client_close(&c);
	}

	return a;
}
