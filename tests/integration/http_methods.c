/*
 * Methods and paths: HEAD, OPTIONS, what is not allowed, what does not exist.
 */
#include "http/method.h"
#include "support/answer.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct answer ask_as(const struct caller *c, const char *method, const char *path)
{
	return answer_to(&(struct ask){ .method = method, .path = path, .caller = c });
}

/* Headers that differ between any two answers, or that nginx makes of a body. */
static bool varies(struct str name)
{
	static const char *const names[] = { "Date",      "X-Request-Id",   "Server-Timing",
					     "RateLimit", "Content-Length", "Vary" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is_nocase(name, names[i]))
			return true;
	}
	return false;
}

static void expect_same_headers(const struct answer *a, const struct answer *b)
{
	for (size_t i = 0; i < a->headers_len; i++) {
		const char *name = strf("%.*s", STR_FMT(a->headers[i].name));
		const char *other = answer_header(b, name);

		if (!varies(a->headers[i].name))
			cr_expect(other && str_is(a->headers[i].value, other), "%s: %s differs",
				  b->asked, name);
	}
}

Test(http_methods, head_answers_as_get_without_the_body)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c;
		struct answer with, without;
		const char *path;

		if (row.route->method != GET || strstr(row.path, "/health") ||
		    strstr(row.path, "/metrics"))
			continue;
		c = probe_caller(&row);
		path = probe_path(&row, probe_no_id());
		with = ask_as(&c, "GET", path);
		without = ask_as(&c, "HEAD", path);
		cr_expect_eq(with.status, without.status, "%s", with.asked);
		cr_expect_eq(without.body.len, 0);
		expect_same_headers(&with, &without);
	}
}

/* The methods that the table has for a path, whatever its ids. */
static unsigned methods_of(const char *pattern)
{
	unsigned methods = OPTIONS;
	struct mounted row;

	for (size_t i = 0; route_each(i, &row); i++) {
		if (strcmp(row.path, pattern) == 0)
			methods |= row.route->method | (row.route->method == GET ? HEAD : 0);
	}
	return methods;
}

/* "GET, HEAD, OPTIONS" as a set. */
static unsigned methods_in(const char *header)
{
	struct str rest = str_of(header), one;
	unsigned methods = 0;

	while ((one = str_cut(&rest, ',')).ptr)
		methods |= method_parse(strf("%.*s", STR_FMT(str_trim(one))));
	return methods;
}

Test(http_methods, other_methods_are_told_which_are_allowed)
{
	static const enum method all[] = { GET, POST, PUT, PATCH, DELETE };
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c = probe_caller(&row);
		unsigned allowed = methods_of(row.path);
		const char *path = probe_path(&row, probe_no_id());
		struct answer a = answer_is(ask_as(&c, "OPTIONS", path), 204);

		cr_expect_eq(methods_in(answer_header(&a, "Allow")), allowed, "%s: Allow: %s",
			     a.asked, answer_header(&a, "Allow"));
		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			if (allowed & all[k])
				continue;
			a = answer_is_error(ask_as(&c, method_name(all[k]), path), 405,
					    "METHOD_NOT_ALLOWED", NULL);
			cr_expect_eq(methods_in(answer_header(&a, "Allow")), allowed);
		}
	}
}

Test(http_methods, that_are_none_are_not_allowed)
{
	struct caller ann = caller(ROLE_ADMIN);
	static const char *const methods[] = { "TRACE", "PROPFIND", "get", "X" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct answer a = ask_as(&ann, methods[i], "/api/v1/users");

		cr_expect(a.status == 405 || a.status == 400, "%s: %d", methods[i], a.status);
	}
}

Test(http_methods, a_path_that_is_no_route_is_named_in_the_answer)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer a = answer_is_error(get(&ann, "/nothing/here"), 404, "ROUTE_NOT_FOUND", NULL);

	cr_assert_str_eq(answer_text(a, "message"), "Route GET /api/v1/nothing/here not found");
}

Test(http_methods, paths_have_one_spelling)
{
	struct caller ann = caller(ROLE_OWNER);
	static const char *const paths[] = {
		"/api/v1/users/",     "/api/v1//users",          "/api/v1/./users",
		"/api/v1/x/../users", "/api/v1/Users",           "/API/v1/users",
		"/api/v1/users;a",    "/api/v1/users/.",         "/api/v1/users%2f",
		"/api/v1%2fusers",    "/api/v1/%2e%2e/v1/users", "/api/v1/x/%2e%2e/users",
		"/api/v1/users%00",   "/api/v1/users%0a",
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct answer a = ask_as(&ann, "GET", paths[i]);

		cr_expect(a.status == 404 || a.status == 400, "%s: %d", paths[i], a.status);
	}
	answer_is(ask_as(&ann, "GET", "/api/v1/%75sers"), 200);
}
