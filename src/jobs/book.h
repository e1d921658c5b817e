/*
 * The tables of jobs: queues, kinds of jobs, scheduled tasks. A book is what one binary knows of
 * all three: the product's is src/domains/book.c, and tests have their own.
 */
#pragma once

#include "base/base.h"
#include "base/clock.h"
#include "base/str.h"

struct job;
struct shape;

/*
 * Where jobs wait. Concurrency and rate hold over all processes and hosts (claim_jobs() in
 * sql/migrations/0003).
 */
struct job_queue {
	const char *name;     /* "tenant-deletion" */
	unsigned concurrency; /* the most that run at a time; 0: as many as there are workers */
	unsigned batch;    /* the most that a worker takes at a time: many where jobs are short */
	unsigned rate_max; /* the most that start within rate_us; 0: any number */
	int64_t rate_us;
	int64_t keep_completed_us; /* a completed job is kept so long, */
	int64_t keep_completed;    /* while it is among so many newest, at least one; */
	int64_t keep_failed_us;    /* a failed or cancelled one so long */
	bool only_tells; /* its jobs tell people of something: nobody is told how they end, here and
			    in sql/migrations/0020 */
};

/* J3 and J4 of the specification: for a row of a queue. */
#define JOB_RETENTION                                                                              \
	.keep_completed_us = US_PER_DAY, .keep_completed = 1000, .keep_failed_us = 7 * US_PER_DAY

/* One kind of job. It is defined where its handler is, with JOB_DEFAULTS first. */
struct job_kind {
	const char *name;            /* "mail.send"; never changed while there may be jobs of it */
	const char *queue;           /* a job_queue's name */
	const struct shape *payload; /* what run() finds in job.payload; NULL: not looked at */
	unsigned attempts;           /* then it is failed for good; at most JOB_ATTEMPTS_MAX */
	int64_t backoff_us;          /* before the second attempt; doubles with each, less up to
					a fifth at random; at most JOB_BACKOFF_MAX_US */
	int64_t limit_us;            /* one attempt that takes longer is killed */
	bool is_private;             /* the payload is shown to nobody: it holds a secret */
	bool is_cancellable;         /* by the tenant whose it is */
	int (*run)(struct job *j);   /* see jobs/job.h */
};

#define JOB_ATTEMPTS_MAX   100 /* each that fails leaves an error in the job's row */
#define JOB_BACKOFF_MAX_US (60 * US_PER_MINUTE)

/* J1 and J2 of the specification. */
#define JOB_DEFAULTS .attempts = 3, .backoff_us = 5 * US_PER_S, .limit_us = 5 * US_PER_MINUTE

/* What becomes of runs that nobody was there for. */
enum job_missed {
	MISSED_UNSTATED,
	MISSED_SKIPPED, /* it runs again when it is due next */
	MISSED_ONCE,    /* it runs at once, however many were missed */
	MISSED_EACH,    /* every one is made up for, the oldest first */
};

/* A job by the clock: an empty payload, of the platform's own. */
struct job_task {
	const char *name; /* what is remembered of it; never changed */
	const char *cron; /* base/cron.h */
	const char *zone; /* "Europe/Berlin"; NULL: UTC */
	enum job_missed missed;
	const struct job_kind *kind;
};

struct job_book {
	const struct job_queue *queues;      /* ends with a NULL name */
	const struct job_kind *const *kinds; /* ends with NULL */
	const struct job_task *tasks;        /* ends with a NULL name */
};

extern const struct job_queue job_queues[]; /* the product's: queues.c */

#define JOB_QUEUES_MAX 32

/* NULL when there is none of that name. */
const struct job_queue *book_queue(const struct job_book *b, const char *name);
const struct job_kind *book_kind(const struct job_book *b, struct str name);

/*
 * What is wrong with a row, as text in the arena; NULL: nothing. Whatever starts with a book looks
 * once, so that no job is lost to a misspelt queue or a cron expression that never comes.
 */
struct arena;
const char *book_mistake(struct arena *a, const struct job_book *b);
