/*
 * Load: requests without a pause on several connections at once, and every answer counted, for each
 * connection: a connection that starves is seen, and so is each request that fails.
 */
#pragma once

#include "base/base.h"

struct caller;
struct load;

struct load_result {
	uint64_t answers;         /* all of them */
	uint64_t fewest;          /* on the connection that got the fewest */
	uint64_t by_status[600];  /* … by status */
	uint64_t broken;          /* requests without an answer */
	uint64_t unformed;        /* answers from 400 on without the contract's error body */
	char first_failure[4096]; /* the body of the first of those, or why it broke */
};

/* Starts asking for a path below the caller's tier; at most 64 connections, each a thread. */
struct load *load_start(const struct caller *c, const char *path, size_t connections);

/* POSTs instead; %llu in the body becomes a number that is new each time. */
struct load *load_start_writes(const struct caller *c, const char *path, const char *body,
			       size_t connections);

/* Waits until each connection has had n more answers. */
void load_wait(struct load *l, uint64_t n);

/* Ends it, with the requests under way, and says what came. */
struct load_result load_stop(struct load *l);

/* Answers with a status of this hundred: load_count(&r, 5) is all 5xx. */
uint64_t load_count(const struct load_result *r, int hundred);
