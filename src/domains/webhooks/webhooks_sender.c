/*
 * The loop of a sender: takes deliveries, has many attempts under way at once, says what became of
 * them. See webhooks_sender.h.
 *
 * What became of attempts and the taking of the next deliveries are one transaction. When that
 * fails, what was to be said is kept and said again; a delivery that was taken unheard, or whose
 * sender is cut off for longer than its lease, is free again by itself. So each is delivered at
 * least once, and whoever receives tells repetitions by webhook-id.
 */
#include "domains/webhooks/webhooks_sender.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/log.h"
#include "db/batch.h"
#include "db/listen.h"
#include "domains/webhooks/webhooks_attempt.h"
#include "domains/webhooks/webhooks_jobs.h"
#include "gen/sql_webhooks_sending.h"
#include "jobs/name.h"
#include "net/courier.h"
#include "prefork/supervisor.h"

#include <sys/resource.h>
#include <unistd.h>

#define UNDER_WAY_MAX 2000   /* attempts of a sender at a time */
#define FDS_KEPT      64     /* descriptors that are not attempts' */
#define EACH_MAX      100    /* of one endpoint, over all senders */
#define CLAIM_MAX     200    /* deliveries at a time */
#define SAID_MAX      MIB(8) /* far more than is heard while nothing can be said: */
#define HEAR_BYTES    MIB(4)
#define SAY_BYTES     KIB(256)          /* so much is not kept waiting for more */
#define SAY_US        (10 * US_PER_MS)  /* how long an outcome waits for others */
#define GATHER_US     (50 * US_PER_MS)  /* between two rounds, with all places taken */
#define LOOK_US       US_PER_S          /* how long it sleeps without looking */
#define BESIDE_US     (10 * US_PER_MS)  /* while another sender looks at what waits */
#define HELD_US       (50 * US_PER_MS)  /* while something is held back: at first, and doubled */
#define HELD_MAX_US   (200 * US_PER_MS) /* up to this, for a rate of one a second */
#define TICK_US       US_PER_S
#define PAUSE_MS      200             /* before the database is asked again after a failure */
#define LEASE_US      (15 * US_PER_S) /* beyond what an attempt may take */
#define FAILING_US    (5 * US_PER_DAY)

struct sender {
	struct worker *worker;
	char name[NAME_SIZE];
	struct ctx c; /* of its own statements, in an arena that lasts for one of them */
	struct courier *courier;
	struct arena *arena; /* of the attempts */
	struct attempt *attempts, **free;
	unsigned attempts_len, free_len;
	struct buf said;   /* what became of attempts, to be said */
	int64_t said_us;   /* since when there is something */
	struct uuid after; /* the tenant that came last */
	bool is_ready;     /* there may be something to take */
	int64_t held_us;   /* how long it sleeps next, while something is held back */
	int64_t look_us;   /* when it looks by itself; monotonic, as all of these */
	int64_t rest_us;   /* until when it gathers for the next round */
	int64_t tick_us;
	bool is_cut_off; /* from the database, and has said so */
};

/*
 * Talking to the database
 */

static struct batch *talk(struct sender *s)
{
	struct arena *a = s->c.arena;

	arena_reset(a);
	ctx_reset(&s->c, a);
	s->c.actor.kind = ACTOR_SYSTEM;

	return batch_new(&s->c, BATCH_SYSTEM);
}

/* Once an outage. */
static void tell_trouble(struct sender *s)
{
	const struct fault *f = &s->c.fault;

	if (s->is_cut_off)
		return;

	s->is_cut_off = true;
	log_error("Webhooks could not be taken or settled",
		  LOG_S("reason", f->message ? f->message : err_info(f->err)->message),
		  LOG_S("detail", f->detail));
}

static void add_settle(struct sender *s, struct batch *b)
{
	if (s->said.len)
		batch_add(b, NULL, &sql_webhooks_settle,
			  ARGS(arg_text(arena_printf(s->c.arena, "[%s]", s->said.data)),
			       arg_text(s->name), arg_int(FAILING_US)));
}

/*
 * Attempts
 */

static struct attempt *take_attempt(struct sender *s)
{
	BUG_IF(!s->free_len);

	return s->free[--s->free_len];
}

static void give_attempt(struct sender *s, struct attempt *t)
{
	s->free[s->free_len++] = t;
}

static void note_said(struct sender *s)
{
	BUG_IF(s->said.overflow);
	if (!s->said_us)
		s->said_us = clock_monotonic_us();
}

/* Of rows of webhooks_claim: the only one has no delivery when none can be taken, */
static size_t deliveries_len(const struct rows *rows)
{
	size_t n = rows_len(rows);

	return n && rows_is_null(rows, 0, (size_t)rows_find(rows, "id")) ? 0 : n;
}

