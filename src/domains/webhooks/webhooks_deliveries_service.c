/* The rules of webhooks' deliveries: see webhooks.h. */
#include "domains/webhooks/webhooks.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "db/page.h"
#include "domains/webhooks/webhooks_jobs.h"
#include "domains/webhooks/webhooks_types.h"
#include "events/types.h"
#include "gen/sql_webhooks.h"
#include "gen/sql_webhooks_sending.h"

#define TEST_TYPE         "webhook.test"
#define TEST_DATA         "{\"test\":true}"
#define EXAMPLE_BYTES_MAX KIB(16)

static void add_delivery(struct batch *b, struct ctx *c, struct delivery_id id,
			 const struct rows **ret)
{
	struct webhook_guarded g = webhook_guarded_types(c);

	batch_add(b, ret, &sql_webhooks_delivery,
		  ARGS(arg_uuid(id.u), arg_texts(c, g.types), arg_texts(c, g.permissions)));
}

/* What an event of the type might say, so that it is a test of who receives it too. */
static const char *example_of(struct ctx *c, const char *type)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, EXAMPLE_BYTES_MAX);
	jsonwrite_init(&w, &out);
	event_write_data_example(&w, event_type_find(type));
	BUG_IF(out.overflow); /* tables have a bound */

	return out.data;
}

int webhooks_test(struct ctx *c, struct webhook_id id, const struct webhook_ping *in,
		  struct delivery_id *ret_id, const struct rows **ret)
{
	struct delivery_id delivery = { uuid_v7() };
	const char *type = in->event_type, *data = TEST_DATA;
	struct batch *b;

	if (type && (strchr(type, '*') || !webhook_type_exists(type)))
		return fail_issue(c, "eventType", "custom", "There is no such type of event");
	if (type)
		data = example_of(c, type);

	b = batch_new(c, BATCH_WRITE);
	batch_add(b, NULL, &sql_webhooks_must_be_enabled, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_webhooks_test,
		  ARGS(arg_uuid(id.u), arg_uuid(delivery.u), arg_uuid(uuid_v7()),
		       arg_text(type ? type : TEST_TYPE), arg_text(data)));
	add_delivery(b, c, delivery, ret);
	batch_add(b, NULL, &sql_webhooks_call, NO_ARGS);
	*ret_id = delivery;

	return batch_run(b);
}

int webhooks_deliveries(struct ctx *c, struct webhook_id id, const struct delivery_filter *f,
			const struct paging *p, const struct page **ret)
{
	return page_run(c, &sql_webhooks_deliveries,
			ARGS(arg_uuid(id.u), arg_text(f->status), arg_text(f->event_type),
			     arg_time(f->since_us), arg_time(f->until_us), arg_uuid(f->message)),
			p, ret);
}

int webhooks_delivery(struct ctx *c, struct delivery_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_READ);

	add_delivery(b, c, id, ret);

	return batch_run(b);
}

int webhooks_replay(struct ctx *c, struct delivery_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, &sql_webhooks_replay, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_webhooks_call, NO_ARGS);

	return batch_run(b);
}

int webhooks_replay_many(struct ctx *c, struct webhook_id id, const struct webhook_replay *in,
			 struct job_id *ret)
{
	struct job_id job = { uuid_v7() };
	struct batch *b;

	if (in->until_us && in->until_us <= in->since_us)
		return fail_issue(c, "until", "custom", "It must be later than since");
	if (in->since_us > clock_now_us())
		return fail_issue(c, "since", "custom", "It must not be in the future");

	b = batch_new(c, BATCH_WRITE);
	batch_add(b, NULL, &sql_webhooks_must_be_enabled, ARGS(arg_uuid(id.u)));
	webhooks_add_replay(b, c, job, id, in);
	*ret = job;

	return batch_run(b);
}

int webhooks_stats(struct ctx *c, struct webhook_id id, const struct stats_filter *f,
		   const struct rows **ret)
{
	return db_read(c, ret, &sql_webhooks_stats,
		       ARGS(arg_uuid(id.u), arg_time(f->since_us), arg_time(f->until_us)));
}

/*
 * Metrics
 */

/* To add one: a row. Columns are those of webhooks_metrics. */
static const struct {
	const char *name;
	const char *help; /* with the first of a name; NULL: the name goes on */
	const char *column, *label;
} gauges[] = {
	{ "zygo_webhook_deliveries", "Deliveries that are not over, by state, up to 100,000.",
	  "waiting", "{state=\"waiting\"}" },
	{ "zygo_webhook_deliveries", NULL, "delayed", "{state=\"delayed\"}" },
	{ "zygo_webhook_deliveries", NULL, "active", "{state=\"active\"}" },
	{ "zygo_webhook_lag_milliseconds", "How long the longest waiting delivery has waited.",
	  "lagMs", "" },
	{ "zygo_webhook_attempts_5m", "Attempts within the last five minutes, by result.",
	  "delivered", "{result=\"delivered\"}" },
	{ "zygo_webhook_attempts_5m", NULL, "failures", "{result=\"failed\"}" },
	{ "zygo_webhook_attempt_milliseconds",
	  "How long an attempt took, on average of five minutes.", "durationMs", "" },
};

void webhooks_metrics(struct ctx *c, struct buf *out)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	const struct rows *row;

	batch_add(b, &row, &sql_webhooks_metrics, NO_ARGS);
	if (batch_run(b)) {
		c->fault = (struct fault){ 0 }; /* the rest is answered without them */
		return;
	}

	for (size_t i = 0; i < ARRAY_LEN(gauges); i++) {
		if (gauges[i].help)
			buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", gauges[i].name,
				   gauges[i].help, gauges[i].name);
		buf_printf(out, "%s%s %lld\n", gauges[i].name, gauges[i].label,
			   (long long)rows_get_int(row, gauges[i].column));
	}
}
