/*
 * Who is here, in this process: tenants that have connections, rooms that have somebody in them. A
 * room that nobody is in any more is gone, and so is a tenant.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"
#include "realtime/rooms.h"

#include <sys/queue.h>

struct connection;
struct frame;
struct slot;

/* Once in each process, whose slot shows how many rooms it has. */
void roster_init(struct slot *of_this_process);

TAILQ_HEAD(waiting, connection);

struct tenant {
	struct tenant_id id; /* the key of the tree: stays first */
	size_t connections;
	int64_t told; /* position of the last event that its rooms were told of (realtime/news.h) */
	bool is_settled;      /* Redis brings what comes after it */
	int64_t rested_at_us; /* monotonic: what its messages took is made up for (turns.h) */
	int64_t turn_us;      /* of the loop's, since others were last let in between */
	struct waiting waiting;
};

struct occupant {
	struct connection *connection;
	uint32_t place; /* in the connection's list */
	int64_t after; /* position of the event that it has seen already: another process told it */
};

struct room {
	char name[ROOM_NAME_SIZE]; /* the key of the tree: stays first */
	struct room_name is;
	struct occupant *occupants;
	uint32_t len, cap;
};

/* The tenant gets a connection more, or less. told: where a tenant begins that is new here. */
struct tenant *roster_tenant_enter(struct tenant_id id, int64_t told);
void roster_tenant_leave(struct tenant *t);
struct tenant *roster_tenant(struct tenant_id id); /* NULL: it has no connection here */
void roster_each_tenant(void (*visit)(struct tenant *t, void *p), void *p);
size_t roster_tenants_len(void);

struct room *roster_room(const char *name); /* NULL: nobody is in it */

/* NULL: it is in as many as it may be. The same room again is the same place. */
struct place *roster_join(struct connection *c, const struct room_name *name);
struct place *roster_place(struct connection *c, const char *name); /* NULL: not in it */
void roster_leave(struct connection *c, const char *name);
void roster_leave_all(struct connection *c);

/* To all who are in it and have not seen that position; NO_POSITION: it is no event of the log. */
#define NO_POSITION INT64_MAX
void roster_tell(struct room *r, struct str text, int64_t position);
