/*
 * The walk from an answer to its route, its row in the document, its headers.
 */
#include "support/conformance.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/openapi.h"
#include "http/route.h"
#include "support/answer.h"
#include "support/schema.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ROUTES_MAX         1024
#define DOCUMENT_BYTES_MAX MIB(8)

/* What was asked, and the row that answers it. */
struct visit {
	const struct answer *answer;
	enum method method; /* 0: none of ours */
	struct route_match match;
};

/*
 * Headers
 */

static const char *const always[] = {
	"X-Request-Id",
	"Strict-Transport-Security",
	"X-Content-Type-Options",
	"X-Frame-Options",
	"Referrer-Policy",
	"Content-Security-Policy",
	"Cross-Origin-Opener-Policy",
	"Cross-Origin-Resource-Policy",
};

/* Headers that an answer of this status has beside. */
static const struct {
	int status;
	const char *name;
} with_status[] = {
	{ 401, "WWW-Authenticate" },
	{ 405, "Allow" },
	{ 429, "Retry-After" },
	{ 503, "Retry-After" },
};

/* Only a list may come in parts (RFC 9110 section 5.3). */
static void check_repeated(const struct answer *a)
{
	for (size_t i = 0; i < a->headers_len; i++) {
		const char *name = strf("%.*s", STR_FMT(a->headers[i].name));
		bool is_list = strcasecmp(name, "Vary") == 0 || strcasecmp(name, "Set-Cookie") == 0;

		for (size_t k = 0; k < i && !is_list; k++)
			cr_assert(!str_is_nocase(a->headers[k].name, name), "%s: %s comes twice",
				  a->asked, name);
	}
}

static void check_headers(const struct answer *a)
{
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		cr_assert(answer_header(a, always[i]), "%s: %d without %s", a->asked, a->status,
			  always[i]);
	for (size_t i = 0; i < ARRAY_LEN(with_status); i++)
		cr_assert(with_status[i].status != a->status ||
				  answer_header(a, with_status[i].name),
			  "%s: %d without %s", a->asked, a->status, with_status[i].name);
	check_repeated(a);
}

/*
 * Errors
 */

/* The number of a code; 0 when there is none. */
static int err_of(const char *code)
{
	for (int e = 1; e < ERR_COUNT; e++) {
		if (strcmp(err_info(e)->code, code) == 0)
			return e;
	}
	return 0;
}

/* nginx answers these by itself, for any path. */
static bool nginx_may_say(int err)
{
	static const int errors[] = { ERR_VALIDATION_ERROR,   ERR_AUTH_FORBIDDEN,
				      ERR_METHOD_NOT_ALLOWED, ERR_PAYLOAD_TOO_LARGE,
				      ERR_URI_TOO_LONG,       ERR_RATE_LIMIT_EXCEEDED,
				      ERR_BAD_GATEWAY,        ERR_SERVICE_UNAVAILABLE,
				      ERR_GATEWAY_TIMEOUT };

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (errors[i] == err)
			return true;
	}
	return false;
}

/* Zygo answers these before it knows the route. */
static bool is_before_routing(int err)
{
	return err == ERR_URI_TOO_LONG || err == ERR_PAYLOAD_TOO_LARGE;
}

/* Without a row any path may be unknown, or no path at all; with one, its row says what may go
 * wrong. */
static bool may_fail(const struct visit *v, int err)
{
	if (v->match.route && route_may_fail(v->match.route, v->match.tier, err))
		return true;
	if (!v->match.route && (err == ERR_ROUTE_NOT_FOUND || err == ERR_METHOD_NOT_ALLOWED ||
				err == ERR_VALIDATION_ERROR))
		return true;
	return is_before_routing(err) ||
	       (!answer_header(v->answer, "Server-Timing") && nginx_may_say(err));
}

static void check_error(const struct visit *v)
{
	const struct answer *a = v->answer;
	const struct json *value;
	struct str key;
	int64_t at;
	int err;

	if (v->method == HEAD)
		return;
	cr_assert(a->json, "%s: %d without the error body: %.*s", a->asked, a->status,
		  STR_FMT(a->body));
	err = err_of(answer_text(*a, "error"));
	cr_assert(err, "%s: code %s is not in errors.def", a->asked, answer_text(*a, "error"));
	cr_assert_eq(err_info(err)->status, a->status, "%s: %s with status %d", a->asked,
		     answer_text(*a, "error"), a->status);
	cr_assert(may_fail(v, err), "%s: the row does not state %s: %.*s", a->asked,
		  err_info(err)->code, STR_FMT(a->body));

	cr_assert_eq(answer_int(*a, "statusCode"), a->status);
	cr_assert(*answer_text(*a, "message"));
	cr_assert_str_eq(answer_text(*a, "requestId"), answer_header(a, "X-Request-Id"));
	cr_assert(clock_parse_rfc3339(str_of(answer_text(*a, "timestamp")), &at));
	for (size_t i = 0; jsonread_each(a->json, i, &key, &value); i++)
		cr_assert(i < 5 || str_is(key, "details"), "%s: an error with \"%s\"", a->asked,
			  key.ptr);
}

/*
 * What went well
 */

static const struct json *document(void)
{
	static const struct json *doc;
	struct buf text;
	const char *why;
	size_t at;

	if (doc)
		return doc;
	buf_init(&text, world_arena(), DOCUMENT_BYTES_MAX);
	openapi_write(&text, ~0U, false);
	cr_assert(jsonread_parse(world_arena(), buf_view(&text), &doc, &why, &at), "openapi: %s",
		  why);
	return doc;
}

