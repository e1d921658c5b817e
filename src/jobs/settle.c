/* What became of jobs, told to the database: those that were done together, the others one by one.
 */
#include "jobs/crew.h"

#include "base/arena.h"
#include "base/clock.h"
#include "db/batch.h"
#include "gen/sql_jobs.h"

/* Before a job of a kind that this binary does not know is looked at again: a newer one may. */
#define UNKNOWN_DELAY_US (30 * US_PER_S)

/* Parallel columns, as unnest() takes them. */
struct columns {
	struct str *tenants, *ids, *results;
	size_t len;
};

static struct columns columns_new(struct arena *a, size_t max)
{
	return (struct columns){ arena_make_n(a, struct str, max), arena_make_n(a, struct str, max),
				 arena_make_n(a, struct str, max), 0 };
}

static struct str uuid_str(struct arena *a, struct uuid u)
{
	char *text = arena_alloc(a, UUID_TEXT_SIZE);

	uuid_format(u, text);

	return str_of(text);
}

static void columns_add(struct columns *k, struct arena *a, const struct outcome *o)
{
	k->tenants[k->len] = uuid_str(a, o->tenant.u);
	k->ids[k->len] = uuid_str(a, o->id.u);
	k->results[k->len] = o->result;
	k->len++;
}

static void add_completed(struct crew *w, struct batch *b, const struct columns *k,
			  const struct rows **ret)
{
	*ret = NULL;
	if (k->len)
		batch_add(b, ret, &sql_jobs_complete,
			  ARGS(arg_text_array(k->tenants, k->len), arg_text_array(k->ids, k->len),
			       arg_text_array(k->results, k->len), arg_text(w->name)));
}

static void add_parent(struct batch *b, struct arena *a, struct uuid parent)
{
	struct str *id = arena_make(a, struct str);

	*id = uuid_str(a, parent);
	batch_add(b, NULL, &sql_jobs_wake_parents, ARGS(arg_text_array(id, 1)));
}

static void add_other(struct crew *w, struct batch *b, const struct outcome *o)
{
	struct arg tenant = arg_uuid(o->tenant.u), id = arg_uuid(o->id.u), me = arg_text(w->name);

	switch (o->end) {
	case END_DONE:
	case END_SETTLED: return;
	case END_AWAITS:
		batch_add(b, NULL, &sql_jobs_await, ARGS(tenant, id, me));
		add_parent(b, w->c.arena, o->id.u); /* they may be over already */
		return;
	case END_FAILED:
		batch_add(b, NULL, &sql_jobs_fail,
			  ARGS(tenant, id, me, arg_bool(o->may_retry), arg_text(o->error),
			       arg_int(o->kind->backoff_us), arg_int(JOB_BACKOFF_MAX_US)));
		return;
	case END_UNKNOWN:
	case END_PUT_OFF:
		batch_add(b, NULL, &sql_jobs_put_off,
			  ARGS(tenant, id, me,
			       arg_int(o->end == END_UNKNOWN ? UNKNOWN_DELAY_US : o->delay_us)));
		return;
	}
}

/* Parents that may have waited for the last of these. Two children that end at the same moment may
 * each see the other unfinished: the keeper looks again. */
static void add_parents(struct batch *b, struct arena *a, const struct haul *h)
{
	struct uuid last = { 0 };

	for (size_t i = 0; i < h->begun; i++) {
		struct uuid parent = h->outcomes[i].parent.u;

		if (!uuid_is_nil(parent) && !uuid_eq(parent, last))
			add_parent(b, a, parent);
		last = parent;
	}
}

static void add_stats(struct crew *w, struct batch *b, const struct haul *h)
{
	int64_t completed = 0, failed = 0, run_us = 0, run_max_us = 0;

	for (size_t i = 0; i < h->begun; i++) {
		const struct outcome *o = &h->outcomes[i];

		completed += o->end == END_DONE || o->end == END_SETTLED;
		failed += o->end == END_FAILED;
		run_us += o->run_us;
		if (o->run_us > run_max_us)
			run_max_us = o->run_us;
	}
	batch_add(b, NULL, &sql_jobs_stats_add,
		  ARGS(arg_text(h->queue->name), arg_text(w->name), arg_int(completed),
		       arg_int(failed), arg_int(h->waited_us), arg_int(h->waited_max_us),
		       arg_int(run_us), arg_int(run_max_us)));
}

void settle(struct crew *w, struct batch *b, struct haul *h)
{
	struct arena *a = w->c.arena;
	struct columns done = columns_new(a, h->begun);

	for (size_t i = 0; i < h->begun; i++) {
		if (h->outcomes[i].end == END_DONE)
			columns_add(&done, a, &h->outcomes[i]);
		else
			add_other(w, b, &h->outcomes[i]);
	}
	add_completed(w, b, &done, &h->completed);
	if (h->begun) {
		add_parents(b, a, h);
		add_stats(w, b, h);
	}
	if (h->is_cut)
		batch_add(b, NULL, &sql_jobs_hand_back, ARGS(arg_text(w->name)));
}
