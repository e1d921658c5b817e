/*
 * Jobs, for whoever enqueues them and for whoever handles them.
 *
 * A job is added to the caller's own batch, so it is there exactly when the change beside it is:
 *
 *	batch_add(b, &user, &sql_users_create, ARGS(…));
 *	jobs_add(b, c, &(struct job_new){ .kind = &welcome_mail, .payload = payload });
 *	return batch_run(b);
 *
 * It is run at least once: a worker may die after the work and before the word of it. A handler is
 * therefore idempotent, or its last batch is the work and job_done() together.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct batch;
struct ctx;
struct job_kind;
struct rows;

struct job_id {
	struct uuid u;
};

/* Only kind has to be said. */
struct job_new {
	const struct job_kind *kind;
	struct str payload;      /* compact JSON of the kind's shape; ptr NULL: {} */
	struct job_id id;        /* nil: one is made */
	struct tenant_id tenant; /* nil: the transaction's; has it none, the job is the platform's
				    own. Another one than the transaction's wants BATCH_SYSTEM. */
	int64_t delay_us;        /* runs not before; 0: at once */
	int priority;            /* higher first, among its tenant's jobs in the queue */
	unsigned attempts;       /* as in struct job_kind, with its bounds; 0: the kind's */
	int64_t backoff_us;      /* the same */

	/* Nothing is added while there is a job of this tenant, kind and key that is not over, or
	   was added less than unique_us ago. NULL: always added. */
	const char *unique_key;
	int64_t unique_us;

	struct job_id parent; /* whose child it is; nil: nobody's */
	bool awaits_children; /* runs when its children, added in the same batch, are over */
};

/*
 * Adds it to b; strings live until the batch has run. The platform's own jobs want a batch whose
 * role sees all tenants (BATCH_IDENTITY, BATCH_SYSTEM).
 */
void jobs_add(struct batch *b, struct ctx *c, const struct job_new *in);

/* A job as its handler sees it. Everything lives until the handler returns. */
struct job {
	struct ctx *c; /* of this job alone: its transactions are its tenant's */
	const struct job_kind *kind;
	struct job_id id;
	struct tenant_id tenant; /* nil: the platform's own */
	struct job_id parent;    /* nil: none */
	const void *payload;     /* the struct of the kind's shape; NULL without one */
	struct str payload_text; /* as JSON */
	unsigned attempt;        /* from 1 */
	unsigned attempts_max;
	bool is_resumed;    /* it has waited for its children */
	const char *worker; /* who runs it */

	/* What the handler leaves. */
	struct str result;    /* JSON, for whoever asks; ptr NULL: none */
	bool is_hopeless;     /* with an error: no other attempt can help */
	bool awaits_children; /* with OK: run me again when the children that I have added are over
			       */
	int64_t put_off_us;   /* with OK: run me again after so long; the attempt does not count */
	bool is_done;         /* job_done() was committed */
};

/*
 * A handler is `int run(struct job *j)`. OK: the job is completed. An error, with its fault in
 * j->c: it is tried again after a while, as often as the job or else its kind says.
 */

/*
 * Says how far it is, 0…100, and what it does (NULL: what it did; past JOB_MESSAGE_MAX bytes it is
 * cut), in a transaction of its own; handlers of long work call it often. *ret_is_wanted is false
 * when the job was cancelled or given to another worker: the handler stops, and returns an error.
 */
int job_progress(struct job *j, int percent, const char *message, bool *ret_is_wanted) MUST_CHECK;
#define JOB_MESSAGE_MAX 1000

/* Tells whoever watches the job's parent, a job of that kind, how far that is: after the commit of
 * what says so in its row. */
void job_tell_parent(struct job *j, const struct job_kind *kind, int percent, const char *message);

/*
 * Adds to b that the job is completed, so that this is true exactly when the rest of b is: then its
 * effect happens once. The batch fails when the job is not this worker's any more. The handler sets
 * j->is_done when the batch has run.
 */
void job_done(struct batch *b, struct job *j);

/* The job's children with their states, results and errors (sql/queries/jobs.sql). */
int job_children(struct job *j, const struct rows **ret) MUST_CHECK;
