/*
 * Kinds of notifications: one table (kinds.c) of what somebody is told of, who that is, and in
 * which words.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"
#include "http/permissions.h"

struct arena;

/* Who is told, beside active users of the event's tenant alone: never who did it, unless it is a
 * notice of security. notifications_of_events in sql/queries/notifications.sql reads the names. */
enum audience {
	TO_SUBJECT, /* the user whom it happened to */
	TO_MAKER,   /* who made the API key that it happened to */
	TO_INVITER, /* who invited the user whom it happened to */
	TO_HOLDERS, /* everybody who holds .perm */
	TO_OWNERS,
};

struct notification_kind {
	const char *name;  /* "user.joined": never changed, since preferences are kept by it */
	const char *about; /* in a list of preferences */
	const char *event; /* the type that causes it (events/event.c) */
	enum audience to;
	enum perm perm;    /* with TO_HOLDERS */
	bool is_security;  /* always shown and mailed at once, whoever did it; cannot be turned off
			    */
	bool in_app;       /* shown, unless its reader has said otherwise */
	const char *email; /* "instant", "digest", "off"; likewise */
	/* Of one line each. {{actor}} is who did it, {{subject}} what it happened to, {{tenant}}
	   the tenant's name, {{plan}} its plan, {{roles}} the roles of a user as subject,
	   {{expires}} when an API key runs out; else a member of the event's data. */
	const char *title, *body;
};

extern const struct notification_kind notification_kinds[]; /* ends with a NULL name */

/* NULL when there is none of that name. */
const struct notification_kind *notification_kind(const char *name);

/* The whole table as JSON, for SQL: an array of objects whose members are named as above. */
struct str notification_kinds_json(struct arena *a);
