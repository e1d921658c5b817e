/* ETags: see etag.h. */
#include "http/etag.h"

#include "base/arena.h"
#include "crypto/token.h"
#include "http/reply.h"
#include "http/request.h"

#define HASH_BYTES 16

/*
 * The next of a list of entity-tags (RFC 9110 section 8.8.3), quotes and all; ptr NULL when there
 * is none, or what stands there is none. W/ is not looked at: nginx makes an ETag weak when it
 * compresses, though our versions stay strong.
 */
static struct str next_etag(struct str *rest)
{
	struct str from = str_trim(*rest), etag;
	size_t len;

	while (str_starts(from, ",")) /* empty elements are none: section 5.6.1 */
		from = str_trim((struct str){ from.ptr + 1, from.len - 1 });
	*rest = (struct str){ NULL, 0 };
	if (str_starts(from, "W/"))
		from = (struct str){ from.ptr + 2, from.len - 2 };
	if (!str_starts(from, "\"") ||
	    !str_find((struct str){ from.ptr + 1, from.len - 1 }, '"', &len))
		return *rest;

	etag = (struct str){ from.ptr, len + 2 };
	from = (struct str){ etag.ptr + etag.len, from.len - etag.len };
	if (str_trim(str_cut(&from, ',')).len)
		return *rest;
	*rest = from;

	return etag;
}

static bool is_any(const char *header)
{
	return str_is(str_trim(str_of(header)), "*");
}

/* Of "v7", and of "v7.0190f6a0" (place_of()). */
static bool read_version(struct str etag, int64_t *ret)
{
	struct str version = { etag.ptr + 2, etag.len - 3 };

	if (!str_starts(etag, "\"v") || etag.len < 4)
		return false;

	return str_to_i64(str_cut(&version, '.'), 0, INT64_MAX, ret);
}

int etag_read_if_match(struct request *r)
{
	const char *header = request_header(r, "IF_MATCH");
	struct str rest = str_of(header);
	int64_t *versions;
	size_t n = 0;

	if (!header || !route_may_fail(r->route, r->tier, ERR_PRECONDITION_FAILED) ||
	    is_any(header))
		return OK;

	versions = arena_make_n(r->ctx->arena, int64_t, rest.len);
	for (struct str etag = next_etag(&rest); etag.ptr; etag = next_etag(&rest))
		n += read_version(etag, &versions[n]);
	if (!n)
		return fail(r->ctx, ERR_PRECONDITION_FAILED, NULL,
			    "If-Match names no version of this resource; send the ETag of a GET");
	r->ctx->if_match = (struct list){ versions, n };

	return OK;
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

static bool is_named(const char *header, const char *etag)
{
	struct str rest = str_of(header);

	if (is_any(header))
		return true;
	for (struct str one = next_etag(&rest); one.ptr; one = next_etag(&rest))
		if (str_is(one, etag))
			return true;

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
