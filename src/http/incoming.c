/* What came over the wire: see incoming.h. */
#include "http/incoming.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/address.h"
#include "http/request.h"

#define REQUEST_ID_MIN 8
#define REQUEST_ID_MAX 64

static const char *param(const struct request *r, const char *name)
{
	return r->transport->param(r->peer, name);
}

static bool is_sane_id(struct str s)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	return s.len >= REQUEST_ID_MIN && s.len <= REQUEST_ID_MAX &&
	       strspn(s.ptr, allowed) == s.len;
}

/* nginx' own, which its log says too; else the client's, when it is sane; else a new one. */
static const char *request_id(const struct request *r)
{
	const char *const candidates[] = { param(r, "ZYGO_REQUEST_ID"),
					   request_header(r, "X_REQUEST_ID") };
	char text[UUID_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		if (is_sane_id(str_of(candidates[i])))
			return arena_strdup(r->ctx->arena, candidates[i]);

	uuid_format(uuid_v7(), text);

	return arena_strdup(r->ctx->arena, text);
}

/*
 * A segment that would mean another path to another reader: none, "." and "..", and what hides a
 * '/' or a control character behind an escape. No route has one.
 */
static bool is_plain_path(struct str raw, struct str path)
{
	size_t slashes = 0;
	struct str segment;

	for (size_t i = 0; i < raw.len; i++)
		slashes += raw.ptr[i] == '/';
	for (size_t i = 0; i < path.len; i++) {
		slashes -= path.ptr[i] == '/';
		if ((unsigned char)path.ptr[i] < ' ' || path.ptr[i] == 0x7f || path.ptr[i] == '\\')
			return false;
	}
	if (slashes || str_cut(&path, '/').len)
		return false;

	while (path.ptr) {
		segment = str_cut(&path, '/');
		if (!segment.len || str_is(segment, ".") || str_is(segment, ".."))
			return false;
	}

	return true;
}

static int read_target(struct request *r)
{
	struct ctx *c = r->ctx;
	struct str rest = str_of(param(r, "REQUEST_URI"));
	struct str raw = str_cut(&rest, '?'), path;

	r->query_string = rest;
	if (raw.len > PATH_BYTES_MAX || rest.len > QUERY_BYTES_MAX)
		return fail(c, ERR_URI_TOO_LONG, NULL, NULL);
	if (!str_percent_decode(c->arena, raw, false, &path))
		return fail_issue(c, "", "invalid_string", "The path is not percent-encoded UTF-8");

	r->path = str_dup(c->arena, path);
	r->path_is_plain = is_plain_path(raw, path);

	return OK;
}

int incoming_head(struct request *r)
{
	struct ctx *c = r->ctx;

	r->path = "";
	c->request_id = request_id(r);
	c->actor.ip =
		address_of_client(c->arena, param(r, "REMOTE_ADDR"),
				  request_header(r, "X_FORWARDED_FOR"), config()->trusted_proxies);
	r->method = method_parse(param(r, "REQUEST_METHOD"));

	if (!r->transport->params_fit(r->peer))
		return fail(c, ERR_PAYLOAD_TOO_LARGE, NULL,
			    "The request's headers are larger than the limit");

	return read_target(r);
}

/* "application/json", with or without charset=utf-8. */
static bool is_json(const char *content_type)
{
	struct str rest = str_of(content_type);
	struct str type = str_trim(str_cut(&rest, ';'));

	rest = str_trim(rest);

	return str_is_nocase(type, "application/json") &&
	       (!rest.len || str_is_nocase(rest, "charset=utf-8") ||
		str_is_nocase(rest, "charset=\"utf-8\""));
}

static int read_all(struct request *r, size_t len)
{
	char *body = arena_alloc(r->ctx->arena, size_add(len, 1));
	size_t have = 0, more;

	while (have < len) {
		if (!r->transport->read(r->peer, body + have, len - have, &more) || !more)
			return fail(r->ctx, ERR_MALFORMED_JSON, NULL,
				    "The body ended before its Content-Length");
		have += more;
	}
	r->body_text = (struct str){ body, len };

	return OK;
}

/* RFC 9110 section 8.4.1; "identity" says that there is none. */
static bool is_encoded(const struct request *r)
{
	struct str coding = str_trim(str_of(request_header(r, "CONTENT_ENCODING")));

	return coding.len && !str_is_nocase(coding, "identity");
}

int incoming_body(struct request *r)
{
	struct str length = str_of(param(r, "CONTENT_LENGTH"));
	int64_t len = 0;

	if (length.len && !str_to_i64(length, 0, INT64_MAX, &len))
		return fail_issue(r->ctx, "Content-Length", "invalid_type",
				  "Expected number, received string");
	if (len > config()->body_max)
		return fail(r->ctx, ERR_PAYLOAD_TOO_LARGE, NULL, NULL);
	if (!len)
		return OK;
	if (!(r->route->flags & ROUTE_RAW_BODY) && !is_json(param(r, "CONTENT_TYPE")))
		return fail(r->ctx, ERR_UNSUPPORTED_MEDIA_TYPE, NULL, NULL);
	if (is_encoded(r))
		return fail(r->ctx, ERR_UNSUPPORTED_MEDIA_TYPE, NULL,
			    "The body must be sent as it is, without Content-Encoding");

	return read_all(r, (size_t)len);
}
