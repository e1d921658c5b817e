/*
 * What clients say: one JSON object a message.
 *
 *	{"type":"subscribe","room":…}     with "since": the id of the last event that was seen;
 *	                                  with "presence": true, to be seen by others in the room
 *	{"type":"unsubscribe","room":…}
 *	{"type":"presence","room":…}      who is in the room
 *	{"type":"ping"}
 *
 * and what is answered to what cannot be done.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct arena;

enum message_type {
	MESSAGE_SUBSCRIBE,
	MESSAGE_UNSUBSCRIBE,
	MESSAGE_PRESENCE,
	MESSAGE_PING,
	MESSAGE_OTHER, /* a type of none of these */
};

struct client_message {
	enum message_type type;
	struct str type_text; /* as it was sent */
	struct str room;      /* ptr NULL: none, or no text */
	bool has_since;
	struct uuid since; /* nil: what was sent is no id */
	bool wants_presence;
};

/* False when it is no JSON object with a type; *ret_why says why. Strings are the arena's. */
bool client_message_parse(struct arena *a, struct str text, struct client_message *ret,
			  const char **ret_why) MUST_CHECK;

/* {"type":"error","message":…,"code":…,"room":…}, in the arena; room: NULL or longer than any: left
 * out. */
struct str error_text(struct arena *a, const char *code, const char *message, struct str room);
struct str denial_text(struct arena *a, struct str room); /* of a room: ACCESS_DENIED */
