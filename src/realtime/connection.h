/*
 * One WebSocket: who is behind it, which rooms it is in, what waits for it to read.
 *
 * It lives in the memory that libwebsockets keeps for a connection, from link.c's "established" to
 * its "closed". Messages are written at once while the client reads, and wait in a queue of at most
 * REALTIME_QUEUE_MAX bytes when it does not, beside what it has asked for itself; who lets more
 * wait is dropped, so nobody waits for them. Nothing here frees a connection under its caller:
 * closing happens in the loop.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"
#include "http/permissions.h"

#include <sys/queue.h>

struct frame;
struct lws;
struct room;
struct tenant;

/* Why we close, as RFC 6455 and the API's contract number it. */
enum close_code {
	CLOSE_NONE = 0,
	CLOSE_GOING_AWAY = 1001,
	CLOSE_UNSUPPORTED = 1003,
	CLOSE_POLICY = 1008,
	CLOSE_TOO_LARGE = 1009,
	CLOSE_RESTART = 1012,
	CLOSE_TRY_LATER = 1013,
	CLOSE_FAILED = 4000,
	CLOSE_MISSING = 4001,
	CLOSE_INVALID = 4002,
	CLOSE_OVER = 4003,
};

/* Where a connection is in a room. */
struct place {
	struct room *room;
	uint32_t at;     /* in the room's list */
	bool is_present; /* others see it there */
};

struct connection {
	struct lws *wsi;
	TAILQ_ENTRY(connection) others; /* of connections */
	uint64_t number;                /* of this process's, never used again */

	/* Who it is; all nil until it was let in. */
	struct session_id session;
	struct user_id user; /* nil: one of the platform's people without a seat */
	struct account_id account;
	struct tenant *tenant; /* NULL: not let in */
	bool is_of_platform;   /* one of the platform's own people: holds every permission */
	uint64_t permissions;  /* bit p: holds enum perm p */
	int64_t ends_at_us;    /* of its access token; 0: as the session does */

	struct place *places;
	uint32_t places_len, places_cap;

	struct frame **queue; /* the oldest first; NULL: nothing waits */
	uint32_t queue_len, queue_cap;
	size_t queue_bytes;
	size_t queue_asked; /* at most so many of them were asked for: they count for nothing */

	char *part; /* of a message that has not come whole, or waits */
	size_t part_len;
	TAILQ_ENTRY(connection) turn; /* of its tenant's waiting, while it is waiting (turns.h) */
	bool is_waiting;
	int64_t alive_at_us; /* monotonic: libwebsockets was told that it lives, while it waits */

	int64_t allowed_at_us; /* monotonic: when the next message is within its rate */

	const char *close_reason; /* const */
	uint16_t close_code;      /* enum close_code; not 0: it is being closed */
	bool is_compressed;
	bool is_dead; /* nothing can be written any more */
};

/* All that were let in, in any order. */
TAILQ_HEAD(connections, connection);
extern struct connections connections;
extern size_t connections_len;

/* Who it is to others: its seat, or the account of one of the platform's people without. */
struct uuid connection_user(const struct connection *c);

/* Holds a permission, or needs none beside its seat. */
bool connection_holds(const struct connection *c, enum perm p);

/* Adds a permission by its name; what is none of ours is left out. */
void connection_permit(struct connection *c, struct str name);

/* Sends a frame, which stays the caller's. */
void connection_send(struct connection *c, struct frame *f);

/* Sends text to this one alone. */
void connection_say(struct connection *c, struct str text);

/* The same of what the client has asked for, which may wait beside REALTIME_QUEUE_MAX: whoever asks
 * for much bounds it by queue_asked. */
void connection_answer(struct connection *c, struct str text);

/* The client reads again: writes what waits. False: it is to be dropped. */
bool connection_flush(struct connection *c);

/*
 * Leaves all rooms and closes once the close frame can be sent, after 5 seconds in any case; the
 * first reason counts.
 */
void connection_close(struct connection *c, enum close_code code, const char *reason);

/* Frees what it holds. */
void connection_done(struct connection *c);
