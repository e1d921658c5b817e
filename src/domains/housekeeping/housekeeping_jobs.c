/*
 * The job that removes what nobody needs any more. To add something: a statement in
 * sql/queries/housekeeping.sql that takes how many it may remove and returns a row for each, a row
 * here.
 */
#include "domains/housekeeping/housekeeping.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "gen/sql_housekeeping.h"
#include "jobs/book.h"
#include "jobs/job.h"

#define AT_A_TIME 2000

static const struct {
	const char *name; /* in the job's result */
	const struct sql *remove;
	enum batch_mode mode;
} sweeps[] = {
	{ "idempotencyKeys", &sql_housekeeping_idempotency_keys, BATCH_SYSTEM },
	{ "accountIdempotencyKeys", &sql_housekeeping_account_idempotency_keys, BATCH_IDENTITY },
	{ "sessions", &sql_housekeeping_sessions, BATCH_IDENTITY },
	{ "refreshTokens", &sql_housekeeping_refresh_tokens, BATCH_IDENTITY },
	{ "notificationsRead", &sql_housekeeping_notifications_read, BATCH_SYSTEM },
	{ "notifications", &sql_housekeeping_notifications, BATCH_SYSTEM },
	{ "webhookDeliveries", &sql_housekeeping_webhook_deliveries, BATCH_SYSTEM },
	{ "webhookMessages", &sql_housekeeping_webhook_messages, BATCH_SYSTEM },
	{ "webhooks", &sql_housekeeping_webhook_endpoints, BATCH_SYSTEM },
	{ "webhookStats", &sql_housekeeping_webhook_stats, BATCH_SYSTEM },
	{ "webhookSenders", &sql_housekeeping_webhook_senders, BATCH_SYSTEM },
	{ "loginAttempts", &sql_housekeeping_login_attempts, BATCH_IDENTITY },
};

static int sweep(struct ctx *c, const struct sql *remove, enum batch_mode mode,
		 int64_t *ret_removed)
{
	const struct rows *rows;
	int err;

	*ret_removed = 0;
	do {
		struct batch *b = batch_new(c, mode);

		batch_add(b, &rows, remove, ARGS(arg_int(AT_A_TIME)));
		err = batch_run(b);
		if (err)
			return err;
		*ret_removed += (int64_t)rows_len(rows);
	} while (rows_len(rows) == AT_A_TIME);

	return OK;
}

static int run(struct job *j)
{
	struct jsonwrite w;
	struct buf result;

	buf_init(&result, j->c->arena, KIB(1));
	jsonwrite_init(&w, &result);
	jsonwrite_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(sweeps); i++) {
		int64_t removed;
		int err;

		err = sweep(j->c, sweeps[i].remove, sweeps[i].mode, &removed);
		if (err)
			return err;
		jsonwrite_member_i64(&w, sweeps[i].name, removed);
	}
	jsonwrite_object_end(&w);
	j->result = buf_view(&result);

	return OK;
}

const struct job_kind housekeeping_kind = { JOB_DEFAULTS, .name = "housekeeping.sweep",
					    .queue = "housekeeping", .run = run };
