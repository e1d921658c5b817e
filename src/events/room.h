/*
 * What is only live: a job's progress, a count of what is unread. It is told to whoever is in a
 * room of the realtime server now, and is no event: it has no history, and is lost where Redis is
 * away.
 */
#pragma once

#include "base/id.h"
#include "base/str.h"
#include "cache/publish.h"

struct ctx;

/*
 * {"room":…,"event":…,"data":…} on the channel rooms:{<tenant>}. room: "user:<id>" or
 * "tenant:<id>:…", and what is told to the room of one resource is told to that of them all; event:
 * what happened, "job.progress"; data: compact JSON. Waits for Redis, 100 ms at most: to be called
 * after the commit of what it tells of.
 */
void room_publish(struct ctx *c, struct tenant_id tenant, const char *room, const char *event,
		  struct str data);

/* The same message, to be published together with others; it lives in c's arena. */
struct message room_message(struct ctx *c, struct tenant_id tenant, const char *room,
			    const char *event, struct str data);
