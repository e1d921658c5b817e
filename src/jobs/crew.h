/*
 * What the files of a worker share: crew.c loops, run.c runs one job, settle.c says what became of
 * it.
 */
#pragma once

#include "base/ctx.h"
#include "base/str.h"
#include "jobs/book.h"
#include "jobs/job.h"

struct batch;
struct rows;
struct worker;

/* What became of a job that was begun. */
enum end {
	END_DONE,
	END_SETTLED, /* its handler has said so itself: job_done() */
	END_AWAITS,  /* waits for its children */
	END_PUT_OFF, /* until outcome.delay_us have passed */
	END_FAILED,
	END_UNKNOWN, /* of a kind that this binary does not know */
};

struct outcome {
	enum end end;
	const struct job_kind *kind; /* NULL: this binary knows none of that name */
	struct tenant_id tenant;
	struct job_id id, parent;
	struct str result;
	const char *error; /* JSON */
	bool may_retry;
	int64_t delay_us; /* then not before */
	int64_t run_us;
};

/* The jobs that were taken at once, all of one queue. Lives in the arena that it was taken in. */
struct haul {
	const struct job_queue *queue;
	const struct rows *rows;
	struct outcome *outcomes; /* of the first `begun` of them */
	size_t len, begun;
	bool is_cut;                  /* the rest is handed back */
	const struct rows *completed; /* those that settle() has completed; NULL: none */
	int64_t taken_us;
	int64_t waited_us, waited_max_us;
};

/* One process that runs jobs. */
struct crew {
	struct worker *worker;
	const struct job_book *book;
	const char *name;      /* job_workers.name */
	struct arena *of_haul; /* where the haul lives */
	struct arena *of_talk; /* where c's statements do; those that bring a haul become of_haul */
	struct arena *of_job;
	struct ctx c;      /* the queue's own statements */
	struct haul *haul; /* what has been taken and not settled; NULL: nothing */
	size_t turn;       /* the queue that was looked at last */
	bool is_marked;    /* as asleep */
	bool may_hold;     /* jobs that it does not know of: a claim whose answer was lost */
	int64_t tidied_us; /* monotonic: when it last gave back what it does not know of */
	bool is_unheard;   /* something that it said may yet arrive: its name is used up */
	bool is_cut_off;   /* from the database, and has said so */
	int64_t looked_us; /* monotonic: when it last asked which queues have something */
	struct {
		struct uuid after; /* the tenant that came last: the next round begins behind it */
		unsigned size;     /* of the next haul; 0: nothing is known yet */
		bool is_ready;     /* may have something to take */
		int64_t dry_until_us; /* monotonic: it had nothing although it seemed so */
	} queues[JOB_QUEUES_MAX];
};

/* Runs the haul's next job; ret's strings live where the haul does. */
void run_job(struct crew *w, const struct haul *h, struct outcome *ret);

/* Adds what became of the haul to b. */
void settle(struct crew *w, struct batch *b, struct haul *h);
