/* Verification, reset, change of email: see recovery.h. */
#include "identity/recovery.h"

#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "crypto/password.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_identity_mail.h"
#include "identity/account.h"
#include "identity/hash.h"
#include "identity/hot.h"
#include "identity/letters.h"
#include "net/mail.h"

static int refuse_without_mail(struct ctx *c)
{
	return mail_is_sent()
		       ? OK
		       : fail(c, ERR_SERVICE_UNAVAILABLE, NULL, "This installation sends no mail");
}

static int find_realm(struct ctx *c, const char *tenant, struct uuid *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct uuid id = { 0 };
	bool is_id = tenant && uuid_parse(str_of(tenant), &id);
	const struct rows *found;
	int err;

	batch_add(b, &found, &sql_identity_realm_asked,
		  ARGS(arg_text(is_id ? NULL : tenant), arg_uuid(id)));
	err = batch_run(b);
	if (err)
		return err;
	*ret = rows_get_uuid(found, "realm");

	return OK;
}

int recovery_ask(struct ctx *c, const char *letter, const struct mail_ask *in)
{
	struct letter_new asked = { .letter = letter, .email = in->email, .tenant = in->tenant };
	struct batch *b;
	int err;

	err = refuse_without_mail(c);
	if (!err)
		err = find_realm(c, in->tenant, &asked.realm);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	letters_add(b, c, &asked);

	return batch_run(b);
}

/* Runs what was added; then hot copies of these sessions say nothing that is true. */
static int run_and_drop(struct ctx *c, struct batch *b, const struct rows *const *sessions)
{
	int err = batch_run(b);

	if (err)
		return err;
	hot_drop(c, *sessions);

	return OK;
}

/* To whom the token was sent, which is not used up by it. */
static int find_token(struct ctx *c, const char *kind, const struct token_hash *hash,
		      const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	batch_add(b, ret, &sql_identity_token_find, ARGS(arg_text(kind), arg_hash(hash)));
	err = batch_run(b);
	if (err)
		return err;

	return rows_len(*ret) ? OK : fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, NULL);
}

/*
 * Verifying
 */

int recovery_verify_email(struct ctx *c, const struct token_given *in)
{
	const struct rows *found, *sessions;
	struct token_hash hash;
	struct batch *b;
	int err;

	token_hash(str_of(in->token), &hash);
	err = find_token(c, "emailVerification", &hash, &found);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_identity_token_redeem,
		  ARGS(arg_text("emailVerification"), arg_hash(&hash)));
	batch_add(b, NULL, &sql_identity_tokens_void, ARGS(arg_text("emailVerification")));
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);
	batch_account_event(b, c, "account.emailVerified", ACTING_ACCOUNT, NULL);
	if (config()->welcome_mail)
		letters_add(b, c,
			    &(struct letter_new){ .letter = "welcome",
						  .subject = rows_get_uuid(found, "account_id") });
	batch_add(b, &sessions, &sql_identity_sessions_living, NO_ARGS);

	return run_and_drop(c, b, &sessions);
}

/*
 * The password
 */

/* Reading the mail has also shown that the email is theirs. */
static int set_password(struct ctx *c, const struct token_hash *token, const struct rows *found,
			const char *password_hash)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *sessions;
	struct token_hash email;

	token_hash(str_of(rows_get_text(found, "email")), &email);
	batch_add(b, NULL, &sql_identity_token_redeem,
		  ARGS(arg_text("passwordReset"), arg_hash(token)));
	batch_add(b, NULL, &sql_identity_tokens_void, ARGS(arg_text("passwordReset")));
	batch_add(b, &sessions, &sql_identity_sessions_revoke,
		  ARGS(arg_bool(true), arg_text("password reset")));
	batch_add(b, NULL, &sql_identity_strangers_out, NO_ARGS);
	batch_add(b, NULL, &sql_identity_password_reset, ARGS(arg_text(password_hash)));
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);
	batch_add(b, NULL, &sql_identity_attempts_forget, ARGS(arg_hash(&email)));
	batch_account_event(b, c, "account.passwordReset", ACTING_ACCOUNT, NULL);
	letters_add(b, c,
		    &(struct letter_new){ .letter = "passwordChanged",
					  .subject = rows_get_uuid(found, "account_id") });

	return run_and_drop(c, b, &sessions);
}

