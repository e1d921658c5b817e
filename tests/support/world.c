/*
 * What scripts/test exports, read once, and the tables and secrets that tests share with the
 * server.
 */
#include "support/world.h"

#include "base/buf.h"
#include "base/config.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "domains/mount.h"
#include "events/types.h"
#include "http/openapi.h"
#include "http/route.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX MIB(8)

static struct world the_world;
static struct arena *arena;

struct arena *world_arena(void)
{
	if (!arena)
		arena = arena_new();
	return arena;
}

static const char *need_env(const char *name)
{
	const char *value = getenv(name);

	cr_assert(value && *value, "%s is not set: run this through scripts/test", name);
	return value;
}

/* The folder that holds a file or a folder. */
static const char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	cr_assert(slash, "%s is not an absolute path", path);
	return strf("%.*s", (int)(slash - path), path);
}

static void read_environment(struct world *w)
{
	w->url = need_env("ZYGO_TEST_URL");
	w->ca = need_env("ZYGO_TEST_CA");
	w->super_url = need_env("ZYGO_TEST_SUPER_URL");
	w->owner_url = need_env("ZYGO_TEST_OWNER_URL");
	w->app_url = need_env("ZYGO_TEST_DATABASE_URL");
	w->pool_url = need_env("ZYGO_TEST_PGBOUNCER_URL");
	w->dir = need_env("ZYGO_TEST_DIR");
	w->server = need_env("ZYGO_TEST_SERVER");
	w->root = parent_of(parent_of(w->server));
	w->binary = need_env("ZYGO_BINARY");
	w->env_file = need_env("ZYGO_TEST_ENV_FILE");
}

const struct world *world(void)
{
	static struct config conf;

	if (the_world.url)
		return &the_world;

	cr_assert(config_load(need_env("ZYGO_TEST_ENV_FILE"), &conf), "zygo.env is not valid");
	config_set(&conf);
	token_init(conf.jwt_secret, NULL);
	seal_init(conf.encryption_key);
	openapi_include(&event_webhooks);
	cr_assert(routes_init(mounts), "the tables of routes are not valid");
	read_environment(&the_world);
	return &the_world;
}

const char *strf(const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(world_arena(), fmt, ap);
	va_end(ap);
	return text;
}

/* Everything that can be read from fd, to its end. */
static struct str read_all(int fd)
{
	struct buf out;
	char piece[KIB(16)];
	ssize_t n;

	buf_init(&out, world_arena(), OUTPUT_BYTES_MAX);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(&out, piece, (size_t)n);
	cr_assert(n == 0 && !out.overflow);
	return buf_view(&out);
}

struct str world_file(const char *path)
{
	_cleanup_(closep) int fd = open(strf("%s/%s", world()->root, path), O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0, "%s is not in the repository", path);
	return read_all(fd);
}

static void run_child(const char *const *argv, int out_fd)
{
	char *words[32] = { NULL };

	for (size_t i = 0; argv[i] && i + 1 < ARRAY_LEN(words); i++)
		words[i] = arena_strdup(world_arena(), argv[i]);
	if (dup2(out_fd, STDOUT_FILENO) >= 0)
		execvp(words[0], words);
	_exit(127);
}

struct str world_run(const char *const *argv, int *ret_status)
{
	int ends[2], status;
	struct str out;
	pid_t pid;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0)
		run_child(argv, ends[1]);

	close(ends[1]);
	out = read_all(ends[0]);
	close(ends[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (ret_status)
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	else
		cr_assert_eq(status, 0, "%s ended with wait status %d: %.*s", argv[0], status,
			     STR_FMT(out));
	return out;
}
