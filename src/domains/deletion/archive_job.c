/*
 * The job that archives a tenant: the child of the one that deletes it, once nobody can take that
 * back. What it has made is recorded with its own end, so an archive is made until one is known of.
 */
#include "domains/deletion/deletion.h"
#include "domains/deletion/deletion_impl.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "domains/archive/archive.h"
#include "gen/sql_deletion.h"
#include "jobs/book.h"
#include "jobs/job.h"

#include <time.h>

#define TOLD_TRIES_MAX 600 /* of looks whether webhooks have heard of it: for a minute */
#define TOLD_PAUSE_NS  (100 * 1000 * 1000)

/* In percent of the archive; of the whole it is half, from ARCHIVE_BEGINS on. */
static int tell(void *p, int percent, const char *table)
{
	struct job *j = p;
	struct batch *b = batch_new(j->c, BATCH_WRITE);
	bool is_wanted;
	int err;

	batch_add(b, NULL, &sql_deletion_tell_parent,
		  ARGS(arg_uuid(j->parent.u), arg_int(ARCHIVE_BEGINS + percent / 2),
		       arg_text(table)));
	err = batch_run(b);
	if (err)
		return err;

	job_tell_parent(j, &tenant_delete_job, ARCHIVE_BEGINS + percent / 2, table);
	err = job_progress(j, percent, table, &is_wanted);
	if (!err && !is_wanted)
		return fail(j->c, ERR_RESOURCE_CONFLICT, NULL,
			    "The archive is not wanted any more");

	return err;
}

/* tenant.deleted is the last that webhooks hear: each endpoint is tried once before all goes, or
 * has had its time. */
static int await_webhooks(struct job *j)
{
	const struct timespec pause = { .tv_nsec = TOLD_PAUSE_NS };

	for (unsigned i = 0; i < TOLD_TRIES_MAX; i++) {
		struct batch *b = batch_new(j->c, BATCH_SYSTEM);
		const struct rows *told;
		int err;

		batch_add(b, &told, &sql_deletion_is_told, NO_ARGS);
		err = batch_run(b);
		if (err || rows_get_bool(told, "is"))
			return err;
		(void)nanosleep(&pause, NULL);
	}

	return OK;
}

static int run_archive(struct job *j)
{
	struct archive made;
	struct deletion_record d;
	struct batch *b;
	char id[UUID_TEXT_SIZE];
	int err;

	err = deletion_find(j->c, j->parent.u, &d);
	if (err || strcmp(d.step, "closed") != 0)
		return err; /* it was made, and this was not heard of */

	err = await_webhooks(j);
	if (err)
		return err;
	uuid_format(j->parent.u, id);
	err = archive_write(j->c, j->tenant, arena_printf(j->c->arena, "%s_%s.zygo", d.slug, id),
			    tell, j, &made);
	if (err)
		return err;

	b = batch_new(j->c, BATCH_WRITE);
	batch_add(b, NULL, &sql_deletion_archived,
		  ARGS(arg_uuid(j->parent.u), arg_text(made.location), arg_int(made.bytes),
		       arg_text(made.sha256), arg_text(made.digests)));
	job_done(b, j);
	err = batch_run(b);
	j->is_done = !err;

	return err;
}

const struct job_kind tenant_archive_job = {
	DELETION_JOB,
	.name = "tenant.archive",
	.queue = "archive",
	.run = run_archive,
};
