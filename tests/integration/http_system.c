/*
 * Probes, metrics, keys and documents: what is answered to everybody.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/credential.h"
#include "support/factories.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct answer ask_anyone(const char *path)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);

	return answer_is(get(&nobody, path), 200);
}

Test(http_system, health_says_ok)
{
	cr_assert_str_eq(answer_text(ask_anyone("/health"), "status"), "ok");
	cr_assert_str_eq(answer_text(ask_anyone("/health/live"), "status"), "ok");
	answer_is(ask_anyone("/health/ready"), 200);
}

/* One line of the Prometheus text format, and no more of it. */
static void check_line(struct str line)
{
	struct str rest = line, name = str_cut(&rest, ' ');

	if (!line.len || line.ptr[0] == '#')
		return;
	cr_expect(str_starts(name, "zygo_") || str_starts(name, "process_"), "%.*s", STR_FMT(line));
	cr_expect(rest.len, "%.*s has no value", STR_FMT(line));
}

Test(http_system, metrics_are_prometheus_text)
{
	struct answer a = ask_anyone("/metrics");
	struct str rest = a.body, line;

	cr_assert(strstr(answer_header(&a, "Content-Type"), "text/plain"));
	cr_assert_gt(a.body.len, 100);
	while ((line = str_cut(&rest, '\n')).ptr)
		check_line(line);
}

/* The status of a page of `zygo realtime`, which no row describes. */
static const char *status_of(const char *path, const char *header)
{
	const char *argv[] = { "curl",
			       "-s",
			       "--cacert",
			       world()->ca,
			       "-o",
			       "/dev/null",
			       "-w",
			       "%{http_code}",
			       "-H",
			       header,
			       strf("%s%s", world()->url, path),
			       NULL };

	return strf("%.*s", STR_FMT(world_run(argv, NULL)));
}

/* Behind a proxy on this host that nobody has named, the world would come from 127.0.0.1. */
Test(http_system, metrics_are_not_forwarded)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);
	const char *forwarded = "X-Forwarded-For: 127.0.0.1";

	answer_is_error(ask_with(&nobody, "GET", "/metrics", NULL, forwarded), 403,
			"AUTH_FORBIDDEN", NULL);
	cr_assert_str_eq(status_of("/metrics/realtime", "Accept: */*"), "200");
	cr_assert_str_eq(status_of("/metrics/realtime", forwarded), "403");
}

Test(http_system, metrics_are_for_whom_the_admin_names)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);

	nobody.url = site_start("metrics", (const char *[]){ "METRICS_ALLOW=192.0.2.1", NULL });
	answer_is_error(get(&nobody, "/metrics"), 403, "AUTH_FORBIDDEN", NULL);
	site_stop("metrics");
}

Test(http_system, keys_are_published_without_their_private_half)
{
	struct answer a = ask_anyone("/.well-known/jwks.json");
	struct caller ann = caller(ROLE_VIEWER);
	struct str header = str_of(ann.token), decoded;
	bool is_there = false;

	cr_assert(str_unbase64url(world_arena(), str_cut(&header, '.'), &decoded));
	for (size_t i = 0; i < answer_len(a, "keys"); i++) {
		const struct json *secret;
		const char *kid = answer_text(a, strf("keys.%zu.kid", i));

		cr_expect_str_eq(answer_text(a, strf("keys.%zu.kty", i)), "EC");
		cr_expect_str_eq(answer_text(a, strf("keys.%zu.crv", i)), "P-256");
		cr_expect(!answer_find(&a, strf("keys.%zu.d", i), &secret),
			  "the private half is public");
		is_there |= strstr(strf("%.*s", STR_FMT(decoded)), kid) != NULL;
	}
	cr_assert(is_there, "the key that signs is not published");
}

Test(http_system, the_page_of_the_api_may_run_only_what_is_ours)
{
	struct answer a = ask_anyone("/api/docs");

	cr_assert(str_starts(str_of(answer_header(&a, "Content-Type")), "text/html"));
	cr_assert(strstr(answer_header(&a, "Content-Security-Policy"), "script-src 'self'"));
	answer_is(ask_anyone("/api/docs/start.js"), 200);
}

/* Every forgery, where a believed one would show data. */
Test(http_system, no_forged_token_is_believed)
{
	struct caller ann = caller(ROLE_OWNER);

	answer_is(get(&ann, "/users"), 200);
	for (const struct forgery *f = forgeries; f->name; f++) {
		struct caller eve = with_token(ann, f->make(&ann));
		struct answer a = get(&eve, "/users");

		cr_expect_eq(a.status, 401, "%s: %d", f->name, a.status);
	}
	answer_is(get(&ann, "/users"), 200);
}

/* The tests' own callers are like those that log in. */
Test(http_system, a_real_log_in_can_do_what_the_tests_callers_can)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller real = on_tier(caller_nobody(), TIER_AUTH);
	struct answer in;

	account_set_password(ann.account, "a long and unusual passphrase");
	in = answer_is(
		post(&real, "/login",
		     strf("{\"email\":\"%s\",\"password\":\"a long and unusual passphrase\"}",
			  ann.email)),
		200);
	real = on_tier(with_token(real, strf("%s", answer_text(in, "accessToken"))), TIER_API);
	cr_assert(str_eq(get(&real, "/users").body, get(&ann, "/users").body));
	answer_is(post(&real, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 201);
	answer_is_error(post(&ann, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 409,
			"RESOURCE_CONFLICT", "slug");
}
