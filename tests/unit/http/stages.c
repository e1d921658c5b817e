/* The way of a request: what each stage lets through and how it says no. */
#include "http/stages.h"

#include "base/err.h"
#include "exchange.h"
#include "samples.h"

#include <criterion/criterion.h>

static void setup(void)
{
	exchange_begin(sample_mounts);
}

TestSuite(stages, .init = setup, .fini = exchange_end);

#define ID "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"

static void expect_error(struct answer a, int err, const char *part)
{
	const struct err_info *info = err_info(err);

	cr_expect_eq(a.status, info->status, "%d: %s", a.status, a.body);
	cr_expect(answer_says(a, info->code), "%s", a.body);
	cr_expect(answer_says(a, part), "%s: %s", part, a.body);
	cr_expect(answer_says(a, "\"requestId\":\""));
	cr_expect_str_eq(answer_header(a, "Content-Type"), "application/json");
}

Test(stages, a_row_answers)
{
	struct answer a = ask("GET", "/things");

	cr_expect_eq(a.status, 200);
	cr_expect_str_eq(a.body, "{\"name\":\"none\"}");
	cr_expect_str_eq(answer_header(a, "Status"), "200 OK");
	cr_expect_str_eq(answer_header(a, "Content-Length"), "15");
	cr_expect_str_eq(answer_header(a, "Cache-Control"), "no-store");
	cr_expect_str_eq(answer_header(a, "X-Content-Type-Options"), "nosniff");
	cr_expect_neq(strlen(answer_header(a, "Server-Timing")), 0);
	cr_expect(strstr(a.head, "\r\n\r\n"));
}

Test(stages, what_is_no_route_says_so)
{
	expect_error(ask("GET", "/nothing"), ERR_ROUTE_NOT_FOUND, "Route GET /nothing not found");
	expect_error(ask("GET", "/things/"), ERR_ROUTE_NOT_FOUND, "Route GET /things/ not found");
	expect_error(ask("BREW", "/nothing"), ERR_ROUTE_NOT_FOUND, "not found");
}

Test(stages, another_method_is_told_which_there_are)
{
	struct answer a = ask("DELETE", "/things");

	expect_error(a, ERR_METHOD_NOT_ALLOWED, "Method not allowed");
	cr_expect_str_eq(answer_header(a, "Allow"), "GET, HEAD, POST, OPTIONS");
	expect_error(ask("BREW", "/things"), ERR_METHOD_NOT_ALLOWED, "Method not allowed");
}

Test(stages, head_is_get_without_its_body)
{
	struct answer a = ask("HEAD", "/things");

	cr_expect_eq(a.status, 200);
	cr_expect_str_eq(a.body, "");
	cr_expect_str_eq(answer_header(a, "Content-Length"), "15");
}

Test(stages, a_body_comes_in_parts)
{
	struct answer a = ask("GET", "/parts/3");

	cr_expect_eq(a.status, 200);
	cr_expect_str_eq(a.body, "first,3,2,1");
	cr_expect_str_eq(answer_header(a, "Content-Length"), "");
	cr_expect_not(a.is_cut);
	cr_expect_str_eq(ask("HEAD", "/parts/3").body, "");
}

/* The head has gone: what is left is to be seen not to be whole. */
Test(stages, a_part_that_fails_breaks_the_reply_off)
{
	struct answer a = ask("GET", "/parts/x");

	cr_expect_str_eq(answer_header(a, "Status"), "200 OK");
	cr_expect_str_eq(a.body, "first");
	cr_expect(a.is_cut);
	cr_expect_eq(a.status, 500, "what the log says");
}

Test(stages, options_answers_without_a_row)
{
	struct answer a = ask("OPTIONS", "/things");

	cr_expect_eq(a.status, 204);
	cr_expect_str_eq(answer_header(a, "Allow"), "GET, HEAD, POST, OPTIONS");
	cr_expect_str_eq(answer_header(a, "Content-Type"), "");
}

Test(stages, a_good_body_reaches_the_handler)
{
	struct answer a;

	with_body("{\"name\":\"blue\"}");
	a = ask("POST", "/things");
	cr_expect_eq(a.status, 201);
	cr_expect_str_eq(a.body, "{\"name\":\"blue\"}");
}

