/* What a worker says to the database: what has become of its haul, until that is heard. */
#include "jobs/crew.h"

#include "base/clock.h"
#include "base/arena.h"
#include "base/log.h"
#include "db/batch.h"
#include "gen/sql_jobs.h"
#include "jobs/tell.h"
#include "jobs/work.h"
#include "prefork/supervisor.h"

#include <poll.h>

#define TIDY_US  (10 * US_PER_S) /* how often it gives back what it does not know of */
#define PAUSE_MS 200             /* before the database is asked again after a failure */

struct batch *talk(struct crew *w)
{
	arena_reset(w->of_talk);
	ctx_reset(&w->c, w->of_talk);
	w->c.actor.kind = ACTOR_SYSTEM;

	return batch_new(&w->c, BATCH_SYSTEM);
}

struct batch *talk_lazily(struct crew *w)
{
	struct batch *b = talk(w);

	batch_add(b, NULL, &sql_jobs_lazily, NO_ARGS);

	return b;
}

/* That it was never sent need not be told apart: who leaves for nothing is replaced. */
int say(struct crew *w, struct batch *b)
{
	int err = batch_run(b);

	if (err == ERR_SERVICE_UNAVAILABLE)
		w->is_unheard = true;

	return err;
}

void tell_trouble(struct crew *w)
{
	const struct fault *f = &w->c.fault;

	if (w->is_cut_off)
		return;

	w->is_cut_off = true;
	log_error("The job queue could not be reached",
		  LOG_S("reason", f->message ? f->message : err_info(f->err)->message),
		  LOG_S("detail", f->detail));
}

void pause_talk(struct crew *w)
{
	tell_trouble(w);
	worker_alive(w->worker);
	(void)poll(NULL, 0, PAUSE_MS);
}

bool tidying_is_due(const struct crew *w)
{
	return w->is_signed_on && clock_monotonic_us() - w->tidied_us > TIDY_US;
}

void settle_haul(struct crew *w, struct batch *b)
{
	bool is_due = tidying_is_due(w);

	if (is_due)
		w->tidied_us = clock_monotonic_us();
	if (w->haul) {
		w->haul->is_cut = w->haul->is_cut || is_due;
		settle(w, b, w->haul);
	} else if (is_due) {
		batch_add(b, NULL, &sql_jobs_hand_back, ARGS(arg_text(w->name)));
	}
}

void let_go(struct crew *w)
{
	if (w->haul)
		tell_completed(&w->c, w->haul);
	w->haul = NULL;
}

void settle_at_last(struct crew *w)
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
		pause_talk(w);
	}
}
