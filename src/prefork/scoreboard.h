/*
 * What every worker is doing, in memory that master and workers share: for metrics, for finding a
 * worker that hangs, for recycling. Each slot is written by its worker alone while that lives;
 * readers may see a torn moment, never a crash.
 *
 * The memory is a file without a name, so that it survives the master's own replacement: counters
 * go on across a reload.
 */
#pragma once

#include "base/base.h"

#include <stdatomic.h>
#include <sys/types.h>

#define SCOREBOARD_SLOTS_MAX 512
#define POOLS_MAX            8

/* Changes with every change of the structures below; with another, a reload counts from zero. */
#define SCOREBOARD_LAYOUT 2

enum slot_state { SLOT_EMPTY, SLOT_STARTING, SLOT_IDLE, SLOT_BUSY, SLOT_DRAINING, SLOT_STATES };

/* Latency histogram: bucket i counts requests of at most 2^i * 64 µs; the last takes the rest. */
#define SLOT_BUCKETS 20

struct slot {
	_Atomic pid_t pid;
	_Atomic int state;        /* enum slot_state */
	_Atomic unsigned pool;    /* index of the pool */
	_Atomic int64_t since_us; /* monotonic: start of the request being served; 0 when idle */
	_Atomic int64_t alive_us; /* monotonic: last time round its loop, for the watchdog */
	_Atomic uint64_t connections; /* kept connections now open */
	_Atomic uint64_t rooms;       /* of `zygo realtime`: that somebody is in */
	_Atomic uint64_t adopted;     /* connections taken over from other workers */

	/* Counters: what scoreboard_retire() keeps when the worker is gone. */
	_Atomic uint64_t requests;
	_Atomic uint64_t by_class[6]; /* replies 1xx … 5xx by first digit */
	_Atomic uint64_t micros;      /* sum over requests */
	_Atomic uint64_t buckets[SLOT_BUCKETS];
	_Atomic uint64_t redis_failures, pg_failures;
};

struct scoreboard {
	uint32_t layout;
	char pool_names[POOLS_MAX][16];
	_Atomic int64_t started_us; /* wall clock: the first master's start */
	_Atomic uint64_t respawns, hung, reloads;
	_Atomic unsigned moving; /* odd while counters move from a slot to the retired */
	struct slot retired;     /* the counters of workers that are gone */
	struct slot slots[SCOREBOARD_SLOTS_MAX];
};

/* A new one, or the one behind fd if that is of today's layout. Aborts when there is no memory. */
struct scoreboard *scoreboard_new(int *ret_fd);
struct scoreboard *scoreboard_adopt(int fd); /* NULL: another layout */
void scoreboard_free(struct scoreboard *b);

/* A request begins and ends, told by its worker. A second begin before the end changes nothing. */
void slot_begin(struct slot *s);
void slot_end(struct slot *s, int status, int64_t us);
/* Nothing is being served: for a request that broke off before it could be counted. */
void slot_rest(struct slot *s);

/* The greatest duration that bucket i counts, µs; the last bucket has no bound and says 0. */
int64_t slot_bucket_us(size_t i);

/* Adds a gone worker's counters to the retired ones and empties its slot: sums never go back. */
void scoreboard_retire(struct scoreboard *b, struct slot *s);

/* The counters of all workers that live or lived, and what those that live hold (connections,
 * rooms), as of one moment. */
void scoreboard_sum(const struct scoreboard *b, struct slot *ret);
