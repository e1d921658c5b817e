/*
 * The job that deletes a tenant. Its child that archives is in archive_job.c.
 *
 * Each step is one transaction with the word that it is done (tenant_deletions.step), so that a
 * worker may die anywhere: the next one goes on behind what is done. Steps and percentages are the
 * specification's.
 */
#include "domains/deletion/deletion.h"
#include "domains/deletion/deletion_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "base/log.h"
#include "db/batch.h"
#include "db/parts.h"
#include "domains/archive/archive.h"
#include "events/event.h"
#include "gen/sql_deletion.h"
#include "http/shape.h"
#include "identity/hot.h"
#include "identity/letters.h"
#include "jobs/book.h"
#include "jobs/job.h"
#include "net/mail.h"

#define SESSIONS_A_PART  1000
#define REMOVE_TRIES_MAX 3 /* a tenant that changes after each archive is left for another day */

/* clang-format off */
static const struct field deletion_fields[] = {
	{ "tenantId", T_UUID, OPTIONAL, offsetof(struct tenant_deletion, tenant), .about = "Where the platform asks; else the job's" },
	{ "requestedBy", T_UUID, OPTIONAL, offsetof(struct tenant_deletion, requested_by), .about = "Account" },
	{ "reason", T_STRING, OPTIONAL, offsetof(struct tenant_deletion, reason), .max = 500, .about = "Why" },
};
static const struct shape deletion_shape = SHAPE("TenantDeletionJob", struct tenant_deletion, deletion_fields);
/* clang-format on */

int deletion_find(struct ctx *c, struct uuid id, struct deletion_record *ret)
{
	const struct rows *row;
	int err;

	err = db_read(c, &row, &sql_deletion_find, ARGS(arg_uuid(id)));
	if (err)
		return err;
	if (rows_len(row) == 0)
		return fail(c, ERR_RESOURCE_NOT_FOUND, NULL, "The deletion is not there");
	*ret = (struct deletion_record){
		.state = rows_get_text(row, "state"),
		.step = rows_get_text(row, "step"),
		.slug = rows_get_text(row, "slug"),
		.requested_by = rows_get_uuid(row, "requested_by"),
		.deletes_at = rows_get_time(row, "deletes_at"),
		.now = rows_get_time(row, "now"),
		.digests = rows_get_text(row, "digests"),
		.failures = rows_get_int(row, "failures"),
	};

	return OK;
}

/*
 * Steps
 */

static void add_step(struct batch *b, struct uuid id, const char *from, const char *to)
{
	batch_add(b, NULL, &sql_deletion_step, ARGS(arg_uuid(id), arg_text(from), arg_text(to)));
}

/* Who asked may have lost what it takes between the request and now. */
static int verify_request(struct job *j, const struct deletion_record *d)
{
	struct batch *b = batch_new(j->c, BATCH_SYSTEM);
	const struct rows *tenant;
	bool may;
	int err;

	batch_add(b, &tenant, &sql_deletion_verify, ARGS(arg_uuid(d->requested_by)));
	err = batch_run(b);
	if (err)
		return err;

	may = rows_len(tenant) > 0;
	b = batch_new(j->c, BATCH_WRITE);
	if (may)
		add_step(b, j->id.u, d->step, "verified");
	else
		batch_add(b, NULL, &sql_deletion_void, ARGS(arg_uuid(j->id.u)));
	err = batch_run(b);
	if (err || may)
		return err;
	j->is_hopeless = true;

	return fail(j->c, ERR_AUTH_FORBIDDEN, NULL, "Who asked for it may not any more");
}

