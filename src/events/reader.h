/*
 * Readers: what follows from events behind the transaction that wrote them, such as deliveries,
 * notifications and started workflows. src/events/README.md has the idea, src/domains/readers.c the
 * table.
 *
 * To add one: a function that adds statements to the reader's transaction, a row in the table. The
 * statements take their events from events_at_hand() (sql/migrations/0010) and are of role system;
 * what they write is committed together with how far the reader is, so each event is read exactly
 * once, in order. They read whatever is at hand at once, which may be nothing:
 *
 *	-- name: webhooks_fan_out :exec  role: system
 *	INSERT INTO deliveries (tenant_id, id, endpoint_id, event_id)
 *	SELECT e.tenant_id, gen_random_uuid(), w.id, e.id
 *	FROM events_at_hand() e
 *	JOIN webhooks w ON w.tenant_id = e.tenant_id AND e.type = ANY (w.types);
 *
 * A reader that is new begins where the log ends. One that fails is tried again, with fewer events
 * at a time, until it gets on; the others do not wait for it. So an event that it cannot read stops
 * it, and zygo_event_reader_lag says so: a statement leaves aside what is no business of its own.
 */
#pragma once

#include "base/base.h"

struct batch;
struct ctx;
struct rows;
struct sql;

struct event_reader {
	const char *name; /* what is remembered of it; never changed */
	/* Adds the statements; c is the batch's. NULL: none. */
	void (*read)(struct batch *b, struct ctx *c);
	/*
	 * What is told to the world outside the database: look's rows, within the transaction, so
	 * that a death before its commit tells again. Both or neither.
	 */
	const struct sql *look;
	void (*tell)(struct ctx *c, const struct rows *rows);
};

extern const struct event_reader event_readers[]; /* ends with a NULL name */
