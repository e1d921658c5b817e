/* Reading what clients say, and writing errors: see message.h. */
#include "realtime/message.h"

#include "base/buf.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "realtime/rooms.h"

static const struct {
	const char *name;
	enum message_type type;
} types[] = {
	{ "subscribe", MESSAGE_SUBSCRIBE },
	{ "unsubscribe", MESSAGE_UNSUBSCRIBE },
	{ "presence", MESSAGE_PRESENCE },
	{ "ping", MESSAGE_PING },
};

static enum message_type type_of(struct str text)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(text, types[i].name))
			return types[i].type;

	return MESSAGE_OTHER;
}

bool client_message_parse(struct arena *a, struct str text, struct client_message *ret,
			  const char **ret_why)
{
	const struct json *root, *value;
	size_t at;

	*ret = (struct client_message){ 0 };
	if (!jsonread_parse(a, text, &root, ret_why, &at))
		return false;
	if (json_kind(root) != JSON_OBJECT) {
		*ret_why = "not an object";
		return false;
	}
	ret->type_text = jsonread_member_text(root, "type");
	if (!ret->type_text.ptr) {
		*ret_why = "without a type";
		return false;
	}

	ret->type = type_of(ret->type_text);
	ret->room = jsonread_member_text(root, "room");
	ret->has_since = jsonread_member(root, "since", &value) && value;
	if (ret->has_since && !uuid_parse(jsonread_member_text(root, "since"), &ret->since))
		ret->since = (struct uuid){ { 0 } };
	ret->wants_presence = jsonread_member(root, "presence", &value) &&
			      json_kind(value) == JSON_BOOL && jsonread_bool(value);

	return true;
}

struct str error_text(struct arena *a, const char *code, const char *message, struct str room)
{
	struct buf text;
	struct jsonwrite w;

	buf_init(&text, a, KIB(2));
	jsonwrite_init(&w, &text);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "type", "error");
	jsonwrite_member_text(&w, "message", message);
	jsonwrite_member_text(&w, "code", code);
	if (room.ptr && room.len < ROOM_NAME_SIZE) {
		jsonwrite_key(&w, "room");
		jsonwrite_str(&w, room);
	}
	jsonwrite_object_end(&w);
	BUG_IF(text.overflow);

	return buf_view(&text);
}

struct str denial_text(struct arena *a, struct str room)
{
	return error_text(a, "ACCESS_DENIED", "Access denied to room", room);
}
