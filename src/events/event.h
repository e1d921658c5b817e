/*
 * Events: facts that happened, written in the transaction that made them true. The spine of audit, webhooks, realtime
 * and notifications.
 *
 * One table (event.c) lists every type; a type that is not in it is a BUG().
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct batch;
struct ctx;

struct event_type {
	const char *name;    /* "project.created": the noun, then what happened to it */
	const char *summary;
};

extern const struct event_type event_types[]; /* ends with a NULL name */

/* Adds the event to a batch: who, from where and by which request come from the ctx. data: compact JSON, or NULL for {}. */
void batch_event(struct batch *b, struct ctx *c, const char *type, struct uuid subject, const char *data);
