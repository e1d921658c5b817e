/*
 * The master: forks workers, watches them, puts new ones in place of those that are gone, old or
 * stuck.
 *
 *   SIGTERM, SIGINT  stop: workers answer what is pending; exit 0 when all are gone or the drain
 *                    time-out is over
 *   SIGHUP           replace: check the configuration with the new binary, exec it in this same
 *                    process, fork new workers, and when those are ready let the old ones hand
 *                    their connections over; nothing is refused meanwhile. When the check fails,
 *                    everything stays as it is and the log says why
 *   SIGCHLD          respawn, with back-off: a worker that dies young waits 100 ms, doubling to 5 s
 *
 * A worker that serves one request for longer than its pool allows is killed: nginx has already
 * answered 504. A worker whose master is gone stops by itself.
 *
 * Each worker has a channel to the master (channel.h). A worker that leaves sends its kept
 * connections there, between two requests, and the master passes each to the worker of the pool
 * that has the fewest: so a connection of nginx is never closed under a request.
 */
#pragma once

#include "base/base.h"
#include "prefork/scoreboard.h"

struct worker;

struct pool {
	const char *name; /* "fast"; at most 15 letters */
	unsigned workers;
	int listen_fd;                /* -1: a pool that nobody connects to */
	const char *listen_path;      /* ours: unlinked at the last stop; NULL: somebody else's */
	int64_t request_timeout_us;   /* 0: never killed for it */
	int (*run)(struct worker *w); /* the child's whole life; its result is the exit status */
};

/* Old and new workers have room together. */
#define WORKERS_MAX (SCOREBOARD_SLOTS_MAX / 2)

/* What the master wants of a worker. */
enum order { ORDER_SERVE, ORDER_LEAVE, ORDER_STOP };

struct worker {
	const struct pool *pool;
	unsigned index;         /* 0…workers-1 */
	unsigned workers_total; /* of all pools */
	struct slot *slot;
	struct scoreboard *board;
	int wake_fd; /* readable when the master said something: worker_listen() */
	enum order order;
	bool asked_successor;
	unsigned looks; /* how often worker_is_due() looked */
};

/*
 * Runs until told to stop; the exit status of the process. At most POOLS_MAX pools and WORKERS_MAX
 * workers. argv is what to exec on SIGHUP; with "--check" behind it, it must exit 0 when this
 * configuration would start. Time-outs and limits come from config().
 */
int supervise(const struct pool *pools, size_t n, char **argv);

/* Ready to serve: tells the master. */
void worker_ready(struct worker *w);

/*
 * Hears what the master said, without waiting: updates w->order. A connection that another worker
 * hands over is returned, and the caller's; -1: none.
 */
int worker_listen(struct worker *w);

/* Once round the worker's loop: it lives. */
void worker_alive(struct worker *w);

/* The master wants it gone, one way or the other; hears it first. For loops without connections. */
bool worker_is_draining(struct worker *w);

/*
 * Time to be replaced: told to by SIGTERM, served enough requests or grown too large. Cheap: looks
 * at memory once in 256 calls. Then worker_ask_successor(), and on until the order to leave.
 */
bool worker_is_due(struct worker *w);
void worker_ask_successor(struct worker *w);

/* Hands a connection to another worker of the pool; the descriptor stays the caller's to close. */
bool worker_give(struct worker *w, int fd) MUST_CHECK;

/*
 * Holds at least two connections more than another of its pool: the next one is better given away.
 * The kernel wakes the same worker first whenever several are idle, and kept connections stay where
 * they are.
 */
bool worker_is_crowded(const struct worker *w);
