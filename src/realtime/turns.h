/*
 * Messages of clients, from their pieces to the conversation (conversation.h), each in its tenant's
 * turn: a tenant's messages take half of the loop's time, and what is beyond waits, the first that
 * came first. Who waits is not read meanwhile, so a client has one message here at most.
 */
#pragma once

#include "base/base.h"

struct connection;
struct tenant;

/* A piece has come; is_end: its message is whole with it. */
void turns_take(struct connection *conn, const void *p, size_t len, bool is_end);

/* The timer of a connection of the tenant's: those that wait are heard, as far as they may be. */
void turns_wake(struct tenant *t);

/* The connection ends: it waits no more. */
void turns_leave(struct connection *conn);

/*
 * What the tenant's clients cause beside messages is paid for with their turns: they are heard when
 * so many times the time since began_us (monotonic) is over.
 */
enum turns_price {
	TURNS_ALL = 1,  /* may take all of the loop: handshakes, whose number a turn is bounded */
	TURNS_HALF = 2, /* half of it, as messages */
};
void turns_charge(struct tenant *t, int64_t began_us, enum turns_price times);

/* Each second: whoever waits for long is not taken for dead. */
void turns_tick(void);
