/*
 * What people do with jobs: see jobs.h.
 */
#include "domains/jobs/jobs.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "events/event.h"
#include "gen/sql_jobs_admin.h"

#define RETRIED_AT_ONCE 5000 /* in one statement, which has a time-out */

/* As the column's check has them (sql/migrations/0003). */
const char *const job_states[] = { "waiting", "delayed",   "active",           "completed",
				   "failed",  "cancelled", "waiting-children", NULL };

int jobs_list(struct ctx *c, const struct job_filter *f, const struct paging *p,
	      const struct page **ret)
{
	return page_run(c, &sql_jobs_list, ARGS(arg_text(f->state), arg_text(f->kind)), p, ret);
}

int jobs_get(struct ctx *c, struct job_id id, const struct rows **ret)
{
	return db_read(c, ret, &sql_jobs_get, ARGS(arg_uuid(id.u)));
}

int jobs_cancel(struct ctx *c, struct job_id id, const struct rows **ret)
{
	return db_write(c, ret, &sql_jobs_cancel, ARGS(arg_uuid(id.u)));
}

/*
 * Of all tenants
 */

static int run_system(struct ctx *c, const struct rows **ret, const struct sql *s, struct args args)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	batch_add(b, ret, s, args);

	return batch_run(b);
}

int jobs_admin_list(struct ctx *c, const struct job_admin_filter *f, const struct paging *p,
		    const struct page **ret)
{
	return page_run(c, &sql_jobs_admin_list,
			ARGS(arg_uuid(f->tenant.u), arg_text(f->queue), arg_text(f->state),
			     arg_text(f->kind)),
			p, ret);
}

int jobs_admin_get(struct ctx *c, struct job_id id, const struct rows **ret)
{
	return run_system(c, ret, &sql_jobs_admin_get, ARGS(arg_uuid(id.u)));
}

/* Does that to a job, and tells of it in the log of who did it. */
static struct batch *begin_deed(struct ctx *c, struct job_id id, const struct sql *deed,
				const char *event, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	char *text = arena_alloc(c->arena, UUID_TEXT_SIZE);

	uuid_format(id.u, text);
	batch_add(b, ret, deed, ARGS(arg_uuid(id.u)));
	batch_platform_event(b, c, event, "jobId", text);

	return b;
}

int jobs_admin_cancel(struct ctx *c, struct job_id id, const struct rows **ret)
{
	return batch_run(begin_deed(c, id, &sql_jobs_admin_cancel, "account.jobCancelled", ret));
}

int jobs_admin_retry(struct ctx *c, struct job_id id, const struct rows **ret)
{
	struct batch *b = begin_deed(c, id, &sql_jobs_admin_retry, "account.jobRetried", ret);

	batch_add(b, NULL, &sql_jobs_admin_wake, NO_ARGS);

	return batch_run(b);
}

int jobs_admin_retry_failed(struct ctx *c, const struct job_admin_filter *f, int64_t *ret)
{
	int64_t n;

	*ret = 0;
	do {
		struct batch *b = batch_new(c, BATCH_SYSTEM);
		const struct rows *row;
		int err;

		batch_add(b, &row, &sql_jobs_admin_retry_failed,
			  ARGS(arg_uuid(f->tenant.u), arg_text(f->queue), arg_text(f->kind),
			       arg_int(RETRIED_AT_ONCE)));
		batch_add(b, NULL, &sql_jobs_admin_wake, NO_ARGS);
		err = batch_run(b);
		if (err)
			return err;
		n = rows_get_int(row, "n");
		*ret += n;
	} while (n == RETRIED_AT_ONCE);

	return OK;
}

int jobs_admin_discard(struct ctx *c, struct job_id id)
{
	return batch_run(begin_deed(c, id, &sql_jobs_admin_discard, "account.jobDiscarded", NULL));
}

/*
 * Queues
 */

int queues_list(struct ctx *c, const char *queue, const struct rows **ret)
{
	return run_system(c, ret, &sql_jobs_admin_queues, ARGS(arg_text(queue)));
}

int queues_pause(struct ctx *c, const char *queue, bool is_paused, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	batch_add(b, NULL, &sql_jobs_admin_pause, ARGS(arg_text(queue), arg_bool(is_paused)));
	batch_platform_event(b, c, is_paused ? "account.queuePaused" : "account.queueResumed",
			     "queue", queue);
	batch_add(b, ret, &sql_jobs_admin_queues, ARGS(arg_text(queue)));
	batch_add(b, NULL, &sql_jobs_admin_wake, NO_ARGS);

	return batch_run(b);
}

/*
 * Metrics
 */

static void head(struct buf *out, const char *name, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void write_gauge(struct buf *out, const char *name, const struct rows *queues, size_t row,
			const char *column, const char *label)
{
	size_t col = (size_t)rows_find(queues, column);

	if (rows_is_null(queues, row, col))
		return;
	buf_printf(out, "%s{queue=\"%s\"%s} %lld\n", name, rows_str(queues, row, 0).ptr, label,
		   (long long)rows_int(queues, row, col));
}

/* To add one: a row. Columns are those of jobs_admin_queues. */
static const struct {
	const char *name;
	const char *help; /* with the first of a name; NULL: the name goes on */
	const char *column;
	const char *label;
} gauges[] = {
	{ "zygo_jobs", "Jobs by queue and state, up to 100,000 of each.", "waiting",
	  ",state=\"waiting\"" },
	{ "zygo_jobs", NULL, "delayed", ",state=\"delayed\"" },
	{ "zygo_jobs", NULL, "active", ",state=\"active\"" },
	{ "zygo_jobs", NULL, "waitingChildren", ",state=\"waiting-children\"" },
	{ "zygo_jobs", NULL, "failed", ",state=\"failed\"" },
	{ "zygo_jobs_completed_5m", "Jobs completed within the last five minutes.",
	  "completedLately", "" },
	{ "zygo_job_attempts_failed_5m", "Attempts that failed within the last five minutes.",
	  "failedLately", "" },
	{ "zygo_job_wait_milliseconds",
	  "From when a job could run to when it did, on average of five minutes.", "waitMs", "" },
	{ "zygo_job_wait_max_milliseconds",
	  "The longest from when a job could run to when it did, within five minutes.", "waitMaxMs",
	  "" },
	{ "zygo_job_run_milliseconds", "How long a job ran, on average of five minutes.", "runMs",
	  "" },
};

void jobs_metrics(struct ctx *c, struct buf *out)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	const struct rows *queues, *workers;

	batch_add(b, &queues, &sql_jobs_admin_queues, ARGS(arg_null()));
	batch_add(b, &workers, &sql_jobs_admin_workers, NO_ARGS);
	if (batch_run(b)) {
		c->fault = (struct fault){ 0 }; /* the rest is answered without them */
		return;
	}

	for (size_t i = 0; i < ARRAY_LEN(gauges); i++) {
		if (gauges[i].help)
			head(out, gauges[i].name, gauges[i].help);
		for (size_t row = 0; row < rows_len(queues); row++)
			write_gauge(out, gauges[i].name, queues, row, gauges[i].column,
				    gauges[i].label);
	}
	head(out, "zygo_job_workers", "Processes that run jobs, on all hosts.");
	buf_printf(out, "zygo_job_workers %lld\n", (long long)rows_get_int(workers, "workers"));
}
