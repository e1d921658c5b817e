/* What an account says and changes about itself: see account.h. Signing up is signup.c. */
#include "identity/account.h"

#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "crypto/breached.h"
#include "crypto/password.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_mfa.h"
#include "identity/founding.h"
#include "identity/hot.h"
#include "identity/letters.h"

const struct conflict account_conflicts[] = {
	{ "accounts_realm_id_email_key", ERR_RESOURCE_CONFLICT, "email",
	  "This email cannot be used" },
	{ "users_tenant_id_account_id_key", ERR_RESOURCE_CONFLICT, NULL,
	  "This account has a seat in the tenant" },
	{ "roles_tenant_id_key_key", ERR_RESOURCE_CONFLICT, "key", "A role with this key exists" },
	{ 0 },
};

int account_judge_password(struct ctx *c, const char *path, const char *password, const char *email)
{
	const char *why = password_refused(str_of(password), email);
	const char *folder = config()->breached_passwords;

	if (!why && folder && password_is_breached(folder, str_of(password)))
		why = "Password was in a leak of another service: choose one that nobody has seen";

	return why ? fail_issue(c, path, "custom", why) : OK;
}

/*
 * The account that acts
 */

int account_me(struct ctx *c, struct me *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *ends;
	int err;

	*ret = (struct me){ 0 };
	grant_read(b, &ret->said);
	batch_add(b, &ends, &sql_identity_me_ends, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;
	ret->ends_at_us = rows_get_time(ends, "ends_at");

	return OK;
}

int account_tenants(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_identity_me_tenants, ARGS(arg_null()));

	return batch_run(b);
}

int account_found_tenant(struct ctx *c, const struct tenant_new *in, const struct rows **ret)
{
	struct founding founding = {
		.tenant = { uuid_v7() },
		.owner = { uuid_v7() },
		.name = in->name,
	};
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, NULL, &sql_identity_account_lock, NO_ARGS);
	batch_add(b, NULL, &sql_identity_tenants_keep_within,
		  ARGS(arg_int(config()->account_tenants_max)));
	batch_add(b, NULL, &sql_identity_act_in,
		  ARGS(arg_uuid(founding.tenant.u), arg_uuid(founding.owner.u)));
	founding_add(b, c, &founding);
	batch_add(b, ret, &sql_identity_me_tenants, ARGS(arg_uuid(founding.tenant.u)));

	return batch_run(b);
}

int account_update(struct ctx *c, const struct account_patch *in, struct grant *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *sessions;
	int err;

	*ret = (struct grant){ 0 };
	batch_add(b, NULL, &sql_identity_account_update,
		  ARGS(arg_bool(in->has_first_name), arg_text(in->first_name),
		       arg_bool(in->has_last_name), arg_text(in->last_name)));
	batch_account_event(b, c, "account.updated", ACTING_ACCOUNT, NULL);
	grant_read(b, ret);
	batch_add(b, &sessions, &sql_identity_sessions_living, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, sessions);

	return OK;
}

/*
 * The password
 */

static int refuse_password(struct ctx *c, const char *path)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	batch_add(b, NULL, &sql_mfa_refused, NO_ARGS);
	err = batch_run(b);

	return err ? err
		   : fail(c, ERR_AUTH_INVALID_CREDENTIALS, path,
			  "The current password is not this");
}

int account_prove_password(struct ctx *c, const char *path, const char *password,
			   const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *counted;
	int err;

	batch_add(b, &counted, &sql_mfa_attempt, NO_ARGS);
	batch_add(b, ret, &sql_identity_password, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;
	if (rows_len(counted) == 0) {
		err = fail(c, ERR_RATE_LIMIT_EXCEEDED, path, "Too many attempts at the password");
		c->fault.retry_after_s = rows_get_int(*ret, "locked_s");
		return err;
	}
	if (!password_verify(str_of(password), rows_get_text(*ret, "password_hash")))
		return refuse_password(c, path);

	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_mfa_forget, NO_ARGS);

	return batch_run(b);
}

int account_confirm_password(struct ctx *c, const struct password_given *in)
{
	const struct rows *account;
	struct batch *b;
	int err;

	err = account_prove_password(c, "password", in->password, &account);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_identity_password_confirmed, NO_ARGS);

	return batch_run(b);
}

/* The change, under the condition that the password is still the one that was compared. */
static int set_password(struct ctx *c, const char *hash, const char *compared)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *revoked;
	int err;

	batch_add(b, NULL, &sql_identity_password_set, ARGS(arg_text(hash), arg_text(compared)));
	batch_add(b, &revoked, &sql_identity_sessions_revoke,
		  ARGS(arg_bool(false), arg_text("password changed")));
	batch_account_event(b, c, "account.passwordChanged", ACTING_ACCOUNT, NULL);
	letters_add(
		b, c,
		&(struct letter_new){ .letter = "passwordChanged", .subject = c->actor.account.u });
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, revoked);

	return OK;
}

int account_change_password(struct ctx *c, const struct password_change *in)
{
	const struct rows *account;
	char hash[PASSWORD_HASH_SIZE];
	int err;

	err = account_prove_password(c, "currentPassword", in->current, &account);
	if (!err)
		err = account_judge_password(c, "newPassword", in->new,
					     rows_get_text(account, "email"));
	if (err)
		return err;
	password_hash(str_of(in->new), hash);

	return set_password(c, hash, rows_get_text(account, "password_hash"));
}
