/*
 * Logging in with a password: see account.h.
 *
 * Neither answer nor time tells whether an email has an account: the same statements run and one
 * Argon2id is computed either way, and attempts are counted by the hash of what was typed. An
 * attempt counts as failed before the password is looked at, so that many at once count too.
 */
#include "identity/account.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "crypto/password.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"

/* What the log-in is about, as parameters. */
struct attempt {
	const struct log_in *in;
	struct token_hash email_hash;
	struct uuid tenant_id;   /* nil: not named, or named by slug */
	const char *tenant_slug; /* NULL: not named, or named by id */
	const char *user_agent;
};

static struct arg arg_email_hash(const struct attempt *a)
{
	return arg_bytes(a->email_hash.bytes, sizeof(a->email_hash.bytes));
}

static void read_attempt(const struct log_in *in, const char *user_agent, struct attempt *ret)
{
	*ret = (struct attempt){ .in = in, .user_agent = user_agent };
	token_hash(str_of(in->email), &ret->email_hash);
	if (in->tenant && !uuid_parse(str_of(in->tenant), &ret->tenant_id))
		ret->tenant_slug = in->tenant;
}

/* Counts the attempt and looks up what it needs; ERR_RATE_LIMIT_EXCEEDED when it is not its turn.
 */
static int begin(struct ctx *c, const struct attempt *a, const struct rows **ret_found)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *counted;
	int err;

	batch_add(b, &counted, &sql_identity_login_attempt,
		  ARGS(arg_email_hash(a), arg_text(a->tenant_slug), arg_uuid(a->tenant_id)));
	batch_add(b, ret_found, &sql_identity_login_find,
		  ARGS(arg_text(a->in->email), arg_email_hash(a), arg_text(a->tenant_slug),
		       arg_uuid(a->tenant_id)));
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

static int refuse(struct ctx *c, const struct attempt *a, const struct rows *found)
{
	struct account_id account = { rows_get_uuid(found, "account_id") };
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	batch_add(b, NULL, &sql_identity_login_refused,
		  ARGS(arg_uuid(rows_get_uuid(found, "realm_id")), arg_email_hash(a)));
	batch_account_event(b, c, "account.loginRefused", account, a->user_agent);
	err = batch_run(b);

	return err ? err : fail(c, ERR_AUTH_INVALID_CREDENTIALS, NULL, NULL);
}

/* The password was right: `compared` is its hash. */
static int succeed(struct ctx *c, const struct attempt *a, const struct rows *found,
		   const char *compared, struct grant *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct session_id session = { uuid_v7() };
	char anew[PASSWORD_HASH_SIZE];
	bool is_outdated = password_is_outdated(compared);
	struct grantee who = {
		.account = { rows_get_uuid(found, "account_id") },
		.tenant = { rows_get_uuid(found, "tenant_id") },
		.user = { rows_get_uuid(found, "user_id") },
		.user_agent = a->user_agent,
	};
	int err;

	if (is_outdated)
		password_hash(str_of(a->in->password), anew);

	grant_act_as(b, &who, session);
	batch_add(b, NULL, &sql_identity_login_forget,
		  ARGS(arg_uuid(rows_get_uuid(found, "realm_id")), arg_email_hash(a)));
	batch_add(b, NULL, &sql_identity_login_note,
		  ARGS(arg_text(compared), arg_text(is_outdated ? anew : NULL)));
	grant_start(b, c, &who, ret);
	batch_add(b, NULL, &sql_identity_seat_use, NO_ARGS);
	batch_account_event(b, c, "account.loggedIn", who.account, a->user_agent);
	err = batch_run(b);

	return err ? err : grant_sign(c, session, ret);
}

int account_log_in(struct ctx *c, const struct log_in *in, const char *user_agent,
		   struct grant *ret)
{
	const struct rows *found;
	const char *hash;
	struct attempt a;
	bool is_right;
	int err;

	read_attempt(in, user_agent, &a);
	err = begin(c, &a, &found);
	if (err)
		return err;

	hash = rows_get_text(found, "password_hash");
	is_right = password_verify(str_of(in->password), hash);
	if (in->tenant && uuid_is_nil(rows_get_uuid(found, "tenant_id")))
		is_right = false;

	return is_right ? succeed(c, &a, found, hash, ret) : refuse(c, &a, found);
}
