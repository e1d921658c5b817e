/* How far the readers of events are behind: see lag.h. */
#include "events/lag.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "events/reader.h"
#include "gen/sql_spine.h"

#define READERS_MAX 64

int lag_list(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	struct str names[READERS_MAX];
	size_t n = 0;

	for (const struct event_reader *r = event_readers; r->name; r++) {
		BUG_IF(n == READERS_MAX);
		names[n++] = str_of(r->name);
	}
	batch_add(b, ret, &sql_spine_lag, ARGS(arg_text_array(names, n)));

	return batch_run(b);
}

static struct lag lag_at(const struct rows *rows, size_t row)
{
	size_t failure = (size_t)rows_find(rows, "failure");

	return (struct lag){
		.reader = rows_str(rows, row, (size_t)rows_find(rows, "name")).ptr,
		.events = rows_int(rows, row, (size_t)rows_find(rows, "lag")),
		.seconds = rows_int(rows, row, (size_t)rows_find(rows, "lagSeconds")),
		.failure =
			rows_is_null(rows, row, failure) ? NULL : rows_str(rows, row, failure).ptr,
	};
}

int lag_look(struct ctx *c, const struct lag **ret, size_t *ret_len)
{
	const struct rows *rows;
	struct lag *lags;
	int err = lag_list(c, &rows);

	if (err)
		return err;

	lags = arena_make_n(c->arena, struct lag, rows_len(rows));
	*ret_len = 0;
	for (size_t i = 0; i < rows_len(rows); i++)
		if (lag_at(rows, i).events)
			lags[(*ret_len)++] = lag_at(rows, i);
	*ret = lags;

	return OK;
}

static void write_gauge(struct buf *out, const char *name, const char *help,
			const struct rows *rows, int64_t (*value)(const struct lag *l))
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (size_t i = 0; i < rows_len(rows); i++) {
		const struct lag l = lag_at(rows, i);

		buf_printf(out, "%s{reader=\"%s\"} %lld\n", name, l.reader, (long long)value(&l));
	}
}

static int64_t events_of(const struct lag *l)
{
	return l->events;
}

static int64_t seconds_of(const struct lag *l)
{
	return l->seconds;
}

static int64_t is_failing(const struct lag *l)
{
	return l->failure != NULL;
}

void lag_metrics(struct ctx *c, struct buf *out)
{
	const struct rows *rows;

	if (lag_list(c, &rows)) {
		c->fault = (struct fault){ 0 }; /* the rest is answered without them */
		return;
	}
	write_gauge(out, "zygo_event_reader_lag",
		    "Events that the reader has not read; of the spine: that have no position.",
		    rows, events_of);
	write_gauge(out, "zygo_event_reader_lag_seconds", "Time since the oldest of them.", rows,
		    seconds_of);
	write_gauge(out, "zygo_event_reader_failing", "1: the reader cannot go on.", rows,
		    is_failing);
}