int recovery_reset_password(struct ctx *c, const struct password_reset *in)
{
	char hash[PASSWORD_HASH_SIZE];
	const struct rows *found;
	struct token_hash token;
	int err;

	token_hash(str_of(in->token), &token);
	err = find_token(c, "passwordReset", &token, &found);
	if (!err)
		err = account_judge_password(c, "password", in->password,
					     rows_get_text(found, "email"));
	if (err)
		return err;
	password_hash(str_of(in->password), hash);

	return set_password(c, &token, found, hash);
}

/*
 * Another email
 */

static int ask_both(struct ctx *c, const struct email_change *in)
{
	static const char *const both[] = { "emailChangeOld", "emailChangeNew" };
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, NULL, &sql_identity_email_change_begin, ARGS(arg_text(in->email)));
	batch_account_event(b, c, "account.emailChangeAsked", ACTING_ACCOUNT, NULL);
	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		letters_add(b, c,
			    &(struct letter_new){ .letter = both[i],
						  .subject = c->actor.account.u,
						  .email = in->email });

	return batch_run(b);
}

int recovery_change_email(struct ctx *c, const struct email_change *in)
{
	const struct rows *account;
	int err;

	err = account_prove_password(c, "password", in->password, &account);
	if (!err)
		err = refuse_without_mail(c);
	if (err)
		return err;
	if (str_is(str_of(in->email), rows_get_text(account, "email")))
		return fail_issue(c, "email", "custom", "This is the email already");

	return ask_both(c, in);
}

/* Which of the two addresses the token was sent to. */
static int find_side(struct ctx *c, const struct token_hash *hash, const char **ret_kind)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *row;
	int err;

	batch_add(b, &row, &sql_identity_token_kind, ARGS(arg_hash(hash)));
	err = batch_run(b);
	if (err)
		return err;
	if (rows_len(row) == 0)
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, NULL);
	*ret_kind = rows_get_text(row, "kind");

	return OK;
}

/* The confirmation, and the change where it was the second one: in one transaction, held open to
 * look which it was. */
static int confirm(struct ctx *c, const char *kind, const struct token_hash *hash,
		   const struct rows **ret_changed, const struct rows **ret_sessions)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	batch_add(b, NULL, &sql_identity_token_redeem, ARGS(arg_text(kind), arg_hash(hash)));
	batch_add(b, NULL, &sql_identity_email_change_confirm, ARGS(arg_hash(hash)));
	batch_account_event(b, c, "account.emailChangeConfirmed", ACTING_ACCOUNT, NULL);
	batch_add(b, ret_changed, &sql_identity_email_change_make, NO_ARGS);
	batch_add(b, ret_sessions, &sql_identity_sessions_living, NO_ARGS);
	err = batch_run(b);
	if (err || rows_len(*ret_changed) == 0)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	batch_account_event(b, c, "account.emailChanged", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}

int recovery_confirm_email(struct ctx *c, const struct token_given *in, bool *ret_is_changed)
{
	const struct rows *changed, *sessions;
	struct token_hash hash;
	const char *kind = NULL;
	int err;

	token_hash(str_of(in->token), &hash);
	err = find_side(c, &hash, &kind);
	if (err)
		return err;

	err = db_begin(c, BATCH_IDENTITY);
	if (!err)
		err = confirm(c, kind, &hash, &changed, &sessions);
	if (!err)
		err = db_commit(c);
	if (err)
		return err;
	*ret_is_changed = rows_len(changed) > 0;
	hot_drop(c, sessions);

	return OK;
}
