/* The live copy of each event: see live.h. */
#include "events/live.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "cache/publish.h"
#include "db/rows.h"
#include "http/reply.h"
#include "http/shape.h"

#define MESSAGE_MAX MIB(2) /* an event's data beside what a request may hold */

/* clang-format off */
static const struct field live_event_fields[] = {
	{ "position", T_INT, REQUIRED, .about = "Its place among the events of all tenants" },
	{ "after", T_INT, REQUIRED, .about = "The place of the tenant's event before it; 0: there is none" },
	{ "id", T_UUID, REQUIRED, .about = "The event's" },
	{ "type", T_STRING, REQUIRED, .about = "A name of events/types.h" },
	{ "tenantId", T_UUID, REQUIRED, .about = "Whose it is" },
	{ "subjectId", T_UUID, NULLABLE, .about = "What it happened to" },
	{ "userId", T_UUID, NULLABLE, .about = "The seat that did it" },
	{ "data", T_JSON, REQUIRED, .about = "What its type says" },
	{ "at", T_DATETIME, REQUIRED, .about = "When it happened" },
};
/* clang-format on */
static const struct shape live_event = REPLY_SHAPE("LiveEvent", live_event_fields);

static struct message message_of(struct ctx *c, const struct rows *rows, size_t row)
{
	struct uuid tenant = rows_uuid(rows, row, (size_t)rows_find(rows, "tenantId"));
	char id[UUID_TEXT_SIZE];
	struct buf text;
	struct jsonwrite w;

	uuid_format(tenant, id);
	buf_init(&text, c->arena, MESSAGE_MAX);
	jsonwrite_init(&w, &text);
	reply_write_row(&w, &live_event, rows, row);

	return (struct message){ str_of(arena_printf(c->arena, "events:{%s}", id)),
				 buf_view(&text) };
}

void live_tell(struct ctx *c, const struct rows *rows)
{
	struct message *messages = arena_make_n(c->arena, struct message, rows_len(rows));

	for (size_t i = 0; i < rows_len(rows); i++)
		messages[i] = message_of(c, rows, i);
	(void)publish(c, messages, rows_len(rows));
}
