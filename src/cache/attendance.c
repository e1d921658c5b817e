/* Sorted sets, by when a member ends: see attendance.h. */
#include "cache/attendance.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "cache/redis_impl.h"

#include <inttypes.h>

static struct str number(struct arena *a, int64_t n)
{
	return str_of(arena_printf(a, "%" PRId64, n));
}

static int64_t now_s(void)
{
	return clock_now_us() / US_PER_S;
}

/* Those whose time is not over. */
static uint64_t send_list(struct ctx *c, struct str key)
{
	return redis_send((struct str[]){ STR("ZRANGEBYSCORE"), key, number(c->arena, now_s()),
					  STR("+inf"), STR("LIMIT"), STR("0"),
					  number(c->arena, ATTENDANCE_MAX) },
			  7);
}

static bool receive_list(struct ctx *c, uint64_t asked, struct str **ret, size_t *ret_len)
{
	_cleanup_(redis_replyp) redisReply *reply = NULL;

	redis_flush();
	c->redis_trips++;
	reply = redis_receive(c, asked);
	if (!reply || reply->type != REDIS_REPLY_ARRAY)
		return false;

	*ret = arena_make_n(c->arena, struct str, reply->elements);
	*ret_len = reply->elements;
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *one = reply->element[i];

		(*ret)[i] = (struct str){ arena_strndup(c->arena, one->str, (size_t)one->len),
					  (size_t)one->len };
	}

	return true;
}

/* The number of its last command, as redis_send() gives it. */
static uint64_t send_member(struct ctx *c, struct str key, struct str member)
{
	struct str ends = number(c->arena, now_s() + ATTENDANCE_TTL_S);

	(void)redis_send((struct str[]){ STR("ZREMRANGEBYSCORE"), key, STR("-inf"),
					 number(c->arena, now_s() - 1) },
			 4);
	(void)redis_send((struct str[]){ STR("ZADD"), key, ends, member }, 4);

	return redis_send((struct str[]){ STR("EXPIRE"), key, number(c->arena, ATTENDANCE_TTL_S) },
			  3);
}

bool attendance_note(struct ctx *c, const char *key, struct str member, bool is_there,
		     struct str **ret, size_t *ret_len)
{
	struct str name = redis_key(c->arena, key);

	if (is_there)
		(void)send_member(c, name, member);
	else
		(void)redis_send((struct str[]){ STR("ZREM"), name, member }, 3);

	return receive_list(c, send_list(c, name), ret, ret_len);
}

bool attendance_renew(struct ctx *c, const struct attendance *these, size_t n)
{
	_cleanup_(redis_replyp) redisReply *reply = NULL;
	uint64_t last = 0;

	for (size_t i = 0; i < n; i++)
		last = send_member(c, redis_key(c->arena, these[i].key), these[i].member);
	redis_flush();
	c->redis_trips++;
	reply = redis_receive(c, last);

	return reply && reply->type == REDIS_REPLY_INTEGER;
}

bool attendance_list(struct ctx *c, const char *key, struct str **ret, size_t *ret_len)
{
	return receive_list(c, send_list(c, redis_key(c->arena, key)), ret, ret_len);
}
