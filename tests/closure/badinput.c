/*
 * Whatever is malformed gets its 4xx with the contract's error body, from nginx or from Zygo,
 * writes nothing, and leaves the workers serving.
 *
 * To add a way of being malformed: a row in bodies[], targets[] or requests[].
 */
#include "base/buf.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/probe.h"
#include "support/servers.h"
#include "support/wire.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/* n times the same text. */
static const char *repeat(const char *text, size_t n)
{
	struct buf out;

	buf_init(&out, world_arena(), MIB(4));
	for (size_t i = 0; i < n; i++)
		buf_str(&out, text);
	return out.data;
}

/*
 * Bodies
 */

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static const struct {
	const char *name;
	struct str body;
	const char *code;
} bodies[] = {
	{ "cut off", TEXT("{\"slug\":\"blue\""), "MALFORMED_JSON" },
	{ "a comma too many", TEXT("{\"slug\":\"blue\",}"), "MALFORMED_JSON" },
	{ "something after the end", TEXT("{} {}"), "MALFORMED_JSON" },
	{ "single quotes", TEXT("{'slug':'blue'}"), "MALFORMED_JSON" },
	{ "a comment", TEXT("{/* */}"), "MALFORMED_JSON" },
	{ "NaN", TEXT("{\"slug\":NaN}"), "MALFORMED_JSON" },
	{ "a leading zero", TEXT("{\"slug\":01}"), "MALFORMED_JSON" },
	{ "a number beyond all range", TEXT("{\"slug\":1e999}"), "MALFORMED_JSON" },
	{ "an integer beyond int64", TEXT("{\"slug\":9223372036854775808}"), "MALFORMED_JSON" },
	{ "a key twice", TEXT("{\"slug\":\"blue\",\"slug\":\"red\",\"name\":\"x\"}"),
	  "MALFORMED_JSON" },
	{ "a key twice, once escaped",
	  TEXT("{\"slug\":\"blue\",\"sl\\u0075g\":\"red\",\"name\":\"x\"}"), "MALFORMED_JSON" },
	{ "a NUL", TEXT("{\"slug\":\"bl\0ue\",\"name\":\"x\"}"), "MALFORMED_JSON" },
	{ "an escaped NUL", TEXT("{\"slug\":\"blue\",\"name\":\"a\\u0000b\"}"), "MALFORMED_JSON" },
	{ "a control character", TEXT("{\"slug\":\"blue\",\"name\":\"a\nb\"}"), "MALFORMED_JSON" },
	{ "invalid UTF-8", TEXT("{\"slug\":\"blue\",\"name\":\"\xc3\x28\"}"), "MALFORMED_JSON" },
	{ "overlong UTF-8", TEXT("{\"slug\":\"blue\",\"name\":\"\xc0\xaf\"}"), "MALFORMED_JSON" },
	{ "a surrogate as UTF-8", TEXT("{\"slug\":\"blue\",\"name\":\"\xed\xa0\x80\"}"),
	  "MALFORMED_JSON" },
	{ "half a surrogate pair", TEXT("{\"slug\":\"blue\",\"name\":\"\\ud800\"}"),
	  "MALFORMED_JSON" },
	{ "an escape that is none", TEXT("{\"slug\":\"blue\",\"name\":\"\\x41\"}"),
	  "MALFORMED_JSON" },
	{ "UTF-16", TEXT("\xff\xfe{\0}\0"), "MALFORMED_JSON" },
	{ "a byte order mark", TEXT("\xef\xbb\xbf{}"), "MALFORMED_JSON" },
	{ "nothing but blanks", TEXT("   "), "MALFORMED_JSON" },
	{ "a form", TEXT("slug=blue&name=Blue"), "MALFORMED_JSON" },
};

