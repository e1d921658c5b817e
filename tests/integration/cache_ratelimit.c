/*
 * Rate limits and hot copies against a real Redis (ZYGO_TEST_REDIS_URL), and against one of the
 * test's own that is flushed, killed and started again.
 */
#include "cache/hotcopy.h"
#include "cache/ratelimit.h"
#include "cache/redis_impl.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct config settings_of_test;
static struct arena *arena;
static struct ctx ctx;

static void use_redis(const char *url)
{
	settings_of_test.redis_url = url;
	settings_of_test.redis_prefix = "zygo-test";
	config_set(&settings_of_test);
	cr_assert_null(redis_init());
	ctx_reset(&ctx, arena);
}

static void begin(void)
{
	const char *url = getenv("ZYGO_TEST_REDIS_URL");

	cr_assert_not_null(url, "ZYGO_TEST_REDIS_URL says which Redis to test with");
	arena = arena_new();
	ratelimit_init(1);
	settings_of_test.redis_timeout_us = US_PER_MINUTE;
	use_redis(url);
}

static void end(void)
{
	redis_done();
	arena_free(arena);
}

TestSuite(cache_ratelimit, .init = begin, .fini = end);

/* A name that no other test or run has. */
static const char *unique(const char *kind)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(uuid_v7(), id);
	return arena_printf(arena, "%s:%s", kind, id);
}

static struct verdict ask(const struct ratelimit *limits, size_t n)
{
	struct verdict verdict;
	struct str session;

	lookup_wait(&ctx, lookup_send(&ctx, limits, n, NULL), &verdict, &session);
	return verdict;
}

static struct str session_of(const char *key)
{
	struct verdict verdict;
	struct str session;

	lookup_wait(&ctx, lookup_send(&ctx, NULL, 0, key), &verdict, &session);
	return session;
}

Test(cache_ratelimit, the_limit_counts_down_then_refuses)
{
	const struct ratelimit limit = { "read", unique("a"), 3, 60 };
	struct verdict verdict;

	for (int64_t left = 2; left >= 0; left--) {
		verdict = ask(&limit, 1);
		cr_assert(verdict.allowed);
		cr_assert_eq(verdict.remaining, left);
		cr_assert_eq(verdict.by, &limit);
	}

	verdict = ask(&limit, 1);
	cr_assert_not(verdict.allowed);
	cr_assert_eq(verdict.remaining, 0);
	cr_assert(verdict.reset_s >= 1 && verdict.reset_s <= 60, "%" PRId64, verdict.reset_s);
}

Test(cache_ratelimit, one_look_up_is_one_round_trip)
{
	const struct ratelimit limits[] = { { "read", unique("a"), 3, 60 },
					    { "read", unique("ip"), 9, 60 } };
	struct verdict verdict;
	struct str session;

	lookup_wait(&ctx, lookup_send(&ctx, limits, 2, unique("session")), &verdict, &session);
	cr_assert(verdict.allowed);
	cr_assert_eq(verdict.by, &limits[0]);
	cr_assert_eq(ctx.redis_trips, 1);
	cr_assert_gt(ctx.redis_us, 0);
}

/* Asks times times in a process of its own and writes how often it was allowed. */
static void hammer(const struct ratelimit *limit, int times, int out)
{
	int32_t allowed = 0;

	cr_assert_null(redis_init());
	for (int i = 0; i < times; i++)
		allowed += ask(limit, 1).allowed;
	_exit(write(out, &allowed, sizeof(allowed)) == sizeof(allowed) && redis_is_up() ? 0 : 1);
}

Test(cache_ratelimit, four_processes_together_get_exactly_the_limit)
{
	const struct ratelimit limit = { "read", unique("a"), 100, 300 };
	int32_t total = 0, allowed;
	int ends[2], status;

	cr_assert_eq(pipe(ends), 0);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (pid == 0)
			hammer(&limit, 200, ends[1]);
	}
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(read(ends[0], &allowed, sizeof(allowed)), sizeof(allowed));
		total += allowed;
		cr_assert_gt(wait(&status), 0);
		cr_assert_eq(status, 0, "a process lost Redis");
	}

	cr_assert_eq(total, 100);
	close(ends[0]);
	close(ends[1]);
}

