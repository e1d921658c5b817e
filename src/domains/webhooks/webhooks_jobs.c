/* Jobs of webhooks: see webhooks_jobs.h. Each is done some deliveries at a time, and may be broken
 * off and begun again at any of them. */
#include "domains/webhooks/webhooks_jobs.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "domains/webhooks/webhooks_types.h"
#include "events/event.h"
#include "gen/sql_webhooks.h"
#include "http/shape.h"
#include "jobs/book.h"

#define AT_A_TIME         1000
#define PAYLOAD_BYTES_MAX KIB(1)
#define EVENT_BYTES_MAX   KIB(16)

static void write_id(struct jsonwrite *w, const char *key, struct uuid id)
{
	jsonwrite_key(w, key);
	jsonwrite_uuid(w, &id);
}

static void write_moment(struct jsonwrite *w, const char *key, int64_t us)
{
	jsonwrite_key(w, key);
	jsonwrite_time(w, us);
}

static void payload_begin(struct ctx *c, struct buf *out, struct jsonwrite *w, struct webhook_id id)
{
	buf_init(out, c->arena, PAYLOAD_BYTES_MAX);
	jsonwrite_init(w, out);
	jsonwrite_object(w);
	write_id(w, "webhookId", id.u);
}

static struct str payload_end(struct buf *out, struct jsonwrite *w)
{
	jsonwrite_object_end(w);
	BUG_IF(out->overflow); /* ids, moments and words of tables */

	return buf_view(out);
}

/*
 * Stopping: what waits for an endpoint that is disabled or deleted is cancelled.
 */

struct stop {
	struct webhook_id webhook;
};

/* clang-format off */
static const struct field stop_fields[] = {
	{ "webhookId", T_UUID, REQUIRED, offsetof(struct stop, webhook), .about = "Whose" },
};
static const struct shape stop_shape = SHAPE("WebhookStop", struct stop, stop_fields);
/* clang-format on */

void webhooks_add_stop(struct batch *b, struct ctx *c, struct webhook_id id)
{
	struct jsonwrite w;
	struct buf out;

	payload_begin(c, &out, &w, id);
	jobs_add(b, c,
		 &(struct job_new){ .kind = &webhook_stop_job, .payload = payload_end(&out, &w) });
}

static int run_stop(struct job *j)
{
	const struct stop *in = j->payload;
	const struct rows *cancelled;
	int err;

	do {
		err = db_write(j->c, &cancelled, &sql_webhooks_cancel_some,
			       ARGS(arg_uuid(in->webhook.u), arg_int(AT_A_TIME)));
		if (err)
			return err;
	} while (rows_len(cancelled) == AT_A_TIME);

	return OK;
}

const struct job_kind webhook_stop_job = { JOB_DEFAULTS, .name = "webhooks.stop",
					   .queue = "webhooks", .payload = &stop_shape,
					   .run = run_stop };

/*
 * Disabling, by what sending found out
 */

struct disable {
	struct webhook_id webhook;
	const char *reason;
};

/* clang-format off */
static const struct field disable_fields[] = {
	{ "webhookId", T_UUID, REQUIRED, offsetof(struct disable, webhook), .about = "Which" },
	{ "reason", T_STRING, REQUIRED, offsetof(struct disable, reason), .max = 20, .about = "Why" },
};
static const struct shape disable_shape = SHAPE("WebhookDisable", struct disable, disable_fields);
/* clang-format on */

void webhooks_add_disable(struct batch *b, struct ctx *c, struct tenant_id tenant,
			  struct webhook_id id, const char *reason)
{
	struct jsonwrite w;
	struct buf out;
	char key[UUID_TEXT_SIZE];

	payload_begin(c, &out, &w, id);
	jsonwrite_member_text(&w, "reason", reason);
	uuid_format(id.u, key);
	jobs_add(b, c,
		 &(struct job_new){ .kind = &webhook_disable_job,
				    .tenant = tenant,
				    .payload = payload_end(&out, &w),
				    .unique_key = arena_strdup(c->arena, key) });
}

/* What is said of it to whoever is told. */
static const char *event_data(struct ctx *c, const char *url, const char *reason)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, EVENT_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "url", url);
	jsonwrite_member_text(&w, "reason", reason);
	jsonwrite_object_end(&w);
	BUG_IF(out.overflow); /* a URL has a bound */

	return out.data;
}

/* In one transaction, which decides whether it was this job that did it. */
static int run_disable(struct job *j)
{
	const struct disable *in = j->payload;
	const struct rows *row;
	const char *data;
	struct batch *b;
	int err;

	err = db_begin(j->c, BATCH_WRITE);
	if (err)
		return err;
	b = batch_new(j->c, BATCH_WRITE);
	batch_add(b, &row, &sql_webhooks_disable,
		  ARGS(arg_uuid(in->webhook.u), arg_text(in->reason)));
	err = batch_run(b);
	if (err || rows_len(row) == 0)
		return err; /* disabled by somebody meanwhile, or gone */

	data = event_data(j->c, rows_get_text(row, "url"), in->reason);
	b = batch_new(j->c, BATCH_WRITE);
	batch_event(b, j->c, "webhook.disabled", in->webhook.u, data);
	webhooks_add_stop(b, j->c, in->webhook);
	err = batch_run(b);

	return err ? err : db_commit(j->c);
}

