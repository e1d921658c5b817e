/*
 * Which credential each tier takes, how it becomes an entry for db/batch.h, and what is done about
 * it after the reply.
 */
#include "identity/principal.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "cache/hotcopy.h"
#include "crypto/apikey.h"
#include "crypto/jws.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "http/permissions.h"
#include "http/request.h"
#include "http/route.h"
#include "identity/entry.h"
#include "identity/hash.h"
#include "identity/hot.h"
#include "identity/keys.h"
#include "identity/known.h"
#include "identity/refusal.h"

/* What a credential says before the database has been asked. */
struct proof {
	struct session_id session;        /* of a token; else nil */
	const struct token_hash *cookie;  /* NULL for others */
	const struct token_hash *api_key; /* the same */
	struct tenant_id tenant;          /* the token's; nil: the session's own, the key's */
};

/* Of the request that is served: what on_enter() and after() need beside the ctx. */
static struct served {
	const struct token_hash *cookie; /* in the request's arena; NULL: it has none */
	struct session_id stale;         /* its last use is to be noted; nil: not now */
	const struct token_hash *api_key;
	bool is_key_stale; /* its last use is to be noted */
} now;

/*
 * From the header to the proof
 */

static int take_token(struct request *r, const char *authorization, struct proof *ret)
{
	struct ctx *c = r->ctx;
	struct str token = bearer_token(authorization);
	struct claims claims;

	if (!token.ptr)
		return fail(c, ERR_AUTH_UNAUTHORIZED, NULL,
			    "Missing or invalid authorization header");
	if (!keys_verify(c->arena, token, &claims) || uuid_is_nil(claims.session.u))
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
	struct known whose;

	if (cookie.len == 0)
		return fail(c, ERR_AUTH_UNAUTHORIZED, NULL, "Authentication required");
	if (cookie.len != TOKEN_TEXT_SIZE - 1)
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, "Invalid or expired token");

	token_hash(cookie, hash);
	*ret = (struct proof){ .cookie = hash };
	c->actor.kind = ACTOR_SESSION;
	if (known_find(hash, &whose)) {
		c->actor.session.u = whose.id;
		c->actor.account = whose.account;
	}

	return OK;
}

/* Found by what its hash was under JWT_SECRET_PREVIOUS: from now on it is found by the present one.
 */
static int adopt_key(struct ctx *c, const struct rows *key, const struct token_hash *hash,
		     const struct token_hash *before)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct token_hash mark;

	token_mark(&mark);
	batch_add(b, NULL, &sql_identity_key_lock, ARGS(arg_uuid(rows_get_uuid(key, "id"))));
	batch_add(b, NULL, &sql_identity_key_adopt,
		  ARGS(arg_hash(hash), arg_hash(before), arg_hash(&mark)));

	return batch_run(b);
}

/* Before this process has seen a key, its own limit is asked for: one round trip more, once. */
static int find_key(struct ctx *c, struct str text, const struct token_hash *hash,
		    struct known *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct token_hash before;
	bool has_before = token_hash_before(text, &before);
	const struct rows *row;
	int err;

	batch_add(b, &row, &sql_identity_key_find,
		  ARGS(arg_hash(hash), arg_hash(has_before ? &before : NULL)));
	err = batch_run(b);
	if (err)
		return err;
	if (!rows_len(row))
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, "Invalid or expired API key");
	if (!rows_get_bool(row, "is_current")) {
		err = adopt_key(c, row, hash, &before);
		if (err)
			return err;
	}

	*ret = (struct known){ .id = rows_get_uuid(row, "id"),
			       .account = { rows_get_uuid(row, "account_id") },
			       .rate_limit = rows_get_int(row, "rate_limit") };
	known_note(hash, ret);

	return OK;
}

/* One that was mistyped, or cut off in a log, is not looked up at all. */
static int take_api_key(struct request *r, struct str text, struct proof *ret)
{
	struct ctx *c = r->ctx;
	struct token_hash *hash = arena_make(c->arena, struct token_hash);
	struct known whose;
	int err;

	if (!apikey_is_whole(text))
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, "Invalid or expired API key");

	token_hash(text, hash);
	if (!known_find(hash, &whose)) {
		err = find_key(c, text, hash, &whose);
		if (err)
			return err;
	}

	*ret = (struct proof){ .api_key = hash };
	c->actor.kind = ACTOR_API_KEY;
	c->actor.api_key.u = whose.id;
	c->actor.account = whose.account;
	c->actor.rate_limit = whose.rate_limit;

	return OK;
}

