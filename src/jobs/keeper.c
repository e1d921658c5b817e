/*
 * The keeper of a host: what time demands of the queue, once a second, in a process that no job can
 * hold up.
 *
 * It says for all workers of its master that they live, as the scoreboard has them; a handler that
 * works for an hour needs no heartbeat of its own. When a worker is gone its jobs are free again
 * within two seconds, when a host is, within ten. When all are to stop, it goes last: whoever still
 * finishes a job would be taken for dead by other hosts.
 */
#include "jobs/book.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "db/batch.h"
#include "gen/sql_jobs.h"
#include "jobs/name.h"
#include "jobs/schedule.h"
#include "jobs/work.h"
#include "prefork/supervisor.h"

#include <poll.h>
#include <unistd.h>

#define TICK_US       US_PER_S
#define SILENCE_US    (10 * US_PER_S)  /* of a host, until others take its workers for dead */
#define GAP_US        (SILENCE_US / 2) /* between answers: the other hosts may have had it too */
#define LAST_LOOK_MS  50               /* while it waits for the others to go */
#define SWEEP_US      (20 * US_PER_S)  /* how often what is over is looked through */
#define SWEEP_MAX     5000             /* jobs of a queue at a time */
#define KEEP_STATS_US (2 * US_PER_DAY)

struct keeper {
	struct worker *worker;
	const struct job_book *book;
	const char *master;
	pid_t master_pid;
	struct ctx c;
	int64_t ticked_us, swept_us;         /* monotonic */
	const struct job_queue *sweeps_next; /* when it had no time for all; NULL: the first */
	int64_t heard_us;                    /* the database's last answer */
	int64_t in_touch_us;                 /* since when they have come without a gap */
	bool is_put;                         /* the book is in the database */
	bool is_cut_off;                     /* from the database, and has said so */
};

static void begin(struct keeper *k)
{
	struct arena *a = k->c.arena;

	arena_reset(a);
	ctx_reset(&k->c, a);
	k->c.actor.kind = ACTOR_SYSTEM;
}

/* The workers that live, by name. */
static struct str *living(struct keeper *k, size_t *ret_len)
{
	struct str *names = arena_make_n(k->c.arena, struct str, SCOREBOARD_SLOTS_MAX);
	struct scoreboard *board = k->worker->board;
	size_t n = 0;

	for (size_t i = 0; i < SCOREBOARD_SLOTS_MAX; i++) {
		const struct slot *s = &board->slots[i];
		char *name;

		if (s->pid <= 0 || s->state <= SLOT_STARTING ||
		    strcmp(board->pool_names[s->pool], WORK_POOL) != 0)
			continue;
		name = arena_alloc(k->c.arena, NAME_SIZE);
		name_of_worker(k->master, s->pid, name);
		names[n++] = str_of(name);
	}
	*ret_len = n;

	return names;
}

static void tell_rescued(const struct rows *rows)
{
	for (size_t i = 0; i < rows_len(rows); i++) {
		char id[UUID_TEXT_SIZE];

		uuid_format(rows_uuid(rows, i, (size_t)rows_find(rows, "id")), id);
		log_warn("The worker of a job is gone", LOG_S("id", id),
			 LOG_S("kind", rows_str(rows, i, (size_t)rows_find(rows, "kind")).ptr),
			 LOG_S("worker", rows_str(rows, i, (size_t)rows_find(rows, "worker")).ptr),
			 LOG_S("state", rows_str(rows, i, (size_t)rows_find(rows, "state")).ptr));
	}
}

static void note_answer(struct keeper *k)
{
	int64_t now_us = clock_monotonic_us();

	if (now_us - k->heard_us > GAP_US)
		k->in_touch_us = now_us;
	k->heard_us = now_us;
}

/* Who has not reached the database for a while cannot tell a host that is silent from one that was
 * cut off like itself. */
static bool may_judge(const struct keeper *k)
{
	return k->heard_us - k->in_touch_us > SILENCE_US;
}

/* Says who lives, and finds out who may be dead. */
static int beat(struct keeper *k, const struct rows **ret_missing)
{
	struct batch *b;
	struct str *names;
	size_t n;
	int err;

	begin(k);
	names = living(k, &n);
	b = batch_new(&k->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_jobs_beat, ARGS(arg_text_array(names, n), arg_text(k->master)));
	batch_add(b, ret_missing, &sql_jobs_missing,
		  ARGS(arg_text_array(names, n), arg_text(k->master)));
	err = batch_run(b);
	if (!err)
		note_answer(k);

	return err;
}

/*
 * The dead among them. That the scoreboard did not show a worker proves nothing: it may have begun
 * since, when the database was slow, or the master was about to note it. So its process is looked
 * for.
 */
static struct str *dead(struct keeper *k, const struct rows *missing, size_t *ret_len)
{
	struct str *names = arena_make_n(k->c.arena, struct str, rows_len(missing));
	size_t n = 0;

	for (size_t i = 0; i < rows_len(missing); i++) {
		struct str name = rows_str(missing, i, 0);

		if (rows_bool(missing, i, 1) ? !name_is_alive(name.ptr) : may_judge(k))
			names[n++] = name;
	}
	*ret_len = n;

	return names;
}

