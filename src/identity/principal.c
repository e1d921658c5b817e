/*
 * Which credential each tier takes, how it becomes an entry for db/batch.h, and what is done about
 * it after the reply.
 */
#include "identity/principal.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "cache/hotcopy.h"
#include "crypto/jws.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "http/permissions.h"
#include "http/request.h"
#include "http/route.h"
#include "identity/hot.h"
#include "identity/keys.h"
#include "identity/known_cookies.h"

/* What a credential says before the database has been asked. */
struct proof {
	struct session_id session;       /* of a token; nil for a cookie */
	const struct token_hash *cookie; /* NULL for a token */
	struct tenant_id tenant;         /* the token's; nil for a cookie: the session's own */
};

/* Of the request that is served: what on_enter() and after() need beside the ctx. */
static struct {
	const struct token_hash *cookie; /* in the request's arena; NULL: it has none */
	struct session_id stale;         /* its last use is to be noted; nil: not now */
} now;

/*
 * From the header to the proof
 */

static bool verify(struct arena *a, struct str token, struct claims *ret)
{
	bool is_expired;

	keys_refresh(KEYS_AGE_VERIFY_US);
	if (jws_verify(a, token, ret, &is_expired))
		return true;
	if (is_expired || jws_has_kid(a, token))
		return false;

	keys_refresh(
		KEYS_AGE_UNKNOWN_US); /* it may be signed by a key that is newer than our set */

	return jws_verify(a, token, ret, &is_expired);
}

static int take_token(struct request *r, const char *authorization, struct proof *ret)
{
	struct ctx *c = r->ctx;
	struct str token = bearer_token(authorization);
	struct claims claims;

	if (!token.ptr)
		return fail(c, ERR_AUTH_UNAUTHORIZED, NULL,
			    "Missing or invalid authorization header");
	if (!verify(c->arena, token, &claims) || uuid_is_nil(claims.session.u))
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, "Invalid or expired token");

	*ret = (struct proof){ .session = claims.session, .tenant = claims.tenant };
	c->actor.kind = ACTOR_TOKEN;
	c->actor.account = claims.account;
	c->actor.session = claims.session;

	return OK;
}

static int take_cookie(struct request *r, struct str cookie, struct proof *ret)
{
	struct ctx *c = r->ctx;
	struct token_hash *hash = arena_make(c->arena, struct token_hash);

	if (cookie.len == 0)
		return fail(c, ERR_AUTH_UNAUTHORIZED, NULL, "Authentication required");
	if (cookie.len != TOKEN_TEXT_SIZE - 1)
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, "Invalid or expired token");

	token_hash(cookie, hash);
	*ret = (struct proof){ .cookie = hash };
	c->actor.kind = ACTOR_SESSION;
	(void)known_cookie_find(hash, &c->actor.session, &c->actor.account);

	return OK;
}

/* The tier decides which credential is looked at; where both may come, the token wins. */
static int take_credential(struct request *r, struct proof *ret)
{
	const char *authorization = request_header(r, "AUTHORIZATION");

	switch (r->tier) {
	case TIER_API: return take_token(r, authorization, ret);
	case TIER_AUTH:
		if (authorization)
			return take_token(r, authorization, ret);
		return take_cookie(r, request_cookie(r, SESSION_COOKIE), ret);
	case TIER_ADMIN:
	case TIER_SUPER: return take_cookie(r, request_cookie(r, SESSION_COOKIE), ret);
	case TIER_SYSTEM: break;
	}

	BUG("this tier takes no credential"); /* the check of rows at start sees to that */
}

/*
 * From the proof to the entry
 */

static int on_enter(struct ctx *c, const struct rows *row)
{
	struct actor *a = &c->actor;

	a->session.u = rows_get_uuid(row, "session_id");
	a->account.u = rows_get_uuid(row, "account_id");
	a->tenant.u = rows_get_uuid(row, "tenant_id");
	a->user.u = rows_get_uuid(row, "user_id");
	a->is_global_admin = rows_get_bool(row, "is_global_admin");

	if (now.cookie)
		known_cookie_note(now.cookie, a->session, a->account);
	if (rows_get_bool(row, "is_stale"))
		now.stale = a->session;

	return OK;
}

