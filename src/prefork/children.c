/* One worker's life as the master sees it: forked, heard, relieved by a successor, buried. */
#include "prefork/master_impl.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "prefork/worker_impl.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define YOUNG_US         (5 * US_PER_S) /* a worker that dies before has failed to start */
#define BACKOFF_FIRST_US (100 * US_PER_MS)
#define BACKOFF_MAX_US   (5 * US_PER_S)
#define START_MAX_US     (60 * US_PER_S) /* not ready by then: killed */
#define CORE_US          (2 * US_PER_S)  /* from SIGABRT, for the core to be written, to SIGKILL */

static unsigned child_number(const struct master *m, const struct child *c)
{
	return (unsigned)(c - m->children);
}

struct slot *child_slot(struct master *m, const struct child *c)
{
	return &m->board->slots[child_number(m, c)];
}

size_t children_alive(const struct master *m)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		n += m->children[i].pid != 0;

	return n;
}

static const char *pool_name(const struct child *c)
{
	return c->pool ? c->pool->name : "former";
}

/* ---- forking ---- */

/* Descriptors that are others' business: what a worker must not keep open or answer for. */
static void close_inherited(struct master *m, const struct pool *mine)
{
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (m->children[i].pid) {
			(void)close(m->children[i].end);
			(void)close(m->children[i].far_end);
		}
	for (size_t i = 0; i < m->pools_len; i++)
		if (&m->pools[i] != mine && m->pools[i].listen_fd >= 0)
			(void)close(m->pools[i].listen_fd);
	(void)close(m->signal_fd);
	(void)close(m->board_fd);
}

static void NORETURN live(struct master *m, const struct seat *seat, struct slot *slot, int wake_fd)
{
	struct worker w = { .pool = seat->pool,
			    .index = seat->index,
			    .workers_total = (unsigned)m->seats_len,
			    .slot = slot,
			    .board = m->board,
			    .wake_fd = wake_fd };
	char title[16]; /* as top(1) shows it */

	close_inherited(m, seat->pool);
	(void)snprintf(title, sizeof(title), "zygo-%.6s-%u", seat->pool->name, seat->index % 1000);
	(void)prctl(PR_SET_NAME, title);
	worker_signals();
	exit(seat->pool->run(&w));
}

static struct child *free_child(struct master *m)
{
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++)
		if (!m->children[i].pid)
			return &m->children[i];

	return NULL;
}

static void spawn(struct master *m, struct seat *seat, int64_t now_us)
{
	struct child *c = free_child(m);
	struct slot *slot;
	int ends[2];
	pid_t pid;

	seat->not_before_us = now_us + US_PER_S; /* when it cannot be now */
	if (!c || !channel_make(ends))
		return;

	slot = child_slot(m, c);
	slot->pool = (unsigned)(seat->pool - m->pools);
	slot->alive_us = now_us;
	slot->state = SLOT_STARTING;
	pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		live(m, seat, slot, ends[1]);
	}
	if (pid < 0) {
		log_error("Could not fork a worker", LOG_S("pool", seat->pool->name));
		slot->state = SLOT_EMPTY;
		(void)close(ends[0]);
		(void)close(ends[1]);
		return;
	}

	slot->pid = pid;
	*c = (struct child){ .pid = pid,
			     .seat = seat,
			     .pool = seat->pool,
			     .stage = CHILD_STARTING,
			     .end = ends[0],
			     .far_end = ends[1],
			     .born_us = now_us };
}

/* Somebody sits there, or is about to. */
static bool seat_is_taken(const struct master *m, const struct seat *s)
{
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++) {
		const struct child *c = &m->children[i];

		if (c->pid && c->seat == s && c->stage <= CHILD_SERVING)
			return true;
	}

	return false;
}

bool seat_is_served(const struct master *m, const struct seat *s)
{
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++) {
		const struct child *c = &m->children[i];

		if (c->pid && c->seat == s && c->stage == CHILD_SERVING)
			return true;
	}

	return false;
}

void seats_fill(struct master *m)
{
	int64_t now = clock_monotonic_us();

	for (size_t i = 0; i < m->seats_len && !m->stopping; i++)
		if (now >= m->seats[i].not_before_us && !seat_is_taken(m, &m->seats[i]))
			spawn(m, &m->seats[i], now);
}

/* ---- hearing ---- */

static uint64_t load_of(struct master *m, const struct child *c)
{
	const struct slot *s = child_slot(m, c);

	return s->connections + (c->sent - s->adopted); /* and those on their way */
}

/*
 * Who may be given a connection, the best first: one that serves and stays, one that serves until
 * its successor does and will pass it on, one that starts and will read its channel. 0: none of
 * these.
 */
static unsigned fitness(const struct child *c)
{
	switch (c->stage) {
	case CHILD_SERVING: return 3;
	case CHILD_DUE: return 2;
	case CHILD_STARTING: return 1;
	case CHILD_LEAVING: return 0;
	}
	BUG("a stage that is none");
}

/* Of the fittest of the pool, the one with the fewest connections; NULL: there is none. */
static struct child *lightest(struct master *m, const struct child *from)
{
	struct child *best = NULL;

