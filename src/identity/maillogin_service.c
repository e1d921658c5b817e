/*
 * Links and codes that log in: see maillogin.h.
 *
 * A code can be guessed, one in a million: there is one at a time, it lives for minutes, and wrong
 * ones are attempts to log in, of which some fourteen are looked at in ten minutes (login_delay()
 * in sql/migrations/0001). A link cannot, so it is not an attempt: whoever locks an account out by
 * guessing passwords does not lock it out of its mail.
 */
#include "identity/maillogin.h"

#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "gen/sql_identity_mail.h"
#include "identity/attempt.h"
#include "identity/hash.h"
#include "identity/hot.h"
#include "identity/letters.h"
#include "identity/recovery.h"

static int refuse_when_off(struct ctx *c, bool is_on)
{
	return is_on ? OK
		     : fail(c, ERR_RULE_VIOLATED, NULL, "Logging in this way is not offered here");
}

int maillogin_ask_link(struct ctx *c, const struct mail_ask *in)
{
	int err;

	err = refuse_when_off(c, config()->magic_link);

	return err ? err : recovery_ask(c, "magicLink", in);
}

int maillogin_ask_code(struct ctx *c, const struct mail_ask *in)
{
	int err;

	err = refuse_when_off(c, config()->email_otp);

	return err ? err : recovery_ask(c, "emailCode", in);
}

/* To whom a living token of the kind was sent; no row: there is none. */
static int find_token(struct ctx *c, const char *kind, const struct token_hash *hash,
		      const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_identity_token_find, ARGS(arg_text(kind), arg_hash(hash)));

	return batch_run(b);
}

/* The token is used in the transaction that grants the session: of two at once, one gets it. */
static int grant_for(struct ctx *c, const char *kind, const struct token_hash *hash,
		     const struct attempt *a, const struct rows *found, struct grant *ret)
{
	struct session_id session;
	struct batch *b = attempt_succeed(c, a, found, &session);
	const struct rows *ended;
	int err;

	batch_add(b, NULL, &sql_identity_token_redeem, ARGS(arg_text(kind), arg_hash(hash)));
	batch_add(b, NULL, &sql_identity_tokens_void, ARGS(arg_text(kind)));
	batch_add(b, &ended, &sql_identity_strangers_out, NO_ARGS);
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);
	err = attempt_grant(b, c, a, found, session, ret);
	if (err)
		return err;
	hot_drop(c, ended);

	return OK;
}

int maillogin_by_link(struct ctx *c, const struct link_given *in, const char *user_agent,
		      struct grant *ret)
{
	const struct rows *sent, *found;
	struct token_hash hash;
	struct attempt a;
	int err;

	err = refuse_when_off(c, config()->magic_link);
	if (err)
		return err;
	token_hash(str_of(in->token), &hash);
	err = find_token(c, "magicLink", &hash, &sent);
	if (err)
		return err;
	if (rows_len(sent) == 0)
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, NULL);

	a = attempt_of(rows_get_text(sent, "email"), in->tenant, user_agent);
	err = attempt_find(c, &a, &found);
	if (err)
		return err;
	if (!uuid_eq(rows_get_uuid(sent, "account_id"), rows_get_uuid(found, "account_id")) ||
	    attempt_is_misplaced(&a, found))
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, NULL);

	return grant_for(c, "magicLink", &hash, &a, found, ret);
}

int maillogin_by_code(struct ctx *c, const struct code_given *in, const char *user_agent,
		      struct grant *ret)
{
	struct attempt a = attempt_of(in->email, in->tenant, user_agent);
	const struct rows *sent, *found;
	struct token_hash hash;
	int err;

	err = refuse_when_off(c, config()->email_otp);
	if (!err)
		err = attempt_begin(c, &a, &found);
	if (err)
		return err;

	letter_code_hash((struct account_id){ rows_get_uuid(found, "account_id") }, in->code,
			 &hash);
	err = find_token(c, "emailCode", &hash, &sent);
	if (err)
		return err;
	if (rows_len(sent) == 0 || attempt_is_misplaced(&a, found))
		return attempt_refuse(c, &a, found);

	return grant_for(c, "emailCode", &hash, &a, found, ret);
}
