/* Enqueueing, and what a handler may do with its job: see job.h. */
#include "jobs/job.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "events/room.h"
#include "gen/sql_jobs.h"
#include "jobs/book.h"

void jobs_add(struct batch *b, struct ctx *c UNUSED, const struct job_new *in)
{
	const struct job_kind *k = in->kind;
	struct uuid id = uuid_is_nil(in->id.u) ? uuid_v7() : in->id.u;

	BUG_IF(!k->queue || !k->attempts);
	batch_add(b, NULL, &sql_jobs_add,
		  ARGS(arg_uuid(id), arg_uuid(in->tenant.u), arg_text(k->queue), arg_text(k->name),
		       arg_str(in->payload), arg_int(in->priority), arg_int(k->attempts),
		       arg_int(in->delay_us), arg_text(in->unique_key), arg_int(in->unique_us),
		       arg_uuid(in->parent.u), arg_bool(in->awaits_children),
		       arg_bool(k->is_private), arg_bool(k->is_cancellable)));
}

/* To whoever watches the job now (docs/realtime.md); the row has it for everybody else. */
static void tell_progress(struct job *j, int percent, const char *message)
{
	char tenant[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct jsonwrite w;
	struct buf data;

	if (uuid_is_nil(j->tenant.u) || j->kind->is_private)
		return;

	uuid_format(j->tenant.u, tenant);
	uuid_format(j->id.u, id);
	buf_init(&data, j->c->arena, KIB(16));
	jsonwrite_init(&w, &data);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "id", id);
	jsonwrite_member_text(&w, "kind", j->kind->name);
	jsonwrite_member_i64(&w, "progress", percent);
	jsonwrite_member_text(&w, "message", message);
	jsonwrite_object_end(&w);
	room_publish(j->c, j->tenant, arena_printf(j->c->arena, "tenant:%s:job:%s", tenant, id),
		     "job.progress", buf_view(&data));
}

int job_progress(struct job *j, int percent, const char *message, bool *ret_is_wanted)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	const struct rows *row;
	int err;

	batch_add(b, &row, &sql_jobs_progress,
		  ARGS(arg_uuid(j->tenant.u), arg_uuid(j->id.u), arg_text(j->worker),
		       arg_int(percent), arg_text(message)));
	err = batch_run(b);
	if (err)
		return err;

	*ret_is_wanted = rows_len(row) == 1 && !rows_get_bool(row, "is_cancelled");
	if (rows_len(row) == 1)
		tell_progress(j, percent, message);

	return OK;
}

void job_done(struct batch *b, struct job *j)
{
	batch_add(b, NULL, &sql_jobs_done,
		  ARGS(arg_uuid(j->tenant.u), arg_uuid(j->id.u), arg_text(j->worker),
		       arg_str(j->result)));
}

int job_children(struct job *j, const struct rows **ret)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);

	batch_add(b, ret, &sql_jobs_children, ARGS(arg_uuid(j->tenant.u), arg_uuid(j->id.u)));

	return batch_run(b);
}
