/* Origins: see cors.h. */
#include "http/cors.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/url.h"
#include "http/reply.h"
#include "http/request.h"

#define DEVELOPMENT_ORIGIN "http://localhost:5173"

#define REQUEST_HEADERS                                                                            \
	"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, "       \
	"X-Request-Id, X-Tenant-ID"
#define REPLY_HEADERS                                                                              \
	"Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, "    \
	"Retry-After, Server-Timing, Sunset, WWW-Authenticate, X-Request-Id"

bool cors_allows(const char *origin)
{
	struct str rest = str_of(config()->cors_origins);

	if (!origin || !*origin)
		return false;
	if (str_is(url_origin(config()->app_url), origin) ||
	    str_is(url_origin(config()->api_url), origin))
		return true;
	if (config_is_development() && !strcmp(origin, DEVELOPMENT_ORIGIN))
		return true;

	for (struct str one = str_cut(&rest, ','); one.ptr; one = str_cut(&rest, ','))
		if (str_is(str_trim(one), origin))
			return true;

	return false;
}

int cors_check(struct request *r)
{
	const char *origin = request_header(r, "ORIGIN");
	bool has_cookie = request_header(r, "COOKIE") != NULL;
	bool is_required = r->tier == TIER_ADMIN || r->tier == TIER_SUPER ||
			   (r->tier == TIER_AUTH && has_cookie);

	if (method_is_safe(r->method) || r->tier & (TIER_API | TIER_SYSTEM))
		return OK;
	if (origin ? cors_allows(origin) : !is_required)
		return OK;

	return fail(r->ctx, ERR_AUTH_CSRF, NULL,
		    origin ? NULL : "A change with a session cookie must say its Origin");
}

void cors_preflight(struct request *r)
{
	const char *methods = methods_text(r->ctx->arena, r->match.allowed);

	(void)reply_none(r);
	reply_header(r, "Allow", methods);
	if (!cors_allows(request_header(r, "ORIGIN")))
		return;

	reply_header(r, "Access-Control-Allow-Methods", methods);
	reply_header(r, "Access-Control-Allow-Headers", REQUEST_HEADERS);
	reply_header(r, "Access-Control-Max-Age", "600");
}

void cors_write(const struct request *r, struct buf *head)
{
	const char *origin = request_header(r, "ORIGIN");

	buf_str(head, "Vary: Origin\r\n");
	if (!cors_allows(origin))
		return;

	buf_str(head, "Access-Control-Allow-Origin: ");
	buf_str(head, origin);
	buf_str(head, "\r\nAccess-Control-Allow-Credentials: true\r\n"
		      "Access-Control-Expose-Headers: " REPLY_HEADERS "\r\n");
}