Test(stages, a_missing_body_is_an_empty_one)
{
	expect_error(ask("POST", "/things"), ERR_VALIDATION_ERROR,
		     "\"details\":{\"issues\":[{\"path\":\"name\",\"message\":\"Required\","
		     "\"code\":\"invalid_type\"}]}");
}

Test(stages, a_body_that_cannot_be_read_says_where)
{
	static const char *const bodies[] = {
		"{",
		"{\"name\":\"a\"}x",
		"{\"name\":\"a\",\"name\":\"b\"}",
		"{\"name\":\"\xff\"}",
		"{\"name\":\"\\u0000\"}",
		"nul",
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		with_body(bodies[i]);
		expect_error(ask("POST", "/things"), ERR_MALFORMED_JSON, "at byte");
	}
}

Test(stages, a_body_must_be_json)
{
	static const struct {
		const char *type;
		bool is_good;
	} types[] = {
		{ "application/json", true },
		{ "Application/JSON; charset=UTF-8", true },
		{ "application/json;charset=\"utf-8\"", true },
		{ "application/json; charset=latin1", false },
		{ "text/plain", false },
		{ "application/x-www-form-urlencoded", false },
		{ "application/jsonx", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		with_header("CONTENT_TYPE", types[i].type);
		with_body("{\"name\":\"a\"}");
		cr_expect_eq(ask("POST", "/things").status, types[i].is_good ? 201 : 415, "%s",
			     types[i].type);
	}
}

Test(stages, a_body_comes_as_it_is)
{
	static const struct {
		const char *coding;
		bool is_good;
	} codings[] = {
		{ "identity", true }, { "", true }, { "gzip", false }, { "gzip, identity", false }
	};

	for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
		with_header("HTTP_CONTENT_ENCODING", codings[i].coding);
		with_body("{\"name\":\"a\"}");
		cr_expect_eq(ask("POST", "/things").status, codings[i].is_good ? 201 : 415, "%s",
			     codings[i].coding);
	}
}

Test(stages, a_body_has_a_greatest_length)
{
	with_header("CONTENT_LENGTH", "1025");
	expect_error(ask("POST", "/things"), ERR_PAYLOAD_TOO_LARGE, "limit");
	with_header("CONTENT_LENGTH", "-1");
	expect_error(ask("POST", "/things"), ERR_VALIDATION_ERROR, "Content-Length");
	with_header("CONTENT_TYPE", "application/json");
	with_header("CONTENT_LENGTH", "12");
	expect_error(ask("POST", "/things"), ERR_MALFORMED_JSON, "ended before");
}

Test(stages, a_row_without_a_body_takes_none)
{
	with_body("{}");
	cr_expect_eq(ask("POST", "/things/" ID "/start").status, 204);
	with_body("{\"a\":1}");
	expect_error(ask("POST", "/things/" ID "/start"), ERR_VALIDATION_ERROR,
		     "unrecognized_keys");
	with_body("not json");
	cr_expect_eq(ask("GET", "/things").status, 200); /* a body on GET has no meaning */
}

Test(stages, a_raw_body_comes_as_it_is)
{
	with_header("CONTENT_TYPE", "text/x-anything");
	with_body("not json");
	cr_expect_str_eq(ask("POST", "/raw").body, "not json");
}

Test(stages, an_id_in_the_path_is_a_uuid)
{
	expect_error(ask("GET", "/things/7"), ERR_VALIDATION_ERROR,
		     "{\"path\":\"id\",\"message\":\"Invalid uuid\",\"code\":\"invalid_string\"}");
	expect_error(ask("DELETE", "/things/7"), ERR_VALIDATION_ERROR, "thingId");
	cr_expect_str_eq(ask("GET", "/things/" ID "/keys/a%20b").body,
			 "{\"id\":\"" ID "\",\"key\":\"a b\"}");
}

Test(stages, all_issues_of_path_and_body_are_told_at_once)
{
	struct answer a;

	with_body("{\"name\":\"\",\"x\":1}");
	a = ask("PATCH", "/things/7");
	expect_error(a, ERR_VALIDATION_ERROR, "Invalid uuid");
	cr_expect(answer_says(a, "too_small"));
	cr_expect(answer_says(a, "unrecognized_keys"));
}

