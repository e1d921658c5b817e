/* Jobs, live: see tell.h. */
#include "jobs/tell.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "cache/publish.h"
#include "db/rows.h"
#include "events/room.h"
#include "jobs/crew.h"

static bool is_shown(const struct job_kind *k, struct tenant_id tenant)
{
	return k && !k->is_private && !uuid_is_nil(tenant.u);
}

static struct message message_of(struct ctx *c, const struct job_kind *kind,
				 struct tenant_id tenant, struct job_id job, const char *event,
				 int percent, struct str message)
{
	char owner[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct jsonwrite w;
	struct buf data;

	uuid_format(tenant.u, owner);
	uuid_format(job.u, id);
	buf_init(&data, c->arena, KIB(8)); /* each byte of the message may become six */
	jsonwrite_init(&w, &data);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "id", id);
	jsonwrite_member_text(&w, "kind", kind->name);
	jsonwrite_member_i64(&w, "progress", percent);
	jsonwrite_key(&w, "message");
	if (message.ptr)
		jsonwrite_str(&w, message);
	else
		jsonwrite_null(&w);
	jsonwrite_object_end(&w);
	BUG_IF(data.overflow);

	return room_message(c, tenant, arena_printf(c->arena, "tenant:%s:job:%s", owner, id), event,
			    buf_view(&data));
}

void tell_progress(struct ctx *c, const struct job_kind *kind, struct tenant_id tenant,
		   struct job_id id, int percent, struct str message)
{
	struct message m;

	if (!is_shown(kind, tenant))
		return;

	m = message_of(c, kind, tenant, id, "job.progress", percent, message);
	(void)publish(c, &m, 1);
}

/* Not when one of them was somebody else's by then: which, was not said. */
static bool is_as_said(const struct haul *h)
{
	size_t done = 0;

	for (size_t i = 0; i < h->begun; i++)
		done += h->outcomes[i].end == END_DONE;

	return done == (h->completed ? rows_len(h->completed) : 0);
}

void tell_completed(struct ctx *c, const struct haul *h)
{
	const struct str nothing = { NULL, 0 };
	struct message *messages;
	bool is_sure = is_as_said(h);
	size_t n = 0;

	if (h->queue->only_tells)
		return;

	messages = arena_make_n(c->arena, struct message, h->begun);
	for (size_t i = 0; i < h->begun; i++) {
		const struct outcome *o = &h->outcomes[i];

		if (is_shown(o->kind, o->tenant) &&
		    (o->end == END_SETTLED || (o->end == END_DONE && is_sure)))
			messages[n++] = message_of(c, o->kind, o->tenant, o->id, "job.completed",
						   100, nothing);
	}
	(void)publish(c, messages, n);
}
