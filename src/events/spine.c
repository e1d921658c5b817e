/*
 * The spine's loop: number what is visible, run the readers that are behind, sleep when there is
 * nothing. README.md says why no event is skipped.
 *
 * While events keep coming it looks every few milliseconds; when none has come for a while it marks
 * itself as asleep, and whoever writes an event calls (PostgreSQL's notifications make commits take
 * turns, so a spine that is awake is not called). A call that is lost costs a second.
 */
#include "events/spine.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "db/batch.h"
#include "db/listen.h"
#include "events/reader.h"
#include "gen/sql_spine.h"
#include "prefork/supervisor.h"

#include <poll.h>

#define READERS_MAX  32
#define AT_ONCE      500 /* events a transaction */
#define LINGER_MS    4   /* between looks while awake */
#define LINGER_LOOKS 12  /* with nothing to do, before it falls asleep */
#define LOOK_US      US_PER_S
#define PAUSE_MS     200 /* before the database is asked again after a failure */
#define RETRY_US     US_PER_S
#define RETRY_MAX_US US_PER_MINUTE

/* How a reader gets on. */
struct reading {
	int64_t at_once;     /* how many events it is given */
	int64_t pause_us;    /* 0: it does not fail */
	int64_t retry_at_us; /* monotonic */
};

struct spine {
	struct worker *worker;
	const struct event_reader *table;
	struct ctx c;
	bool is_put;     /* the readers' rows are there */
	bool is_cut_off; /* from the database, and has said so */
	bool is_asleep;  /* marked so */
	unsigned idle;   /* looks in a row that found nothing */
	struct reading readers[READERS_MAX];
};

static struct batch *talk(struct spine *s)
{
	struct arena *a = s->c.arena;

	arena_reset(a);
	ctx_reset(&s->c, a);
	s->c.actor.kind = ACTOR_SYSTEM;

	return batch_new(&s->c, BATCH_SYSTEM);
}

static const char *reason(const struct fault *f)
{
	return f->message ? f->message : err_info(f->err)->message;
}

/* In the arena that talk() resets. */
static struct arg reader_names(struct spine *s)
{
	struct str *names = arena_make_n(s->c.arena, struct str, READERS_MAX);
	size_t n = 0;

	for (const struct event_reader *r = s->table; r->name; r++) {
		BUG_IF(n == READERS_MAX);
		names[n++] = str_of(r->name);
	}

	return arg_text_array(names, n);
}

/*
 * Reading
 */

static void note_success(struct spine *s, size_t i)
{
	struct reading *r = &s->readers[i];

	if (r->pause_us)
		log_info("A reader of events gets on again", LOG_S("reader", s->table[i].name));
	r->pause_us = 0;
	r->at_once = r->at_once < AT_ONCE / 2 ? 2 * r->at_once : AT_ONCE;
}

/*
 * It is tried again later, with fewer events at a time, until what it cannot read stands alone.
 * When PostgreSQL cannot even be told, the fault is not the reader's: that error is returned.
 */
static int note_failure(struct spine *s, size_t i)
{
	const char *name = s->table[i].name;
	const struct fault f = s->c.fault; /* its texts stay in the arena */
	struct reading *r = &s->readers[i];
	struct batch *b;
	int err;

	ctx_reset(&s->c, s->c.arena);
	b = batch_new(&s->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_spine_failed,
		  ARGS(arg_text(name), arg_text(f.detail ? f.detail : reason(&f))));
	err = batch_run(b);
	if (err)
		return err;

	if (!r->pause_us)
		log_error("A reader of events failed", LOG_S("reader", name),
			  LOG_S("reason", reason(&f)), LOG_S("detail", f.detail));
	r->pause_us = r->pause_us ? 2 * r->pause_us : RETRY_US;
	if (r->pause_us > RETRY_MAX_US)
		r->pause_us = RETRY_MAX_US;
	r->retry_at_us = clock_monotonic_us() + r->pause_us;
	r->at_once = r->at_once > 8 ? r->at_once / 8 : 1;

	return OK;
}

/* What is told of events stands between two batches of one transaction. */
static int tell_events(struct spine *s, const struct event_reader *r, int64_t at_once,
		       const struct rows **ret_moved)
{
	struct batch *b = talk(s);
	const struct rows *rows;
	int err;

	err = db_begin(&s->c, BATCH_SYSTEM);
	if (err)
		return err;
	batch_add(b, NULL, &sql_spine_begin, ARGS(arg_text(r->name), arg_int(at_once)));
	if (r->read)
		r->read(b, &s->c);
	batch_add(b, &rows, r->look, NO_ARGS);
	err = batch_run(b);
	if (!err) {
		r->tell(&s->c, rows);
		b = batch_new(&s->c, BATCH_SYSTEM);
		batch_add(b, ret_moved, &sql_spine_end, ARGS(arg_text(r->name)));
		err = batch_run(b);
	}
	if (!err)
		return db_commit(&s->c);
	db_rollback(&s->c);

	return err;
}

static int read_events(struct spine *s, const struct event_reader *r, int64_t at_once,
		       const struct rows **ret_moved)
{
	struct batch *b = talk(s);

	batch_add(b, NULL, &sql_spine_begin, ARGS(arg_text(r->name), arg_int(at_once)));
	r->read(b, &s->c);
	batch_add(b, ret_moved, &sql_spine_end, ARGS(arg_text(r->name)));

	return batch_run(b);
}

