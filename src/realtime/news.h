/*
 * What happens, told to whoever is in the rooms that it concerns.
 *
 * Events come from Redis, in the order of their positions (events/live.h); what did not come is
 * read from event_log, so that each event reaches each room here once, whatever Redis does. Beside
 * them comes what has no history: rooms' own messages (events/room.h), presence.
 *
 * A tenant's `told` is the position up to which its rooms were told of everything. It is settled
 * once the log was read up to a moment at which Redis brought its events already; before that,
 * what Redis brings is passed over, because something may be missing before it.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct batch;
struct connection;
struct ctx;
struct place;
struct room_name;
struct rows;
struct tenant;

/* More is not replayed at once: who missed more reads anew by the API. */
#define HISTORY_MAX 1000
/* Nor is more looked through, nor more text sent while the last replay waits still. */
#define HISTORY_SPAN      5000
#define HISTORY_BYTES_MAX MIB(2)

void news_init(void); /* once in each process */
void news_done(void);

/* A tenant has a connection more here, and is told of what is behind position if it is the first;
 * has one less. */
struct tenant *news_enter(struct tenant_id id, int64_t position);
void news_leave(struct tenant *t);

/* The socket to poll, or -1: there is no connection to Redis now. Connects when it is time. */
int news_connect(void);

/* Tells all that has come from Redis. */
void news_hear(void);

/* Tenants wait to be settled, and can be: the log is to be read now. */
bool news_wants_log(void);

/*
 * Asks in a batch for what did not come by itself, of all tenants or of those that are not settled,
 * and tells it once the batch has run. head: the position of the newest event, read before that in
 * the same batch.
 */
void news_ask(struct ctx *c, struct batch *b, bool of_all);
void news_tell_asked(struct ctx *c, int64_t head);

/* Asks what a room has missed since an event, and tells it to one who has just joined. */
struct history {
	const struct rows *since, *events;
};
void news_ask_history(struct batch *b, const struct connection *who, const struct room_name *n,
		      struct uuid since, struct history *ret);
void news_tell_history(struct ctx *c, struct connection *to, struct place *p,
		       const struct history *h);