Test(cache_ratelimit, no_window_holds_more_than_the_limit)
{
	enum { LIMIT = 5, ADMITTED = 3 * LIMIT };
	const struct ratelimit limit = { "read", unique("a"), LIMIT, 1 };
	int64_t before_us[ADMITTED], after_us[ADMITTED];
	int n = 0;

	while (n < ADMITTED) {
		before_us[n] = clock_monotonic_us();
		if (!ask(&limit, 1).allowed) {
			usleep(10000);
			continue;
		}
		after_us[n++] = clock_monotonic_us();
	}

	/* Redis' moments lie between ours and are cut to milliseconds. */
	for (int i = 0; i + LIMIT < ADMITTED; i++)
		cr_expect_geq(after_us[i + LIMIT] - before_us[i], US_PER_S - 2 * US_PER_MS);
}

Test(cache_ratelimit, what_one_limit_refuses_is_charged_to_none)
{
	const struct ratelimit limits[] = { { "auth", unique("ip"), 1, 60 },
					    { "auth", unique("a"), 10, 60 } };

	cr_assert(ask(limits, 2).allowed);
	for (int i = 0; i < 5; i++) {
		struct verdict verdict = ask(limits, 2);

		cr_assert_not(verdict.allowed);
		cr_assert_eq(verdict.by, &limits[0]);
	}
	cr_assert_eq(ask(&limits[1], 1).remaining, 8);
}

Test(cache_ratelimit, policies_of_one_subject_do_not_share)
{
	const char *subject = unique("a");
	const struct ratelimit read = { "read", subject, 1, 60 },
			       write = { "write", subject, 1, 60 };

	cr_assert(ask(&read, 1).allowed);
	cr_assert_not(ask(&read, 1).allowed);
	cr_assert(ask(&write, 1).allowed);
}

Test(cache_ratelimit, a_hot_copy_is_found_until_it_is_dropped)
{
	const char *key = unique("session");
	const char *const keys[] = { key, unique("session"), NULL };

	cr_assert_null(session_of(key).ptr);
	hotcopy_put(&ctx, key, STR("a\0b"));
	cr_assert(str_eq(session_of(key), STR("a\0b")));
	cr_assert(hotcopy_drop(&ctx, keys));
	cr_assert_null(session_of(key).ptr);
}

Test(cache_ratelimit, what_was_read_before_a_drop_cannot_be_put_after_it)
{
	const char *key = unique("session");
	const char *const keys[] = { key, NULL };

	cr_assert(hotcopy_drop(&ctx, keys));
	hotcopy_put(&ctx, key, STR("old"));
	cr_assert_null(session_of(key).ptr);
}

Test(cache_ratelimit, a_look_up_nobody_waited_for_disturbs_no_other)
{
	const struct ratelimit limit = { "read", unique("a"), 3, 60 };
	const char *mine = unique("session"), *other = unique("session");

	hotcopy_put(&ctx, mine, STR("mine"));
	hotcopy_put(&ctx, other, STR("other"));
	for (int i = 0; i < 2; i++) {
		struct arena *units = arena_new(); /* of work that fails before it waits */

		ctx_reset(&ctx, units);
		(void)lookup_send(&ctx, &limit, 1, other);
		arena_free(units);
	}
	ctx_reset(&ctx, arena);
	cr_assert(str_is(session_of(mine), "mine"));
}

Test(cache_ratelimit, without_redis_the_limit_still_holds_and_nothing_waits)
{
	const struct ratelimit limit = { "read", unique("a"), 3, 60 };
	const char *key = unique("session");

	use_redis("unix:///nonexistent/redis.sock");
	hotcopy_put(&ctx, key, STR("value"));
	cr_assert_null(session_of(key).ptr);
	for (int i = 0; i < 3; i++)
		cr_assert(ask(&limit, 1).allowed);
	cr_assert_not(ask(&limit, 1).allowed);
	cr_assert_not(redis_is_up());
	cr_assert_eq(ctx.redis_trips, 0);
	cr_assert_eq(redis_ping(&ctx), ERR_SERVICE_UNAVAILABLE);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

Test(cache_ratelimit, a_redis_that_never_answers_is_waited_for_once)
{
	char dir[] = "/tmp/zygo-redis-XXXXXX";
	const struct ratelimit limit = { "read", unique("a"), 3, 60 };
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address;
	const char *path;

	cr_assert_not_null(mkdtemp(dir));
	path = arena_printf(arena, "%s/silent.sock", dir);
	address = address_of(path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 8), 0);

	settings_of_test.redis_timeout_us = US_PER_MS;
	use_redis(arena_printf(arena, "unix://%s", path));
	cr_assert(ask(&limit, 1).allowed);
	cr_assert_not(redis_is_up());
	cr_assert(ask(&limit, 1).allowed);
	cr_assert(ask(&limit, 1).allowed);
	cr_assert_not(ask(&limit, 1).allowed);
	unlink(path);
	rmdir(dir);
}

