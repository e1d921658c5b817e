/* A connection that only hears: see subscriber.h. */
#include "cache/subscriber.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "cache/redis_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>

#define RETRY_FIRST_US (250 * US_PER_MS)
#define RETRY_LAST_US  (5 * US_PER_S)

static struct {
	struct arena *arena; /* of the target's strings */
	struct redis_target target;
	redisContext *conn; /* NULL: none now */
	void *channels;     /* tsearch(3): char *, with the prefix */
	uint64_t round;
	uint64_t asked, answered; /* on this connection: channels to hear, or to hear no more */
	int64_t retry_at_us;      /* monotonic */
	int64_t pause_us;
} ear;

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void subscriber_init(void)
{
	ear.arena = arena_new();
	BUG_IF(redis_url_parse(ear.arena, str_of(config()->redis_url), &ear.target) != NULL);
}

void subscriber_done(void)
{
	if (ear.conn)
		redisFree(ear.conn);
	tdestroy(ear.channels, free);
	arena_free(ear.arena);
	memset(&ear, 0, sizeof(ear));
}

/* ---- the connection ---- */

static void lost(void)
{
	if (ear.conn)
		redisFree(ear.conn);
	ear.conn = NULL;
	ear.pause_us = ear.pause_us ? 2 * ear.pause_us : RETRY_FIRST_US;
	if (ear.pause_us > RETRY_LAST_US)
		ear.pause_us = RETRY_LAST_US;
	ear.retry_at_us = clock_monotonic_us() + ear.pause_us;
}

/* Writes what is buffered. The socket does not block: a Redis that takes nothing is lost. */
static void flush(void)
{
	int done = 0;

	while (ear.conn && !done) {
		errno = 0;
		if (redisBufferWrite(ear.conn, &done) != REDIS_OK || (!done && errno == EAGAIN))
			lost();
	}
}

static void ask(const char *verb, const char *channel)
{
	const char *argv[] = { verb, channel };

	if (!ear.conn)
		return;
	if (redisAppendCommandArgv(ear.conn, 2, argv, NULL) != REDIS_OK)
		lost();
	ear.asked++;
}

static void ask_again(const void *node, VISIT visit, int depth UNUSED)
{
	if (visit == postorder || visit == leaf)
		ask("SUBSCRIBE", *(char *const *)node);
}

int subscriber_connect(void)
{
	struct redis_why why;

	if (ear.conn)
		return ear.conn->fd;
	if (clock_monotonic_us() < ear.retry_at_us)
		return -1;

	ear.conn = redis_open(&ear.target, &why);
	if (!ear.conn || fcntl(ear.conn->fd, F_SETFL, O_NONBLOCK) != 0) {
		lost();
		return -1;
	}
	ear.conn->flags &= ~REDIS_BLOCK;
	ear.round++;
	ear.asked = ear.answered = 0;
	twalk(ear.channels, ask_again);
	flush();

	return ear.conn ? ear.conn->fd : -1;
}

uint64_t subscriber_round(void)
{
	return ear.round;
}

bool subscriber_is_settled(void)
{
	return ear.conn && ear.answered == ear.asked;
}

/* ---- channels ---- */

static char *with_prefix(const char *channel)
{
	char *name;

	if (asprintf(&name, "%s:%s", config()->redis_prefix, channel) < 0)
		BUG("out of memory");

	return name;
}

void subscriber_add(const char *channel)
{
	char *name = with_prefix(channel);
	char *const *node = tsearch(name, &ear.channels, compare);

	BUG_IF(!node);
	if (*node != name) {
		free(name);
		return;
	}
	ask("SUBSCRIBE", name);
	flush();
}

void subscriber_drop(const char *channel)
{
	char *name = with_prefix(channel), *kept;
	char *const *node = tfind(name, &ear.channels, compare);

	if (node) {
		kept = *node;
		ask("UNSUBSCRIBE", name);
		flush();
		(void)tdelete(name, &ear.channels, compare);
		free(kept);
	}
	free(name);
}

/* ---- messages ---- */

/* The next reply that is whole; NULL: none now. */
static redisReply *next_reply(void)
{
	void *reply = NULL;

	while (ear.conn) {
		if (redisGetReplyFromReader(ear.conn, &reply) != REDIS_OK) {
			lost();
			return NULL;
		}
		if (reply)
			return reply;

		errno = 0;
		if (redisBufferRead(ear.conn) != REDIS_OK)
			lost();
		else if (errno == EAGAIN)
			return NULL;
	}

	return NULL;
}

static struct str text_of(struct arena *a, const redisReply *r)
{
	return (struct str){ arena_strndup(a, r->str, (size_t)r->len), (size_t)r->len };
}

bool subscriber_take(struct arena *a, struct str *ret_channel, struct str *ret_message)
{
	size_t prefix = strlen(config()->redis_prefix) + 1;

	for (;;) {
		_cleanup_(redis_replyp) redisReply *r = next_reply();

		if (!r)
			return false;
		ear.pause_us = 0;
		if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 ||
		    r->element[2]->type != REDIS_REPLY_STRING) {
			ear.answered++; /* a channel is heard from now on, or no more */
			continue;
		}
		if ((size_t)r->element[1]->len < prefix)
			continue;

		*ret_channel = text_of(a, r->element[1]);
		ret_channel->ptr += prefix;
		ret_channel->len -= prefix;
		*ret_message = text_of(a, r->element[2]);
		return true;
	}
}