static const char *need_of(enum perm p)
{
	if (p == PERM_ACCOUNT)
		return "account";

	return p == PERM_GLOBAL_ADMIN ? "global_admin" : "member";
}

/* X-Tenant-ID, or nil. */
static int named_tenant(struct request *r, struct tenant_id *ret)
{
	const char *header = request_header(r, "X_TENANT_ID");

	*ret = (struct tenant_id){ 0 };
	if (header && !uuid_parse(str_of(header), &ret->u))
		return fail_issue(r->ctx, "X-Tenant-ID", "invalid_string", "Invalid uuid");

	return OK;
}

static int make_entry(struct request *r, const struct proof *p)
{
	struct ctx *c = r->ctx;
	const struct route *route = r->route;
	struct entry *e = arena_make(c->arena, struct entry);
	struct arg *args = arena_make_n(c->arena, struct arg, 6);
	struct tenant_id named;
	bool is_named;
	int err;

	err = named_tenant(r, &named);
	if (err)
		return err;
	is_named = !uuid_is_nil(named.u);

	args[0] = arg_uuid(p->session.u);
	args[1] = p->cookie ? arg_bytes(p->cookie->bytes, sizeof(p->cookie->bytes)) : arg_null();
	args[2] = arg_uuid(is_named ? named.u : p->tenant.u);
	args[3] = arg_bool(is_named);
	args[4] = arg_text(need_of(route->perm));
	args[5] = arg_text(permissions[route->perm].name);

	*e = (struct entry){
		.statement = &sql_identity_enter,
		.args = { args, 6 },
		.on_enter = on_enter,
		.replica_ok = (route->flags & ROUTE_REPLICA) != 0,
	};
	c->entry = e;
	c->actor.tenant = is_named ? named : p->tenant;

	return OK;
}

/*
 * For the stages
 */

static int authenticate(struct request *r, const char **ret_session_key)
{
	struct arena *a = r->ctx->arena;
	struct proof p = { 0 };
	int err;

	err = take_credential(r, &p);
	if (err)
		return err;

	now.cookie = p.cookie;
	now.stale = (struct session_id){ 0 };
	if (r->route->flags & ROUTE_HOT)
		*ret_session_key = p.cookie ? hot_key_of_cookie(a, p.cookie)
					    : hot_key_of_session(a, p.session);

	return make_entry(r, &p);
}

void principal_keep(struct ctx *c, const struct hot *h)
{
	const char *key = now.cookie ? hot_key_of_cookie(c->arena, now.cookie)
				     : hot_key_of_session(c->arena, h->session);

	hotcopy_put(c, key, hot_write(c->arena, h));
}

/* Without a copy the handler's own transaction proves the session, as it does everywhere else. */
static int confirm(struct request *r)
{
	struct actor *a = &r->ctx->actor;
	struct hot h;

	if (!(r->route->flags & ROUTE_HOT))
		return OK;
	if (!hot_read(r->hot, &h) ||
	    (!uuid_is_nil(a->session.u) && !uuid_eq(a->session.u, h.session.u))) {
		r->hot = (struct str){ NULL, 0 };
		return OK;
	}

	a->session = h.session;
	a->account = h.account;
	r->hot = h.me;
	r->ctx->entered = r->ctx->entry;

	return OK;
}

/*
 * Notes that the session is in use, in a transaction of its own: reads stay read only, and nobody
 * waits for it. What fails is noted after the next request.
 */
static int touch_session(struct ctx *c)
{
	struct batch *b;

	if (uuid_is_nil(now.stale.u))
		return OK;

	c->entry = NULL;
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_identity_session_touch,
		  ARGS(arg_uuid(now.stale.u), arg_int(config()->session_idle_us)));

	return batch_run(b);
}

static void after(struct request *r)
{
	(void)touch_session(r->ctx);
	now.cookie = NULL;
	now.stale = (struct session_id){ 0 };

	keys_refresh(KEYS_AGE_US);
}

const struct auth identity_auth = {
	.authenticate = authenticate,
	.confirm = confirm,
	.after = after,
};

int identity_worker_init(void)
{
	return keys_init();
}
