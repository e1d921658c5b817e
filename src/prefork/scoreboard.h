/*
 * What every worker is doing, in memory shared by master and workers: for metrics, for finding a worker
 * that hangs, for recycling. Each slot is written by its worker alone; readers may see a torn moment, never a crash.
 */
#pragma once

#include "base/base.h"

#include <stdatomic.h>
#include <sys/types.h>

#define SCOREBOARD_SLOTS_MAX 256

enum slot_state { SLOT_EMPTY, SLOT_STARTING, SLOT_IDLE, SLOT_BUSY, SLOT_DRAINING };

/* Latency histogram: bucket i counts requests of at most 2^i * 64 microseconds; the last takes the rest. */
#define SLOT_BUCKETS 20

struct slot {
	_Atomic pid_t pid;
	_Atomic int state;            /* enum slot_state */
	_Atomic unsigned pool;        /* index of the pool */
	_Atomic int64_t since_us;     /* monotonic: start of the request that is being served; 0 when idle */
	_Atomic int64_t alive_us;     /* monotonic: last time round its loop, for the watchdog */
	_Atomic uint64_t requests;
	_Atomic uint64_t by_class[6]; /* replies 1xx … 5xx by first digit */
	_Atomic uint64_t micros;      /* sum over requests */
	_Atomic uint64_t buckets[SLOT_BUCKETS];
	_Atomic uint64_t redis_failures, pg_failures;
	_Atomic uint64_t connections; /* kept connections now open */
};

struct scoreboard {
	_Atomic int64_t started_us;   /* wall clock: the master's start */
	_Atomic uint64_t respawns, hung, reloads;
	_Atomic uint64_t retired_requests, retired_by_class[6], retired_micros, retired_buckets[SLOT_BUCKETS];
	struct slot slots[SCOREBOARD_SLOTS_MAX];
};

/* Shared anonymous memory, inherited by fork. Aborts when there is none. */
struct scoreboard *scoreboard_new(void);

/* A request begins and ends, told by its worker. */
void slot_begin(struct slot *s);
void slot_end(struct slot *s, int status, int64_t us);

/* Adds a gone worker's counters to the retired ones and empties its slot, so that sums never go back. */
void scoreboard_retire(struct scoreboard *b, struct slot *s);
