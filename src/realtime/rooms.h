/*
 * Names of rooms, and who may be in them.
 *
 *	user:<seat>                     what is for this user alone: notifications
 *	tenant:<tenant>:events          all that happens in the tenant
 *	tenant:<tenant>:projects        what happens to projects: all events "project.…"
 *	tenant:<tenant>:project:<id>    what happens to this one
 *	tenant:<tenant>:tenant          what happens to the tenant itself
 *
 * The nouns are those of the types of events (events/event.h). A name has one spelling: ids in
 * lower case.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"
#include "http/permissions.h"

#define ROOM_NAME_SIZE 128 /* the longest name and its NUL */

enum room_kind { ROOM_USER, ROOM_EVENTS, ROOM_NOUN, ROOM_RESOURCE };

/* What rooms are about. */
struct noun {
	const char *name;   /* "apiKey": of events, and of one resource's room */
	const char *plural; /* "apiKeys": of the room of them all */
	const char *table;  /* where a resource is looked for; NULL: the tenant is the only one */
	enum perm perm;     /* whoever may see them by the API */
};

extern const struct noun nouns[]; /* ends with a NULL name */

struct room_name {
	enum room_kind kind;
	struct uuid owner;       /* the seat; else the tenant */
	const struct noun *noun; /* of a noun's and a resource's room */
	struct uuid resource;    /* of a resource's room */
	enum perm perm;          /* PERM_MEMBER in a user's own */
};

/* False: no such room can be. */
bool room_name_parse(struct str name, struct room_name *ret) MUST_CHECK;

void room_name_write(const struct room_name *n, char ret[ROOM_NAME_SIZE]);

/* The noun of a type of event: "project.created" is of "project"; NULL: of none that has rooms. */
const struct noun *noun_of_type(struct str type);