Test(stages, a_failure_has_one_form)
{
	expect_error(ask("POST", "/conflict"), ERR_RESOURCE_CONFLICT,
		     "\"message\":\"A thing with this name exists\",\"statusCode\":409");
	cr_expect(answer_says(ask("POST", "/conflict"), "\"details\":{\"path\":\"name\"}"));
}

Test(stages, what_is_ours_to_mend_is_not_told)
{
	struct answer a = ask("GET", "/broken");

	expect_error(a, ERR_INTERNAL_ERROR, "An unexpected error occurred");
	cr_expect(!answer_says(a, "the reason"));
	cr_expect(!answer_says(a, "details"));
	cr_expect_str_eq(exchange_ctx()->fault.detail, "the reason, for the log");
}

Test(stages, a_failure_that_was_made_good_is_none)
{
	cr_expect_eq(ask("GET", "/made-good").status, 200);
}

Test(stages, a_value_cannot_write_a_header)
{
	struct answer a = ask("GET", "/split");

	cr_expect_str_eq(answer_header(a, "X-Thing"), "a");
	cr_expect_str_eq(answer_header(a, "X-Other"), "");
}

Test(stages, the_limit_is_told_and_held)
{
	struct answer a = ask("GET", "/limited");

	cr_expect_eq(a.status, 200);
	cr_expect_str_eq(answer_header(a, "RateLimit-Policy"), "\"auth\";q=2;w=60");
	cr_expect(strstr(answer_header(a, "RateLimit"), "\"auth\";r="));

	for (int i = 0; i < 3; i++)
		a = ask("GET", "/limited");
	expect_error(a, ERR_RATE_LIMIT_EXCEEDED, "Too many requests");
	cr_expect(answer_says(a, "\"details\":{\"retryAfter\":"));
	cr_expect_neq(strlen(answer_header(a, "Retry-After")), 0);
}

Test(stages, who_may_not_be_here_hears_nothing_else)
{
	for (int i = 0; i < 4; i++)
		(void)ask("GET", "/limited");
	expect_error(ask("GET", "/limited?page=x"), ERR_RATE_LIMIT_EXCEEDED, "Too many");
}

Test(stages, an_old_route_says_when_it_goes_and_what_comes)
{
	struct answer a = ask("GET", "/old");

	cr_expect_str_eq(answer_header(a, "Deprecation"), "@1767225600");
	cr_expect_str_eq(answer_header(a, "Sunset"), "Fri, 01 Jan 2027 00:00:00 GMT");
	cr_expect_str_eq(answer_header(a, "Link"), "</things>; rel=\"successor-version\"");
}

Test(stages, the_request_id_is_the_callers_when_it_is_sane)
{
	static const char too_long[] =
		"01234567890123456789012345678901234567890123456789012345678901234";
	static const char *const odd[] = { "short", "with blank", "a\"quote-in-it", too_long };

	with_header("HTTP_X_REQUEST_ID", "client.id_0-1");
	cr_expect_str_eq(answer_header(ask("GET", "/things"), "X-Request-Id"), "client.id_0-1");
	with_header("HTTP_X_REQUEST_ID", "client.id_0-1");
	with_header("ZYGO_REQUEST_ID", "0123456789abcdef");
	cr_expect_str_eq(answer_header(ask("GET", "/things"), "X-Request-Id"), "0123456789abcdef");

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		with_header("HTTP_X_REQUEST_ID", odd[i]);
		cr_expect_eq(strlen(answer_header(ask("GET", "/things"), "X-Request-Id")), 36);
	}
}

Test(stages, more_headers_than_fit_are_refused)
{
	with_header("TOO_MANY", "1");
	expect_error(ask("GET", "/things"), ERR_PAYLOAD_TOO_LARGE, "headers");
}

Test(stages, a_refused_caller_hears_which_scheme_is_wanted)
{
	cr_expect_str_eq(answer_header(ask("GET", "/things"), "WWW-Authenticate"), "");
}
