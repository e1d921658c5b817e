/* Looking things up in the tables of jobs, and making sure of them: see book.h. */
#include "jobs/book.h"

#include "base/arena.h"
#include "jobs/bell.h"
#include "jobs/cron.h"
#include "jobs/zone.h"

const struct job_queue *book_queue(const struct job_book *b, const char *name)
{
	for (const struct job_queue *q = b->queues; q->name; q++)
		if (strcmp(q->name, name) == 0)
			return q;

	return NULL;
}

const struct job_kind *book_kind(const struct job_book *b, struct str name)
{
	for (size_t i = 0; b->kinds[i]; i++)
		if (str_is(name, b->kinds[i]->name))
			return b->kinds[i];

	return NULL;
}

static const char *queue_mistake(struct arena *a, const struct job_book *b,
				 const struct job_queue *q)
{
	if (book_queue(b, q->name) != q)
		return arena_printf(a, "there are two queues %s", q->name);
	if ((size_t)(q - b->queues) >= JOB_QUEUES_MAX)
		return arena_printf(a, "the queue %s is one too many", q->name);
	if (strlen(q->name) >= BELL_NAME_SIZE)
		return arena_printf(a, "the name of the queue %s is too long", q->name);
	if (!q->batch)
		return arena_printf(a, "the queue %s does not say its batch", q->name);
	if (!q->rate_max != !q->rate_us)
		return arena_printf(a, "the queue %s says half of its rate", q->name);
	if (q->keep_completed_us <= 0 || q->keep_completed < 1 || q->keep_failed_us <= 0)
		return arena_printf(a, "the queue %s does not say what is kept", q->name);

	return NULL;
}

static const char *kind_mistake(struct arena *a, const struct job_book *b, const struct job_kind *k)
{
	if (book_kind(b, str_of(k->name)) != k)
		return arena_printf(a, "there are two kinds %s", k->name);
	if (!k->queue || !book_queue(b, k->queue))
		return arena_printf(a, "the kind %s names no queue that there is", k->name);
	if (!k->attempts || k->attempts > JOB_ATTEMPTS_MAX)
		return arena_printf(a, "the kind %s does not say 1 to %d attempts", k->name,
				    JOB_ATTEMPTS_MAX);
	if (k->backoff_us <= 0 || k->backoff_us > JOB_BACKOFF_MAX_US || k->limit_us <= 0)
		return arena_printf(a, "the kind %s does not say its back-off and time limit",
				    k->name);
	if (!k->run)
		return arena_printf(a, "the kind %s has no handler", k->name);

	return NULL;
}

static const char *task_mistake(struct arena *a, const struct job_book *b, const struct job_task *t)
{
	struct cron cron;
	struct zone zone;

	if (!t->kind || book_kind(b, str_of(t->kind->name)) != t->kind)
		return arena_printf(a, "the task %s has no kind that is listed", t->name);
	if (t->missed == MISSED_UNSTATED)
		return arena_printf(a, "the task %s does not say what is done when it was missed",
				    t->name);
	if (!cron_read(str_of(t->cron), &cron))
		return arena_printf(a, "the task %s has no cron expression", t->name);
	if (!zone_read(a, t->zone, &zone))
		return arena_printf(a, "the task %s is in a time zone that this host lacks",
				    t->name);
	if (!cron_next(&cron, &zone, clock_now_us()))
		return arena_printf(a, "the task %s never comes", t->name);

	return NULL;
}

const char *book_mistake(struct arena *a, const struct job_book *b)
{
	const char *mistake = NULL;

	for (const struct job_queue *q = b->queues; q->name && !mistake; q++)
		mistake = queue_mistake(a, b, q);
	for (size_t i = 0; b->kinds[i] && !mistake; i++)
		mistake = kind_mistake(a, b, b->kinds[i]);
	for (const struct job_task *t = b->tasks; t->name && !mistake; t++)
		mistake = task_mistake(a, b, t);

	return mistake;
}
