/*
 * What the files of a worker share: crew.c loops, talk.c has its words with the database, haul.c
 * knows what was taken, run.c runs one job, settle.c says what became of it.
 */
#pragma once

#include "base/ctx.h"
#include "base/str.h"
#include "jobs/book.h"
#include "jobs/job.h"

struct batch;
struct host;
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
	size_t len, begun, asked;
	bool is_cut;                  /* the rest is handed back */
	const struct rows *completed; /* those that settle() has completed; NULL: none */
	int64_t taken_us, talk_us;    /* monotonic: when; how long that took */
	int64_t waited_us, waited_max_us;
};

/* One process that runs jobs. */
struct crew {
	struct worker *worker;
	const struct host *host;
	const struct job_book *book; /* the host's */
	const char *name;            /* job_workers.name */
	bool is_signed_on;           /* under that name */
	struct arena *of_haul;       /* where the haul lives */
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
		bool is_ready;     /* may have something to take */
		int64_t dry_until_us; /* monotonic: it had nothing although it seemed so */
	} queues[JOB_QUEUES_MAX];
};

/*
 * A batch of its own. One that does not wait for the disk: what a crash of PostgreSQL takes away
 * are the last moments, in whole. Jobs that were done are run again, which handlers must bear
 * anyway, and those that seem to be this worker's still are given back within seconds.
 */
struct batch *talk(struct crew *w);
struct batch *talk_lazily(struct crew *w);

/* Runs b, and notes when it may happen yet without our hearing of it. */
int say(struct crew *w, struct batch *b) MUST_CHECK;

/* Logs what w->c failed with, once an outage; the second waits too, before it is tried again. */
void tell_trouble(struct crew *w);
void pause_talk(struct crew *w);

/* Whether it is time to give back what seems this worker's and is not known to it. */
bool tidying_is_due(const struct crew *w);

/* Adds to b what became of the haul, if there is one, and that when it is time. Once b has run the
 * haul is let go, and who watches is told. */
void settle_haul(struct crew *w, struct batch *b);
void let_go(struct crew *w);

/* Says what has become of the haul until it is heard, and gives back whatever else may be this
 * worker's. Who holds nothing has nothing to wait for. */
void settle_at_last(struct crew *w);

#define HAUL_CUT_US (500 * US_PER_MS) /* one that takes longer gives back what is left */

/* What a claim of so many has brought, at least one job: it lives where the claim's
 * rows do.
 */
struct haul *haul_new(struct crew *w, const struct job_queue *q, const struct rows *rows,
		      unsigned asked);

/* How many to take of the q-th queue. */
unsigned haul_size(const struct crew *w, size_t q);

/* Whether the queue may hold more than what was taken of it: the haul is full, or tenants that have
 * more were given equal shares. */
bool haul_may_be_more(const struct haul *h);

/* Whether to run it costs less than to take it, as jobs of its queue went lately on this host; or
 * nobody knows yet. */
bool haul_is_brief(const struct crew *w, const struct haul *h);

/* It took so long. */
void haul_learn(struct crew *w, const struct haul *h, int64_t took_us);

/* Runs the haul's next job; ret's strings live where the haul does. */
void run_job(struct crew *w, const struct haul *h, struct outcome *ret);

/* Adds what became of the haul to b. */
void settle(struct crew *w, struct batch *b, struct haul *h);
