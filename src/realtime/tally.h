/*
 * What all processes of `zygo realtime` have done, in memory that they share: for metrics. What
 * they hold, connections and rooms, stands on the scoreboard, where it ends with the process.
 */
#pragma once

#include "base/base.h"

#include <stdatomic.h>

struct buf;
struct scoreboard;

struct tally {
	_Atomic uint64_t connected;    /* WebSockets that were let in */
	_Atomic uint64_t refused;      /* and those that were not */
	_Atomic uint64_t messages_in;  /* from clients */
	_Atomic uint64_t messages_out; /* to clients */
	_Atomic uint64_t events;       /* heard, each once a process */
	_Atomic uint64_t
		events_late;      /* read from the log, because they did not come by themselves */
	_Atomic uint64_t slow;    /* clients dropped because they did not read */
	_Atomic uint64_t floods;  /* clients closed because they said too much */
	_Atomic uint64_t revoked; /* closed because session, seat or tenant was over */
	_Atomic uint64_t redis_failures; /* times that Redis went away */
};

extern struct tally *tally; /* after tally_init() */

void tally_init(void); /* in the master, before it forks */

/* Prometheus' text. */
void tally_write(const struct scoreboard *board, struct buf *out);
