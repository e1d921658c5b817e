/* ETags: given, asked about, insisted on. */
#include "http/etag.h"

#include "exchange.h"
#include "samples.h"

#include <criterion/criterion.h>

static void setup(void)
{
	exchange_begin(sample_mounts);
}

TestSuite(etag, .init = setup, .fini = exchange_end);

#define THING "/things/0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"

Test(etag, is_the_version_of_a_resource)
{
	struct answer a = ask("GET", THING);

	cr_expect_str_eq(answer_header(a, "ETag"), "\"v7\"");
	cr_expect_str_eq(answer_header(a, "Cache-Control"), "private, no-cache");
	cr_expect_str_eq(answer_header(ask("GET", "/things"), "ETag"), "");
}

Test(etag, is_a_hash_where_there_is_no_version)
{
	const char *etag = answer_header(ask("GET", "/hashed"), "ETag");

	cr_expect_eq(strlen(etag), 24);
	cr_expect_str_eq(answer_header(ask("GET", "/hashed"), "ETag"), etag);
}

/* clang-format off */
static const struct {
	const char *if_none_match;
	int status;
} conditions[] = {
	{ "\"v7\"", 304 }, { "W/\"v7\"", 304 }, { "\"a\", \"v7\"", 304 }, { "*", 304 },
	{ "\"a,b\" ,W/\"v7\"", 304 }, { " * ", 304 },
	{ "\"v8\"", 200 }, { "v7", 200 }, { "", 200 }, { "\"v7", 200 }, { "\"v8\", *", 200 }, { "\"a,\"v7\"", 200 },
};
/* clang-format on */

Test(etag, what_the_caller_has_is_not_sent_again)
{
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
		struct answer a;

		with_header("HTTP_IF_NONE_MATCH", conditions[i].if_none_match);
		a = ask("GET", THING);
		cr_expect_eq(a.status, conditions[i].status, "%s", conditions[i].if_none_match);
		cr_expect_eq(strlen(a.body) == 0, a.status == 304);
		cr_expect_str_eq(answer_header(a, "ETag"), "\"v7\"");
	}
}

/* clang-format off */
static const struct {
	const char *if_match;
	int status;
	int64_t versions[3];
	size_t n;
} matches[] = {
	{ "\"v7\"", 200, { 7 }, 1 }, { "W/\"v7\"", 200, { 7 }, 1 }, { "*", 200, { 0 }, 0 },
	{ "\"v9223372036854775807\"", 200, { INT64_MAX }, 1 }, { "\"v7.0190f6a0\"", 200, { 7 }, 1 },
	{ "\"v7\", \"v8\",W/\"v9\"", 200, { 7, 8, 9 }, 3 }, { "\"a,b\" , \"v8\"", 200, { 8 }, 1 },
	{ "\"v\"", 412, { 0 }, 0 }, { "v7", 412, { 0 }, 0 }, { "\"v-1\"", 412, { 0 }, 0 }, { "", 412, { 0 }, 0 },
	{ "\"7\"", 412, { 0 }, 0 }, { "\"v9223372036854775808\"", 412, { 0 }, 0 }, { "\"", 412, { 0 }, 0 },
	{ "\"a\", \"b\"", 412, { 0 }, 0 }, { "*, \"v7\"", 412, { 0 }, 0 }, { "\"a,v7", 412, { 0 }, 0 },
};
/* clang-format on */

Test(etag, if_match_names_versions)
{
	for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
		const struct list *seen = &exchange_ctx()->if_match;

		with_header("HTTP_IF_MATCH", matches[i].if_match);
		with_body("{\"name\":\"a\"}");
		cr_expect_eq(ask("PATCH", THING).status, matches[i].status, "%s",
			     matches[i].if_match);
		cr_assert_eq(seen->len, matches[i].n, "%s", matches[i].if_match);
		for (size_t n = 0; n < seen->len; n++)
			cr_expect_eq(((const int64_t *)seen->items)[n], matches[i].versions[n],
				     "%s", matches[i].if_match);
	}
}

Test(etag, if_match_means_nothing_to_a_read)
{
	with_header("HTTP_IF_MATCH", "rubbish");
	cr_expect_eq(ask("GET", THING).status, 200);
}
