/*
 * The types of events: what may happen, who may be told, and what an event's data shows.
 *
 * An event's data is {"before":…,"after":…} of its subject, as far as the change goes
 * (record_change() in sql/migrations/0009), and what its type has beside. The same rows print
 * docs/events.md and the webhooks of the OpenAPI document.
 */
#pragma once

#include "base/base.h"
#include "http/permissions.h"

struct buf;
struct jsonwrite;
struct openapi_also;
struct shape;

struct event_type {
	const char *name; /* "project.created": the noun, then what happened to it */
	const char *summary;
	const struct shape *subject; /* what before and after show; NULL: neither is there */
	const struct shape *extra;   /* what data has beside; NULL: nothing */
	enum perm perm;              /* that a seat needs to be told of it live */
	bool is_hookable;            /* webhooks may subscribe */
};

extern const struct event_type event_types[]; /* of a tenant; ends with a NULL name */
extern const struct event_type
	account_event_types[]; /* of an account, which is told to no tenant */

/* NULL when there is none. */
const struct event_type *event_type_find(const char *name);

/* JSON Schema of its data; subjects stand in the document's components. */
void event_write_data_schema(struct jsonwrite *w, const struct event_type *t);

/* Data as an event of the type might have it, and the whole of what a webhook is sent of one: both
 * fit their schemas. */
void event_write_data_example(struct jsonwrite *w, const struct event_type *t);
void event_write_example(struct jsonwrite *w, const struct event_type *t);

/* docs/events.md */
void print_events(struct buf *out);

/* Its part of the OpenAPI document: one webhook for each type that is hookable. */
extern const struct openapi_also event_webhooks;
