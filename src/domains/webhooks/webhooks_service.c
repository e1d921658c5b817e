/* The rules of webhooks' endpoints: see webhooks.h. Their deliveries are in
 * webhooks_deliveries_service.c. */
#include "domains/webhooks/webhooks.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "domains/webhooks/webhooks_jobs.h"
#include "domains/webhooks/webhooks_secret.h"
#include "domains/webhooks/webhooks_types.h"
#include "events/event.h"
#include "gen/sql_webhooks.h"
#include "net/guard.h"

#include <strings.h>

/*
 * What shapes cannot see
 */

static void check_url(struct ctx *c, const char *url)
{
	const char *why = url ? guard_refuses(url) : NULL;

	if (why)
		(void)fail_issue(c, "url", "custom", why);
}

static void check_types(struct ctx *c, struct list types)
{
	const char *const *names = types.items;

	for (size_t i = 0; i < types.len; i++)
		if (!webhook_type_exists(names[i]))
			(void)fail_issue(c, arena_printf(c->arena, "eventTypes.%zu", i), "custom",
					 arena_printf(c->arena, "There is no type of event \"%s\"",
						      names[i]));
}

/* Ours, and those that say how the message travels (RFC 9110 section 7.6.1). */
static bool is_ours(const char *header)
{
	static const char *const ours[] = {
		"content-type",      "content-length", "host",       "user-agent",
		"transfer-encoding", "connection",     "expect",     "te",
		"trailer",           "upgrade",        "keep-alive", "accept-encoding"
	};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcasecmp(header, ours[i]) == 0)
			return true;

	return strncasecmp(header, "webhook-", 8) == 0 || strncasecmp(header, "proxy-", 6) == 0;
}

static bool is_repeated(const struct webhook_header *const *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcasecmp(all[k]->name, all[i]->name) == 0)
			return true;

	return false;
}

static void check_headers(struct ctx *c, struct list headers)
{
	const struct webhook_header *const *all = headers.items;

	for (size_t i = 0; i < headers.len; i++) {
		const char *path = arena_printf(c->arena, "headers.%zu.name", i);

		if (is_ours(all[i]->name))
			(void)fail_issue(c, path, "custom", "This header is not yours to set");
		else if (is_repeated(all, i))
			(void)fail_issue(c, path, "custom", "A header is given once");
	}
}

static struct arg arg_header_names(struct ctx *c, struct list headers)
{
	const struct webhook_header *const *all = headers.items;
	const char **names = arena_make_n(c->arena, const char *, headers.len);

	for (size_t i = 0; i < headers.len; i++)
		names[i] = all[i]->name;

	return arg_texts(c, (struct list){ names, headers.len });
}

static struct arg arg_sealed(struct str sealed)
{
	return sealed.ptr ? arg_bytes(sealed.ptr, sealed.len) : arg_null();
}

static struct arg arg_limit(int64_t rate_limit)
{
	return rate_limit ? arg_int(rate_limit) : arg_null();
}

/*
 * Endpoints
 */

/* Behind the change that it judges. */
static void add_may_tell(struct batch *b, struct ctx *c, struct webhook_id id)
{
	struct webhook_guarded g = webhook_guarded_types(c);

	batch_add(b, NULL, &sql_webhooks_may_tell,
		  ARGS(arg_uuid(id.u), arg_texts(c, g.types), arg_texts(c, g.permissions)));
}

int webhooks_create(struct ctx *c, const struct webhook_new *in, const char **ret_secret,
		    const struct rows **ret)
{
	struct webhook_id id = { uuid_v7() };
	struct batch *b;
	struct str secret;

	check_types(c, in->event_types);
	check_headers(c, in->headers);
	check_url(c, in->url);
	if (c->fault.err)
		return c->fault.err;

	secret = webhook_secret_new(c, id, ret_secret);
	b = batch_new(c, BATCH_WRITE);
	batch_add(b, NULL, &sql_webhooks_create,
		  ARGS(arg_uuid(id.u), arg_text(in->url), arg_text(in->description),
		       arg_texts(c, in->event_types), arg_header_names(c, in->headers),
		       arg_sealed(webhook_headers_seal(c, id, in->headers)),
		       arg_limit(in->rate_limit), arg_bool(in->ordered), arg_sealed(secret),
		       arg_bool(in->enabled)));
	add_may_tell(b, c, id);
	batch_add(b, ret, &sql_webhooks_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "webhook.created", id.u, NULL);

	return batch_run(b);
}

int webhooks_get(struct ctx *c, struct webhook_id id, const struct rows **ret)
{
	return db_read(c, ret, &sql_webhooks_get, ARGS(arg_uuid(id.u)));
}

int webhooks_list(struct ctx *c, const struct webhook_filter *f, const struct paging *p,
		  const struct page **ret)
{
	return page_run(c, &sql_webhooks_list,
			ARGS(arg_contains(c, f->search),
			     f->has_enabled ? arg_bool(f->enabled) : arg_null(),
			     arg_text(f->event_type)),
			p, ret);
}

static void add_update(struct batch *b, struct ctx *c, struct webhook_id id,
		       const struct webhook_patch *in)
{
	batch_add(b, NULL, &sql_webhooks_update,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_bool(in->has_url), arg_text(in->url),
		       arg_bool(in->has_description), arg_text(in->description),
		       arg_bool(in->has_event_types), arg_texts(c, in->event_types),
		       arg_bool(in->has_rate_limit), arg_limit(in->rate_limit),
		       arg_bool(in->has_ordered), arg_bool(in->ordered), arg_bool(in->has_enabled),
		       arg_bool(in->enabled), arg_bool(in->has_headers),
		       arg_header_names(c, in->headers),
		       arg_sealed(webhook_headers_seal(c, id, in->headers))));
}

int webhooks_update(struct ctx *c, struct webhook_id id, const struct webhook_patch *in,
		    const struct rows **ret)
{
	struct batch *b;

	check_types(c, in->event_types);
	check_headers(c, in->headers);
	check_url(c, in->url);
	if (c->fault.err)
		return c->fault.err;

	b = batch_new(c, BATCH_WRITE);
	add_update(b, c, id, in);
	if (in->has_url || in->has_event_types)
		add_may_tell(b, c, id);
	if (in->has_url || (in->has_enabled && in->enabled))
		batch_add(b, NULL, &sql_webhooks_forget_failures, ARGS(arg_uuid(id.u)));
	if (in->has_enabled && !in->enabled)
		webhooks_add_stop(b, c, id);
	batch_add(b, ret, &sql_webhooks_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "webhook.updated", id.u, NULL);

	return batch_run(b);
}

int webhooks_rotate_secret(struct ctx *c, struct webhook_id id, const struct webhook_rotation *in,
			   const char **ret_secret, const struct rows **ret)
{
	struct str secret = webhook_secret_new(c, id, ret_secret);
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_webhooks_rotate_secret,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_sealed(secret), arg_int(in->grace_s)));
	batch_add(b, ret, &sql_webhooks_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "webhook.secretRotated", id.u, NULL);

	return batch_run(b);
}

int webhooks_delete(struct ctx *c, struct webhook_id id)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_webhooks_delete, ARGS(arg_uuid(id.u), arg_if_match(c)));
	webhooks_add_stop(b, c, id);
	batch_event(b, c, "webhook.deleted", id.u, NULL);

	return batch_run(b);
}
