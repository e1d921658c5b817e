/*
 * Headers of replies beside those that support/conformance.c wants of all: request ids, caching,
 * compression.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/wire.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct answer ask_with_id(const char *id)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);

	return ask_with(&nobody, "GET", "/health", NULL, strf("X-Request-Id: %s", id));
}

Test(http_headers, a_sane_request_id_is_kept)
{
	static const char *const ids[] = { "abcdefgh", "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f",
					   "A.b_c-1234567" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct answer a = answer_is(ask_with_id(ids[i]), 200);

		cr_expect_str_eq(answer_header(&a, "X-Request-Id"), ids[i]);
	}
}

Test(http_headers, another_is_replaced)
{
	const char *ids[] = { "short", "with blank in it", "<script>alert(1)</script>",
			      "a\"b\"c\"d\"e\"f", NULL };

	ids[4] = strf("%065d", 7);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct answer a = answer_is(ask_with_id(ids[i]), 200);

		cr_expect_str_neq(answer_header(&a, "X-Request-Id"), ids[i]);
		cr_expect_geq(strlen(answer_header(&a, "X-Request-Id")), 8);
	}
}

Test(http_headers, each_request_has_an_id_of_its_own)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct answer a = get(&ann, "/users"), b = get(&ann, "/users");

	cr_assert_str_neq(answer_header(&a, "X-Request-Id"), answer_header(&b, "X-Request-Id"));
}

/* An error that nginx makes says the client's id too. */
Test(http_headers, nginx_errors_have_the_same_id)
{
	struct answer a;

	world();
	a = wire_answer(STR("POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\n"
			    "X-Request-Id: abcdefgh\r\nContent-Length: 99999999\r\n\r\n"));
	answer_is_error(a, 413, "PAYLOAD_TOO_LARGE", NULL);
	cr_assert_str_eq(answer_text(a, "requestId"), "abcdefgh");
}

/* RFC 9112 section 4: the blank behind the number stands even before no reason. */
Test(http_headers, the_status_line_is_whole)
{
	struct wire *w = wire_open();
	struct str said;

	wire_send(w, STR("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	said = wire_read(w);
	cr_assert(str_starts(said, "HTTP/1.1 200 "), "%.20s", said.ptr);
	wire_close(w);
}

Test(http_headers, a_tenants_data_is_kept_by_no_shared_cache)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer list = get(&ann, "/users");
	struct answer one = get(&ann, strf("/users/%s", answer_text(list, "data.0.id")));

	cr_assert_str_eq(answer_header(&list, "Cache-Control"), "no-store");
	cr_assert_str_eq(answer_header(&one, "Cache-Control"), "private, no-cache");
}

Test(http_headers, replies_are_json_of_a_stated_length)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer a = get(&ann, "/users");

	cr_assert_str_eq(answer_header(&a, "Content-Type"), "application/json");
	cr_assert_str_eq(answer_header(&a, "Content-Length"), strf("%zu", a.body.len));
}

Test(http_headers, only_what_is_large_is_compressed)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);
	struct answer small = ask_with(&nobody, "HEAD", "/health", NULL, "Accept-Encoding: gzip");
	struct answer large =
		ask_with(&nobody, "HEAD", "/api/openapi.json", NULL, "Accept-Encoding: gzip");

	cr_assert_null(answer_header(&small, "Content-Encoding"));
	cr_assert_str_eq(answer_header(&large, "Content-Encoding"), "gzip");
}

Test(http_headers, plain_http_on_the_tls_port_is_sent_to_https)
{
	const char *url = strf("http%s/health", world()->url + strlen("https"));
	const char *argv[] = { "curl",      "-s", "-o",
			       "/dev/null", "-w", "%{http_code} %{redirect_url}",
			       url,         NULL };
	struct str said = world_run(argv, NULL);

	cr_assert(str_eq(said, str_of(strf("308 %s/health", world()->url))), "%.*s", STR_FMT(said));
}
