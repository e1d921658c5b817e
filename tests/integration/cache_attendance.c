/* Who is where, in the Redis of the tests (cache/attendance.h). */
#include "cache/attendance.h"

#include "base/ctx.h"
#include "base/id.h"
#include "cache/redis_impl.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ctx ctx;

static void begin(void)
{
	(void)world();
	cr_assert_null(redis_init());
	ctx_reset(&ctx, world_arena());
}

TestSuite(cache_attendance, .init = begin);

static const char *new_key(void)
{
	return strf("present:{%s}", id_text(uuid_v7()));
}

/* Who is there, in Redis' order: by their end, then by name. */
static const char *listed(const char *key)
{
	const char *all = "";
	struct str *members;
	size_t n;

	cr_assert(attendance_list(&ctx, key, &members, &n));
	for (size_t i = 0; i < n; i++)
		all = strf("%s %s", all, members[i].ptr);

	return all;
}

static void note(const char *key, const char *member, bool is_there)
{
	struct str *members;
	size_t n;

	cr_assert(attendance_note(&ctx, key, str_of(member), is_there, &members, &n));
}

Test(cache_attendance, who_came_is_there_until_they_leave)
{
	const char *key = new_key();

	cr_assert_str_eq(listed(key), "");
	note(key, "ann", true);
	note(key, "ann", true);
	note(key, "bob", true);
	cr_assert(strstr(listed(key), "ann") && strstr(listed(key), "bob"));
	note(key, "ann", false);
	cr_assert_str_eq(listed(key), " bob");
}

/* Whom a dead process held: nobody says again that they are there. */
Test(cache_attendance, who_is_not_renewed_ends)
{
	const char *key = new_key(), *other = new_key();
	struct str name = redis_key(world_arena(), key);
	struct str stale[] = { STR("ZADD"), name, STR("1"), STR("ann"), STR("1"), STR("bob") };
	_cleanup_(redis_replyp) redisReply *added = redis_ask(&ctx, stale, ARRAY_LEN(stale));
	struct attendance held[] = { { key, STR("bob") }, { other, STR("eve") } };

	cr_assert_eq(added->integer, 2);
	cr_assert_str_eq(listed(key), "", "both have ended");
	cr_assert(attendance_renew(&ctx, held, ARRAY_LEN(held)));
	cr_assert_str_eq(listed(key), " bob");
	cr_assert_str_eq(listed(other), " eve");
}