Test(badinput, bodies_that_are_no_json_are_refused)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *before = database_tenant_digest(ann.tenant);
	const char *who = server_workers_text();

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct answer a = answer_to(&(struct ask){ .method = "POST",
							   .path = "/api/v1/projects",
							   .caller = &ann,
							   .body = bodies[i].body.ptr,
							   .body_len = bodies[i].body.len });

		cr_expect(a.status == 400 && strcmp(answer_text(a, "error"), bodies[i].code) == 0,
			  "%s: %d %.*s", bodies[i].name, a.status, STR_FMT(a.body));
	}
	cr_assert_str_eq(database_tenant_digest(ann.tenant), before);
	cr_assert_str_eq(server_workers_text(), who, "a worker died");
}

/* Deep nesting is refused before it costs anything, by whatever it nests. */
Test(badinput, depth_bombs_are_refused)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *who = server_workers_text();
	const char *bombs[] = {
		strf("{\"name\":%s1%s}", repeat("[", 100000), repeat("]", 100000)),
		strf("{\"name\":%s1%s}", repeat("{\"a\":", 100000), repeat("}", 100000)),
		repeat("[", 500000),
		strf("{\"name\":%s1%s}", repeat("[", 40), repeat("]", 40)),
	};

	for (size_t i = 0; i < ARRAY_LEN(bombs); i++)
		answer_is_error(post(&ann, "/projects", bombs[i]), 400, "MALFORMED_JSON", NULL);
	cr_assert_str_eq(server_workers_text(), who, "a worker died");
}

/* Every route that takes a body, with the same few. */
Test(badinput, no_route_takes_what_is_no_json)
{
	static const char *const texts[] = { "{", "{\"a\":1,\"a\":2}", "\xc3\x28",
					     "{\"a\":1e999}" };
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c = probe_caller(&row);

		for (size_t k = 0; row.route->body && k < ARRAY_LEN(texts); k++)
			answer_is_error(
				answer_to(&(struct ask){ .method = method_name(row.route->method),
							 .path = probe_path(&row, probe_no_id()),
							 .caller = &c,
							 .body = texts[k] }),
				400, "MALFORMED_JSON", NULL);
	}
}

/* They stand in subjects of mails, in lists, in logs. */
Test(badinput, names_that_are_no_line_are_refused)
{
	static const char *const names[] = { "   ", "a\\r\\nBcc: b@example.com", "a\\u001b[2J",
					     "\\t" };
	struct caller ann = caller(ROLE_OWNER);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		answer_is_error(post(&ann, "/projects",
				     strf("{\"slug\":\"blue\",\"name\":\"%s\"}", names[i])),
				400, "VALIDATION_ERROR", "name");
		answer_is_error(patch(&ann, "/tenant", strf("{\"name\":\"%s\"}", names[i])), 400,
				"VALIDATION_ERROR", "name");
	}
}

Test(badinput, bodies_of_another_type_are_refused)
{
	static const char *const types[] = { "text/plain",
					     "application/x-www-form-urlencoded",
					     "multipart/form-data; boundary=x",
					     "application/jsonp",
					     "application/json; charset=utf-16",
					     "application/xml" };
	struct caller ann = caller(ROLE_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		answer_is_error(
			answer_to(&(struct ask){ .method = "POST",
						 .path = "/api/v1/projects",
						 .caller = &ann,
						 .body = "{\"slug\":\"blue\",\"name\":\"x\"}",
						 .content_type = types[i] }),
			415, "UNSUPPORTED_MEDIA_TYPE", NULL);
	cr_assert_eq(answer_int(get(&ann, "/projects"), "pagination.total"), 0);
}

Test(badinput, bodies_that_are_too_large_are_refused)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *name = repeat("a", MIB(1) + 1);

	answer_is_error(post(&ann, "/projects", strf("{\"slug\":\"blue\",\"name\":\"%s\"}", name)),
			413, "PAYLOAD_TOO_LARGE", NULL);
	cr_assert_eq(answer_int(get(&ann, "/projects"), "pagination.total"), 0);
}

