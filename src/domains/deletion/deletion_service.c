/*
 * How ends are asked for, and taken back: see deletion.h. A tenant's own owners ask in its name;
 * the platform's people in the role that sees all tenants, with the tenant named.
 */
#include "domains/deletion/deletion.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_deletion.h"
#include "gen/sql_identity.h"
#include "gen/sql_platform.h"
#include "gen/sql_users.h"
#include "identity/account.h"
#include "identity/hot.h"
#include "identity/letters.h"
#include "jobs/job.h"

#define PAYLOAD_BYTES_MAX KIB(4)

const struct conflict deletion_conflicts[] = {
	{ "tenant_deletions_tenant_id_key", ERR_RESOURCE_CONFLICT, NULL,
	  "The tenant is about to be deleted already" },
	{ 0 },
};

/* A job with {"<key>": id, "reason": …}. Who asks is known by the transaction alone, so that one
 * adds it, and whose the job is. */
static void add_job(struct batch *b, struct ctx *c, struct job_new *job, const char *key,
		    struct uuid id, const char *reason)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, PAYLOAD_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	if (key) {
		jsonwrite_key(&w, key);
		jsonwrite_uuid(&w, &id);
	}
	if (reason)
		jsonwrite_member_text(&w, "reason", reason);
	jsonwrite_object_end(&w);
	BUG_IF(out.overflow);

	job->payload = buf_view(&out);
	jobs_add(b, c, job);
	batch_add(b, NULL, &sql_deletion_sign_job, ARGS(arg_uuid(job->id.u), arg_bool(!key)));
}

/*
 * Tenants
 */

/* In the tenant's own name, or as the platform in the one that is named. */
static struct batch *begin_in(struct ctx *c, struct tenant_id tenant)
{
	struct batch *b = batch_new(c, uuid_is_nil(tenant.u) ? BATCH_WRITE : BATCH_SYSTEM);

	if (!uuid_is_nil(tenant.u))
		batch_add(b, NULL, &sql_platform_act_in, ARGS(arg_uuid(tenant.u)));

	return b;
}

int deletion_request(struct ctx *c, struct tenant_id tenant, const struct deletion_request *in,
		     struct job_id *ret_job, const struct rows **ret)
{
	struct uuid id = uuid_v7();
	struct batch *b = begin_in(c, tenant);

	ret_job->u = id;
	batch_add(b, NULL, &sql_deletion_request,
		  ARGS(arg_uuid(tenant.u), arg_uuid(id), arg_text(in->confirm),
		       arg_text(in->reason), arg_int(config()->tenant_deletion_grace_us)));
	add_job(b, c, &(struct job_new){ .kind = &tenant_delete_job, .id = { id } }, NULL, id,
		in->reason);
	batch_event_of_tenant(b, c, "tenant.deletionScheduled");
	batch_add(b, ret, &sql_deletion_get, ARGS(arg_uuid(tenant.u), arg_bool(true)));

	return batch_run(b);
}

int deletion_get(struct ctx *c, struct tenant_id tenant, bool only_pending, const struct rows **ret)
{
	struct batch *b = batch_new(c, uuid_is_nil(tenant.u) ? BATCH_READ : BATCH_SYSTEM);

	batch_add(b, ret, &sql_deletion_get, ARGS(arg_uuid(tenant.u), arg_bool(only_pending)));

	return batch_run(b);
}

int deletion_cancel(struct ctx *c, struct tenant_id tenant)
{
	struct batch *b = begin_in(c, tenant);

	batch_add(b, NULL, &sql_deletion_cancel, ARGS(arg_uuid(tenant.u)));
	batch_add(b, NULL, &sql_deletion_cancel_tenant, ARGS(arg_uuid(tenant.u)));
	batch_add(b, NULL, &sql_deletion_cancel_job, ARGS(arg_uuid(tenant.u)));
	batch_event_of_tenant(b, c, "tenant.deletionCancelled");

	return batch_run(b);
}

/*
 * People
 */

int erasure_of_user(struct ctx *c, struct user_id user, const struct erasure_request *in,
		    struct job_id *ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	ret->u = uuid_v7();
	batch_add(b, NULL, &sql_users_may_act_on, ARGS(arg_uuid(user.u)));
	batch_add(b, NULL, &sql_deletion_end_seat, ARGS(arg_uuid(user.u)));
	batch_add(b, NULL, &sql_users_keep_an_owner, NO_ARGS);
	add_job(b, c, &(struct job_new){ .kind = &user_erase_job, .id = *ret }, "userId", user.u,
		in->reason);
	batch_event(b, c, "user.erasureRequested", user.u, NULL);

	return batch_run(b);
}

/* A password that there is has to be said. */
static int prove_password(struct ctx *c, const char *password)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *account;
	int err;

	batch_add(b, &account, &sql_identity_password, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;
	if (!rows_get_text(account, "password_hash"))
		return OK;
	if (!password)
		return fail_issue(c, "password", "custom", "Required, since the account has one");

	return account_prove_password(c, "password", password, &account);
}

int erasure_of_account(struct ctx *c, const struct account_deletion *in, const struct rows **ret)
{
	struct account_id account;
	struct batch *b;
	const struct rows *revoked;
	int err;

	err = prove_password(c, in->password);
	if (err)
		return err;

	account = c->actor.account; /* known since the entry has passed */
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, ret, &sql_deletion_account_request,
		  ARGS(arg_int(config()->account_deletion_grace_us)));
	batch_account_event(b, c, "account.deletionScheduled", ACTING_ACCOUNT, NULL);
	batch_add(b, &revoked, &sql_identity_sessions_revoke,
		  ARGS(arg_bool(true), arg_text("account to be deleted")));
	add_job(b, c,
		&(struct job_new){ .kind = &account_erase_job,
				   .id = { uuid_v7() },
				   .delay_us = config()->account_deletion_grace_us },
		"accountId", account.u, NULL);
	letters_add(b, c,
		    &(struct letter_new){ .letter = "accountDeletion", .subject = account.u });
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, revoked);

	return OK;
}
