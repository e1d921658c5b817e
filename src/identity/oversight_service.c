/* The platform's people and accounts: see oversight.h. */
#include "identity/oversight.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "db/page.h"
#include "events/event.h"
#include "gen/sql_oversight.h"
#include "identity/hash.h"
#include "identity/hooks.h"
#include "identity/hot.h"

#define DATA_BYTES_MAX KIB(8)

int oversight_accounts(struct ctx *c, const struct account_filter *f, const struct paging *p,
		       const struct page **ret)
{
	return page_run(c, &sql_oversight_accounts_list,
			ARGS(arg_contains(c, f->search), arg_text(f->status)), p, ret);
}

int oversight_account(struct ctx *c, struct account_id a, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_oversight_accounts_get, ARGS(arg_uuid(a.u)));

	return batch_run(b);
}

int oversight_events(struct ctx *c, struct account_id a, const struct paging *p,
		     const struct page **ret)
{
	return page_run(c, &sql_oversight_events, ARGS(arg_uuid(a.u)), p, ret);
}

/* A change of the account, and the end of its sessions where `why` says one; then no copy of them
 * is believed. change may be NULL. */
static int act(struct ctx *c, struct account_id a, const struct sql *change, const char *why,
	       const char *event, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *ended = NULL, *account;
	int err;

	if (change)
		batch_add(b, NULL, change, ARGS(arg_uuid(a.u), arg_if_match(c)));
	if (why)
		batch_add(b, &ended, &sql_oversight_sessions_revoke,
			  ARGS(arg_uuid(a.u), arg_text(why)));
	batch_account_event(b, c, event, a, NULL);
	batch_add(b, ret ? ret : &account, &sql_oversight_accounts_get, ARGS(arg_uuid(a.u)));
	err = batch_run(b);
	if (!err && ended)
		hot_drop(c, ended);

	return err;
}

int oversight_lock(struct ctx *c, struct account_id a, const struct rows **ret)
{
	return act(c, a, &sql_oversight_lock, "locked", "account.locked", ret);
}

int oversight_unlock(struct ctx *c, struct account_id a, const struct rows **ret)
{
	return act(c, a, &sql_oversight_unlock, NULL, "account.unlocked", ret);
}

int oversight_require_reset(struct ctx *c, struct account_id a, const struct rows **ret)
{
	return act(c, a, &sql_oversight_require_reset, "reset required", "account.resetRequired",
		   ret);
}

int oversight_revoke_sessions(struct ctx *c, struct account_id a)
{
	return act(c, a, NULL, "revoked by the platform", "account.sessionsRevoked", NULL);
}

int oversight_admins(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_oversight_admins, NO_ARGS);

	return batch_run(b);
}

int oversight_set_admin(struct ctx *c, const char *whom, bool is_admin, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *found;
	struct account_id a;
	int err;

	batch_add(b, &found, &sql_oversight_account_meant, ARGS(arg_text(whom)));
	err = batch_run(b);
	if (err)
		return err;

	a.u = rows_get_uuid(found, "id");
	if (is_admin)
		return act(c, a, &sql_oversight_admin_grant, NULL, "account.adminGranted", ret);

	return act(c, a, &sql_oversight_admin_revoke, "no global admin any more",
		   "account.adminRevoked", ret);
}

static const char *data_of(struct ctx *c, const struct impersonation *in)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, DATA_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "reason", in->reason);
	jsonwrite_member_i64(&w, "minutes", in->minutes);
	jsonwrite_object_end(&w);

	return out.data;
}

int oversight_impersonate(struct ctx *c, const struct impersonation *in, const char *user_agent,
			  struct grant *ret)
{
	struct session_id session = { uuid_v7() };
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int64_t lifetime_s = in->minutes * 60;
	struct token_hash *hash = NULL;
	int err;

	*ret = (struct grant){ .expires_in_s = lifetime_s };
	if (in->as_cookie) {
		ret->cookie = grant_token(c, &hash);
		ret->cookie_max_age_s = lifetime_s;
	}

	batch_add(b, NULL, &sql_oversight_impersonate,
		  ARGS(arg_uuid(session.u), arg_uuid(in->tenant.u), arg_uuid(in->user.u),
		       arg_hash(hash), arg_text(user_agent), arg_text(c->actor.ip),
		       arg_int(lifetime_s * US_PER_S), arg_text(in->reason)));
	batch_add(b, NULL, &sql_oversight_act_as, ARGS(arg_uuid(session.u), arg_uuid(in->user.u)));
	batch_event(b, c, "impersonation.started", in->user.u, data_of(c, in));
	batch_account_event(b, c, "account.impersonated", ACTING_ACCOUNT, user_agent);
	grant_read(b, ret);
	hooks_add_claims(b, &ret->hooked);
	err = batch_run(b);
	if (err)
		return err;
	ret->impersonator = c->actor.account;

	return grant_sign(c, session, ret);
}