/* What programs call with: an API key, or else an access token. */
static int take_key_or_token(struct request *r, const char *authorization, struct proof *ret)
{
	struct str key = api_key_text(authorization, request_header(r, "X_API_KEY"));

	return key.ptr ? take_api_key(r, key, ret) : take_token(r, authorization, ret);
}

/* The tier decides which credential is looked at; where both may come, the token wins. */
static int take_credential(struct request *r, struct proof *ret)
{
	const char *authorization = request_header(r, "AUTHORIZATION");

	switch (r->tier) {
	case TIER_API: return take_key_or_token(r, authorization, ret);
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
	const struct actor *a = &c->actor;
	int err = entry_taken(c, row);

	if (now.cookie)
		known_note(now.cookie,
			   &(struct known){ .id = a->session.u, .account = a->account });
	if (rows_get_bool(row, "is_stale"))
		now.stale = a->session;

	return err;
}

static int on_enter_key(struct ctx *c, const struct rows *row)
{
	struct actor *a = &c->actor;

	a->api_key.u = rows_get_uuid(row, "api_key_id");
	a->account.u = rows_get_uuid(row, "account_id");
	a->tenant.u = rows_get_uuid(row, "tenant_id");
	a->user.u = rows_get_uuid(row, "user_id");
	a->rate_limit = rows_get_int(row, "rate_limit");
	known_note(now.api_key, &(struct known){ a->api_key.u, a->account, a->rate_limit });
	now.is_key_stale = rows_get_bool(row, "is_stale");

	return OK;
}

static const char *need_of(const struct route *row)
{
	if (row->perm == PERM_ACCOUNT)
		return row->flags & ROUTE_RECENT ? "recent" : "account";

	return row->perm == PERM_GLOBAL_ADMIN ? "global_admin" : "member";
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

/* By session: for enter(). */
static struct entry *enter_person(struct ctx *c, const struct proof *p, struct tenant_id named,
				  const struct route *row)
{
	bool is_named = !uuid_is_nil(named.u);
	struct entry *e =
		entry_of_person(c->arena, &(struct person){
						  .session = p->session,
						  .cookie = p->cookie,
						  .tenant = is_named ? named : p->tenant,
						  .is_named = is_named,
						  .steps_up = row->flags & ROUTE_STEP_UP,
						  .need = need_of(row),
						  .permission = permissions[row->perm].name,
					  });

	e->on_enter = on_enter;

	return e;
}

/* By API key: for enter_key(). */
static struct entry *enter_key(struct ctx *c, const struct proof *p, struct tenant_id named,
			       const struct route *row)
{
	struct entry *e = arena_make(c->arena, struct entry);
	struct arg *args = arena_make_n(c->arena, struct arg, 5);
	bool wants_person = row->flags & (ROUTE_STEP_UP | ROUTE_PERSON);

	args[0] = arg_hash(p->api_key);
	args[1] = arg_text(c->actor.ip);
	args[2] = arg_uuid(named.u);
	args[3] = arg_text(wants_person ? "person" : need_of(row));
	args[4] = arg_text(permissions[row->perm].name);
	e->statement = &sql_identity_enter_key;
	e->args = (struct args){ args, 5 };
	e->on_enter = on_enter_key;

	return e;
}

static int make_entry(struct request *r, const struct proof *p)
{
	struct ctx *c = r->ctx;
	struct tenant_id named;
	struct entry *e;
	int err;

	err = named_tenant(r, &named);
	if (err)
		return err;

	e = p->api_key ? enter_key(c, p, named, r->route) : enter_person(c, p, named, r->route);
	e->replica_ok = (r->route->flags & ROUTE_REPLICA) != 0;
	c->entry = e;
	c->actor.tenant = uuid_is_nil(named.u) ? p->tenant : named;

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
	now.api_key = p.api_key;
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

/* The same for an API key: a minute's uses are one write. */
static int touch_key(struct ctx *c)
{
	struct batch *b;

	if (!now.is_key_stale)
		return OK;

	c->entry = NULL;
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_identity_key_touch,
		  ARGS(arg_uuid(c->actor.tenant.u), arg_uuid(c->actor.api_key.u),
		       arg_text(c->actor.ip)));

	return batch_run(b);
}

static void after(struct request *r)
{
	(void)touch_session(r->ctx);
	(void)touch_key(r->ctx);
	refusal_note(r, now.cookie, now.api_key);
	now = (struct served){ 0 };

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
