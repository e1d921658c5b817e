/* The master's loop: signals, what workers say, what time demands. See supervisor.h. */
#include "prefork/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "prefork/master_impl.h"
#include "prefork/notify.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 1000 /* how often the master looks for workers that hang */

/* ---- start ---- */

/* Signals come as messages, so that nothing happens in between. Across exec the mask stays, and so
 * does what pends. */
static void take_signals(struct master *m)
{
	struct sigaction act = { .sa_handler = SIG_IGN };
	sigset_t mask;

	(void)sigaction(SIGPIPE, &act, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	BUG_IF(sigprocmask(SIG_SETMASK, &mask, NULL) != 0);
	m->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	BUG_IF(m->signal_fd < 0);
}

static void master_init(struct master *m, const struct pool *pools, size_t n, char **argv)
{
	BUG_IF(n > POOLS_MAX);
	*m = (struct master){ .pools = pools, .pools_len = n, .argv = argv };
	m->watchdog_us = notify_watchdog_us() / 4; /* so that one late round is no miss */
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < pools[i].workers; k++) {
			BUG_IF(m->seats_len == WORKERS_MAX);
			m->seats[m->seats_len++] = (struct seat){ .pool = &pools[i], .index = k };
		}
	take_signals(m);
	reload_adopt(m);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(m->board->pool_names[i], sizeof(m->board->pool_names[i]), "%s",
			       pools[i].name);
}

/* ---- what happens ---- */

static void stop(struct master *m)
{
	if (m->stopping)
		return;

	m->stopping = true;
	log_info("Stopping: workers answer what is pending");
	notify_stopping();
	for (size_t i = 0; i < m->pools_len; i++)
		if (m->pools[i].listen_path)
			(void)unlink(m->pools[i].listen_path);
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (m->children[i].pid)
			child_tell(&m->children[i], WORD_STOP);
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == m->check_pid)
			reload_checked(m, status);
		for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
			if (m->children[i].pid == pid)
				child_bury(m, &m->children[i], status);
	}
}

static void hear_signals(struct master *m)
{
	struct signalfd_siginfo info;

	while (read(m->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD: reap(m); break;
		case SIGHUP: reload_ask(m); break;
		default: stop(m); break;
		}
	}
}

/* ---- what time demands ---- */

/* READY=1 when every seat is served for the first time. */
static void announce(struct master *m)
{
	if (m->announced)
		return;
	for (size_t i = 0; i < m->seats_len; i++)
		if (!seat_is_served(m, &m->seats[i]))
			return;

	m->announced = true;
	log_info("Workers are ready", LOG_I("workers", m->seats_len));
	notify_ready();
}

/* One worker of the pool has been round its loop; one that is in a request is child_look()'s. */
static bool pool_is_alive(struct master *m, const struct pool *p, int64_t now_us)
{
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++) {
		const struct child *c = &m->children[i];
		const struct slot *s = child_slot(m, c);

		if (c->pid && c->pool == p &&
		    (s->since_us || now_us - s->alive_us < 4 * m->watchdog_us))
			return true;
	}

	return p->workers == 0;
}

static void feed_watchdog(struct master *m, int64_t now_us)
{
	if (!m->watchdog_us || now_us - m->watched_us < m->watchdog_us)
		return;
	for (size_t i = 0; i < m->pools_len; i++)
		if (!pool_is_alive(m, &m->pools[i], now_us))
			return;

	m->watched_us = now_us;
	notify_alive();
}

static void look(struct master *m)
{
	int64_t now = clock_monotonic_us();

	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (m->children[i].pid)
			child_look(m, &m->children[i], now);
	announce(m);
	reload_look(m);
	feed_watchdog(m, now);
}

/* Until the tick, the next seat that may be filled, or the watchdog's next meal. */
static int wait_ms(const struct master *m)
{
	int64_t now = clock_monotonic_us(), wait = TICK_MS * US_PER_MS;

	if (m->watchdog_us && m->watchdog_us < wait)
		wait = m->watchdog_us;
	for (size_t i = 0; i < m->seats_len && !m->stopping; i++) {
		int64_t until = m->seats[i].not_before_us - now;

		if (until > 0 && until < wait)
			wait = until;
	}

	return (int)(wait / US_PER_MS) + 1;
}

static void round_once(struct master *m)
{
	struct pollfd fds[1 + SCOREBOARD_SLOTS_MAX];
	struct child *of[1 + SCOREBOARD_SLOTS_MAX] = { 0 };
	nfds_t n = 0;

	fds[n++] = (struct pollfd){ .fd = m->signal_fd, .events = POLLIN };
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (m->children[i].pid) {
			of[n] = &m->children[i];
			fds[n] = (struct pollfd){ .fd = of[n]->end, .events = POLLIN };
			n++;
		}

	(void)poll(fds, n, wait_ms(m));
	for (nfds_t i = 1; i < n; i++)
		if (fds[i].revents)
			child_hear(m, of[i]);
	hear_signals(m); /* after the channels: who died has been heard */
	look(m);
}

int supervise(const struct pool *pools, size_t n, char **argv)
{
	static struct master m;

	master_init(&m, pools, n, argv);
	while (!m.stopping || children_alive(&m)) {
		seats_fill(&m);
		round_once(&m);
	}

	for (size_t i = 0; i < n; i++)
		if (pools[i].listen_fd >= 0)
			(void)close(pools[i].listen_fd);
	scoreboard_free(m.board);
	(void)close(m.board_fd);
	(void)close(m.signal_fd);
	log_info("Stopped");

	return 0;
}
