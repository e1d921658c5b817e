/*
 * What wakes the workers of a host. One process listens to PostgreSQL for all of them and wakes one
 * that sleeps for each call: if each listened by itself, a job would wake them all, and all but one
 * for nothing. It also sees which leases are over (jobs/lease.h), and wakes parked workers for
 * them.
 *
 * A call may be lost: who sleeps looks each second anyway.
 */
#pragma once

#include "base/base.h"

struct leases;
struct worker;

/* Where a worker waits. */
enum bed {
	BED_ASLEEP, /* with a lease: wants to hear of jobs */
	BED_PARKED, /* without one: wants to hear of leases */
	BEDS
};

struct bell {
	struct {
		int in, out; /* datagrams */
	} beds[BEDS];
};

#define BELL_NAME_SIZE 64 /* a queue's name with its end */

/* Once, before the first child is forked. */
void bell_make(struct bell *b);

/* Wakes one that sleeps, for this queue; and one that is parked. Nothing is waited for: with many
 * calls that nobody has taken yet, this one is lost. */
void bell_ring(const struct bell *b, const char *queue);
void bell_unpark(const struct bell *b);

/* Waits there until called, until the master speaks, or for so long. */
void bell_wait(const struct bell *b, enum bed bed, const struct worker *w, int64_t us);

/* The next call that has come there, for that queue; false: no more now. Whoever wakes takes them
 * all: each woke somebody when it came, or found nobody waiting, and who lies down looks first. */
bool bell_take(const struct bell *b, enum bed bed, char queue[static BELL_NAME_SIZE]);

/* The whole life of the process that listens. */
int bell_run(struct worker *w, const struct bell *b, struct leases *leases);
