/* What is only live: see room.h. */
#include "events/room.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"

struct message room_message(struct ctx *c, struct tenant_id tenant, const char *room,
			    const char *event, struct str data)
{
	char id[UUID_TEXT_SIZE];
	struct buf text;
	struct jsonwrite w;

	uuid_format(tenant.u, id);
	buf_init(&text, c->arena, data.len + KIB(1));
	jsonwrite_init(&w, &text);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "room", room);
	jsonwrite_member_text(&w, "event", event);
	jsonwrite_key(&w, "data");
	jsonwrite_raw(&w, data);
	jsonwrite_object_end(&w);

	return (struct message){ str_of(arena_printf(c->arena, "rooms:{%s}", id)),
				 buf_view(&text) };
}

void room_publish(struct ctx *c, struct tenant_id tenant, const char *room, const char *event,
		  struct str data)
{
	struct message m = room_message(c, tenant, room, event, data);

	(void)publish(c, &m, 1);
}
