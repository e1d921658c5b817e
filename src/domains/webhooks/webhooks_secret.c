/* What of a webhook is kept sealed: see webhooks_secret.h. */
#include "domains/webhooks/webhooks_secret.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "crypto/seal.h"
#include "crypto/whsec.h"

#define HEADERS_BYTES_MAX KIB(64)

static struct str place_of(struct arena *a, const char *what, struct webhook_id id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id.u, text);

	return str_of(arena_printf(a, "%s:%s", what, text));
}

#define SECRET  "webhook_endpoints.secret"
#define HEADERS "webhook_endpoints.headers"

struct str webhook_secret_new(struct ctx *c, struct webhook_id id, const char **ret_text)
{
	char *text = arena_alloc(c->arena, WHSEC_TEXT_SIZE);

	whsec_make(text);
	*ret_text = text;

	return seal(c->arena, str_of(text), place_of(c->arena, SECRET, id));
}

static const char *sign(struct arena *a, struct webhook_id id, struct str sealed,
			struct str message_id, int64_t at_s, struct str body)
{
	char *text = arena_alloc(a, WHSEC_SIGNATURE_SIZE);
	struct str secret;

	if (!unseal(a, sealed, place_of(a, SECRET, id), &secret) ||
	    !whsec_sign(secret, message_id, at_s, body, text))
		return NULL;

	return text;
}

const char *webhook_signature(struct arena *a, struct webhook_id id, struct str sealed,
			      struct str old_sealed, struct str message_id, int64_t at_s,
			      struct str body)
{
	const char *first = sign(a, id, sealed, message_id, at_s, body);
	const char *second;

	if (!first || !old_sealed.ptr)
		return first;

	second = sign(a, id, old_sealed, message_id, at_s, body);

	return second ? arena_printf(a, "%s %s", first, second) : NULL;
}

struct str webhook_headers_seal(struct ctx *c, struct webhook_id id, struct list headers)
{
	const struct webhook_header *const *all = headers.items;
	struct jsonwrite w;
	struct buf plain;

	if (!headers.len)
		return (struct str){ 0 };

	buf_init(&plain, c->arena, HEADERS_BYTES_MAX);
	jsonwrite_init(&w, &plain);
	jsonwrite_object(&w);
	for (size_t i = 0; i < headers.len; i++)
		jsonwrite_member_text(&w, all[i]->name, all[i]->value);
	jsonwrite_object_end(&w);
	BUG_IF(plain.overflow); /* names and values have bounds */

	return seal(c->arena, buf_view(&plain), place_of(c->arena, HEADERS, id));
}

bool webhook_headers_unseal(struct arena *a, struct webhook_id id, struct str sealed,
			    const char **ret, size_t *ret_len)
{
	const struct json *object, *value;
	const char *why;
	struct str plain, name;
	size_t at;

	*ret_len = 0;
	if (!sealed.ptr)
		return true;
	if (!unseal(a, sealed, place_of(a, HEADERS, id), &plain) ||
	    !jsonread_parse(a, plain, &object, &why, &at))
		return false;

	while (*ret_len < WEBHOOK_HEADERS_MAX && jsonread_each(object, *ret_len, &name, &value)) {
		struct str text = jsonread_string(value);

		ret[(*ret_len)++] = arena_printf(a, "%.*s: %.*s", STR_FMT(name), STR_FMT(text));
	}

	return true;
}
