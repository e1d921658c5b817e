/*
 * Who is seen in a room. One is seen who subscribed with "presence": true; all in the room are told
 * when somebody comes and when somebody is gone, over all processes:
 *
 *	{"type":"presence","room":…,"event":"join","userId":…}
 *	{"type":"presence","room":…,"event":"leave","userId":…}
 *	{"type":"presence","room":…,"event":"list","users":[…]}     the answer to "presence"
 *
 * A user is in a room once, from however many devices. Whom a dead process held is listed for a
 * minute more, and nobody is told that they left.
 */
#pragma once

#include "base/base.h"

struct connection;
struct ctx;
struct place;
struct room;
struct str;

void presence_init(void); /* once in each process */

/* The connection is seen in its place from now on; no more. */
void presence_join(struct connection *c, struct place *p);
void presence_leave(struct connection *c, struct place *p);

/* Tells this one who is there. */
void presence_list(struct connection *c, const struct room *r);

/* Says again who is here; each second. */
void presence_tick(void);
