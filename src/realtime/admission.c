/* Letting in: see admission.h. */
#include "realtime/admission.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/jws.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_realtime.h"
#include "http/cors.h"
#include "identity/credential.h"
#include "identity/entry.h"
#include "identity/hash.h"
#include "identity/keys.h"
#include "realtime/roster.h"

static const struct refusal let_in = { CLOSE_NONE, NULL };
static const struct refusal missing = { CLOSE_MISSING, "Missing authentication token" };
static const struct refusal invalid = { CLOSE_INVALID, "Invalid authentication token" };
static const struct refusal failed = { CLOSE_FAILED, "Connection error" };

void admission_enter(struct ctx *c, const struct connection *who, enum perm perm)
{
	c->entry = entry_of_person(c->arena, &(struct person){
						     .session = who->session,
						     .tenant = who->tenant->id,
						     .need = "member",
						     .permission = permissions[perm].name,
					     });
}

/* ---- credentials ---- */

static struct refusal by_access_token(struct ctx *c, struct str token, struct tenant_id named,
				      struct connection *ret)
{
	bool is_named = !uuid_is_nil(named.u);
	struct claims claims;

	if (!keys_verify(c->arena, token, &claims) || uuid_is_nil(claims.session.u))
		return invalid;

	c->actor.kind = ACTOR_TOKEN;
	ret->ends_at_us = claims.expires_s * US_PER_S;
	c->entry = entry_of_person(c->arena, &(struct person){
						     .session = claims.session,
						     .tenant = is_named ? named : claims.tenant,
						     .is_named = is_named,
						     .need = "member",
					     });

	return let_in;
}

static struct token_hash *hash_of(struct ctx *c, struct str token)
{
	struct token_hash *hash = arena_make(c->arena, struct token_hash);

	token_hash(token, hash);

	return hash;
}

static struct refusal by_ticket(struct ctx *c, struct str ticket)
{
	struct entry *e = arena_make(c->arena, struct entry);
	struct arg *hash = arena_make(c->arena, struct arg);

	if (ticket.len != TOKEN_TEXT_SIZE - 1)
		return invalid;

	c->actor.kind = ACTOR_TOKEN;
	*hash = arg_hash(hash_of(c, ticket));
	*e = (struct entry){ .statement = &sql_realtime_enter_ticket,
			     .args = { hash, 1 },
			     .on_enter = entry_taken };
	c->entry = e;

	return let_in;
}

/* The session's among the cookies of the header; ptr NULL: it is not among them. */
static struct str session_among(const char *cookies)
{
	struct str rest = str_of(cookies), one;

	for (one = str_cut(&rest, ';'); one.ptr; one = str_cut(&rest, ';')) {
		struct str value = str_trim(one), name = str_cut(&value, '=');

		if (str_is(name, SESSION_COOKIE))
			return value;
	}

	return (struct str){ NULL, 0 };
}

static struct refusal by_cookie(struct ctx *c, struct str cookie, struct tenant_id named)
{
	if (cookie.len != TOKEN_TEXT_SIZE - 1)
		return invalid;

	c->actor.kind = ACTOR_SESSION;
	c->entry = entry_of_person(c->arena, &(struct person){
						     .cookie = hash_of(c, cookie),
						     .tenant = named,
						     .is_named = !uuid_is_nil(named.u),
						     .need = "member",
					     });

	return let_in;
}

static struct refusal by_credential(struct ctx *c, const struct handshake *h,
				    struct connection *ret)
{
	struct str token = str_of(h->token), cookie = session_among(h->cookies);
	struct tenant_id named = { 0 };
	size_t at;

	if (h->tenant && !uuid_parse(str_of(h->tenant), &named.u))
		return invalid;
	if (!token.len && h->authorization)
		token = bearer_token(h->authorization);
	if (token.len)
		return str_find(token, '.', &at) ? by_access_token(c, token, named, ret)
						 : by_ticket(c, token);
	if (cookie.len && cors_allows(h->origin))
		return by_cookie(c, cookie, named);

	return h->authorization ? invalid : missing;
}

/* ---- proof ---- */

static void take_permissions(struct ctx *c, const struct rows *row, struct connection *ret)
{
	struct str *names;
	size_t n = rows_array(row, 0, (size_t)rows_find(row, "permissions"), c->arena, &names);

	for (size_t i = 0; i < n; i++)
		connection_permit(ret, names[i]);
	ret->is_of_platform = c->actor.is_global_admin;
}

/* What is wrong with the caller is the credential's fault; anything else is ours. */
static struct refusal why_refused(int err)
{
	return err_info(err)->status < 500 ? invalid : failed;
}

struct refusal admission_prove(struct ctx *c, const struct handshake *h, struct connection *ret,
			       int64_t *ret_position)
{
	struct refusal r = by_credential(c, h, ret);
	const struct rows *row;
	struct batch *b;
	int err;

	if (r.code)
		return r;

	c->actor.ip = h->ip;
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, &row, &sql_realtime_connect, NO_ARGS);
	err = batch_run(b);
	if (err)
		return why_refused(err);

	ret->session = c->actor.session;
	ret->account = c->actor.account;
	ret->user = c->actor.user;
	take_permissions(c, row, ret);
	*ret_position = rows_get_int(row, "position");

	return let_in;
}
