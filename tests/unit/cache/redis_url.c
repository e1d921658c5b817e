#include "cache/redis_impl.h"

#include "base/arena.h"

#include <criterion/criterion.h>

static bool same(const char *a, const char *b)
{
	return a && b ? str_is(str_of(a), b) : a == b;
}

Test(redis_url, says_where_redis_is_and_who_we_are)
{
	static const struct {
		const char *url;
		struct redis_target target;
	} rows[] = {
		{ "redis://localhost", { .host = "localhost", .port = 6379 } },
		{ "redis://localhost/", { .host = "localhost", .port = 6379 } },
		{ "redis://10.0.0.1:6380", { .host = "10.0.0.1", .port = 6380 } },
		{ "redis://10.0.0.1:6380/3", { .host = "10.0.0.1", .port = 6380, .db = 3 } },
		{ "redis://[::1]", { .host = "::1", .port = 6379 } },
		{ "redis://[::1]:6380/1", { .host = "::1", .port = 6380, .db = 1 } },
		{ "redis://:s3cret@cache:6379/0",
		  { .host = "cache", .port = 6379, .password = "s3cret" } },
		{ "redis://zygo:a%40b%2Fc%3A@cache",
		  { .host = "cache", .port = 6379, .user = "zygo", .password = "a@b/c:" } },
		{ "unix:///run/redis.sock", { .path = "/run/redis.sock" } },
		{ "unix:///run/redis.sock?db=2", { .path = "/run/redis.sock", .db = 2 } },
		{ "unix://:s3cret@/run/redis.sock",
		  { .path = "/run/redis.sock", .password = "s3cret" } },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct redis_target *want = &rows[i].target;
		struct redis_target t = { 0 };
		const char *why = redis_url_parse(a, str_of(rows[i].url), &t);

		cr_expect_null(why, "%s: %s", rows[i].url, why);
		cr_expect(same(t.path, want->path), "%s: path %s", rows[i].url, t.path);
		cr_expect(same(t.host, want->host), "%s: host %s", rows[i].url, t.host);
		cr_expect(same(t.user, want->user), "%s: user %s", rows[i].url, t.user);
		cr_expect(same(t.password, want->password), "%s: password %s", rows[i].url,
			  t.password);
		cr_expect_eq(t.port, want->port, "%s: port %d", rows[i].url, t.port);
		cr_expect_eq(t.db, want->db, "%s: database %ld", rows[i].url, (long)t.db);
	}

	arena_free(a);
}

Test(redis_url, is_refused_with_a_reason)
{
	static const char *const urls[] = {
		"",
		"localhost:6379",
		"http://localhost",
		"rediss://localhost",
		"redis://",
		"redis://:6379",
		"redis://host:",
		"redis://host:0",
		"redis://host:65536",
		"redis://host:6379x",
		"redis://host:6379/one",
		"redis://host/-1",
		"redis://host/1/2",
		"redis://[::1",
		"redis://[::1]6379",
		"redis://secret@host",
		"redis://:100%@host",
		"unix://run/redis.sock",
		"unix://",
		"unix:///run/redis.sock?database=1",
		"unix:///run/redis.sock?db=x",
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct redis_target t;

		cr_expect_not_null(redis_url_parse(a, str_of(urls[i]), &t), "\"%s\"", urls[i]);
	}

	arena_free(a);
}
