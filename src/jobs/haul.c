/* What was taken at once, and what is learned from it: how many to take the next time, and how long
 * a job takes. */
#include "jobs/crew.h"

#include "base/arena.h"
#include "base/clock.h"
#include "db/rows.h"
#include "jobs/lease.h"
#include "jobs/work.h"

#define BRISK_US (20 * US_PER_MS) /* after one that took less, the next may be twice as large */

/* Jobs in the first haul from a queue, where its batch allows as many. */
#define FIRST_HAUL 50

static size_t queue_index(const struct crew *w, const struct haul *h)
{
	return (size_t)(h->queue - w->book->queues);
}

struct haul *haul_new(struct crew *w, const struct job_queue *q, const struct rows *rows,
		      int64_t began_us)
{
	struct haul *h = arena_make(w->of_talk, struct haul);
	size_t wait = (size_t)rows_find(rows, "wait_us");

	h->queue = q;
	h->rows = rows;
	h->len = rows_len(rows);
	h->outcomes = arena_make_n(w->of_talk, struct outcome, h->len);
	h->taken_us = clock_monotonic_us();
	h->talk_us = h->taken_us - began_us;
	for (size_t i = 0; i < h->len; i++) {
		int64_t us = rows_int(rows, i, wait);

		h->waited_us += us;
		if (us > h->waited_max_us)
			h->waited_max_us = us;
	}

	return h;
}

unsigned haul_size(const struct crew *w, size_t q)
{
	unsigned size = w->queues[q].size ? w->queues[q].size : FIRST_HAUL,
		 max = w->book->queues[q].batch;

	return size < max ? size : max;
}

/*
 * How many to take the next time. A haul has a price of its own, so many are taken where they are
 * short; where they are long they are left to others, rather than taken and given back.
 */
void haul_learn(struct crew *w, const struct haul *h, int64_t took_us)
{
	size_t q = queue_index(w, h);
	unsigned size = haul_size(w, q);

	leases_learn(w->host->leases, q, took_us / (int64_t)h->begun);
	if (took_us > HAUL_CUT_US)
		w->queues[q].size = size > 1 ? size / 2 : 1;
	else if (took_us < BRISK_US && h->len == size)
		w->queues[q].size = size * 2;
}

bool haul_may_be_more(const struct crew *w, const struct haul *h)
{
	return h->len > 1 || h->len == haul_size(w, queue_index(w, h));
}

int64_t haul_run_us(const struct crew *w, const struct haul *h)
{
	return leases_job_us(w->host->leases, queue_index(w, h)) * (int64_t)h->len;
}