/* A letter to each user, in parts of one transaction: all are told, once, or nobody yet. */
static int notify_users(struct job *j, const struct deletion_record *d)
{
	struct batch *b;
	int err;

	err = db_begin(j->c, BATCH_WRITE);
	if (!err && mail_is_sent())
		err = db_in_parts(j->c, BATCH_WRITE, &sql_deletion_notify,
				  ARGS(arg_text(letter_job.name), arg_text(letter_job.queue),
				       arg_int(letter_job.attempts)),
				  NULL);
	if (err)
		return err;
	b = batch_new(j->c, BATCH_WRITE);
	add_step(b, j->id.u, d->step, "notified");
	err = batch_run(b);

	return err ? err : db_commit(j->c);
}

static int soft_delete_tenant(struct job *j, const struct deletion_record *d)
{
	struct batch *b = batch_new(j->c, BATCH_WRITE);

	batch_add(b, NULL, &sql_deletion_end_tenant, ARGS(arg_time(d->deletes_at)));
	add_step(b, j->id.u, d->step, "ended");

	return batch_run(b);
}

/* The next so many sessions, which others are told of behind the commit. */
static int revoke_some(struct ctx *c, size_t *ret_revoked)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *revoked;
	int err;

	batch_add(b, &revoked, &sql_deletion_revoke_sessions, ARGS(arg_int(SESSIONS_A_PART)));
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, revoked);
	*ret_revoked = rows_len(revoked);

	return OK;
}

/* API keys are refused by enter_key(), and not revoked: a tenant that stays has them still. */
static int revoke_access(struct job *j, const struct deletion_record *d)
{
	struct arena *whole = j->c->arena, *of_part = arena_new();
	struct batch *b;
	size_t revoked;
	int err;

	arena_defer(whole, (void (*)(void *))arena_free, of_part); /* a failure's words are in it */
	do {
		arena_reset(of_part);
		j->c->arena = of_part;
		err = revoke_some(j->c, &revoked);
		j->c->arena = whole;
	} while (!err && revoked > 0); /* fewer than were asked for: some ended meanwhile */
	if (err)
		return err;

	b = batch_new(j->c, BATCH_IDENTITY);
	add_step(b, j->id.u, d->step, "revoked");

	return batch_run(b);
}

/* Put off until the grace period ends; from then on nobody takes it back. */
static int close_tenant(struct job *j, const struct deletion_record *d)
{
	struct batch *b;

	if (d->deletes_at > d->now) {
		j->put_off_us = d->deletes_at - d->now;
		return OK;
	}

	b = batch_new(j->c, BATCH_WRITE);
	batch_add(b, NULL, &sql_deletion_close_tenant, NO_ARGS);
	batch_event(b, j->c, "tenant.deleted", j->tenant.u, NULL);
	add_step(b, j->id.u, d->step, "closed");

	return batch_run(b);
}

/* How many of the children are over and have failed; *ret_waits: one is not over. */
static int64_t failed_children(const struct rows *children, bool *ret_waits)
{
	size_t state = (size_t)rows_find(children, "state");
	int64_t failed = 0;

	*ret_waits = false;
	for (size_t i = 0; i < rows_len(children); i++) {
		struct str s = rows_str(children, i, state);

		failed += str_is(s, "failed") || str_is(s, "cancelled");
		*ret_waits |=
			!str_is(s, "failed") && !str_is(s, "cancelled") && !str_is(s, "completed");
	}

	return failed;
}

/* One child for each attempt of ours, also of those that an admin has asked for: it has attempts of
 * its own. An attempt that failed here has left a failed child. */
static int archive_data(struct job *j, const struct deletion_record *d)
{
	const struct rows *children;
	struct batch *b;
	bool waits;
	int err;

	err = job_children(j, &children);
	if (err)
		return err;
	j->awaits_children = true;
	if (failed_children(children, &waits) > d->failures)
		return fail(
			j->c, ERR_SERVICE_UNAVAILABLE, NULL,
			"The tenant could not be archived: see the jobs of kind tenant.archive");
	if (waits)
		return OK;

	b = batch_new(j->c, BATCH_WRITE);
	jobs_add(b, j->c,
		 &(struct job_new){
			 .kind = &tenant_archive_job, .parent = j->id, .unique_key = "archive" });

	return batch_run(b);
}