/* and an endpoint when another sender looks at it now; else all is held back. */
static bool is_beside_another(const struct rows *rows)
{
	return rows_len(rows) == 1 && deliveries_len(rows) == 0 &&
	       !rows_is_null(rows, 0, (size_t)rows_find(rows, "endpoint_id"));
}

static void send_all(struct sender *s, const struct rows *rows)
{
	for (size_t i = 0; i < deliveries_len(rows); i++) {
		struct attempt *t = take_attempt(s);

		if (attempt_send(t, s->c.arena, s->courier, rows, i, clock_now_us()))
			continue;
		attempt_write_unsent(t, &s->said);
		note_said(s);
		give_attempt(s, t);
	}
}

static void hear_receipts(struct sender *s)
{
	const struct receipt *r;

	while (s->said.len < HEAR_BYTES && (r = courier_take(s->courier))) {
		attempt_write(r->owner, r, &s->said);
		note_said(s);
		give_attempt(s, r->owner);
	}
}

/*
 * Rounds
 */

static int64_t claim_len(const struct sender *s)
{
	unsigned room = courier_room(s->courier);

	return room < CLAIM_MAX ? room : CLAIM_MAX;
}

static bool is_before(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) < 0;
}

/*
 * Where it takes from next, and when: behind whom it took from last, or behind those who have
 * something that is held back by its rate, its order or a limit. It looks ever less often when it
 * has gone round and all is held back, and soon when another sender was in the way.
 *
 * The more is under way, the longer it gathers for the next round, which then costs each delivery
 * less; who has little under way takes at once. So does who has just taken a whole haul: there is
 * more.
 */
static void remember(struct sender *s, const struct rows *rows, int64_t now_us)
{
	size_t len = rows_len(rows), n = deliveries_len(rows);
	struct uuid after = { { 0 } };
	bool is_held = n < len, is_beside = is_beside_another(rows);

	if (len)
		after = rows_uuid(rows, len - 1, (size_t)rows_find(rows, "tenant_id"));
	s->is_ready = n > 0;
	s->look_us = now_us + (is_beside ? BESIDE_US : is_held ? s->held_us : LOOK_US);
	if (!is_held)
		s->held_us = HELD_US;
	else if (!is_beside && !is_before(&s->after, &after) && s->held_us < HELD_MAX_US)
		s->held_us *= 2;
	s->after = after;
	s->rest_us = now_us;
	if (n < CLAIM_MAX)
		s->rest_us += GATHER_US * courier_under_way(s->courier) / s->attempts_len;
}

/* Says what became of attempts, and takes what there is room for. */
static int settle_and_claim(struct sender *s)
{
	struct batch *b = talk(s);
	const struct rows *rows;
	int64_t lease_us = config()->webhook_timeout_us + LEASE_US;
	int err;

	add_settle(s, b);
	batch_add(b, &rows, &sql_webhooks_claim,
		  ARGS(arg_text(s->name), arg_int(claim_len(s)), arg_int(EACH_MAX),
		       arg_int(lease_us), arg_uuid(s->after)));
	err = batch_run(b);
	if (err)
		return err;

	buf_reset(&s->said);
	s->said_us = 0;
	s->is_cut_off = false;
	send_all(s, rows);
	remember(s, rows, clock_monotonic_us());

	return OK;
}

/* What time demands, of all hosts' deliveries. */
static int tick(struct sender *s)
{
	struct batch *b = talk(s);
	const struct rows *rows;
	int err;

	batch_add(b, NULL, &sql_webhooks_rescue, NO_ARGS);
	batch_add(b, NULL, &sql_webhooks_promote, NO_ARGS);
	batch_add(b, &rows, &sql_webhooks_to_disable, NO_ARGS);
	err = batch_run(b);
	if (err || rows_len(rows) == 0)
		return err;

	b = batch_new(&s->c, BATCH_SYSTEM);
	for (size_t i = 0; i < rows_len(rows); i++)
		webhooks_add_disable(b, &s->c, (struct tenant_id){ rows_uuid(rows, i, 0) },
				     (struct webhook_id){ rows_uuid(rows, i, 1) },
				     rows_str(rows, i, 2).ptr);

	return batch_run(b);
}

/* When there is a round: once there may be something to take, and a place for it, or something is
 * to be said. */
static int64_t round_us(const struct sender *s)
{
	int64_t at_us = s->is_ready ? s->rest_us : s->look_us;

	if (s->said.len >= SAY_BYTES)
		return s->said_us;
	if (!courier_room(s->courier))
		at_us = INT64_MAX;
	if (s->said.len && s->said_us + SAY_US < at_us)
		at_us = s->said_us + SAY_US;

	return at_us < s->rest_us ? s->rest_us : at_us;
}

