/* What was taken at once, and what is learned from it: how many to take the next time, and how long
 * a job takes. */
#include "jobs/crew.h"

#include "base/arena.h"
#include "base/clock.h"
#include "db/rows.h"
#include "jobs/pace.h"
#include "jobs/work.h"

#define HAUL_AIM_US (100 * US_PER_MS) /* how long one shall take to run */
#define BRIEF_US    US_PER_MS         /* about what PostgreSQL needs to take and to settle it */
#define FIRST_HAUL  50                /* jobs, while nobody knows how long they take */

static size_t queue_index(const struct crew *w, const struct haul *h)
{
	return (size_t)(h->queue - w->book->queues);
}

struct haul *haul_new(struct crew *w, const struct job_queue *q, const struct rows *rows,
		      unsigned asked)
{
	struct haul *h = arena_make(w->of_talk, struct haul);
	size_t wait = (size_t)rows_find(rows, "wait_us");

	h->queue = q;
	h->rows = rows;
	h->asked = asked;
	h->len = rows_len(rows);
	h->outcomes = arena_make_n(w->of_talk, struct outcome, h->len);
	h->taken_us = clock_monotonic_us();
	for (size_t i = 0; i < h->len; i++) {
		int64_t us = rows_int(rows, i, wait);

		h->waited_us += us;
		if (us > h->waited_max_us)
			h->waited_max_us = us;
	}

	return h;
}

/* A haul has a price of its own, so many are taken where they are short; where they last they are
 * left to others, rather than taken and given back. */
unsigned haul_size(const struct crew *w, size_t q)
{
	int64_t job_us = pace_job_us(w->host->pace, q),
		size = job_us ? HAUL_AIM_US / job_us : FIRST_HAUL, max = w->book->queues[q].batch;

	if (size > max)
		size = max;

	return size > 0 ? (unsigned)size : 1;
}

void haul_learn(struct crew *w, const struct haul *h, int64_t took_us)
{
	pace_learn(w->host->pace, queue_index(w, h), took_us / (int64_t)h->begun);
}

bool haul_may_be_more(const struct haul *h)
{
	return h->len > 1 || h->len == h->asked;
}

bool haul_is_brief(const struct crew *w, const struct haul *h)
{
	return pace_job_us(w->host->pace, queue_index(w, h)) * (int64_t)h->len <= BRIEF_US;
}