/* Text that breaks SQL, logs, HTML or terminals is text like any other. */
Test(badinput, strange_but_valid_text_is_kept_as_it_is)
{
	static const char *const texts[] = {
		"'; DROP TABLE projects; --",
		"%s%n%x",
		"<script>alert(1)</script>",
		"\\\\\\\"",
		"\xf0\x9f\x92\x99",
		"\xe2\x80\xae",
		"$1",
		"a\\u0001b\\u001bc",
		"{{7*7}}",
	};
	struct caller ann = caller(ROLE_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *body = strf("{\"slug\":\"s%zu\",\"name\":\"x\",\"description\":\"%s\"}",
					i, texts[i]);
		struct answer made = answer_is(post(&ann, "/projects", body), 201);
		const char *path = strf("/projects/%s", answer_text(made, "id"));

		cr_expect(str_eq(made.body, answer_is(get(&ann, path), 200).body));
	}
}

/*
 * Targets
 */

static const struct {
	const char *target;
	int status;
} targets[] = {
	{ "/api/v1/projects?search=%zz", 400 },
	{ "/api/v1/projects?search=%", 400 },
	{ "/api/v1/projects?search=%00", 400 },
	{ "/api/v1/projects?search=%c3%28", 400 },
	{ "/api/v1/projects?limit=1&limit=2", 400 },
	{ "/api/v1/projects?limit=9999999999999999999999", 400 },
	{ "/api/v1/projects?limit=0x10", 400 },
	{ "/api/v1/projects?page=-1", 400 },
	{ "/api/v1/%zz", 400 },
	{ "/api/v1/%c3%28", 400 },
	{ "/api/v1/projects/..%2fusers", 404 },
	{ "/api/v1/projects/%2e%2e/users", 404 },
	{ "/../../etc/passwd", 400 },
	{ "/api/v1/../../../etc/passwd", 400 },
	{ "/api/v1/projects\\..\\users", 404 },
};

Test(badinput, targets_that_are_none_are_refused)
{
	struct caller ann = caller(ROLE_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct answer a = answer_to(&(struct ask){
			.method = "GET", .path = targets[i].target, .caller = &ann });

		cr_expect_eq(a.status, targets[i].status, "%s: %d %.*s", targets[i].target,
			     a.status, STR_FMT(a.body));
	}
}

Test(badinput, addresses_that_are_too_long_are_refused)
{
	struct caller ann = caller(ROLE_ADMIN);
	static const size_t lengths[] = { 3000, 6000 };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct answer path = get(&ann, strf("/%s", repeat("a", lengths[i])));
		struct answer query =
			get(&ann, strf("/projects?search=%s", repeat("a", lengths[i])));

		cr_expect(path.status == 414 || path.status == 404, "path of %zu: %d", lengths[i],
			  path.status);
		cr_expect(query.status == 414 || query.status == 400, "query of %zu: %d",
			  lengths[i], query.status);
	}
}

/* So long that nginx reads no further; over HTTP/2 it ends the connection instead. */
Test(badinput, addresses_beyond_all_limits_are_refused)
{
	struct answer a;

	world();
	a = wire_answer(
		str_of(strf("GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", repeat("a", 40000))));
	answer_is_error(a, 414, "URI_TOO_LONG", NULL);
}

/*
 * Whole requests, as no client would send them
 */

#define HOST "Host: localhost\r\n"