/* *ret_moved: it has read something, which it has not where another host is at it. */
static int run_reader(struct spine *s, size_t i, bool *ret_moved)
{
	const struct event_reader *r = &s->table[i];
	const struct rows *moved;
	int err;

	*ret_moved = false;
	err = (r->tell ? tell_events : read_events)(s, r, s->readers[i].at_once, &moved);
	if (err)
		return note_failure(s, i);
	*ret_moved = rows_len(moved) > 0;
	note_success(s, i);

	return OK;
}

/*
 * The loop
 */

/* Numbers what is visible; which readers are behind, as bits. */
static int take(struct spine *s, bool *ret_took, uint32_t *ret_behind)
{
	struct batch *b = talk(s);
	const struct rows *taken, *behind;
	int err;

	batch_add(b, &taken, &sql_spine_take, ARGS(arg_int(AT_ONCE)));
	batch_add(b, &behind, &sql_spine_behind, ARGS(reader_names(s)));
	err = batch_run(b);
	if (err)
		return err;

	*ret_took = rows_get_int(taken, "taken") > 0;
	*ret_behind = 0;
	for (size_t i = 0; i < rows_len(behind); i++)
		for (size_t k = 0; s->table[k].name; k++)
			if (str_is(rows_str(behind, i, 0), s->table[k].name))
				*ret_behind |= 1U << k;

	return OK;
}

static int round_once(struct spine *s, bool *ret_did)
{
	uint32_t behind;
	int err = take(s, ret_did, &behind);

	for (size_t i = 0; s->table[i].name && !err; i++) {
		bool moved = false;

		if (behind & 1U << i && s->readers[i].retry_at_us <= clock_monotonic_us())
			err = run_reader(s, i, &moved);
		*ret_did = *ret_did || moved;
	}

	return err;
}

/* Listens before it says that it wants to be called. */
static int fall_asleep(struct spine *s)
{
	struct batch *b;
	int err;

	(void)talk(s);
	(void)listen_on(&s->c, &sql_spine_listen);
	b = talk(s);
	batch_add(b, NULL, &sql_spine_sleeps, NO_ARGS);
	err = batch_run(b);
	s->is_asleep = !err;

	return err;
}

/* Until somebody calls, the master speaks, a reader may be tried again, or LOOK_US. */
static void sleep_on_it(struct spine *s)
{
	int64_t now_us = clock_monotonic_us(), until_us = now_us + LOOK_US;
	struct pollfd fds[2] = { { .fd = s->worker->wake_fd, .events = POLLIN } };

	(void)talk(s);
	fds[1] = (struct pollfd){ .fd = listen_on(&s->c, &sql_spine_listen), .events = POLLIN };
	for (size_t i = 0; s->table[i].name; i++) {
		int64_t at_us = s->readers[i].retry_at_us;

		if (at_us > now_us && at_us < until_us)
			until_us = at_us;
	}

	(void)poll(fds, ARRAY_LEN(fds), (int)((until_us - now_us) / US_PER_MS) + 1);
	while (listen_take(s->c.arena))
		s->is_asleep = false; /* as whoever takes what was called for says */
}

static void pause_ms(struct spine *s, int ms)
{
	struct pollfd fd = { .fd = s->worker->wake_fd, .events = POLLIN };

	(void)poll(&fd, 1, ms);
}

/* One look, and what comes before the next. */
static int step(struct spine *s)
{
	bool did = false;
	int err;

	err = round_once(s, &did);
	if (err)
		return err;

	s->is_cut_off = false;
	if (did) {
		s->idle = 0;
		s->is_asleep = false; /* take_events() has said so */
		return OK;
	}
	s->idle++;
	if (s->idle <= LINGER_LOOKS)
		pause_ms(s, LINGER_MS);
	else if (!s->is_asleep)
		return fall_asleep(s); /* and look again: somebody may not have seen it */
	else
		sleep_on_it(s);

	return OK;
}

static int put_readers(struct spine *s)
{
	struct batch *b = talk(s);
	int err;

	batch_add(b, NULL, &sql_spine_readers_put, ARGS(reader_names(s)));
	err = batch_run(b);
	s->is_put = !err;

	return err;
}

/* Once an outage. */
static void tell_trouble(struct spine *s)
{
	const struct fault *f = &s->c.fault;

	if (!s->is_cut_off)
		log_error("Events could not be read", LOG_S("reason", reason(f)),
			  LOG_S("detail", f->detail));
	s->is_cut_off = true;
}

int spine_run(struct worker *worker, const struct event_reader *table)
{
	struct spine s = { .worker = worker, .table = table };

	s.c.arena = arena_new();
	for (size_t i = 0; i < READERS_MAX; i++)
		s.readers[i].at_once = AT_ONCE;
	worker_ready(worker);
	while (!worker_is_draining(worker)) {
		int err;

		worker_alive(worker);
		if (worker_is_due(worker))
			worker_ask_successor(worker);
		err = s.is_put ? step(&s) : put_readers(&s);
		if (err) {
			tell_trouble(&s);
			pause_ms(&s, PAUSE_MS);
		}
		db_end(&s.c);
	}
	listen_done();
	arena_free(s.c.arena);

	return 0;
}
