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
#include "gen/sql_jobs.h"
#include "jobs/lease.h"
#include "jobs/name.h"
#include "jobs/pace.h"
#include "jobs/tell.h"
#include "jobs/work.h"
#include "prefork/supervisor.h"

#include <poll.h>
#include <unistd.h>

#define LOOK_US US_PER_S          /* how long it sleeps or works without looking */
#define DRY_US  (200 * US_PER_MS) /* a queue that had nothing to give is not asked again before */
#define PARK_US (10 * US_PER_S)   /* how long it waits for a lease without trying */

/* For how long it holds a lease: while it talks, while it runs what seems short, asleep. */
#define TALK_LEASE_US  US_PER_S
#define RUN_LEASE_US   (20 * US_PER_MS)
#define SLEEP_LEASE_US (3 * US_PER_S)

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

/* Adds that nobody need call it. */
static void add_awake(struct crew *w, struct batch *b)
{
	if (w->is_marked)
		batch_add(b, NULL, &sql_jobs_worker_sleeps,
			  ARGS(arg_text(w->name), arg_bool(false)));
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
	unsigned size = haul_size(w, q);
	struct arena *a;
	int err;

	settle_haul(w, b);
	add_awake(w, b);
	batch_add(b, &rows, &sql_jobs_claim,
		  ARGS(arg_text(queue->name), arg_text(w->name), arg_int(size),
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

	w->haul = haul_new(w, queue, rows, size);
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
		if (h->begun && (took_us > HAUL_CUT_US || worker_is_draining(w->worker)))
			break;
		run_job(w, h, &h->outcomes[h->begun]);
		h->begun++;
		worker_alive(w->worker);
		took_us = clock_monotonic_us() - h->taken_us;
	}
	h->is_cut = h->begun < h->len;
	haul_learn(w, h, took_us);
}

/* Before the haul is run: there may be more than this, for another; and while one that is not brief
 * runs, another takes the next. */
static void call_others(struct crew *w)
{
	const struct haul *h = w->haul;

	if (haul_may_be_more(h))
		bell_ring(&w->host->bell, h->queue->name);
	if (haul_is_brief(w, h)) {
		(void)lease_hold(w->host->leases, RUN_LEASE_US);
		return;
	}
	lease_drop(w->host->leases);
	bell_unpark(&w->host->bell);
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

/* One of more than two workers is left to other queues than the one that has all the others: what
 * waits for a server that does not answer holds nothing else up. */
static bool may_take(struct crew *w, size_t q)
{
	const struct host *host = w->host;

	pace_run(host->pace, w->worker->index, q);
	if (host->workers <= 2 || pace_running(host->pace, q) < host->workers)
		return true;
	pace_rest(host->pace, w->worker->index);
	w->queues[q].dry_until_us = clock_monotonic_us() + DRY_US;

	return false;
}

static bool next_ready(struct crew *w, size_t *ret)
{
	size_t n = queues_len(w);

	for (size_t i = 1; i <= n; i++) {
		size_t at = (w->turn + i) % n;

		if (w->queues[at].is_ready && may_take(w, at)) {
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
	char queue[BELL_NAME_SIZE];

	for (size_t i = 0; i < queues_len(w); i++)
		if (w->queues[i].dry_until_us > now_us && w->queues[i].dry_until_us < until_us)
			until_us = w->queues[i].dry_until_us;

	(void)lease_hold(w->host->leases, SLEEP_LEASE_US);
	bell_wait(&w->host->bell, BED_ASLEEP, w->worker, until_us - now_us);
	while (bell_take(&w->host->bell, BED_ASLEEP, queue))
		note_ready(w, queue, true);
}

/* Says what has become of the haul when another takes the next. What its end has made free, a place
 * in its queue or a parent or what it had no time for, is somebody's who sleeps. */
static int settle_alone(struct crew *w)
{
	struct batch *b = talk_lazily(w);
	const struct rows *ready;
	int err;

	slot_begin(w->worker->slot);
	settle_haul(w, b);
	add_awake(w, b);
	add_look(w, b, &ready);
	err = say(w, b);
	slot_rest(w->worker->slot);
	if (err)
		return err;

	for (size_t i = 0; i < rows_len(ready); i++)
		bell_ring(&w->host->bell, rows_str(ready, i, 0).ptr);
	let_go(w);
	w->is_marked = false;
	w->is_cut_off = false;

	return OK;
}

/* Without a lease, until there may be one. */
static int park(struct crew *w)
{
	char queue[BELL_NAME_SIZE];
	int err = OK;

	if (w->haul || w->is_marked || tidying_is_due(w))
		err = settle_alone(w);
	if (err)
		return err;

	bell_wait(&w->host->bell, BED_PARKED, w->worker, PARK_US);
	while (bell_take(&w->host->bell, BED_PARKED, queue))
		;

	return OK;
}

/*
 * The loop
 */

static int sign_on(struct crew *w)
{
	struct batch *b = talk(w);
	int err;

	batch_add(b, NULL, &sql_jobs_worker_put,
		  ARGS(arg_text(w->name), arg_text(w->host->master)));
	err = batch_run(b);
	w->is_signed_on = !err;

	return err;
}

/* The queue to take from; looks for one where none is known. */
static int find(struct crew *w, size_t *ret, bool *ret_found)
{
	int err = w->is_signed_on ? OK : sign_on(w);

	*ret_found = !err && next_ready(w, ret);
	if (err || *ret_found)
		return err;

	err = look(w);
	*ret_found = !err && next_ready(w, ret);

	return err;
}

static int take_and_run(struct crew *w, size_t q)
{
	int err = take(w, q);

	slot_rest(w->worker->slot);
	if (!err && w->haul) {
		call_others(w);
		run(w);
	}
	pace_rest(w->host->pace, w->worker->index);

	return err;
}

/* With a lease. */
static int work_once(struct crew *w)
{
	bool found;
	size_t q;
	int err;

	slot_begin(w->worker->slot); /* a database that is slow to answer is no worker that hangs */
	err = find(w, &q, &found);
	if (found)
		return take_and_run(w, q);
	slot_rest(w->worker->slot);
	if (err)
		return err;

	w->is_cut_off = false;
	sleep_on_it(w);

	return OK;
}

static int round_once(struct crew *w)
{
	return lease_hold(w->host->leases, TALK_LEASE_US) ? work_once(w) : park(w);
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

/* What it was called for and has not looked at is another's. */
static void pass_calls_on(struct crew *w)
{
	lease_drop(w->host->leases);
	bell_unpark(&w->host->bell);
	for (size_t i = 0; i < queues_len(w); i++)
		if (w->queues[i].is_ready)
			bell_ring(&w->host->bell, w->book->queues[i].name);
}

int crew_run(struct worker *worker, const struct host *host)
{
	char name[NAME_SIZE];
	struct crew w = {
		.worker = worker,
		.host = host,
		.book = host->book,
		.name = name,
		.of_haul = arena_new(),
		.of_talk = arena_new(),
		.of_job = arena_new(),
		.tidied_us = clock_monotonic_us(),
	};

	name_of_worker(host->master, getpid(), name);
	pace_rest(host->pace, worker->index); /* whoever had its place may have been killed */
	worker_ready(worker);
	while (goes_on(&w) && !w.is_unheard) {
		if (round_once(&w)) {
			pause_talk(&w);
			settle_at_last(&w);
		}
	}
	settle_at_last(&w);
	pass_calls_on(&w);
	if (w.is_signed_on)
		sign_off(&w);
	await_leave(&w);

	arena_free(w.of_haul);
	arena_free(w.of_talk);
	arena_free(w.of_job);

	return 0;
}