static int tick(struct keeper *k)
{
	const struct rows *missing, *rescued;
	struct batch *b;
	struct str *names;
	size_t n;
	int err;

	err = beat(k, &missing);
	if (err)
		return err;

	names = dead(k, missing, &n);
	b = batch_new(&k->c, BATCH_SYSTEM);
	if (n)
		batch_add(b, NULL, &sql_jobs_bury,
			  ARGS(arg_text_array(names, n), arg_text(k->master)));
	batch_add(b, &rescued, &sql_jobs_rescue, NO_ARGS);
	batch_add(b, NULL, &sql_jobs_promote, NO_ARGS);
	batch_add(b, NULL, &sql_jobs_wake_parents, ARGS(arg_null()));
	batch_add(b, NULL, &sql_jobs_release_keys, NO_ARGS);
	err = batch_run(b);
	if (!err)
		tell_rescued(rescued);

	return err;
}

static bool is_due(const struct keeper *k)
{
	return clock_monotonic_us() - k->ticked_us >= TICK_US;
}

/* What is more than a round has time for is left to the next one. */
static int sweep_queue(struct keeper *k, const struct job_queue *q)
{
	const struct rows *rows;
	struct batch *b;
	int err;

	do {
		begin(k);
		b = batch_new(&k->c, BATCH_SYSTEM);
		batch_add(b, &rows, &sql_jobs_sweep,
			  ARGS(arg_text(q->name), arg_int(q->keep_completed_us),
			       arg_int(q->keep_completed), arg_int(q->keep_failed_us),
			       arg_int(SWEEP_MAX)));
		err = batch_run(b);
		if (err)
			return err;
	} while (rows_len(rows) >= SWEEP_MAX && !is_due(k));
	if (rows_len(rows) >= SWEEP_MAX)
		k->swept_us = 0;

	return OK;
}

static int sweep(struct keeper *k)
{
	const struct job_queue *q = k->sweeps_next ? k->sweeps_next : k->book->queues;
	int64_t now_us = clock_monotonic_us();
	struct batch *b;
	int err;

	if (k->swept_us && now_us - k->swept_us < SWEEP_US)
		return OK;

	k->swept_us = now_us;
	do
		err = sweep_queue(k, q++);
	while (!err && q->name && !is_due(k));
	k->sweeps_next = q->name ? q : NULL;
	if (k->sweeps_next)
		k->swept_us = 0;
	if (err || k->sweeps_next)
		return err;

	begin(k);
	b = batch_new(&k->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_jobs_stats_sweep, ARGS(arg_int(KEEP_STATS_US)));

	return batch_run(b);
}

/* The rows that the book's queues and tasks have at run time. */
static int put_book(struct keeper *k)
{
	struct str queues[JOB_QUEUES_MAX];
	struct batch *b;
	size_t n = 0;

	begin(k);
	b = batch_new(&k->c, BATCH_SYSTEM);
	for (const struct job_queue *q = k->book->queues; q->name; q++)
		queues[n++] = str_of(q->name);
	batch_add(b, NULL, &sql_jobs_queues_put, ARGS(arg_text_array(queues, n)));
	schedule_put(b, &k->c, k->book);

	return batch_run(b);
}

static int schedule(struct keeper *k)
{
	begin(k);

	return schedule_run(&k->c, k->book);
}

/* Once an outage. */
static void tell_trouble(struct keeper *k)
{
	const struct fault *f = &k->c.fault;

	if (k->is_cut_off)
		return;

	k->is_cut_off = true;
	log_error("The keeper of the job queue failed",
		  LOG_S("reason", f->message ? f->message : err_info(f->err)->message),
		  LOG_S("detail", f->detail));
}

static void round_once(struct keeper *k)
{
	struct slot *slot = k->worker->slot;

	k->ticked_us = clock_monotonic_us();
	slot_begin(slot); /* a slow database is no keeper that hangs */
	k->is_put = k->is_put || !put_book(k);
	if (!k->is_put || tick(k) || schedule(k) || sweep(k))
		tell_trouble(k);
	else
		k->is_cut_off = false;
	db_end(&k->c);
	slot_rest(slot);
}

/* All are to stop and some have not; where the master is gone nobody counts them any more. */
static bool is_awaited(struct keeper *k)
{
	size_t n;

	begin(k);
	(void)living(k, &n);

	return n && k->worker->order == ORDER_STOP && getppid() == k->master_pid;
}

/* Until the next round is due, or the master speaks. */
static void rest(struct keeper *k)
{
	struct pollfd fd = { .fd = k->worker->wake_fd, .events = POLLIN };
	int64_t rest_us = k->ticked_us + TICK_US - clock_monotonic_us();
	int ms = (int)(rest_us / US_PER_MS) + 1;

	if (k->worker->order != ORDER_SERVE && ms > LAST_LOOK_MS)
		ms = LAST_LOOK_MS;
	if (rest_us > 0)
		(void)poll(&fd, 1, ms);
}

int keeper_run(struct worker *worker, const struct host *host)
{
	struct keeper k = { .worker = worker,
			    .book = host->book,
			    .master = host->master,
			    .master_pid = getppid() };

	k.c.arena = arena_new();
	worker_ready(worker);
	while (!worker_is_draining(worker) || is_awaited(&k)) {
		worker_alive(worker);
		if (worker_is_due(worker))
			worker_ask_successor(worker);
		if (is_due(&k))
			round_once(&k);
		rest(&k);
	}
	arena_free(k.c.arena);

	return 0;
}
