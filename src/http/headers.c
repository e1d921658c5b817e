/* The head of a reply: see headers.h. */
#include "http/headers.h"

#include "base/buf.h"
#include "base/clock.h"
#include "http/cors.h"
#include "http/limit.h"
#include "http/request.h"

/* OWASP's REST Security Cheat Sheet. nginx says the same on its own errors. */
static const char security[] = "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n"
			       "X-Content-Type-Options: nosniff\r\n"
			       "X-Frame-Options: DENY\r\n"
			       "Referrer-Policy: no-referrer\r\n"
			       "Cross-Origin-Opener-Policy: same-origin\r\n"
			       "Cross-Origin-Resource-Policy: same-origin\r\n";

/* What a reply has unless it says otherwise. */
#define CONTENT_SECURITY_POLICY "default-src 'none'; frame-ancestors 'none'"

/* nginx passes on what it is given, and some clients want a reason phrase (RFC 9112 section 4). */
static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;

	return "Other";
}

static bool says(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->reply.headers_len; i++)
		if (!strcmp(r->reply.headers[i].name, name))
			return true;

	return false;
}

static void line(struct buf *head, const char *name, const char *value)
{
	buf_str(head, name);
	buf_str(head, ": ");
	buf_str(head, value);
	buf_str(head, "\r\n");
}

/* A tenant's data is nobody else's: kept by no cache, or by the caller's own and asked for again.
 */
static const char *cache_control(const struct request *r)
{
	bool is_secret = r->route && r->route->flags & ROUTE_NO_STORE;

	return says(r, "ETag") && r->method & (GET | HEAD) && !is_secret ? "private, no-cache"
									 : "no-store";
}

/* Milliseconds with three digits behind the point. */
static void write_ms(struct buf *head, int64_t us)
{
	buf_printf(head, "%lld.%03lld", (long long)(us / 1000), (long long)(us % 1000));
}

/* https://www.w3.org/TR/server-timing/ */
static void write_timing(const struct request *r, struct buf *head)
{
	const struct ctx *c = r->ctx;

	buf_str(head, "Server-Timing: total;dur=");
	write_ms(head, clock_monotonic_us() - r->started_us);
	buf_str(head, ", pg;dur=");
	write_ms(head, c->pg_us);
	buf_printf(head, ";desc=\"%u trips\", redis;dur=", c->pg_trips);
	write_ms(head, c->redis_us);
	buf_printf(head, ";desc=\"%u trips\"\r\n", c->redis_trips);
}

static bool read_date(struct str day, int64_t *ret_us)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.*sT00:00:00Z", STR_FMT(day));

	return clock_parse_rfc3339(str_of(text), ret_us);
}

/* Deprecation (RFC 9745), Sunset (RFC 8594) and what comes instead, of a row that says so. */
static void write_deprecation(const struct request *r, struct buf *head)
{
	struct str rest = str_of(r->route ? r->route->deprecated : NULL);
	struct str since = str_cut(&rest, ' '), until = str_cut(&rest, ' ');
	char sunset[HTTP_DATE_SIZE];
	int64_t us;

	if (read_date(since, &us))
		buf_printf(head, "Deprecation: @%lld\r\n", (long long)(us / US_PER_S));
	if (read_date(until, &us)) {
		clock_http_date(us, sunset);
		line(head, "Sunset", sunset);
	}
	if (rest.ptr)
		buf_printf(head, "Link: <%.*s>; rel=\"successor-version\"\r\n", STR_FMT(rest));
}

static void write_content(const struct request *r, struct buf *head)
{
	const struct reply *reply = &r->reply;

	if (reply->status == 204 || reply->status == 304)
		return;

	line(head, "Content-Type", reply->content_type ? reply->content_type : "application/json");
	if (reply->more)
		return; /* nobody knows yet */
	buf_str(head, "Content-Length: ");
	buf_i64(head, (int64_t)reply->body.len);
	buf_str(head, "\r\n");
}

void headers_write(const struct request *r, struct buf *head)
{
	const struct reply *reply = &r->reply;

	buf_printf(head, "Status: %d %s\r\n", reply->status, phrase_of(reply->status));
	write_content(r, head);
	if (r->ctx->request_id)
		line(head, "X-Request-Id", r->ctx->request_id);
	write_timing(r, head);
	buf_add(head, security, sizeof(security) - 1);
	if (!says(r, "Content-Security-Policy"))
		line(head, "Content-Security-Policy", CONTENT_SECURITY_POLICY);
	if (!says(r, "Cache-Control"))
		line(head, "Cache-Control", cache_control(r));
	cors_write(r, head);
	limit_write(r, head);
	write_deprecation(r, head);
	for (size_t i = 0; i < reply->headers_len; i++)
		line(head, reply->headers[i].name, reply->headers[i].value);
	buf_str(head, "\r\n");
}
