/*
 * The master: forks workers, watches them, puts new ones in place of those that are gone, old or stuck.
 *
 *   SIGTERM, SIGINT  drain: workers finish what they serve; exit 0 when all are gone or the drain time-out is over
 *   SIGHUP           replace: check the configuration with the new binary, exec it in this same process, fork new workers,
 *                    and when those are ready let the old ones drain; nothing is refused meanwhile. When the check
 *                    fails, everything stays as it is and the log says why
 *   SIGCHLD          respawn with back-off (a worker that dies young waits 100 ms, doubling to 5 s)
 *
 * A worker that serves one request for longer than its pool allows is killed: nginx has already answered 504.
 */
#pragma once

#include "base/base.h"
#include "prefork/scoreboard.h"
#include "prefork/socket.h"

struct worker;

struct pool {
	const char *name;           /* "fast" */
	unsigned workers;
	int listen_fd;
	int64_t request_timeout_us; /* 0: never killed for it */
	int (*run)(struct worker *w); /* the child's whole life; its result is the exit status */
};

#define POOLS_MAX 4

struct worker {
	const struct pool *pool;
	unsigned index;             /* 0…workers-1 */
	struct slot *slot;
	struct scoreboard *board;
	struct handover handover;
	int wake_fd;                /* readable when worker_is_draining() became true: put it into epoll */
};

/*
 * Runs until told to stop; the exit status of the process. argv is what to exec on SIGHUP. Limits on requests
 * and memory come from config().
 */
int supervise(struct pool *pools, size_t n, char **argv);

bool worker_is_draining(const struct worker *w);
/* Time to be replaced: served enough requests or grown too large. Cheap: looks at memory once in 256 calls. */
bool worker_is_due(const struct worker *w);
/* Ready to serve: tells the master. */
void worker_ready(struct worker *w);
