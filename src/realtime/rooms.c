/* The table of rooms: see rooms.h. */
#include "realtime/rooms.h"

#include <stdio.h>

/*
 * To add one: a row here; its events' types begin with the name. tests/closure/rooms.c looks that
 * each has a type of event, and a table with ids unless there is but one of it.
 */
/* clang-format off */
const struct noun nouns[] = {
	{ "tenant", "tenant", NULL, PERM_MEMBER },
	{ "user", "users", "users", PERM_VIEW_USERS },
	{ "invitation", "invitations", "invitations", PERM_VIEW_USERS },
	{ "role", "roles", "roles", PERM_VIEW_ROLES },
	{ "apiKey", "apiKeys", "api_keys", PERM_MANAGE_API_KEYS },
	{ "project", "projects", "projects", PERM_VIEW_PROJECTS },
	{ "job", "jobs", "jobs", PERM_VIEW_JOBS },
	{ "webhook", "webhooks", "webhook_endpoints", PERM_VIEW_WEBHOOKS },
	{ 0 },
};
/* clang-format on */

static const struct noun *find_noun(struct str word, bool is_plural)
{
	for (const struct noun *n = nouns; n->name; n++)
		if (str_is(word, is_plural ? n->plural : n->name))
			return n;

	return NULL;
}

/* What follows "tenant:<id>:". */
static bool parse_in_tenant(struct str word, struct str id, struct room_name *ret)
{
	if (!id.ptr && str_is(word, "events")) {
		ret->kind = ROOM_EVENTS;
		ret->perm = PERM_VIEW_AUDIT_LOGS;
		return true;
	}

	ret->kind = id.ptr ? ROOM_RESOURCE : ROOM_NOUN;
	ret->noun = find_noun(word, !id.ptr);
	if (!ret->noun || (id.ptr && (!ret->noun->table || !uuid_parse(id, &ret->resource))))
		return false;
	ret->perm = ret->noun->perm;

	return true;
}

bool room_name_parse(struct str name, struct room_name *ret)
{
	struct str rest = name, scope = str_cut(&rest, ':'), owner = str_cut(&rest, ':');
	char spelled[ROOM_NAME_SIZE];
	bool is_room;

	*ret = (struct room_name){ .kind = ROOM_USER, .perm = PERM_MEMBER };
	if (!owner.ptr || !uuid_parse(owner, &ret->owner))
		return false;

	if (str_is(scope, "user")) {
		is_room = !rest.ptr;
	} else {
		struct str word = str_cut(&rest, ':');

		is_room = str_is(scope, "tenant") && word.ptr && parse_in_tenant(word, rest, ret);
	}
	if (!is_room)
		return false;
	room_name_write(ret, spelled);

	return str_is(name, spelled);
}

void room_name_write(const struct room_name *n, char ret[ROOM_NAME_SIZE])
{
	char owner[UUID_TEXT_SIZE], resource[UUID_TEXT_SIZE];

	uuid_format(n->owner, owner);
	uuid_format(n->resource, resource);
	switch (n->kind) {
	case ROOM_USER: (void)snprintf(ret, ROOM_NAME_SIZE, "user:%s", owner); break;
	case ROOM_EVENTS: (void)snprintf(ret, ROOM_NAME_SIZE, "tenant:%s:events", owner); break;
	case ROOM_NOUN:
		(void)snprintf(ret, ROOM_NAME_SIZE, "tenant:%s:%s", owner, n->noun->plural);
		break;
	case ROOM_RESOURCE:
		(void)snprintf(ret, ROOM_NAME_SIZE, "tenant:%s:%s:%s", owner, n->noun->name,
			       resource);
		break;
	}
}

const struct noun *noun_of_type(struct str type)
{
	return find_noun(str_cut(&type, '.'), false);
}
