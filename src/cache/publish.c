/* PUBLISH, pipelined: see publish.h. */
#include "cache/publish.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "cache/redis_impl.h"

bool publish(struct ctx *c, const struct message *messages, size_t n)
{
	uint64_t first = 0, last = 0;
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		struct str args[] = { STR("PUBLISH"), redis_key(c->arena, messages[i].channel.ptr),
				      messages[i].text };

		last = redis_send(args, ARRAY_LEN(args));
		if (!last)
			return false;
		if (!first)
			first = last;
	}
	if (!last)
		return true; /* nothing to say */

	redis_flush();
	c->redis_trips++;
	for (uint64_t number = first; number <= last; number++) {
		_cleanup_(redis_replyp) redisReply *reply = redis_receive(c, number);

		all = all && reply && reply->type == REDIS_REPLY_INTEGER;
	}

	return all;
}
