/*
 * A worker's loop: take jobs, run them one after another, say what became of them, sleep when there
 * are none.
 *
 * What became of one haul and the taking of the next are one transaction, so a short job costs a
 * fraction of a commit. When that transaction fails, whether the next haul was taken is not known:
 * then what was done is said again until it is heard, and whatever else is this worker's is handed
 * back. One that was not answered may even arrive later than that, and would hand back what the
 * worker runs by then. So the worker goes, and its successor has another name.
 */
#include "jobs/crew.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/batch.h"
#include "db/conn.h"
#include "db/listen.h"
#include "gen/sql_jobs.h"
#include "jobs/name.h"
#include "jobs/tell.h"
#include "jobs/work.h"
#include "prefork/supervisor.h"

#include <poll.h>
#include <unistd.h>

#define LOOK_US  US_PER_S          /* how long it sleeps or works without looking */
#define DRY_US   (200 * US_PER_MS) /* a queue that had nothing to give is not asked again before */
#define CUT_US   (500 * US_PER_MS) /* a haul that takes longer gives back what is left */
#define BRISK_US (20 * US_PER_MS)  /* after one that took less, the next may be twice as large */
#define TIDY_US  (10 * US_PER_S)   /* how often it gives back what it does not know of */
#define PAUSE_MS 200               /* before the database is asked again after a failure */

/* Jobs in the first haul from a queue, where its batch allows as many. */
#define FIRST_HAUL 50

/*
 * Talking
 */

static struct batch *talk(struct crew *w)
{
	arena_reset(w->of_talk);
	ctx_reset(&w->c, w->of_talk);
	w->c.actor.kind = ACTOR_SYSTEM;

	return batch_new(&w->c, BATCH_SYSTEM);
}

/*
 * The same without waiting for the disk. What a crash of PostgreSQL takes away are the last
 * moments, in whole: jobs that were done are run again, which handlers must bear anyway, and those
 * that seem to be this worker's still are given back within TIDY_US.
 */
static struct batch *talk_lazily(struct crew *w)
{
	struct batch *b = talk(w);

	batch_add(b, NULL, &sql_jobs_lazily, NO_ARGS);

	return b;
}

/* Runs b, and notes when it may happen yet, without our hearing of it. That it was never sent need
 * not be told apart: who leaves for nothing is replaced. */
static int say(struct crew *w, struct batch *b)
{
	int err = batch_run(b);

	if (err == ERR_SERVICE_UNAVAILABLE)
		w->is_unheard = true;

	return err;
}

/* Once an outage. */
static void tell_trouble(struct crew *w)
{
	const struct fault *f = &w->c.fault;

	if (w->is_cut_off)
		return;

	w->is_cut_off = true;
	log_error("The job queue could not be reached",
		  LOG_S("reason", f->message ? f->message : err_info(f->err)->message),
		  LOG_S("detail", f->detail));
}

static void pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* The batch that settles the haul has run. */
static void let_go(struct crew *w)
{
	if (w->haul)
		tell_completed(&w->c, w->haul);
	w->haul = NULL;
}

/* Adds what became of the haul, and now and then that nothing else is this worker's. */
static void settle_haul(struct crew *w, struct batch *b)
{
	int64_t now_us = clock_monotonic_us();
	bool is_due = now_us - w->tidied_us > TIDY_US;

	if (is_due)
		w->tidied_us = now_us;
	if (w->haul) {
		w->haul->is_cut = w->haul->is_cut || is_due;
		settle(w, b, w->haul);
	} else if (is_due) {
		batch_add(b, NULL, &sql_jobs_hand_back, ARGS(arg_text(w->name)));
	}
}

/*
 * Says what has become of the haul until it is heard, and gives back whatever else may be ours.
 * Who holds nothing has nothing to wait for.
 */
static void settle_at_last(struct crew *w)
{
	struct haul nothing = { 0 }, *h = w->haul ? w->haul : &nothing;

	h->is_cut = true;
	while (w->haul || w->may_hold) {
		struct batch *b = talk(w);

		settle(w, b, h);
		if (!say(w, b)) {
			let_go(w);
			w->may_hold = false;
			return;
		}
		tell_trouble(w);
		worker_alive(w->worker);
		pause_ms(PAUSE_MS);
	}
}

/*
 * Looking
 */

static size_t queues_len(const struct crew *w)
{
	size_t n = 0;

	while (w->book->queues[n].name)
		n++;

	return n;
}

static void note_ready(struct crew *w, const char *name, bool was_called)
{
	const struct job_queue *q = book_queue(w->book, name);
	size_t i = q ? (size_t)(q - w->book->queues) : 0;

	if (!q || (!was_called && clock_monotonic_us() < w->queues[i].dry_until_us))
		return;

	w->queues[i].is_ready = true;
}