	for (size_t i = 0; i < ARRAY_LEN(m->children); i++) {
		struct child *c = &m->children[i];
		unsigned fit = c->pid && c != from && c->pool == from->pool ? fitness(c) : 0;

		if (!fit)
			continue;
		if (!best || fit > fitness(best) ||
		    (fit == fitness(best) && load_of(m, c) < load_of(m, best)))
			best = c;
	}

	return best;
}

/* Passes a connection on. With nobody left it closes, which a client takes as "try again". */
static void pass(struct master *m, const struct child *from, int fd)
{
	struct child *to = lightest(m, from);

	if (to && channel_send(to->end, WORD_CONNECTION, fd))
		to->sent++;
	(void)close(fd);
}

static bool pool_is_served(const struct master *m, const struct pool *p)
{
	for (size_t i = 0; i < m->seats_len; i++)
		if (m->seats[i].pool == p && !seat_is_served(m, &m->seats[i]))
			return false;

	return true;
}

/* Successors serve: those that they succeed may go. */
static void relieve(struct master *m)
{
	for (size_t i = 0; i < ARRAY_LEN(m->children); i++) {
		struct child *c = &m->children[i];

		if (!c->pid || c->stage != CHILD_DUE)
			continue;
		if (!c->pool)
			child_tell(c, WORD_STOP);
		else if (c->seat ? seat_is_served(m, c->seat) : pool_is_served(m, c->pool))
			child_tell(c, WORD_LEAVE);
	}
}

void child_hear(struct master *m, struct child *c)
{
	enum word word;
	int fd;

	while ((word = channel_receive(c->end, &fd)) != WORD_NONE) {
		if (word == WORD_CONNECTION && fd >= 0)
			pass(m, c, fd);
		else if (word == WORD_READY && c->stage == CHILD_STARTING)
			c->stage = CHILD_SERVING;
		else if (word == WORD_DUE && c->stage == CHILD_SERVING)
			c->stage = CHILD_DUE;
		else if (word == WORD_CLOSED)
			break;
	}
	relieve(m);
}

void child_tell(struct child *c, enum word word)
{
	(void)channel_send(c->end, word, -1); /* one that does not read is killed at the deadline */
	c->stage = CHILD_LEAVING;
	c->deadline_us = clock_monotonic_us() + config()->drain_timeout_us;
}

/* ---- its end ---- */

/* A worker that nobody sent away is gone: says so and decides when the next one may come. */
static void punish(struct master *m, const struct child *c, int status)
{
	int64_t now = clock_monotonic_us(), pause = BACKOFF_FIRST_US;
	struct seat *s = c->seat;

	m->board->respawns++;
	log_error("A worker died", LOG_S("pool", pool_name(c)), LOG_I("pid", c->pid),
		  WIFSIGNALED(status) ? LOG_S("signal", sigabbrev_np(WTERMSIG(status)))
				      : LOG_I("exitCode", WEXITSTATUS(status)));
	if (!s)
		return;

	s->not_before_us = 0;
	if (c->hung || now - c->born_us >= YOUNG_US) {
		s->failures = 0;
		return;
	}
	for (unsigned i = 0; i < s->failures && pause < BACKOFF_MAX_US; i++)
		pause *= 2;
	s->failures++;
	s->not_before_us = now + (pause < BACKOFF_MAX_US ? pause : BACKOFF_MAX_US);
}

/* Connections that were passed to a worker which died before it took them. */
static void rescue(struct master *m, const struct child *c)
{
	enum word word;
	int fd;

	for (;;) {
		word = channel_receive(c->far_end, &fd);
		if (fd >= 0)
			pass(m, c, fd);
		if (word == WORD_NONE || word == WORD_CLOSED)
			return;
	}
}

void child_bury(struct master *m, struct child *c, int status)
{
	struct slot *slot = child_slot(m, c);
	bool sent_away = c->stage == CHILD_LEAVING;
	struct child gone;

	c->stage = CHILD_LEAVING; /* whatever it said last */
	child_hear(m, c);
	if (!sent_away)
		punish(m, c, status);
	else if (status)
		log_warn("A worker did not leave in order", LOG_S("pool", pool_name(c)),
			 LOG_I("pid", c->pid), LOG_I("status", status));
	seats_fill(m); /* first, so that the rescued have somewhere to go */
	rescue(m, c);

	gone = *c;
	*c = (struct child){ 0 };
	(void)close(gone.end);
	(void)close(gone.far_end);
	scoreboard_retire(m->board, slot);
}

void child_look(struct master *m, struct child *c, int64_t now_us)
{
	const struct slot *slot = child_slot(m, c);
	int64_t since = slot->since_us, limit = c->pool ? c->pool->request_timeout_us : 0;

	if (c->deadline_us && now_us > c->deadline_us)
		(void)kill(c->pid, SIGKILL);
	if (c->stage == CHILD_STARTING && now_us - c->born_us > START_MAX_US)
		(void)kill(c->pid, SIGKILL);

	if (c->hung || !since || !limit || now_us - since <= limit)
		return;
	log_error("A worker hangs and is killed", LOG_S("pool", pool_name(c)), LOG_I("pid", c->pid),
		  LOG_I("requestMs", (now_us - since) / US_PER_MS));
	(void)kill(c->pid, SIGABRT);
	c->hung = true;
	c->deadline_us = now_us + CORE_US;
	m->board->hung++;
}
