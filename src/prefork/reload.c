/*
 * The master's own replacement: SIGHUP, the check by the new binary, exec, and the new master's
 * taking over of what the old one left (inherited.h).
 *
 * Old workers stay children of the same process id. They are taken over as due: each serves until
 * the worker that the new master put into its seat is ready.
 */
#include "prefork/master_impl.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "prefork/inherited.h"
#include "prefork/notify.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 32
#define TEXT_MAX KIB(64) /* of an environment variable: 512 workers of at most 60 bytes */

/* ---- taking over ---- */

static const struct pool *pool_named(const struct master *m, const char *name)
{
	for (size_t i = 0; i < m->pools_len; i++)
		if (strcmp(m->pools[i].name, name) == 0)
			return &m->pools[i];

	return NULL;
}

static struct seat *seat_of(struct master *m, const struct pool *p, unsigned index)
{
	for (size_t i = 0; i < m->seats_len; i++)
		if (m->seats[i].pool == p && m->seats[i].index == index)
			return &m->seats[i];

	return NULL;
}

/* What a worker writes is in the scoreboard that it was born with. In one of another layout it is
 * here as one that leaves. */
static void adopt_slot(struct slot *slot, pid_t pid)
{
	if (slot->pid == pid)
		return;

	slot->pid = pid;
	slot->state = SLOT_DRAINING;
	slot->alive_us = clock_monotonic_us();
}

static void adopt_worker(struct master *m, const struct inherited_worker *w)
{
	const struct pool *pool = pool_named(m, w->pool);
	struct child *c = &m->children[w->slot];
	struct slot *slot = child_slot(m, c);

	fd_set_cloexec(w->end, true);
	fd_set_cloexec(w->far_end, true);
	*c = (struct child){ .pid = w->pid,
			     .seat = seat_of(m, pool, w->index),
			     .pool = pool,
			     .stage = CHILD_DUE,
			     .end = w->end,
			     .far_end = w->far_end,
			     .born_us = clock_monotonic_us(),
			     .sent = slot->adopted };
	if (pool) {
		adopt_slot(slot, w->pid);
		slot->pool = (unsigned)(pool - m->pools);
	}
}

void reload_adopt(struct master *m)
{
	struct inherited_worker w;

	m->board_fd = inherited_fd("scoreboard");
	m->board = m->board_fd >= 0 ? scoreboard_adopt(m->board_fd) : NULL;
	if (m->board) {
		fd_set_cloexec(m->board_fd, true);
		m->board->reloads++;
	} else {
		m->board = scoreboard_new(&m->board_fd);
	}

	for (size_t i = 0; inherited_worker(i, &w); i++)
		if (w.slot < ARRAY_LEN(m->children) && !m->children[w.slot].pid)
			adopt_worker(m, &w);
	inherited_forget();
}

/* ---- the check ---- */

/* What to exec: the path that we were started by, where another version may stand now. */
static const char *program(const struct master *m)
{
	static char path[PATH_MAX];
	ssize_t n;

	BUG_IF(!m->argv[0]);
	if (strchr(m->argv[0], '/'))
		return m->argv[0];
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';

	return path;
}

static void NORETURN check(struct master *m)
{
	static char flag[] = "--check";
	char *argv[ARGS_MAX + 2] = { 0 };
	size_t n = 0;
	sigset_t none;

	while (n < ARGS_MAX && m->argv[n]) {
		argv[n] = m->argv[n];
		n++;
	}
	argv[n] = flag;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv(program(m), argv);
	_exit(127);
}

/*
 * Some worker of the last reload is neither ready nor has it failed: another reload now would leave
 * its seat to a third one, and with enough of them nobody would ever be ready.
 */
static bool is_under_way(const struct master *m)
{
	if (m->check_pid)
		return true;
	for (size_t i = 0; i < m->seats_len; i++)
		if (!m->seats[i].failures && !seat_is_served(m, &m->seats[i]))
			return true;

	return false;
}

void reload_ask(struct master *m)
{
	m->reload_wanted = true;
	reload_look(m);
}

void reload_look(struct master *m)
{
	if (!m->reload_wanted || m->stopping || is_under_way(m))
		return;

	m->reload_wanted = false;
	log_info("Reloading: the new configuration is checked");
	m->check_pid = fork();
	if (m->check_pid == 0)
		check(m);
	if (m->check_pid < 0) {
		m->check_pid = 0;
		log_error("Reload refused: could not fork");
	}
}

/* ---- exec ---- */

/* Lets the descriptors that are left to the next master through exec, or not. */
static void keep_across_exec(struct master *m, bool keep)
{
	fd_set_cloexec(m->board_fd, !keep);
	for (size_t i = 0; i < m->pools_len; i++)
		if (m->pools[i].listen_fd >= 0)
			fd_set_cloexec(m->pools[i].listen_fd, !keep);
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (m->children[i].pid) {
			fd_set_cloexec(m->children[i].end, !keep);
			fd_set_cloexec(m->children[i].far_end, !keep);
		}
}

static void put_worker(struct buf *text, const struct master *m, size_t i)
{
	const struct child *c = &m->children[i];
	struct inherited_worker w = { .pid = c->pid,
				      .slot = (unsigned)i,
				      .index = c->seat ? c->seat->index : WORKERS_MAX,
				      .end = c->end,
				      .far_end = c->far_end };

	(void)snprintf(w.pool, sizeof(w.pool), "%s", c->pool ? c->pool->name : "former");
	inherited_put_worker(text, &w);
}

static void leave_behind(const struct master *m)
{
	struct buf fds, workers;

	buf_init_heap(&fds, TEXT_MAX);
	buf_init_heap(&workers, TEXT_MAX);
	inherited_put_fd(&fds, "scoreboard", m->board_fd);
	for (size_t i = 0; i < m->pools_len; i++)
		if (m->pools[i].listen_fd >= 0)
			inherited_put_fd(&fds, m->pools[i].name, m->pools[i].listen_fd);
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (m->children[i].pid)
			put_worker(&workers, m, i);

	BUG_IF(fds.overflow || workers.overflow);
	(void)setenv(INHERITED_FDS, fds.data, 1);
	(void)setenv(INHERITED_WORKERS, workers.data, 1);
	buf_done(&fds);
	buf_done(&workers);
}

void reload_checked(struct master *m, int status)
{
	m->check_pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		log_error(
			"Reload refused: the new configuration does not pass; the old one serves on",
			WIFSIGNALED(status) ? LOG_S("signal", sigabbrev_np(WTERMSIG(status)))
					    : LOG_I("exitCode", WEXITSTATUS(status)));
		return;
	}
	if (m->stopping)
		return;

	notify_reloading();
	leave_behind(m);
	keep_across_exec(m, true);
	(void)execv(program(m), m->argv);

	log_error("Reload refused: could not exec", LOG_S("program", program(m)),
		  LOG_S("reason", strerror(errno)));
	keep_across_exec(m, false);
	inherited_forget();
	notify_ready();
}
