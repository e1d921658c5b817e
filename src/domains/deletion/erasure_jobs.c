/*
 * The jobs that erase people: a seat of one tenant, or an account with all its seats. Each is one
 * transaction that ends with the job, so it happens once, or not at all.
 */
#include "domains/deletion/deletion.h"
#include "domains/deletion/deletion_impl.h"
#include "domains/deletion/erase.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_deletion.h"
#include "gen/sql_platform.h"
#include "http/shape.h"
#include "jobs/book.h"
#include "jobs/job.h"

#define RESULT_BYTES_MAX KIB(256)

/* clang-format off */
static const struct field user_fields[] = {
	{ "userId", T_UUID, REQUIRED, offsetof(struct user_erasure, user), .about = "Whom" },
	{ "requestedBy", T_UUID, OPTIONAL, offsetof(struct user_erasure, requested_by), .about = "Account" },
	{ "reason", T_STRING, OPTIONAL, offsetof(struct user_erasure, reason), .max = 500, .about = "Why" },
};
static const struct shape user_shape = SHAPE("UserErasureJob", struct user_erasure, user_fields);

static const struct field account_fields[] = {
	{ "accountId", T_UUID, REQUIRED, offsetof(struct account_erasure, account), .about = "Whom" },
	{ "requestedBy", T_UUID, OPTIONAL, offsetof(struct account_erasure, requested_by), .about = "The same" },
};
static const struct shape account_shape = SHAPE("AccountErasureJob", struct account_erasure, account_fields);
/* clang-format on */

/* {"success": true, "tables": …}, what went of each table. */
static void begin_result(struct job *j, struct jsonwrite *w, struct buf *out)
{
	buf_init(out, j->c->arena, RESULT_BYTES_MAX);
	jsonwrite_init(w, out);
	jsonwrite_object(w);
	jsonwrite_member_bool(w, "success", true);
}

/* The last batch of the transaction. */
static int finish(struct job *j, struct jsonwrite *w, struct buf *out)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	int err;

	jsonwrite_object_end(w);
	if (out->overflow)
		return fail_internal(j->c, "too many seats to report");
	j->result = buf_view(out);
	job_done(b, j);
	err = batch_run(b);
	if (!err)
		err = db_commit(j->c);
	j->is_done = !err;

	return err;
}

/* One seat, with its tenant's event, which is the report that stays. *ret_counts: JSON; ptr NULL
 * when it was erased before. */
static int erase_seat(struct job *j, struct tenant_id tenant, struct user_id user,
		      struct str *ret_counts)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	char id[UUID_TEXT_SIZE];
	int err;

	uuid_format(user.u, id);
	batch_add(b, NULL, &sql_platform_act_in, ARGS(arg_uuid(tenant.u)));
	err = batch_run(b);
	if (!err)
		err = erase_seats(j->c, tenant,
				  arg_text_array(&(struct str){ id, UUID_TEXT_SIZE - 1 }, 1),
				  ret_counts);
	if (err || !ret_counts->ptr)
		return err;

	b = batch_new(j->c, BATCH_SYSTEM);
	batch_event(b, j->c, "user.erased", user.u,
		    arena_printf(j->c->arena, "{\"tables\":%.*s}", STR_FMT(*ret_counts)));

	return batch_run(b);
}

static int run_user(struct job *j)
{
	const struct user_erasure *in = j->payload;
	struct jsonwrite w;
	struct buf out;
	struct str counts;
	int err;

	err = db_begin(j->c, BATCH_SYSTEM);
	if (!err)
		err = erase_seat(j, j->tenant, in->user, &counts);
	if (err)
		return err;
	begin_result(j, &w, &out);
	jsonwrite_key(&w, "tables");
	jsonwrite_raw(&w, counts.ptr ? counts : STR("{}"));

	return finish(j, &w, &out);
}

/* Specification J6. */
const struct job_kind user_erase_job = {
	ERASURE_JOB,     .name = "user.erase", .queue = "user-deletion", .payload = &user_shape,
	.run = run_user,
};

/*
 * Accounts
 */

/* Whether it is still to be erased, and now. */
static int judge(struct job *j, struct account_id account, bool *ret_is_due)
{
	struct batch *b = batch_new(j->c, BATCH_IDENTITY);
	const struct rows *row;
	int64_t at, now;
	int err;

	*ret_is_due = false;
	batch_add(b, &row, &sql_deletion_account_find, ARGS(arg_uuid(account.u)));
	err = batch_run(b);
	if (err)
		return err;
	at = rows_len(row) ? rows_get_time(row, "deletion_at") : 0;
	now = rows_len(row) ? rows_get_time(row, "now") : 0;
	if (!at) {
		j->result = STR("{\"success\":false,\"reason\":\"taken back\"}");
		return OK;
	}
	if (at > now) { /* taken back, and asked for again */
		j->put_off_us = at - now;
		return OK;
	}
	if (rows_get_text(row, "alone")) {
		j->is_hopeless = true;
		return fail(j->c, ERR_RULE_VIOLATED, NULL,
			    arena_printf(j->c->arena, "The account is the last owner of %s",
					 rows_get_text(row, "alone")));
	}
	*ret_is_due = true;

	return OK;
}

static int erase_all_seats(struct job *j, struct account_id account, struct jsonwrite *w)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	const struct rows *seats;
	int err;

	batch_add(b, &seats, &sql_deletion_seats_of, ARGS(arg_uuid(account.u)));
	err = batch_run(b);
	jsonwrite_key(w, "seats");
	jsonwrite_array(w);
	for (size_t i = 0; !err && i < rows_len(seats); i++) {
		struct tenant_id tenant = { rows_uuid(seats, i, 0) };
		struct user_id user = { rows_uuid(seats, i, 1) };
		struct str counts = { NULL, 0 };

		err = erase_seat(j, tenant, user, &counts);
		if (!err && counts.ptr)
			jsonwrite_raw(w, counts);
	}
	jsonwrite_array_end(w);

	return err;
}

static int run_account(struct job *j)
{
	const struct account_erasure *in = j->payload;
	const struct rows *row;
	struct jsonwrite w;
	struct batch *b;
	struct buf out;
	bool is_due;
	int err;

	err = db_begin(j->c, BATCH_SYSTEM);
	if (!err)
		err = judge(j, in->account, &is_due);
	if (err || !is_due)
		return err;

	begin_result(j, &w, &out);
	err = erase_all_seats(j, in->account, &w);
	if (err)
		return err;
	b = batch_new(j->c, BATCH_IDENTITY);
	batch_add(b, &row, &sql_deletion_erase_account, ARGS(arg_uuid(in->account.u)));
	err = batch_run(b);
	if (err)
		return err;
	jsonwrite_key(&w, "tables");
	jsonwrite_raw(&w, rows_get_str(row, "counts"));

	return finish(j, &w, &out);
}

const struct job_kind account_erase_job = {
	ERASURE_JOB,
	.name = "account.erase",
	.queue = "user-deletion",
	.payload = &account_shape,
	.run = run_account,
};
