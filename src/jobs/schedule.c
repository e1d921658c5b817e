/* Which tasks are due, and what becomes of times that passed unseen: see schedule.h. */
#include "jobs/schedule.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "gen/sql_jobs.h"
#include "jobs/book.h"
#include "jobs/cron.h"
#include "jobs/job.h"
#include "jobs/zone.h"

#define TASKS_MAX  64
#define MISSED_MAX 100                 /* times of one task that are counted */
#define ON_TIME_US (5 * US_PER_MINUTE) /* a time that is older was missed */

void schedule_put(struct batch *b, struct ctx *c, const struct job_book *book)
{
	struct str *names = arena_make_n(c->arena, struct str, TASKS_MAX);
	size_t n = 0;

	for (const struct job_task *t = book->tasks; t->name; t++) {
		BUG_IF(n == TASKS_MAX);
		names[n++] = str_of(t->name);
	}
	batch_add(b, NULL, &sql_jobs_tasks_put, ARGS(arg_text_array(names, n)));
}

static void add_job(struct batch *b, struct ctx *c, const struct job_task *t, int64_t at_us)
{
	char when[RFC3339_SIZE];

	clock_rfc3339(at_us, when);
	jobs_add(b, c,
		 &(struct job_new){ .kind = t->kind,
				    .unique_key = arena_printf(c->arena, "%s %s", t->name, when),
				    .unique_us = US_PER_MINUTE });
}

/*
 * Adds the jobs of the times in last_us…now_us; returns the last of them, 0 when there are none. Of
 * times that were missed each, one or none is run, as the task says.
 */
static int64_t add_due(struct batch *b, struct ctx *c, const struct job_task *t, int64_t last_us,
		       int64_t now_us)
{
	struct cron cron;
	struct zone zone;
	int64_t at, done_us = 0;

	if (!cron_read(str_of(t->cron), &cron) || !zone_read(c->arena, t->zone, &zone))
		BUG("a task that book_mistake() has passed");

	for (size_t n = 0;; n++) {
		at = cron_next(&cron, &zone, done_us ? done_us : last_us);
		if (!at || at > now_us)
			break;
		if (t->missed == MISSED_EACH)
			add_job(b, c, t, at);
		done_us = at;
		if (n == MISSED_MAX && t->missed == MISSED_EACH)
			return done_us; /* the rest at the next look */
		if (n == MISSED_MAX)
			done_us = now_us; /* so many are not counted */
	}
	if (!done_us || t->missed == MISSED_EACH)
		return done_us;

	if (t->missed == MISSED_ONCE || now_us - done_us <= ON_TIME_US)
		add_job(b, c, t, done_us);

	return done_us;
}

static const struct job_task *find_task(const struct job_book *book, struct str name)
{
	for (const struct job_task *t = book->tasks; t->name; t++)
		if (str_is(name, t->name))
			return t;

	return NULL; /* a newer or older binary's */
}

static int add_all_due(struct ctx *c, const struct job_book *book, const struct rows *rows)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	for (size_t i = 0; i < rows_len(rows); i++) {
		const struct job_task *t = find_task(book, rows_str(rows, i, 0));
		int64_t done_us = 0;

		if (t)
			done_us = add_due(b, c, t, rows_time(rows, i, 1), rows_time(rows, i, 2));
		if (done_us)
			batch_add(b, NULL, &sql_jobs_task_done,
				  ARGS(arg_text(t->name), arg_time(done_us)));
	}

	return batch_run(b);
}

int schedule_run(struct ctx *c, const struct job_book *book)
{
	struct batch *b;
	const struct rows *rows;
	int err;

	err = db_begin(c, BATCH_SYSTEM);
	if (err)
		return err;

	b = batch_new(c, BATCH_SYSTEM);
	batch_add(b, &rows, &sql_jobs_tasks, NO_ARGS);
	err = batch_run(b);
	if (!err)
		err = add_all_due(c, book, rows);
	if (err) {
		db_rollback(c);
		return err;
	}

	return db_commit(c);
}
