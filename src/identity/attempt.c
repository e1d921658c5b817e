/* Attempts to log in: see attempt.h. */
#include "identity/attempt.h"

#include "base/ctx.h"
#include "base/str.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "identity/hash.h"

struct attempt attempt_of(const char *email, const char *tenant, const char *user_agent)
{
	struct attempt a = { .email = email, .user_agent = user_agent };

	token_hash(str_of(email), &a.email_hash);
	if (tenant && !uuid_parse(str_of(tenant), &a.tenant_id))
		a.tenant_slug = tenant;

	return a;
}

bool attempt_is_misplaced(const struct attempt *a, const struct rows *found)
{
	bool is_named = a->tenant_slug || !uuid_is_nil(a->tenant_id);

	return is_named && uuid_is_nil(rows_get_uuid(found, "tenant_id"));
}

static void add_find(struct batch *b, const struct attempt *a, const struct rows **ret_found)
{
	batch_add(b, ret_found, &sql_identity_login_find,
		  ARGS(arg_text(a->email), arg_hash(&a->email_hash), arg_text(a->tenant_slug),
		       arg_uuid(a->tenant_id)));
}

int attempt_find(struct ctx *c, const struct attempt *a, const struct rows **ret_found)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	add_find(b, a, ret_found);

	return batch_run(b);
}

int attempt_begin(struct ctx *c, const struct attempt *a, const struct rows **ret_found)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *counted;
	int err;

	batch_add(b, &counted, &sql_identity_login_attempt,
		  ARGS(arg_hash(&a->email_hash), arg_text(a->tenant_slug), arg_uuid(a->tenant_id)));
	add_find(b, a, ret_found);
	batch_add(b, NULL, &sql_identity_login_sweep, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;
	if (rows_len(counted) > 0)
		return OK;

	err = fail(c, ERR_RATE_LIMIT_EXCEEDED, NULL, "Too many attempts to log in");
	c->fault.retry_after_s = rows_get_int(*ret_found, "locked_s");

	return err;
}

int attempt_refuse(struct ctx *c, const struct attempt *a, const struct rows *found)
{
	struct account_id account = { rows_get_uuid(found, "account_id") };
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	batch_add(b, NULL, &sql_identity_login_refused,
		  ARGS(arg_uuid(rows_get_uuid(found, "realm_id")), arg_hash(&a->email_hash)));
	batch_account_event(b, c, "account.loginRefused", account, a->user_agent);
	err = batch_run(b);

	return err ? err : fail(c, ERR_AUTH_INVALID_CREDENTIALS, NULL, NULL);
}

static struct grantee grantee_of(const struct attempt *a, const struct rows *found)
{
	return (struct grantee){
		.account = { rows_get_uuid(found, "account_id") },
		.tenant = { rows_get_uuid(found, "tenant_id") },
		.user = { rows_get_uuid(found, "user_id") },
		.user_agent = a->user_agent,
	};
}

struct batch *attempt_succeed(struct ctx *c, const struct attempt *a, const struct rows *found,
			      struct session_id *ret)
{
	struct grantee who = grantee_of(a, found);
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	ret->u = uuid_v7();
	grant_act_as(b, &who, *ret);
	batch_add(b, NULL, &sql_identity_login_forget,
		  ARGS(arg_uuid(rows_get_uuid(found, "realm_id")), arg_hash(&a->email_hash)));

	return b;
}

int attempt_grant(struct batch *b, struct ctx *c, const struct attempt *a, const struct rows *found,
		  struct session_id session, struct grant *ret)
{
	struct grantee who = grantee_of(a, found);
	int err;

	grant_start(b, c, &who, ret);
	batch_add(b, NULL, &sql_identity_seat_use, NO_ARGS);
	batch_account_event(b, c, "account.loggedIn", who.account, a->user_agent);
	err = batch_run(b);

	return err ? err : grant_sign(c, session, ret);
}
