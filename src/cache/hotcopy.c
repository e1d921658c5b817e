/*
 * SET … NX for a copy, SET to nothing for a copy that is over; one key a command, so that each may
 * lie on another node.
 */
#include "cache/hotcopy.h"
#include "cache/redis_impl.h"

#include "base/arena.h"
#include "base/ctx.h"

/* SET key value EX HOTCOPY_TTL_S, with NX where nx; the command's number. */
static uint64_t send_set(struct ctx *c, const char *key, struct str value, bool nx)
{
	struct str ttl = str_of(arena_printf(c->arena, "%d", HOTCOPY_TTL_S));
	struct str args[] = {
		STR("SET"), redis_key(c->arena, key), value, STR("EX"), ttl, STR("NX")
	};

	return redis_send(args, nx ? ARRAY_LEN(args) : ARRAY_LEN(args) - 1);
}

void hotcopy_put(struct ctx *c, const char *key, struct str value)
{
	if (send_set(c, key, value, true))
		redis_flush();
}

bool hotcopy_drop(struct ctx *c, const char *const *keys)
{
	uint64_t first = 0, last = 0;
	bool all = true;

	redis_insist(); /* others may see the copy by now, though this process has not tried again
			 */
	for (size_t i = 0; keys[i]; i++) {
		last = send_set(c, keys[i], STR(""), false);
		if (!last)
			return false;
		if (!first)
			first = last;
	}
	if (!last)
		return true; /* no keys */

	redis_flush();
	c->redis_trips++;
	for (uint64_t number = first; number <= last; number++) {
		_cleanup_(redis_replyp) redisReply *reply = redis_receive(c, number);

		all = all && reply && reply->type == REDIS_REPLY_STATUS;
	}

	return all;
}
