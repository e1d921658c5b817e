/* The life of a session after log-in: see session.h. */
#include "identity/session.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "identity/hash.h"
#include "identity/hooks.h"
#include "identity/hot.h"

/*
 * Refreshing
 */

/* Whom the token belongs to, so that the log says it whatever comes. */
static struct grantee note_presenter(struct ctx *c, const struct rows *presented)
{
	c->actor.session.u = rows_get_uuid(presented, "id");
	c->actor.account.u = rows_get_uuid(presented, "account_id");

	return (struct grantee){
		.account = c->actor.account,
		.tenant = { rows_get_uuid(presented, "active_tenant_id") },
	};
}

/* The session is revoked already, by the statement that saw the token again. */
static int refuse_reuse(struct ctx *c, const struct rows *presented, const struct grantee *who)
{
	struct batch *b;
	int err;

	if (rows_get_bool(presented, "is_alive")) {
		hot_drop(c, presented);
		b = batch_new(c, BATCH_IDENTITY);
		grant_act_as(b, who, c->actor.session);
		batch_account_event(b, c, "account.tokenReused", ACTING_ACCOUNT, NULL);
		err = batch_run(b);
		if (err)
			return err;
	}

	return fail(c, ERR_AUTH_TOKEN_REUSED, NULL, NULL);
}

int session_refresh(struct ctx *c, const struct refresh *in, struct grant *ret)
{
	const struct config *conf = config();
	struct token_hash used, *next;
	const struct rows *presented;
	struct grantee who;
	struct batch *b;
	int err;

	*ret = (struct grant){ .refresh_token = grant_token(c, &next) };
	token_hash(str_of(in->token), &used);

	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, &presented, &sql_identity_refresh,
		  ARGS(arg_hash(&used), arg_hash(next), arg_int(conf->refresh_expires_us),
		       arg_int(conf->session_idle_us)));
	err = batch_run(b);
	if (err)
		return err;
	if (rows_len(presented) == 0)
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, NULL);

	who = note_presenter(c, presented);
	if (rows_get_bool(presented, "is_reused"))
		return refuse_reuse(c, presented, &who);
	if (!rows_get_bool(presented, "is_alive"))
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, NULL);

	b = batch_new(c, BATCH_IDENTITY);
	grant_act_as(b, &who, c->actor.session);
	grant_read(b, ret);
	hooks_add_claims(b, &ret->hooked);
	err = batch_run(b);

	return err ? err : grant_sign(c, c->actor.session, ret);
}

int session_switch_tenant(struct ctx *c, struct tenant_id t, struct grant *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *session;
	int err;

	*ret = (struct grant){ 0 };
	batch_add(b, &session, &sql_identity_switch_tenant, ARGS(arg_uuid(t.u)));
	batch_add(b, NULL, &sql_identity_seat_use, NO_ARGS);
	batch_account_event(b, c, "account.tenantSwitched", ACTING_ACCOUNT, NULL);
	grant_read(b, ret);
	hooks_add_claims(b, &ret->hooked);
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, session);

	return grant_sign(c, c->actor.session, ret);
}

/*
 * Listing and ending
 */

int session_list(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_identity_sessions, NO_ARGS);

	return batch_run(b);
}

/* Ends what the statement names, with its event; then no copy of it is believed. */
static int end_sessions(struct ctx *c, const struct sql *statement, struct args args,
			const char *event)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *ended;
	int err;

	batch_add(b, &ended, statement, args);
	batch_account_event(b, c, event, ACTING_ACCOUNT, NULL);
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, ended);

	return OK;
}

int session_revoke(struct ctx *c, struct session_id id)
{
	return end_sessions(c, &sql_identity_session_revoke,
			    ARGS(arg_uuid(id.u), arg_text("revoked")), "account.sessionRevoked");
}

int session_log_out(struct ctx *c)
{
	return end_sessions(c, &sql_identity_session_revoke, ARGS(arg_null(), arg_text("log-out")),
			    "account.loggedOut");
}

int session_log_out_all(struct ctx *c)
{
	return end_sessions(c, &sql_identity_sessions_revoke,
			    ARGS(arg_bool(true), arg_text("log-out of all")), "account.loggedOut");
}
