/*
 * What clients say (src/realtime/message.c), and the names of rooms in it: what is taken for a room
 * is spelled as we would spell it.
 */
#include "base/arena.h"
#include "realtime/message.h"
#include "realtime/rooms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = { (const char *)data, size };
	char spelled[ROOM_NAME_SIZE];
	struct client_message m;
	struct room_name n;
	const char *why = NULL;

	if (!client_message_parse(a, text, &m, &why))
		BUG_IF(!why);
	else if (m.room.ptr && room_name_parse(m.room, &n)) {
		room_name_write(&n, spelled);
		BUG_IF(!str_is(m.room, spelled));
	}
	arena_free(a);

	return 0;
}
