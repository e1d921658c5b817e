/* Calls from PostgreSQL, passed on to one worker each: see bell.h. */
#include "jobs/bell.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/str.h"
#include "db/listen.h"
#include "gen/sql_jobs.h"
#include "jobs/lease.h"
#include "prefork/supervisor.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCH_MS 50       /* how often it looks which leases are over */
#define DEAF_US  US_PER_S /* before it connects again when it could not */

void bell_make(struct bell *b)
{
	for (enum bed bed = 0; bed < BEDS; bed++) {
		int fds[2];

		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
			BUG("no sockets for the bell");
		b->beds[bed].in = fds[0];
		b->beds[bed].out = fds[1];
	}
}

void bell_ring(const struct bell *b, const char *queue)
{
	(void)send(b->beds[BED_ASLEEP].out, queue, strlen(queue), MSG_NOSIGNAL);
}

void bell_unpark(const struct bell *b)
{
	(void)send(b->beds[BED_PARKED].out, "", 1, MSG_NOSIGNAL);
}

/* A process' own, made when it waits there first. Of those that wait, the kernel wakes one for each
 * datagram (EPOLLEXCLUSIVE); poll() would wake all. */
static int waiting_place(const struct bell *b, enum bed bed, const struct worker *w)
{
	static int places[] = { [BED_ASLEEP] = -1, [BED_PARKED] = -1 };
	struct epoll_event called = { .events = EPOLLIN | EPOLLEXCLUSIVE },
			   spoken = { .events = EPOLLIN };
	int fd;

	if (places[bed] >= 0)
		return places[bed];

	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, b->beds[bed].in, &called) != 0 ||
	    epoll_ctl(fd, EPOLL_CTL_ADD, w->wake_fd, &spoken) != 0)
		BUG("no place to wait at the bell");
	places[bed] = fd;

	return fd;
}

void bell_wait(const struct bell *b, enum bed bed, const struct worker *w, int64_t us)
{
	struct epoll_event events[2];

	(void)epoll_wait(waiting_place(b, bed, w), events, ARRAY_LEN(events),
			 (int)(us / US_PER_MS) + 1);
}

bool bell_take(const struct bell *b, enum bed bed, char queue[static BELL_NAME_SIZE])
{
	ssize_t n = recv(b->beds[bed].in, queue, BELL_NAME_SIZE - 1, 0);

	queue[n > 0 ? n : 0] = '\0';

	return n > 0;
}

/* The socket on which PostgreSQL calls; -1: none now. */
static int ear(struct ctx *c, struct arena *a)
{
	static int64_t deaf_until_us; /* monotonic */
	int fd;

	arena_reset(a);
	ctx_reset(c, a);
	if (clock_monotonic_us() < deaf_until_us)
		return -1;

	fd = listen_on(c, &sql_jobs_listen);
	if (fd < 0)
		deaf_until_us = clock_monotonic_us() + DEAF_US;

	return fd;
}

int bell_run(struct worker *w, const struct bell *b, struct leases *leases)
{
	struct pollfd fds[2] = { { .fd = w->wake_fd, .events = POLLIN }, { .events = POLLIN } };
	struct arena *a = arena_new();
	struct ctx c;
	const char *queue;

	worker_ready(w);
	while (!worker_is_draining(w)) {
		worker_alive(w);
		if (worker_is_due(w))
			worker_ask_successor(w);
		for (unsigned n = leases_spare(leases); n > 0; n--)
			bell_unpark(b);
		slot_begin(w->slot); /* a slow database is no bell that hangs */
		fds[1].fd = ear(&c, a);
		slot_rest(w->slot);
		(void)poll(fds, ARRAY_LEN(fds), WATCH_MS);
		while ((queue = listen_take(a)))
			bell_ring(b, queue);
	}
	listen_done();
	arena_free(a);

	return 0;
}
