/* The worker's side of supervisor.h: what it tells the master, what it hears, when it is due. */
#include "base/clock.h"
#include "base/config.h"
#include "base/str.h"
#include "prefork/channel.h"
#include "prefork/worker_impl.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* An admin's SIGTERM to one worker replaces that worker. */
static volatile sig_atomic_t told_to_go;

static void on_sigterm(int sig UNUSED)
{
	told_to_go = 1;
}

void worker_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE };
	struct sigaction act = { .sa_handler = SIG_IGN }; /* no SA_RESTART: waits end */
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)sigaction(ignored[i], &act, NULL);
	act.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &act, NULL);
	act.sa_handler = on_sigterm;
	(void)sigaction(SIGTERM, &act, NULL);

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void worker_ready(struct worker *w)
{
	w->slot->state = SLOT_IDLE;
	worker_alive(w);
	(void)channel_send(w->wake_fd, WORD_READY, -1); /* a full queue: it would know already */
}

void worker_alive(struct worker *w)
{
	w->slot->alive_us = clock_monotonic_us();
}

static void obey(struct worker *w, enum order order)
{
	if (order > w->order)
		w->order = order;
	w->slot->state = SLOT_DRAINING;
}

int worker_listen(struct worker *w)
{
	int passed = -1;

	while (passed < 0) {
		switch (channel_receive(w->wake_fd, &passed)) {
		case WORD_NONE: return -1;
		case WORD_CONNECTION: w->slot->adopted++; break;
		case WORD_LEAVE: obey(w, ORDER_LEAVE); break;
		case WORD_STOP: obey(w, ORDER_STOP); break;
		case WORD_CLOSED: obey(w, ORDER_STOP); return -1;
		case WORD_READY:
		case WORD_DUE: BUG("a word that only workers say");
		}
	}

	return passed;
}

bool worker_is_draining(struct worker *w)
{
	int fd = worker_listen(w);

	BUG_IF(fd >= 0); /* only pools that listen are given connections */

	return w->order != ORDER_SERVE;
}

/* Resident memory of this process, MiB; 0 when the kernel does not say (proc(5), statm). */
static int64_t resident_mb(void)
{
	_cleanup_(closep) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	struct str rest = { text, n > 0 ? (size_t)n : 0 };
	int64_t pages;

	(void)str_cut(&rest, ' ');
	if (!str_to_i64(str_cut(&rest, ' '), 0, INT64_MAX / 65536, &pages))
		return 0;

	return pages * sysconf(_SC_PAGESIZE) / (int64_t)MIB(1);
}

/* Workers of a pool get different limits, up to half as much again, so that they do not all go at
 * once. */
static bool has_served_enough(const struct worker *w)
{
	uint64_t max = (uint64_t)config()->worker_requests_max;

	return max && w->slot->requests >= max + max * w->index / w->pool->workers / 2;
}

bool worker_is_due(struct worker *w)
{
	int64_t max_mb = config()->worker_memory_max_mb;

	if (told_to_go || has_served_enough(w))
		return true;

	return max_mb && w->looks++ % 256 == 0 && resident_mb() > max_mb;
}

void worker_ask_successor(struct worker *w)
{
	if (!w->asked_successor)
		w->asked_successor = channel_send(w->wake_fd, WORD_DUE, -1);
}

bool worker_give(struct worker *w, int fd)
{
	return channel_send(w->wake_fd, WORD_CONNECTION, fd);
}

bool worker_is_crowded(const struct worker *w)
{
	for (size_t i = 0; i < SCOREBOARD_SLOTS_MAX; i++) {
		const struct slot *s = &w->board->slots[i];

		if ((s->state == SLOT_IDLE || s->state == SLOT_BUSY) && s->pool == w->slot->pool &&
		    s->connections + 2 <= w->slot->connections)
			return true;
	}

	return false;
}
