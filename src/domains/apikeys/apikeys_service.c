/*
 * The rules of API keys. The statements that refuse (apikeys_may_…) are of the same batch as the
 * change, so they judge what is true in its transaction. How a request is let in by a key is
 * identity's affair (src/identity/principal.c).
 */
#include "domains/apikeys/apikeys.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/apikey.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "db/page.h"
#include "events/event.h"
#include "gen/sql_apikeys.h"
#include "identity/hash.h"

/* A key that nobody has yet, and what is kept of it. */
struct secret {
	char text[APIKEY_TEXT_SIZE];
	struct token_hash hash, keyed_by;
};

static struct secret *secret_new(struct ctx *c)
{
	struct secret *s = arena_make(c->arena, struct secret);

	apikey_make(config_is_production(), s->text);
	token_hash(str_of(s->text), &s->hash);
	token_mark(&s->keyed_by);

	return s;
}

static struct arg arg_hint(const struct secret *s)
{
	return arg_str((struct str){ s->text, APIKEY_HINT_LEN });
}

static struct arg arg_limit(int64_t rate_limit)
{
	return rate_limit ? arg_int(rate_limit) : arg_null();
}

static void add_secret(struct batch *b, struct api_key_id id, const struct secret *s)
{
	batch_add(b, NULL, &sql_apikeys_add_secret,
		  ARGS(arg_uuid(id.u), arg_hash(&s->hash), arg_hash(&s->keyed_by)));
}

static int must_be_ahead(struct ctx *c, int64_t expires_at_us)
{
	if (expires_at_us && expires_at_us <= clock_now_us())
		return fail_issue(c, "expiresAt", "custom", "A key expires in the future");

	return OK;
}

int apikeys_create(struct ctx *c, const struct apikey_new *in, const char **ret_key,
		   const struct rows **ret)
{
	struct api_key_id id = { uuid_v7() };
	struct secret *s = secret_new(c);
	struct batch *b = batch_new(c, BATCH_WRITE);
	int err;

	err = must_be_ahead(c, in->expires_at_us);
	if (err)
		return err;

	batch_add(b, NULL, &sql_apikeys_may_scope, ARGS(arg_texts(c, in->scopes)));
	batch_add(b, NULL, &sql_apikeys_create,
		  ARGS(arg_uuid(id.u), arg_text(in->name), arg_hint(s), arg_texts(c, in->scopes),
		       arg_texts(c, in->allowed_ips), arg_limit(in->rate_limit),
		       arg_time(in->expires_at_us)));
	add_secret(b, id, s);
	batch_add(b, ret, &sql_apikeys_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "apiKey.created", id.u, NULL);
	*ret_key = s->text;

	return batch_run(b);
}

int apikeys_get(struct ctx *c, struct api_key_id id, const struct rows **ret)
{
	return db_read(c, ret, &sql_apikeys_get, ARGS(arg_uuid(id.u)));
}

int apikeys_list(struct ctx *c, const struct apikey_filter *f, const struct paging *p,
		 const struct page **ret)
{
	return page_run(c, &sql_apikeys_list,
			ARGS(arg_contains(c, f->search), arg_text(f->status), arg_uuid(f->user)), p,
			ret);
}

int apikeys_update(struct ctx *c, struct api_key_id id, const struct apikey_patch *in,
		   const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);
	struct arg scopes = arg_texts(c, in->scopes);
	int err;

	err = must_be_ahead(c, in->expires_at_us);
	if (err)
		return err;

	batch_add(b, NULL, &sql_apikeys_may_change, ARGS(arg_uuid(id.u)));
	if (in->has_scopes)
		batch_add(b, NULL, &sql_apikeys_may_scope, ARGS(scopes));
	batch_add(b, NULL, &sql_apikeys_update,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_bool(in->has_name), arg_text(in->name),
		       arg_bool(in->has_scopes), scopes, arg_bool(in->has_allowed_ips),
		       arg_texts(c, in->allowed_ips), arg_bool(in->has_rate_limit),
		       arg_limit(in->rate_limit), arg_bool(in->has_expires_at),
		       arg_time(in->expires_at_us)));
	batch_add(b, ret, &sql_apikeys_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "apiKey.updated", id.u, NULL);

	return batch_run(b);
}

int apikeys_rotate(struct ctx *c, struct api_key_id id, const struct apikey_rotation *in,
		   const char **ret_key, const struct rows **ret)
{
	struct secret *s = secret_new(c);
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_apikeys_may_change, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_apikeys_rotate, ARGS(arg_uuid(id.u), arg_if_match(c), arg_hint(s)));
	batch_add(b, NULL, &sql_apikeys_drop_old_secret, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_apikeys_retire_secret, ARGS(arg_uuid(id.u), arg_int(in->grace_s)));
	add_secret(b, id, s);
	batch_add(b, ret, &sql_apikeys_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "apiKey.rotated", id.u, NULL);
	*ret_key = s->text;

	return batch_run(b);
}

int apikeys_revoke(struct ctx *c, struct api_key_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_apikeys_revoke, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, ret, &sql_apikeys_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "apiKey.revoked", id.u, NULL);

	return batch_run(b);
}

int apikeys_delete(struct ctx *c, struct api_key_id id)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_apikeys_delete, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_event(b, c, "apiKey.deleted", id.u, NULL);

	return batch_run(b);
}