/* All that is archived goes, and the job is done by that. */
static int remove_tenant(struct job *j, const struct deletion_record *d)
{
	struct batch *b;
	int64_t accounts;
	int err;

	err = db_begin(j->c, BATCH_SYSTEM);
	if (!err)
		err = archive_remove(j->c, j->tenant, j->id.u, d->digests, &accounts);
	if (err)
		return err;

	b = batch_new(j->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_deletion_complete, ARGS(arg_uuid(j->id.u)));
	job_done(b, j);
	err = batch_run(b);
	if (!err)
		err = db_commit(j->c);
	j->is_done = !err;

	return err;
}

/* The archive is not the tenant any more: it is made again. */
static int archive_again(struct job *j, const struct deletion_record *d)
{
	struct batch *b;

	log_info("A tenant has changed since it was archived", LOG_S("slug", d->slug),
		 LOG_S("what", j->c->fault.message));
	db_rollback(j->c);
	j->c->fault = (struct fault){ 0 };
	b = batch_new(j->c, BATCH_WRITE);
	add_step(b, j->id.u, "archived", "closed");

	return batch_run(b);
}

/* What comes behind the step that is recorded, and how far the job is then. */
static const struct {
	const char *done;
	int percent;
	const char *what;
	int (*next)(struct job *j, const struct deletion_record *d);
} steps[] = {
	{ "requested", 5, "verifyRequest", verify_request },
	{ "verified", 10, "notifyUsers", notify_users },
	{ "notified", 20, "softDeleteTenant", soft_delete_tenant },
	{ "ended", 30, "revokeAccess", revoke_access },
	{ "revoked", 30, "gracePeriod", close_tenant },
	{ "closed", ARCHIVE_BEGINS, "archiveData", archive_data },
	{ "archived", 90, "removeData", remove_tenant },
};

static int cancelled(struct job *j)
{
	j->is_hopeless = true;

	return fail(j->c, ERR_RESOURCE_CONFLICT, NULL, "The deletion was cancelled");
}

static int take_step(struct job *j, const struct deletion_record *d)
{
	bool is_wanted;
	size_t i = 0;
	int err;

	while (i < ARRAY_LEN(steps) && strcmp(steps[i].done, d->step) != 0)
		i++;
	BUG_IF(i == ARRAY_LEN(steps));
	err = job_progress(j, steps[i].percent, steps[i].what, &is_wanted);
	if (err)
		return err;
	if (!is_wanted)
		return cancelled(j);

	return steps[i].next(j, d);
}

static struct str result_of(struct job *j)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, j->c->arena, KIB(1));
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_bool(&w, "success", true);
	jsonwrite_key(&w, "tenantId");
	jsonwrite_uuid(&w, &j->tenant.u);
	jsonwrite_object_end(&w);

	return buf_view(&out);
}

static int run_deletion(struct job *j)
{
	unsigned removals = 0;
	struct deletion_record d;
	int err;

	j->result = result_of(j);
	do {
		err = deletion_find(j->c, j->id.u, &d);
		if (err)
			return err;
		if (strcmp(d.state, "completed") == 0)
			return OK; /* and this was not heard of */
		if (strcmp(d.state, "cancelled") == 0)
			return cancelled(j);

		err = take_step(j, &d);
		if (err && db_is_open(j->c) && j->c->fault.err == ERR_RESOURCE_CONFLICT &&
		    ++removals < REMOVE_TRIES_MAX)
			err = archive_again(j, &d);
	} while (!err && !j->is_done && !j->put_off_us && !j->awaits_children);

	return err;
}

const struct job_kind tenant_delete_job = {
	DELETION_JOB,
	.name = "tenant.delete",
	.queue = "tenant-deletion",
	.payload = &deletion_shape,
	.run = run_deletion,
};
