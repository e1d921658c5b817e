/*
 * What others publish in Redis, heard on a connection of its own: one a process, which never waits
 * for a message.
 *
 * What is published while the connection is away is lost; who listens is told when that was
 * (subscriber_round()) and finds out elsewhere what it has missed.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

/* After redis_init() in the same process. */
void subscriber_init(void);
void subscriber_done(void);

/*
 * Connects when there is no connection and it is time to try, and asks for all channels again. The
 * socket to poll for reading; -1: there is no connection now.
 */
int subscriber_connect(void);

/* Counts the connections that there were: changes when something may have been missed. */
uint64_t subscriber_round(void);

/* Redis has said of all channels that they are heard: nothing is missed from now on. */
bool subscriber_is_settled(void);

/* Channels, without the installation's prefix; known to this connection and those that follow. */
void subscriber_add(const char *channel);
void subscriber_drop(const char *channel);

/* The next message that has come, its channel without the prefix, both in the arena; false: no more
 * now. */
bool subscriber_take(struct arena *a, struct str *ret_channel, struct str *ret_message);