/* "/projects/:id" to "/projects/{id}". */
static const char *template_of(const char *pattern)
{
	struct str rest = str_of(pattern + 1);
	const char *text = "";
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param))
		text = strf(is_param ? "%s/{%.*s}" : "%s/%.*s", text, STR_FMT(s));
	return text;
}

/* A member of a member of …; names end with NULL. */
static bool dig(const struct json *from, const char *const *names, const struct json **ret)
{
	*ret = from;
	for (; *names; names++) {
		if (json_kind(*ret) != JSON_OBJECT || !jsonread_member(*ret, *names, ret))
			return false;
	}
	return true;
}

static const char *lower(const char *s)
{
	return str_lower(world_arena(), str_of(s));
}

/* What a reference leads to; what is none, itself. */
static const struct json *follow(const struct json *response)
{
	const struct json *ref, *at = document();
	struct str rest, name;

	if (!jsonread_member(response, "$ref", &ref))
		return response;
	rest = jsonread_string(ref);
	for (str_cut(&rest, '/'); (name = str_cut(&rest, '/')).ptr;)
		cr_assert(jsonread_member(at, strf("%.*s", STR_FMT(name)), &at),
			  "%.*s leads nowhere", STR_FMT(jsonread_string(ref)));

	return at;
}

/* The schema of this answer's body in the document; NULL: it has none. */
static const struct json *schema_of(const struct visit *v)
{
	const struct json *response, *schema;
	const char *method = lower(method_name(v->match.route->method));
	const char *names[] = { "paths",     template_of(v->match.pattern), method,
				"responses", strf("%d", v->answer->status), NULL };

	cr_assert(dig(document(), names, &response), "%s: %d is not in the OpenAPI document",
		  v->answer->asked, v->answer->status);
	if (!dig(follow(response),
		 (const char *[]){ "content", "application/json", "schema", NULL }, &schema))
		return NULL;
	return schema;
}

static void check_body(const struct visit *v)
{
	const struct answer *a = v->answer;
	const struct json *schema;
	const char *why;

	if (v->match.route->flags & ROUTE_HIDDEN)
		return;
	schema = schema_of(v);
	if (!schema) {
		cr_assert(!a->json, "%s: a body that the document does not know: %.*s", a->asked,
			  STR_FMT(a->body));
		return;
	}
	why = schema_mismatch(document(), schema, a->json);
	cr_assert(!why, "%s: %s, in %.*s", a->asked, why, STR_FMT(a->body));
}

static void check_success(const struct visit *v)
{
	const struct route *r = v->match.route;
	const struct answer *a = v->answer;

	if (v->method == OPTIONS || a->status / 100 == 3)
		return;
	cr_assert(r, "%s: answered %d without a row", a->asked, a->status);
	cr_assert(answer_header(a, "Server-Timing"), "%s: without Server-Timing", a->asked);
	if (r->rate != RATE_EXEMPT)
		cr_assert(answer_header(a, "RateLimit") && answer_header(a, "RateLimit-Policy"),
			  "%s: limited, and does not say so", a->asked);
	if (r->flags & ROUTE_NO_STORE)
		cr_assert_str_eq(answer_header(a, "Cache-Control"), "no-store");
	if (v->method == HEAD)
		cr_assert_eq(a->body.len, 0);
	else
		check_body(v);
}

/*
 * The record
 */

const char *conformance_record(void)
{
	return strf("%s/routes-answered", world()->dir);
}

/* One line, once a process. */
static void record(const struct visit *v)
{
	static const struct route *seen[ROUTES_MAX];
	static enum tier tiers[ROUTES_MAX];
	static size_t len;
	_cleanup_(closep) int fd = -1;
	const char *line;

	for (size_t i = 0; i < len; i++) {
		if (seen[i] == v->match.route && tiers[i] == v->match.tier)
			return;
	}
	cr_assert(len < ROUTES_MAX);
	seen[len] = v->match.route;
	tiers[len++] = v->match.tier;

	line = strf("%s %s\n", method_name(v->match.route->method), v->match.pattern);
	fd = open(conformance_record(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	cr_assert(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line));
}

/*
 * All of it
 */

/* A path in another spelling than a route's is none, whatever it would mean once resolved. */
static bool is_plain(struct str raw, struct str path)
{
	struct str rest = path, segment;

	str_cut(&rest, '/');
	while ((segment = str_cut(&rest, '/')).ptr) {
		if (!segment.len || str_is(segment, ".") || str_is(segment, ".."))
			return false;
	}
	return !strcasestr(str_dup(world_arena(), raw), "%2f") && !memchr(path.ptr, '\\', path.len);
}

static struct visit visit_of(const struct ask *ask, const struct answer *a)
{
	struct visit v = { .answer = a };
	struct str rest = str_of(ask ? ask->path : ""), raw = str_cut(&rest, '?'), path;

	if (!ask)
		return v;
	v.method = method_parse(ask->method);
	if (str_percent_decode(world_arena(), raw, false, &path) && is_plain(raw, path))
		route_find(v.method, str_dup(world_arena(), path), &v.match);
	return v;
}

void conformance_check(const struct ask *ask, const struct answer *a)
{
	struct visit v = visit_of(ask, a);

	check_headers(a);
	if (a->status >= 400) {
		check_error(&v);
		return;
	}
	cr_assert(ask, "%s: answered %d", a->asked, a->status);
	check_success(&v);
	if (v.match.route && v.method != HEAD)
		record(&v);
}
