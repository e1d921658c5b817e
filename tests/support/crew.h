/*
 * `zygo work` for tests: a master with workers and a keeper in processes of their own, that knows
 * the test's own queues and kinds of jobs and no others. Queues are named after the test's process,
 * so that tests run side by side.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "jobs/book.h"
#include "jobs/job.h"

#include <sys/types.h>

/* The test's queues, by what they are for. */
enum crew_queue {
	CREW_QUICK,  /* many short jobs at a time */
	CREW_LONG,   /* one at a time and worker */
	CREW_NARROW, /* two run at a time, over all workers */
	CREW_RATED,  /* three start within CREW_RATE_US */
	CREW_QUEUES
};
#define CREW_RATE_US (3 * US_PER_S)

/* "quick-712" */
const char *crew_queue(enum crew_queue q);

/* What a job of a test did, in a table of the test's own: crew_note() in handlers. */
#define CREW_TABLE "job_notes"

/* A kind of the test's: its name with the process's number, and what it does. */
void crew_kind(struct job_kind *k, enum crew_queue q, int (*run)(struct job *j));

/* A task that adds jobs of that kind; zone NULL: UTC. */
void crew_task(const char *name, const char *cron, const char *zone, enum job_missed missed,
	       const struct job_kind *k);

/* Starts it; returns when it is ready to take jobs. Ends with the test at the latest. */
void crew_start(unsigned workers);

/* SIGTERM, and its exit status; the first half of it alone. */
int crew_stop(void);
void crew_ask_to_stop(void);

/* SIGKILL: to a child of that name ("zygo-keeper", "zygo-bell"), which the master replaces; to its
 * master, which another one replaces while workers that are nobody's any more come to their ends.
 */
void crew_kill(const char *name);
void crew_kill_master(void);

/* A word from the test to its handlers, whatever becomes of the database. */
void crew_tell(void);
bool crew_was_told(void);

/* A handler that notes "began" and ends when it is told. */
int crew_wait_for_word(struct job *j);

/* The workers that run jobs, oldest first. */
void crew_workers(pid_t *ret, size_t max, size_t *ret_len);

/* Those of them that wait for jobs. */
size_t crew_sleepers(pid_t *ret, size_t max);

/* Adds a job in a transaction of its own, in a tenant's name; its id. */
struct job_id crew_add(struct tenant_id t, const struct job_new *in);

/* The same n times in one transaction. */
void crew_add_many(struct tenant_id t, const struct job_new *in, size_t n);

/* n different ones in one transaction. */
void crew_add_together(struct tenant_id t, const struct job_new *in, size_t n);

/* Notes "what" beside the job, once a job; with a batch of the handler's own. */
int crew_note(struct job *j, const char *what);

/* How often that was; and until its tenant's jobs have been noted so often. */
int64_t crew_notes(struct job_id id);
void crew_await_notes(struct tenant_id t, int64_t n);

/* Notes it and completes the job, in one transaction. */
int crew_note_and_done(struct job *j, const char *what);

/* What became of it: a column of jobs, as text. */
const char *crew_look(struct job_id id, const char *column);

/* Waits until it is so. */
void crew_await(struct job_id id, const char *state);
void crew_await_count(const char *state, int64_t n); /* of all jobs of the test's queues */
void crew_await_end(void);                           /* … none is unfinished */
int64_t crew_count(const char *state);