static const struct {
	const char *name;
	struct str bytes;
	int status;
} requests[] = {
	{ "no HTTP at all", TEXT("hello\r\n\r\n"), 400 },
	{ "a version of the future", TEXT("GET /health HTTP/9.9\r\n" HOST "\r\n"), 400 },
	{ "no Host", TEXT("GET /health HTTP/1.1\r\n\r\n"), 400 },
	{ "two Hosts", TEXT("GET /health HTTP/1.1\r\n" HOST HOST "\r\n"), 400 },
	{ "a Host that is none", TEXT("GET /health HTTP/1.1\r\nHost: a b/c\r\n\r\n"), 400 },
	{ "a method of the past", TEXT("TRACE /health HTTP/1.1\r\n" HOST "\r\n"), 405 },
	{ "CONNECT", TEXT("CONNECT localhost:443 HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a method in lower case", TEXT("get /health HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a NUL in the path", TEXT("GET /he\0alth HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a NUL in a header", TEXT("GET /health HTTP/1.1\r\n" HOST "X-Request-Id: a\0b\r\n\r\n"),
	  400 },
	{ "two Content-Lengths",
	  TEXT("POST /api/auth/login HTTP/1.1\r\n" HOST
	       "Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
	  400 },
	{ "Content-Length and chunks",
	  TEXT("POST /api/auth/login HTTP/1.1\r\n" HOST
	       "Content-Type: application/json\r\nContent-Length: 2\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  400 },
	{ "a Content-Length below zero",
	  TEXT("POST /api/auth/login HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"), 400 },
	{ "a Content-Length of letters",
	  TEXT("POST /api/auth/login HTTP/1.1\r\n" HOST "Content-Length: two\r\n\r\n"), 400 },
	{ "a transfer encoding that nobody has",
	  TEXT("POST /api/auth/login HTTP/1.1\r\n" HOST "Transfer-Encoding: rot13\r\n\r\n"), 405 },
	{ "chunks that are none",
	  TEXT("POST /api/auth/login HTTP/1.1\r\n" HOST
	       "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
	  400 },
	{ "an absolute path of another host",
	  TEXT("GET http://evil.example.com/api/v1/nothing HTTP/1.1\r\n" HOST "\r\n"), 404 },
};

Test(badinput, requests_that_are_no_http_are_refused)
{
	const char *who = server_workers_text();

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct answer a;

		if (!wire_try(requests[i].bytes, &a)) {
			cr_expect_fail("%s: no answer", requests[i].name);
			continue;
		}
		cr_expect_eq(a.status, requests[i].status, "%s: %d %.*s", requests[i].name,
			     a.status, STR_FMT(a.body));
	}
	cr_assert_str_eq(server_workers_text(), who, "a worker died");
}

Test(badinput, headers_that_are_too_large_are_refused)
{
	struct answer a;

	world();
	a = wire_answer(str_of(
		strf("GET /health HTTP/1.1\r\n" HOST "X-A: %s\r\n\r\n", repeat("a", 20000))));
	answer_is_error(a, 413, "PAYLOAD_TOO_LARGE", NULL);
	a = wire_answer(str_of(strf("GET /health HTTP/1.1\r\n" HOST "%s\r\n",
				    repeat("X-Abcdefgh: 0123456789\r\n", 900))));
	answer_is_error(a, 413, "PAYLOAD_TOO_LARGE", NULL);
	a = wire_answer(str_of(
		strf("GET /health HTTP/1.1\r\n" HOST "%s\r\n", repeat("X-Abc: 1\r\n", 200))));
	answer_is_error(a, 413, "PAYLOAD_TOO_LARGE", NULL);
}

/* Headers that the program reads, each with what it cannot be. */
static const struct {
	const char *header;
	int status;
} odd_headers[] = {
	{ "Authorization: Bearer", 401 },
	{ "Authorization: Basic YW5uOmJsdWU=", 401 },
	{ "Authorization: Bearer a.b.c", 401 },
	{ "Authorization: Bearer \xff\xfe", 401 },
	{ "Authorization: Bearer ....", 401 },
	{ "X-Tenant-ID: not-an-id", 400 },
	{ "If-Match: \"v99999999999999999999\"", 412 },
	{ "If-None-Match: \"", 404 },
	{ "X-Request-Id: a b c \"<>", 404 },
	{ "Cookie: =;;;==__Host-zygo_session", 404 },
};

Test(badinput, headers_that_make_no_sense_are_refused_or_ignored)
{
	struct caller ann = caller(ROLE_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(odd_headers); i++) {
		const char *header = odd_headers[i].header;
		bool is_authorization = strncmp(header, "Authorization", 13) == 0;
		bool is_match = strncmp(header, "If-Match", 8) == 0;
		struct caller c = is_authorization ? with_token(ann, NULL) : ann;
		struct answer a;

		a = ask_with(&c, is_match ? "DELETE" : "GET", strf("/projects/%s", probe_no_id()),
			     NULL, header);
		cr_expect_eq(a.status, odd_headers[i].status, "%s: %d %.*s", header, a.status,
			     STR_FMT(a.body));
	}
}