static int talk_if_due(struct sender *s)
{
	int64_t now_us = clock_monotonic_us();
	int err = OK;

	if (now_us >= s->tick_us) {
		s->tick_us = now_us + TICK_US;
		err = tick(s);
	}
	if (!err && now_us >= round_us(s))
		err = settle_and_claim(s);

	return err;
}

static int sleep_ms(const struct sender *s)
{
	int64_t now_us = clock_monotonic_us(), until_us = round_us(s);

	if (s->tick_us < until_us)
		until_us = s->tick_us;

	return until_us <= now_us ? 0 : (int)((until_us - now_us) / US_PER_MS) + 1;
}

/* Until an attempt moves, somebody calls, the master speaks or something is due. */
static void wait_for_something(struct sender *s)
{
	int fds[2] = { s->worker->wake_fd, -1 };
	struct arena *a = s->c.arena;

	(void)talk(s);
	fds[1] = listen_on(&s->c, &sql_webhooks_listen);
	courier_wait(s->courier, fds, ARRAY_LEN(fds), sleep_ms(s));
	while (listen_take(a))
		s->is_ready = true;
	hear_receipts(s);
}

static bool goes_on(struct sender *s)
{
	worker_alive(s->worker);
	if (worker_is_due(s->worker))
		worker_ask_successor(s->worker);

	return !worker_is_draining(s->worker);
}

/* Takes nothing more: what is under way has the time that it may take, what is not over then is
 * handed back. */
static void drain(struct sender *s)
{
	int64_t until_us = clock_monotonic_us() + config()->drain_timeout_us - US_PER_S;
	struct batch *b;

	while (courier_under_way(s->courier) && clock_monotonic_us() < until_us) {
		worker_alive(s->worker);
		courier_wait(s->courier, NULL, 0, PAUSE_MS);
		hear_receipts(s);
	}
	b = talk(s);
	add_settle(s, b);
	batch_add(b, NULL, &sql_webhooks_hand_back, ARGS(arg_text(s->name)));
	if (batch_run(b))
		tell_trouble(s);
}

/*
 * Its life
 */

/* A descriptor for each attempt, as far as the host allows it. */
static unsigned under_way_max(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return UNDER_WAY_MAX / 8;
	if (files.rlim_cur < UNDER_WAY_MAX + FDS_KEPT) {
		files.rlim_cur = files.rlim_max < UNDER_WAY_MAX + FDS_KEPT
					 ? files.rlim_max
					 : UNDER_WAY_MAX + FDS_KEPT;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur >= UNDER_WAY_MAX + FDS_KEPT)
		return UNDER_WAY_MAX;

	return files.rlim_cur > 2 * FDS_KEPT ? (unsigned)files.rlim_cur - FDS_KEPT : FDS_KEPT;
}

static void begin(struct sender *s, struct worker *w)
{
	unsigned max = under_way_max();
	char master[NAME_SIZE];

	name_of_master(getppid(), master);
	name_of_worker(master, getpid(), s->name);
	s->worker = w;
	s->c.arena = arena_new();
	s->arena = arena_new();
	s->courier = courier_new(max);
	s->attempts = arena_make_n(s->arena, struct attempt, max);
	s->free = arena_make_n(s->arena, struct attempt *, max);
	s->attempts_len = max;
	buf_init_heap(&s->said, SAID_MAX);
	for (unsigned i = 0; i < max; i++) {
		buf_init_heap(&s->attempts[i].url, KIB(9)); /* 2000 characters */
		buf_init_heap(&s->attempts[i].headers, KIB(8));
		give_attempt(s, &s->attempts[i]);
	}
}

static void end(struct sender *s)
{
	for (unsigned i = 0; i < s->attempts_len; i++) {
		buf_done(&s->attempts[i].url);
		buf_done(&s->attempts[i].headers);
	}
	buf_done(&s->said);
	courier_free(s->courier);
	listen_done();
	arena_free(s->arena);
	arena_free(s->c.arena);
}

int webhooks_run(struct worker *w)
{
	struct sender s = { .is_ready = true, .held_us = HELD_US };

	begin(&s, w);
	worker_ready(w);
	while (goes_on(&s)) {
		if (talk_if_due(&s)) {
			tell_trouble(&s);
			courier_wait(s.courier, NULL, 0, PAUSE_MS);
			hear_receipts(&s);
		}
		wait_for_something(&s);
	}
	drain(&s);
	end(&s);

	return 0;
}