/* Asks which queues have something. */
static void add_look(struct crew *w, struct batch *b, const struct rows **ret_ready)
{
	size_t n = queues_len(w);
	struct str *names = arena_make_n(w->of_talk, struct str, n);

	for (size_t i = 0; i < n; i++)
		names[i] = str_of(w->book->queues[i].name);
	batch_add(b, ret_ready, &sql_jobs_ready, ARGS(arg_text_array(names, n)));
}

static void note_look(struct crew *w, const struct rows *ready)
{
	w->looked_us = clock_monotonic_us();
	for (size_t i = 0; i < rows_len(ready); i++)
		note_ready(w, rows_str(ready, i, 0).ptr, false);
}

/*
 * Taking
 */

static struct haul *haul_new(struct crew *w, const struct job_queue *q, const struct rows *rows)
{
	struct haul *h = arena_make(w->of_talk, struct haul);
	size_t wait = (size_t)rows_find(rows, "wait_us");

	h->queue = q;
	h->rows = rows;
	h->len = rows_len(rows);
	h->outcomes = arena_make_n(w->of_talk, struct outcome, h->len);
	h->taken_us = clock_monotonic_us();
	for (size_t i = 0; i < h->len; i++) {
		int64_t us = rows_int(rows, i, wait);

		h->waited_us += us;
		if (us > h->waited_max_us)
			h->waited_max_us = us;
	}

	return h;
}

static unsigned haul_size(const struct crew *w, size_t q)
{
	unsigned size = w->queues[q].size ? w->queues[q].size : FIRST_HAUL,
		 max = w->book->queues[q].batch;

	return size < max ? size : max;
}

/*
 * How many to take the next time. A haul has a price of its own, so many are taken where they are
 * short; where they are long they are left to others, rather than taken and given back.
 */
static void learn_size(struct crew *w, const struct haul *h, int64_t took_us)
{
	size_t q = (size_t)(h->queue - w->book->queues);
	unsigned size = haul_size(w, q);

	if (took_us > CUT_US)
		w->queues[q].size = size > 1 ? size / 2 : 1;
	else if (took_us < BRISK_US && h->len == size)
		w->queues[q].size = size * 2;
}

/* A limit holds through a crash too, so who took what is then on the disk before it runs. */
static bool is_limited(const struct job_queue *q)
{
	return q->concurrency || q->rate_max;
}

/*
 * Settles the haul at hand and takes from queue q what is there for us. Who is never without jobs
 * looks as often as who sleeps, or other queues would wait for as long as this one lasts.
 */
static int take(struct crew *w, size_t q)
{
	const struct job_queue *queue = &w->book->queues[q];
	struct batch *b = is_limited(queue) ? talk(w) : talk_lazily(w);
	const struct rows *rows, *ready = NULL;
	struct arena *a;
	int err;

	settle_haul(w, b);
	if (w->is_marked)
		batch_add(b, NULL, &sql_jobs_worker_sleeps,
			  ARGS(arg_text(w->name), arg_bool(false)));
	batch_add(b, &rows, &sql_jobs_claim,
		  ARGS(arg_text(queue->name), arg_text(w->name), arg_int(haul_size(w, q)),
		       arg_int(queue->concurrency), arg_int(queue->rate_max),
		       arg_int(queue->rate_us), arg_uuid(w->queues[q].after)));
	if (clock_monotonic_us() - w->looked_us >= LOOK_US)
		add_look(w, b, &ready);
	err = say(w, b);
	if (err) {
		w->may_hold = true;
		return err;
	}

	w->is_marked = false;
	let_go(w);
	if (ready)
		note_look(w, ready);
	if (rows_len(rows) == 0) {
		w->queues[q].is_ready = false;
		w->queues[q].dry_until_us = clock_monotonic_us() + DRY_US;
		return OK;
	}

	w->haul = haul_new(w, queue, rows);
	w->queues[q].after =
		rows_uuid(rows, w->haul->len - 1, (size_t)rows_find(rows, "tenant_id"));
	a = w->of_haul;
	w->of_haul = w->of_talk;
	w->of_talk = a;

	return OK;
}

static void run(struct crew *w)
{
	struct haul *h = w->haul;
	int64_t took_us = 0;

	while (h->begun < h->len) {
		if (h->begun && (took_us > CUT_US || worker_is_draining(w->worker)))
			break;
		run_job(w, h, &h->outcomes[h->begun]);
		h->begun++;
		worker_alive(w->worker);
		took_us = clock_monotonic_us() - h->taken_us;
	}
	h->is_cut = h->begun < h->len;
	learn_size(w, h, took_us);
}

