/*
 * The job that keeps the partitions of events: coming months are made, those older than
 * EVENTS_KEEP_DAYS dropped (roll_event_partitions() in sql/migrations/0010). It fails, and is tried
 * again, where somebody uses the tables for longer than it may wait for.
 */
#include "domains/housekeeping/housekeeping.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "gen/sql_spine.h"
#include "jobs/book.h"
#include "jobs/job.h"

/* {"made":["events_2026_12",…],"dropped":[…]} */
static void write_result(struct buf *out, const struct rows *rows)
{
	static const char *const whats[] = { "made", "dropped" };
	struct jsonwrite w;

	jsonwrite_init(&w, out);
	jsonwrite_object(&w);
	for (size_t k = 0; k < ARRAY_LEN(whats); k++) {
		jsonwrite_key(&w, whats[k]);
		jsonwrite_array(&w);
		for (size_t i = 0; i < rows_len(rows); i++)
			if (str_is(rows_str(rows, i, 1), whats[k]))
				jsonwrite_str(&w, rows_str(rows, i, 0));
		jsonwrite_array_end(&w);
	}
	jsonwrite_object_end(&w);
}

static int run(struct job *j)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	const struct rows *rows;
	struct buf result;
	int err;

	batch_add(b, &rows, &sql_spine_roll_partitions, ARGS(arg_int(config()->events_keep_days)));
	err = batch_run(b);
	if (err)
		return err;

	buf_init(&result, j->c->arena, KIB(64));
	write_result(&result, rows);
	j->result = buf_view(&result);

	return OK;
}

const struct job_kind housekeeping_events_kind = { JOB_DEFAULTS, .name = "housekeeping.events",
						   .queue = "housekeeping", .run = run };