/* A Redis of the test's own on a socket in dir, answering when this returns. */
static pid_t redis_of_our_own(const char *dir)
{
	const char *path = arena_printf(arena, "%s/redis.sock", dir);
	struct sockaddr_un address = address_of(path);
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* with a test that breaks off */
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--dir",
		       dir, "--save", "", "--logfile", "redis.log", (char *)NULL);
		_exit(127);
	}
	for (;;) {
		_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return pid;
		cr_assert_eq(waitpid(pid, NULL, WNOHANG), 0, "redis-server did not start");
		usleep(5000);
	}
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

static void remove_dir(const char *dir)
{
	static const char *const names[] = { "redis.sock", "redis.log" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(arena_printf(arena, "%s/%s", dir, names[i]));
	rmdir(dir);
}

Test(cache_ratelimit, a_flush_of_scripts_costs_one_more_trip_and_no_count)
{
	char dir[] = "/tmp/zygo-redis-XXXXXX";
	const struct ratelimit limits[] = { { "read", unique("a"), 3, 60 },
					    { "read", unique("ip"), 9, 60 } };
	struct str flush[] = { STR("SCRIPT"), STR("FLUSH") };
	pid_t pid;

	cr_assert_not_null(mkdtemp(dir));
	pid = redis_of_our_own(dir);
	use_redis(arena_printf(arena, "unix://%s/redis.sock", dir));

	cr_assert_eq(ask(limits, 2).remaining, 2);
	freeReplyObject(redis_ask(&ctx, flush, ARRAY_LEN(flush)));
	ctx.redis_trips = 0;
	cr_assert_eq(ask(limits, 2).remaining, 1);
	cr_assert_eq(ctx.redis_trips, 2);
	cr_assert_eq(ask(limits, 2).remaining, 0);
	cr_assert_eq(ctx.redis_trips, 3);
	cr_assert_not(ask(limits, 2).allowed);

	stop(pid);
	remove_dir(dir);
}

/* Another process may have put the copy, and may show it, while this one does without Redis. */
Test(cache_ratelimit, a_drop_does_not_wait_until_redis_is_tried_again)
{
	char dir[] = "/tmp/zygo-redis-XXXXXX";
	const char *key = unique("session");
	const char *const keys[] = { key, NULL };
	pid_t pid;

	cr_assert_not_null(mkdtemp(dir));
	pid = redis_of_our_own(dir);
	use_redis(arena_printf(arena, "unix://%s/redis.sock", dir));
	hotcopy_put(&ctx, key, STR("mine"));
	stop(pid);
	for (int i = 0; i < 20; i++) { /* until the next try is seconds away */
		redis_insist();
		cr_assert_null(session_of(key).ptr);
	}

	pid = redis_of_our_own(dir);
	cr_assert(hotcopy_drop(&ctx, keys));
	cr_assert(redis_is_up());

	stop(pid);
	remove_dir(dir);
}

Test(cache_ratelimit, a_restart_of_redis_is_survived)
{
	char dir[] = "/tmp/zygo-redis-XXXXXX";
	const struct ratelimit limit = { "read", unique("a"), 1000000, 60 };
	pid_t pid;

	cr_assert_not_null(mkdtemp(dir));
	pid = redis_of_our_own(dir);
	use_redis(arena_printf(arena, "unix://%s/redis.sock", dir));
	cr_assert(ask(&limit, 1).allowed);
	cr_assert(redis_is_up());

	stop(pid);
	cr_assert(ask(&limit, 1).allowed);
	cr_assert_not(redis_is_up());

	pid = redis_of_our_own(dir);
	while (!redis_is_up()) {
		cr_assert(ask(&limit, 1).allowed);
		usleep(10000);
	}
	cr_assert_eq(redis_ping(&ctx), 0);

	stop(pid);
	remove_dir(dir);
}
