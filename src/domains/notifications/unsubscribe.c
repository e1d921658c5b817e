/* What a link that ends mails says: see unsubscribe.h. */
#include "domains/notifications/unsubscribe.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "domains/notifications/kinds.h"
#include "gen/sql_notifications.h"

#include <string.h>

/* A token is base64url of: a signature, the tenant's and the user's id, the kind's name. */
#define SIGNATURE_BYTES 16 /* of HMAC-SHA256's 32: as hard to guess as a key of AES-128 */
#define ID_BYTES        sizeof(struct uuid)
#define TOKEN_BYTES_MAX 256

/* What is signed of these bytes, for this purpose: no other hash of ours begins with its name. A
 * signature is the first SIGNATURE_BYTES of the hash. */
static struct str text_of(struct arena *a, struct str said)
{
	return str_of(arena_printf(a, "unsubscribe:%s", str_base64url(a, said.ptr, said.len)));
}

/* Mails of before JWT_SECRET changed are still in people's mailboxes. */
static bool is_signed(struct arena *a, struct str said, const void *signature)
{
	struct token_hash hash, before;

	token_hash(text_of(a, said), &hash);

	return secret_equal(hash.bytes, signature, SIGNATURE_BYTES) ||
	       (token_hash_before(text_of(a, said), &before) &&
		secret_equal(before.bytes, signature, SIGNATURE_BYTES));
}

const char *unsubscribe_url(struct arena *a, const struct subscription *s)
{
	struct token_hash hash;
	struct buf said, token;

	buf_init(&said, a, TOKEN_BYTES_MAX);
	buf_add(&said, &s->tenant, ID_BYTES);
	buf_add(&said, &s->user, ID_BYTES);
	buf_str(&said, s->kind ? s->kind : "");
	token_hash(text_of(a, buf_view(&said)), &hash);

	buf_init(&token, a, TOKEN_BYTES_MAX);
	buf_add(&token, hash.bytes, SIGNATURE_BYTES);
	buf_add(&token, said.data, said.len);
	BUG_IF(token.overflow);

	return arena_printf(a, "%s/api/unsubscribe/%s", config()->api_url,
			    str_base64url(a, token.data, token.len));
}

bool unsubscribe_read(struct arena *a, struct str token, struct subscription *ret)
{
	struct str bytes, said;

	if (!str_unbase64url(a, token, &bytes) || bytes.len < SIGNATURE_BYTES + 2 * ID_BYTES)
		return false;
	said = (struct str){ bytes.ptr + SIGNATURE_BYTES, bytes.len - SIGNATURE_BYTES };
	if (!is_signed(a, said, bytes.ptr))
		return false;

	memcpy(&ret->tenant, said.ptr, ID_BYTES);
	memcpy(&ret->user, said.ptr + ID_BYTES, ID_BYTES);
	said = (struct str){ said.ptr + 2 * ID_BYTES, said.len - 2 * ID_BYTES };
	ret->kind = said.len ? str_dup(a, said) : NULL;

	return true;
}

int unsubscribe(struct ctx *c, const struct subscription *s)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	batch_add(b, NULL, &sql_notifications_unsubscribe,
		  ARGS(arg_uuid(s->tenant.u), arg_uuid(s->user.u), arg_text(s->kind),
		       arg_str(notification_kinds_json(c->arena))));

	return batch_run(b);
}
