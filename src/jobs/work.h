/*
 * `zygo work`: a master whose children run jobs, and a keeper beside them that does what time
 * demands: the workers' heartbeats, the jobs of the dead, delays that are over, scheduled tasks.
 * Other rooms' long-running processes live beside them, on the sides.
 */
#pragma once

#include "base/base.h"
#include "jobs/bell.h"

struct job_book;
struct leases;
struct pace;
struct worker;

/* Processes of another room under the same master, each with a database of its own to talk to. */
struct work_side {
	const char *name; /* of the pool: at most 15 letters */
	unsigned workers;
	int (*run)(
		struct worker *w); /* until worker_is_draining(); its result is the exit status */
};

#define WORK_SIDES_MAX 4

#define WORK_POOL "work" /* whose workers run jobs */

/*
 * Runs until told to stop (prefork/supervisor.h); the exit status. db_init() and what handlers need
 * is done by begin and undone by end, once in each process; both may be NULL.
 */
struct work {
	const struct job_book *book; /* without a mistake */
	unsigned workers;
	const struct work_side *sides;  /* ends with a NULL name; NULL: none */
	int (*begin)(struct worker *w); /* the exit status, when it is not 0 */
	void (*end)(void);
};
int work(const struct work *how, char **argv);

/* What the children of a master share. */
struct host {
	const struct job_book *book;
	const char *master; /* its name (jobs/name.h) */
	unsigned workers;
	struct leases *leases;
	struct pace *pace;
	struct bell bell;
};

/* The whole lives of those who run jobs, and of the keeper. */
int crew_run(struct worker *worker, const struct host *host);
int keeper_run(struct worker *worker, const struct host *host);
