/*
 * Which of a host's workers take jobs: those that hold a lease, about as many as there are
 * processors. The others are parked.
 *
 * To take jobs and to say what became of them is work of PostgreSQL's. Where jobs are short it is
 * most of the work, and workers beyond a few only pass over rows that the first have locked. Where
 * they are not, who has taken some passes its lease on before it runs them, or loses it while it
 * does: so all workers can run jobs at a time, and a few take them.
 *
 * A lease binds nobody: who stands still or dies with one has it until its time is over. Nothing
 * but cost depends on it.
 */
#pragma once

#include "base/base.h"

struct leases;

/* For so many workers; in memory that the children share that are forked from now on. Lives as
 * long as the process. */
struct leases *leases_new(unsigned workers);

/* How many so many workers have, with so many processors, and on this host: one for each processor,
 * from 2 to 16, but no more than workers. */
unsigned leases_for(long processors, unsigned workers);
unsigned leases_count(unsigned workers);

/*
 * The calling process' lease holds for so long from now: its own, or one that nobody has, or whose
 * time is over, or whose holder is dead. False: all are others'.
 */
bool lease_hold(struct leases *l, int64_t for_us);

/* Nothing happens when it has none. */
void lease_drop(struct leases *l);

/* How many could be had now. */
unsigned leases_spare(struct leases *l);
