/* Accepting invitations: see invite.h. */
#include "identity/invite.h"

#include "base/ctx.h"
#include "base/str.h"
#include "crypto/password.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_identity_mail.h"
#include "identity/account.h"
#include "identity/attempt.h"
#include "identity/hash.h"
#include "identity/hooks.h"

static struct token_hash hash_of(const char *token)
{
	struct token_hash hash;

	token_hash(str_of(token), &hash);

	return hash;
}

int invite_find(struct ctx *c, const struct token_hash *token, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_identity_invitation_find, ARGS(arg_hash(token)));

	return batch_run(b);
}

int invite_show(struct ctx *c, const char *token, const struct rows **ret)
{
	struct token_hash hash = hash_of(token);

	return invite_find(c, &hash, ret);
}

void invite_add_seat(struct batch *b, struct ctx *c, const struct token_hash *token,
		     const struct rows *found)
{
	batch_add(b, NULL, &sql_identity_invitation_take, ARGS(arg_hash(token)));
	batch_add(b, NULL, &sql_identity_invitation_seat, NO_ARGS);
	batch_event(b, c, "user.joined", rows_get_uuid(found, "user_id"), NULL);
}

int invite_join(struct ctx *c, const char *token, const struct rows **ret)
{
	struct token_hash hash = hash_of(token);
	const struct rows *found;
	struct batch *b;
	int err;

	err = invite_find(c, &hash, &found);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	invite_add_seat(b, c, &hash, found);
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);
	batch_add(b, ret, &sql_identity_me_tenants,
		  ARGS(arg_uuid(rows_get_uuid(found, "tenant_id"))));

	return batch_run(b);
}

/* The realm's account with the email proves itself as at any log-in. */
static int accept_by_password(struct ctx *c, const struct token_hash *token,
			      const struct rows *invitation, const char *password,
			      const char *user_agent, struct grant *ret)
{
	struct attempt a = attempt_of(rows_get_text(invitation, "email"), NULL, user_agent);
	struct session_id session;
	const struct rows *found;
	const char *hash;
	struct batch *b;
	int err;

	a.tenant_id = rows_get_uuid(invitation, "login_tenant_id");
	err = attempt_begin(c, &a, &found);
	if (err)
		return err;
	hash = rows_get_text(found, "password_hash");
	if (!password_verify(str_of(password), hash))
		return attempt_refuse(c, &a, found);

	b = attempt_succeed(c, &a, found, &session);
	batch_add(b, NULL, &sql_identity_login_note, ARGS(arg_text(hash), arg_null()));
	invite_add_seat(b, c, token, invitation);
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);

	return attempt_grant(b, c, &a, found, session, ret);
}

static int accept_as_new(struct ctx *c, const struct token_hash *token,
			 const struct rows *invitation, const struct invite_accept *in,
			 const char *user_agent, struct grant *ret)
{
	struct grantee who = { .account = { uuid_v7() }, .user_agent = user_agent };
	struct session_id session = { uuid_v7() };
	const char *email = rows_get_text(invitation, "email");
	char hash[PASSWORD_HASH_SIZE];
	struct batch *b;
	int err;

	err = account_judge_password(c, "password", in->password, email);
	if (err)
		return err;
	password_hash(str_of(in->password), hash);

	b = batch_new(c, BATCH_IDENTITY);
	grant_act_as(b, &who, session);
	batch_add(b, NULL, &sql_identity_account_create_invited,
		  ARGS(arg_uuid(who.account.u), arg_uuid(rows_get_uuid(invitation, "realm_id")),
		       arg_text(email), arg_text(hash), arg_text(in->first_name),
		       arg_text(in->last_name)));
	invite_add_seat(b, c, token, invitation);
	hooks_add_after_sign_up(b);
	batch_account_event(b, c, "account.created", ACTING_ACCOUNT, user_agent);
	grant_start(b, c, &who, ret);
	err = batch_run(b);

	return err ? err : grant_sign(c, session, ret);
}

int invite_accept(struct ctx *c, const char *token, const struct invite_accept *in,
		  const char *user_agent, struct grant *ret)
{
	struct token_hash hash = hash_of(token);
	const struct rows *found;
	int err;

	err = invite_find(c, &hash, &found);
	if (err)
		return err;
	if (rows_get_bool(found, "hasAccount"))
		return accept_by_password(c, &hash, found, in->password, user_agent, ret);

	return accept_as_new(c, &hash, found, in, user_agent, ret);
}

int invite_sign_up(struct ctx *c, const struct sign_up *in, const char *user_agent,
		   struct grant *ret)
{
	struct token_hash hash = hash_of(in->invite_token);
	const struct invite_accept who = { in->password, in->first_name, in->last_name };
	const struct rows *found;
	int err;

	err = invite_find(c, &hash, &found);
	if (err)
		return err;
	if (!str_is(str_of(in->email), rows_get_text(found, "email")))
		return fail_issue(c, "email", "custom", "The invitation is for another email");

	return accept_as_new(c, &hash, found, &who, user_agent, ret);
}
