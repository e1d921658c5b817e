/*
 * Idempotency-Key: see idempotency.h and sql/queries/idempotency.sql.
 *
 * A reply is kept as HTTP writes one (its own headers, an empty line, the body), sealed under
 * ENCRYPTION_KEY, because some hold what is shown only once.
 */
#include "http/idempotency.h"

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_idempotency.h"
#include "http/etag.h"
#include "http/headers.h"
#include "http/reply.h"
#include "http/request.h"

#define KEY_MAX 255

/* Where replies are kept: beside the tenant's rows, or the account's where a request is in none. */
static const struct store {
	enum batch_mode mode;
	const struct sql *lock, *find, *keep;
} of_tenant = { BATCH_WRITE, &sql_idempotency_lock, &sql_idempotency_find, &sql_idempotency_keep },
  of_account = { BATCH_IDENTITY, &sql_idempotency_lock_of_account, &sql_idempotency_find_of_account,
		 &sql_idempotency_keep_of_account };

static const struct store *store_for(const struct request *r)
{
	return route_needs_tenant(r->route) ? &of_tenant : &of_account;
}

bool idempotency_is_key(struct str key)
{
	if (!key.len || key.len > KEY_MAX)
		return false;
	for (size_t i = 0; i < key.len; i++)
		if (key.ptr[i] < '!' || key.ptr[i] > '~')
			return false;

	return true;
}

/* The request as it will be compared with the next of this key. */
struct claim {
	const char *key, *route;
	uint8_t digest[32];
};

static struct claim claim_of(const struct request *r)
{
	struct claim claim = {
		.key = request_header(r, "IDEMPOTENCY_KEY"),
		.route = arena_printf(r->ctx->arena, "%s %s", method_name(r->method),
				      r->match.pattern),
	};
	struct str whole = str_of(arena_printf(r->ctx->arena, "%s\n%.*s\n%.*s", r->path,
					       STR_FMT(r->query_string), STR_FMT(r->body_text)));

	sha256(whole, claim.digest);

	return claim;
}

/* A sealed reply opens only for the request that it answered. */
static struct str aad_of(struct ctx *c, const struct claim *claim)
{
	return str_of(arena_printf(c->arena, "idempotency:%s:%s",
				   str_hex(c->arena, claim->digest, sizeof(claim->digest)),
				   claim->key));
}

static const char *pack(const struct request *r, const struct claim *claim)
{
	const struct reply *reply = &r->reply;
	struct ctx *c = r->ctx;
	struct str sealed;
	struct buf b;

	buf_init(&b, c->arena, size_add(REPLY_BYTES_MAX, HEAD_BYTES_MAX));
	for (size_t i = 0; i < reply->headers_len; i++)
		buf_printf(&b, "%s: %s\n", reply->headers[i].name, reply->headers[i].value);
	buf_char(&b, '\n');
	buf_add(&b, reply->body.data, reply->body.len);
	sealed = seal(c->arena, buf_view(&b), aad_of(c, claim));

	return str_base64url(c->arena, sealed.ptr, sealed.len);
}

static int unpack(struct request *r, const struct claim *claim, struct str text)
{
	struct ctx *c = r->ctx;
	struct str sealed, rest;

	if (!str_unbase64url(c->arena, text, &sealed) ||
	    !unseal(c->arena, sealed, aad_of(c, claim), &rest))
		return fail_internal(c, "a kept reply does not open: was ENCRYPTION_KEY changed?");

	for (struct str value = str_cut(&rest, '\n'); value.len; value = str_cut(&rest, '\n')) {
		struct str name = str_cut(&value, ':');

		reply_header(r, str_dup(c->arena, name), str_dup(c->arena, str_trim(value)));
	}

	return reply_body(r, NULL, rest.ptr, rest.len);
}

static int replay(struct request *r, const struct claim *claim, const struct rows *kept)
{
	int err;

	db_rollback(r->ctx);
	err = unpack(r, claim, rows_get_str(kept, "reply"));
	if (err)
		return err;

	reply_status(r, (int)rows_get_int(kept, "status"));
	reply_header(r, "Idempotent-Replayed", "true");

	return OK;
}

int idempotency_begin(struct request *r)
{
	const struct store *store = store_for(r);
	struct ctx *c = r->ctx;
	const struct rows *kept;
	struct claim claim;
	struct batch *b;
	int err;

	if (!(r->route->flags & ROUTE_IDEMPOTENT) || !request_header(r, "IDEMPOTENCY_KEY"))
		return OK;
	claim = claim_of(r);
	if (!idempotency_is_key(str_of(claim.key)))
		return fail_issue(c, "Idempotency-Key", "invalid_string",
				  "Expected 1 to 255 visible ASCII characters");

	err = db_begin(c, store->mode);
	if (err)
		return err;
	b = batch_new(c, store->mode);
	batch_add(b, NULL, store->lock, ARGS(arg_text(claim.key)));
	batch_add(b, &kept, store->find,
		  ARGS(arg_text(claim.key), arg_text(claim.route),
		       arg_bytes(claim.digest, sizeof(claim.digest))));
	err = batch_run(b);
	if (err)
		return err;
	if (rows_len(kept))
		return replay(r, &claim, kept);

	r->is_kept = true;
	return OK;
}

int idempotency_end(struct request *r)
{
	const struct store *store = store_for(r);
	struct ctx *c = r->ctx;
	struct claim claim;
	struct batch *b;
	int err;

	if (!r->is_kept)
		return OK;

	claim = claim_of(r);
	etag_apply(r); /* among the headers that are kept */
	b = batch_new(c, store->mode);
	batch_add(b, NULL, store->keep,
		  ARGS(arg_text(claim.key), arg_text(claim.route),
		       arg_bytes(claim.digest, sizeof(claim.digest)), arg_int(r->reply.status),
		       arg_text(pack(r, &claim))));
	err = batch_run(b);
	if (err)
		return err;

	return db_commit(c);
}
