/* ETags: see etag.h. */
#include "http/etag.h"

#include "base/arena.h"
#include "crypto/token.h"
#include "http/reply.h"
#include "http/request.h"

#define HASH_BYTES 16

/* nginx makes an ETag weak when it compresses, though our versions stay strong: W/ is not looked
 * at. */
static struct str without_weak(struct str etag)
{
	etag = str_trim(etag);
	if (str_starts(etag, "W/"))
		etag = (struct str){ etag.ptr + 2, etag.len - 2 };

	return etag;
}

int etag_read_if_match(struct request *r)
{
	const char *header = request_header(r, "IF_MATCH");
	struct str etag = without_weak(str_of(header));

	if (!header || !route_may_fail(r->route, r->tier, ERR_PRECONDITION_FAILED) ||
	    str_is(etag, "*"))
		return OK;

	if (str_starts(etag, "\"v") && str_ends(etag, "\"") && etag.len > 3) {
		struct str version = { etag.ptr + 2, etag.len - 3 };

		version = str_cut(&version, '.');
		if (str_to_i64(version, 0, INT64_MAX, &r->ctx->if_match))
			return OK;
	}

	return fail(r->ctx, ERR_PRECONDITION_FAILED, NULL,
		    "If-Match names no version of this resource; send the ETag of a GET");
}

/*
 * Where the address alone does not say which resource it is, as /tenant's, the tenant stands behind
 * the version: a browser that has switched to another one would else be told that nothing has
 * changed.
 */
static const char *place_of(const struct request *r)
{
	const uint8_t *id = r->ctx->actor.tenant.u.bytes;

	if (r->method == POST || route_has_params(r->route) || uuid_is_nil(r->ctx->actor.tenant.u))
		return "";

	return arena_printf(r->ctx->arena, ".%02x%02x%02x%02x", id[12], id[13], id[14], id[15]);
}

static const char *etag_of(const struct request *r)
{
	struct arena *a = r->ctx->arena;
	uint8_t hash[32];

	if (r->reply.version >= 0)
		return arena_printf(a, "\"v%lld%s\"", (long long)r->reply.version, place_of(r));
	if (!(r->method & (GET | HEAD)))
		return NULL;

	sha256(buf_view(&r->reply.body), hash);

	return arena_printf(a, "\"%s\"", str_base64url(a, hash, HASH_BYTES));
}

/* If-None-Match: a list of ETags, or "*". */
static bool is_named(const char *header, const char *etag)
{
	struct str rest = str_of(header);

	for (struct str one = str_cut(&rest, ','); one.ptr; one = str_cut(&rest, ',')) {
		one = without_weak(one);
		if (str_is(one, "*") || str_is(one, etag))
			return true;
	}

	return false;
}

void etag_apply(struct request *r)
{
	struct reply *reply = &r->reply;
	const char *etag;

	if (!reply->is_resource || reply->status < 200 || reply->status > 201)
		return;

	reply->is_resource = false; /* said once */
	etag = etag_of(r);
	if (!etag)
		return;
	reply_header(r, "ETag", etag);

	if (r->method & (GET | HEAD) && is_named(request_header(r, "IF_NONE_MATCH"), etag)) {
		reply->status = 304;
		buf_reset(&reply->body);
	}
}
