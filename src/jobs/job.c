/* Enqueueing, and what a handler may do with its job: see job.h. */
#include "jobs/job.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "gen/sql_jobs.h"
#include "jobs/book.h"
#include "jobs/tell.h"

void jobs_add(struct batch *b, struct ctx *c UNUSED, const struct job_new *in)
{
	const struct job_kind *k = in->kind;
	struct uuid id = uuid_is_nil(in->id.u) ? uuid_v7() : in->id.u;
	unsigned attempts = in->attempts ? in->attempts : k->attempts;
	struct arg args[] = {
		arg_uuid(id),
		arg_uuid(in->tenant.u),
		arg_text(k->queue),
		arg_text(k->name),
		arg_str(in->payload),
		arg_int(in->priority),
		arg_int(attempts),
		arg_int(in->delay_us),
		arg_uuid(in->parent.u),
		arg_bool(in->awaits_children),
		arg_bool(k->is_private),
		arg_bool(k->is_cancellable),
		in->backoff_us ? arg_int(in->backoff_us) : arg_null(),
		arg_text(in->unique_key), /* from here on of jobs_add_once alone */
		arg_int(in->unique_us),
	};

	BUG_IF(!k->queue || !attempts || attempts > JOB_ATTEMPTS_MAX);
	BUG_IF(in->backoff_us < 0 || in->backoff_us > JOB_BACKOFF_MAX_US);
	if (in->unique_key)
		batch_add(b, NULL, &sql_jobs_add_once, (struct args){ args, ARRAY_LEN(args) });
	else
		batch_add(b, NULL, &sql_jobs_add, (struct args){ args, ARRAY_LEN(args) - 2 });
}

/* ptr NULL: there is none. */
static struct str bounded(const char *message)
{
	struct str s = { message, message ? strlen(message) : 0 };

	if (s.len > JOB_MESSAGE_MAX)
		s.len = JOB_MESSAGE_MAX;
	s.len = str_utf8_prefix(s);

	return s;
}

int job_progress(struct job *j, int percent, const char *message, bool *ret_is_wanted)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	struct str text = bounded(message);
	const struct rows *row;
	int err;

	batch_add(b, &row, &sql_jobs_progress,
		  ARGS(arg_uuid(j->tenant.u), arg_uuid(j->id.u), arg_text(j->worker),
		       arg_int(percent), arg_str(text)));
	err = batch_run(b);
	if (err)
		return err;

	*ret_is_wanted = rows_len(row) == 1 && !rows_get_bool(row, "is_cancelled");
	if (rows_len(row) == 1)
		tell_progress(j->c, j->kind, j->tenant, j->id, percent, text);

	return OK;
}

void job_tell_parent(struct job *j, const struct job_kind *kind, int percent, const char *message)
{
	tell_progress(j->c, kind, j->tenant, j->parent, percent, bounded(message));
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