const struct job_kind webhook_disable_job = { JOB_DEFAULTS, .name = "webhooks.disable",
					      .queue = "webhooks", .payload = &disable_shape,
					      .run = run_disable };

/*
 * Replaying
 */

struct replay {
	struct webhook_id webhook;
	struct webhook_replay what;
};

/* clang-format off */
static const char *const whiches[] = { "failed", "all", "missed", NULL };
static const struct field replay_fields[] = {
	{ "webhookId", T_UUID, REQUIRED, offsetof(struct replay, webhook), .about = "Which" },
	{ "which", T_ENUM, REQUIRED, offsetof(struct replay, what.which), .words = whiches, .about = "What of it" },
	{ "since", T_DATETIME, REQUIRED, offsetof(struct replay, what.since_us), .about = "From when" },
	{ "until", T_DATETIME, REQUIRED, offsetof(struct replay, what.until_us), .about = "To when, that not included" },
};
static const struct shape replay_shape = SHAPE("WebhookReplayJob", struct replay, replay_fields);
/* clang-format on */

void webhooks_add_replay(struct batch *b, struct ctx *c, struct job_id job, struct webhook_id id,
			 const struct webhook_replay *in)
{
	struct jsonwrite w;
	struct buf out;

	payload_begin(c, &out, &w, id);
	jsonwrite_member_text(&w, "which", in->which);
	write_moment(&w, "since", in->since_us);
	write_moment(&w, "until", in->until_us ? in->until_us : clock_now_us() + US_PER_S);
	jobs_add(b, c,
		 &(struct job_new){ .kind = &webhook_replay_job,
				    .id = job,
				    .payload = payload_end(&out, &w) });
}

/* Behind which delivery, or event, the next are. */
struct place {
	int64_t at_us;
	struct uuid id;
};

/* The last of the rows, which come as the database likes. */
static void move_on(struct place *p, const struct rows *rows)
{
	for (size_t i = 0; i < rows_len(rows); i++) {
		int64_t at_us = rows_time(rows, i, 0);
		struct uuid id = rows_uuid(rows, i, 1);

		if (at_us > p->at_us ||
		    (at_us == p->at_us && memcmp(id.bytes, p->id.bytes, sizeof(id.bytes)) > 0))
			*p = (struct place){ at_us, id };
	}
}

static int replay_some(struct job *j, struct place *p, const struct rows **ret)
{
	const struct replay *in = j->payload;
	const struct webhook_replay *what = &in->what;
	struct batch *b = batch_new(j->c, BATCH_WRITE);
	struct arg id = arg_uuid(in->webhook.u), since = arg_time(what->since_us),
		   until = arg_time(what->until_us);

	if (strcmp(what->which, "missed") == 0)
		batch_add(b, ret, &sql_webhooks_replay_missed,
			  ARGS(id, since, until, arg_texts(j->c, webhook_types(j->c)),
			       arg_time(p->at_us), arg_uuid(p->id), arg_int(AT_A_TIME)));
	else
		batch_add(b, ret, &sql_webhooks_replay_some,
			  ARGS(id, since, until, arg_bool(strcmp(what->which, "all") == 0),
			       arg_time(p->at_us), arg_uuid(p->id), arg_int(AT_A_TIME)));
	batch_add(b, NULL, &sql_webhooks_call, NO_ARGS);

	return batch_run(b);
}

/* Of rows that were gone through: what is sent. */
static int64_t count_replayed(const struct rows *rows)
{
	int64_t n = 0;

	for (size_t i = 0; i < rows_len(rows); i++)
		n += rows_bool(rows, i, 2);

	return n;
}

/* How much of the time range has been gone through. */
static int percent_of(const struct webhook_replay *what, int64_t at_us)
{
	int64_t span_us = what->until_us - what->since_us;

	return span_us > 0 ? (int)((at_us - what->since_us) * 100 / span_us) : 100;
}

static int run_replay(struct job *j)
{
	const struct replay *in = j->payload;
	struct place p = { in->what.since_us - 1, { { 0 } } };
	const struct rows *rows;
	int64_t replayed = 0;
	bool is_wanted = true;
	int err;

	do {
		err = replay_some(j, &p, &rows);
		if (err)
			return err;
		move_on(&p, rows);
		replayed += count_replayed(rows);
		err = job_progress(j, percent_of(&in->what, p.at_us), NULL, &is_wanted);
		if (err)
			return err;
	} while (rows_len(rows) == AT_A_TIME && is_wanted);
	if (!is_wanted)
		return fail(j->c, ERR_RULE_VIOLATED, NULL, "The replay was cancelled");

	j->result = str_of(arena_printf(j->c->arena, "{\"deliveries\":%lld}", (long long)replayed));

	return OK;
}

const struct job_kind webhook_replay_job = { JOB_DEFAULTS,        .name = "webhooks.replay",
					     .queue = "webhooks", .payload = &replay_shape,
					     .run = run_replay,   .is_cancellable = true };
