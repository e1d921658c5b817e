/* The types of events that webhooks may be told of. */
#pragma once

#include "base/list.h"
#include "base/str.h"

struct batch;
struct ctx;
struct event_type;

/* The i-th of them; NULL: no more. */
const struct event_type *webhook_type(size_t i);

/* The names of all, const char *, in c's arena. */
struct list webhook_types(struct ctx *c);

/* Of those that not every member may see: their names, and beside each the permission that it takes
 * (permissions of http/permissions.h). */
struct webhook_guarded {
	struct list types, permissions; /* const char *, equally many */
};
struct webhook_guarded webhook_guarded_types(struct ctx *c);

/* There is such a type, or for "project.*" one of that kind, or it is "*". */
bool webhook_type_exists(const char *name);

/* The reader of events (events/reader.h): makes deliveries of those at hand. */
void webhooks_fan_out(struct batch *b, struct ctx *c);
