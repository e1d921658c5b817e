/*
 * What the files of cache/ share: commands are sent, numbered in the order they were sent in, and
 * their replies asked for by number. A reply that nobody asked for is dropped when a later one is,
 * so whoever gives up needs to do nothing.
 */
#pragma once

#include "cache/redis.h"

#include <hiredis/hiredis.h>

struct arena;

/* Where a REDIS_URL points. */
struct redis_target {
	const char *path; /* of a Unix socket; NULL: host and port */
	const char *host;
	int port;
	const char *user, *password; /* NULL: none */
	int64_t db;
};

/* NULL, or why not; the strings are the arena's. */
const char *redis_url_parse(struct arena *a, struct str url, struct redis_target *ret) MUST_CHECK;

/* Why there is no connection, for an admin. */
struct redis_why {
	char text[160];
};

/* A connection that has said who it is, with REDIS_TIMEOUT for each command; NULL, and why not. */
redisContext *redis_open(const struct redis_target *t, struct redis_why *ret_why);

/* "<prefix>:<name>", the key that is sent. */
struct str redis_key(struct arena *a, const char *name);

#define REDIS_ARGS_MAX 8

/* The next command tries to connect, however short ago that failed: for what must not be left out.
 */
void redis_insist(void);

/* Buffers a command; its number, or 0 when Redis is not to be had now. */
uint64_t redis_send(const struct str *args, size_t n);

/* Writes what is buffered; waits for no reply. */
void redis_flush(void);

/*
 * The reply to a command, which the caller frees; NULL when the connection broke, when a later
 * reply was read before it, or for number 0. Waits at most the command time-out and adds the time
 * to c->redis_us.
 */
redisReply *redis_receive(struct ctx *c, uint64_t number);

/* Sends one command and waits: one round trip of c. */
redisReply *redis_ask(struct ctx *c, const struct str *args, size_t n);

/* _cleanup_(redis_replyp) redisReply *reply = … */
void redis_replyp(redisReply **reply);