/*
 * Sleeping
 */

/* Marks itself as asleep, so that who enqueues from now on calls; then looks what is there already.
 */
static int look(struct crew *w)
{
	struct batch *b = talk_lazily(w);
	const struct rows *ready;
	int err;

	settle_haul(w, b);
	batch_add(b, NULL, &sql_jobs_worker_sleeps, ARGS(arg_text(w->name), arg_bool(true)));
	add_look(w, b, &ready);
	err = say(w, b);
	if (err)
		return err;

	let_go(w);
	w->is_marked = true;
	note_look(w, ready);

	return OK;
}

static bool next_ready(struct crew *w, size_t *ret)
{
	size_t n = queues_len(w);

	for (size_t i = 1; i <= n; i++) {
		size_t at = (w->turn + i) % n;

		if (w->queues[at].is_ready) {
			w->turn = at;
			*ret = at;
			return true;
		}
	}

	return false;
}

/* Until somebody calls, the master speaks, a queue that was dry may be asked again, or LOOK_US. */
static void sleep_on_it(struct crew *w)
{
	int64_t now_us = clock_monotonic_us(), until_us = now_us + LOOK_US;
	struct pollfd fds[2] = { { .fd = w->worker->wake_fd, .events = POLLIN } };
	const char *name;

	(void)talk(w);
	fds[1] = (struct pollfd){ .fd = listen_on(&w->c, &sql_jobs_listen), .events = POLLIN };
	for (size_t i = 0; i < queues_len(w); i++)
		if (w->queues[i].dry_until_us > now_us && w->queues[i].dry_until_us < until_us)
			until_us = w->queues[i].dry_until_us;

	(void)poll(fds, ARRAY_LEN(fds), (int)((until_us - now_us) / US_PER_MS) + 1);
	while ((name = listen_take(w->of_talk)))
		note_ready(w, name, true);
}

/*
 * The loop
 */

static int round_once(struct crew *w)
{
	struct slot *slot = w->worker->slot;
	size_t q;
	int err;

	slot_begin(slot); /* a database that is slow to answer is no worker that hangs */
	if (next_ready(w, &q)) {
		err = take(w, q);
		slot_rest(slot);
		if (!err && w->haul)
			run(w);
		return err;
	}

	err = look(w);
	slot_rest(slot);
	if (err)
		return err;

	w->is_cut_off = false;
	if (!next_ready(w, &q))
		sleep_on_it(w);

	return OK;
}

static int sign_on(struct crew *w, const char *master)
{
	struct batch *b = talk(w);

	batch_add(b, NULL, &sql_jobs_worker_put, ARGS(arg_text(w->name), arg_text(master)));

	return batch_run(b);
}

static void sign_off(struct crew *w)
{
	struct batch *b = talk(w);

	batch_add(b, NULL, &sql_jobs_worker_gone, ARGS(arg_text(w->name)));
	if (batch_run(b))
		tell_trouble(w);
}

static bool goes_on(struct crew *w)
{
	worker_alive(w->worker);
	if (worker_is_due(w->worker))
		worker_ask_successor(w->worker);

	return !worker_is_draining(w->worker);
}

/* One whose work is done leaves when the master has another in its place, or wants none. */
static void await_leave(struct crew *w)
{
	struct pollfd fd = { .fd = w->worker->wake_fd, .events = POLLIN };

	worker_ask_successor(w->worker);
	while (!worker_is_draining(w->worker)) {
		worker_alive(w->worker);
		(void)poll(&fd, 1, (int)(LOOK_US / US_PER_MS));
	}
}

int crew_run(struct worker *worker, const struct job_book *book, const char *master)
{
	char name[NAME_SIZE];
	struct crew w = {
		.worker = worker,
		.book = book,
		.name = name,
		.of_haul = arena_new(),
		.of_talk = arena_new(),
		.of_job = arena_new(),
		.tidied_us = clock_monotonic_us(),
	};

	name_of_worker(master, getpid(), name);
	worker_ready(worker);
	while (sign_on(&w, master) && goes_on(&w)) {
		tell_trouble(&w);
		pause_ms(PAUSE_MS);
	}
	while (goes_on(&w) && !w.is_unheard) {
		if (round_once(&w)) {
			tell_trouble(&w);
			pause_ms(PAUSE_MS);
			settle_at_last(&w);
		}
	}
	settle_at_last(&w);
	sign_off(&w);
	await_leave(&w);

	listen_done();
	arena_free(w.of_haul);
	arena_free(w.of_talk);
	arena_free(w.of_job);

	return 0;
}
