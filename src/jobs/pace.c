/* Numbers in shared memory: see pace.h. */
#include "jobs/pace.h"

#include "jobs/book.h"
#include "prefork/supervisor.h"

#include <stdatomic.h>
#include <sys/mman.h>

struct pace {
	_Atomic int64_t job_us[JOB_QUEUES_MAX];
	_Atomic size_t runs[WORKERS_MAX]; /* the queue, from 1; 0: none */
};

struct pace *pace_new(void)
{
	struct pace *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		BUG("no memory for the workers' pace");

	return p;
}

void pace_learn(struct pace *p, size_t queue, int64_t job_us)
{
	int64_t was_us = p->job_us[queue];

	/* One that lasted, or none of whom did, says little of the next: a quarter. */
	if (was_us)
		job_us = (3 * was_us + job_us) / 4;
	p->job_us[queue] = job_us > 0 ? job_us : 1;
}

int64_t pace_job_us(const struct pace *p, size_t queue)
{
	return p->job_us[queue];
}

void pace_run(struct pace *p, unsigned worker, size_t queue)
{
	p->runs[worker] = queue + 1;
}

void pace_rest(struct pace *p, unsigned worker)
{
	p->runs[worker] = 0;
}

unsigned pace_running(const struct pace *p, size_t queue)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WORKERS_MAX; i++)
		n += p->runs[i] == queue + 1;

	return n;
}
