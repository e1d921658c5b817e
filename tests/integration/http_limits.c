/*
 * Rate limits as a caller sees them: the headers count down, the next request is a 429 that says
 * when to come again, and nobody pays for another.
 */
#include "base/config.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/factories.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define LIMIT 5

/* A site where every class allows so few. */
static const char *few(void)
{
	static const char *const low[] = { "RATE_READ=5", "RATE_WRITE=5", "RATE_AUTH=5",
					   "RATE_SEARCH=5", NULL };

	return site_start("limits", low);
}

static void stop(void)
{
	site_stop("limits");
}

TestSuite(http_limits, .fini = stop);

/* r of RateLimit: "read";r=4;t=60 */
static int64_t remaining(const struct answer *a)
{
	const char *at = strstr(answer_header(a, "RateLimit"), ";r=");
	struct str rest;
	int64_t n;

	cr_assert(at);
	rest = str_of(at + 3);
	cr_assert(str_to_i64(str_cut(&rest, ';'), 0, INT64_MAX, &n));
	return n;
}

static void expect_limited(struct answer a)
{
	answer_is_error(a, 429, "RATE_LIMIT_EXCEEDED", NULL);
	cr_assert_geq(answer_int(a, "details.retryAfter"), 1);
	cr_assert_leq(answer_int(a, "details.retryAfter"), 60);
	cr_assert_str_eq(answer_header(&a, "Retry-After"),
			 strf("%ld", answer_int(a, "details.retryAfter")));
}

/* Asks until the limit is reached, and once more. */
static void use_up(const struct caller *c, const char *path)
{
	for (int64_t i = 1; i <= LIMIT; i++) {
		struct answer a = answer_is(get(c, path), 200);

		cr_assert_eq(remaining(&a), LIMIT - i, "%s", answer_header(&a, "RateLimit"));
		cr_assert(strstr(answer_header(&a, "RateLimit-Policy"), ";q=5;w=60"), "%s",
			  answer_header(&a, "RateLimit-Policy"));
	}
	expect_limited(get(c, path));
}

Test(http_limits, are_counted_by_account_and_by_class)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller bob = caller_in(ann.tenant, ROLE_OWNER);

	ann.url = bob.url = few();
	use_up(&ann, "/tenant");
	use_up(&ann, "/users");  /* another class */
	use_up(&bob, "/tenant"); /* another account */
	ann = from_elsewhere(ann);
	expect_limited(get(&ann, "/tenant"));
}

/* A worker learns whose a cookie is when the database first says so; until then it counts the
 * address. */
Test(http_limits, are_the_same_for_an_accounts_token_and_its_cookie)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller dash = on_tier(from_elsewhere(ann), TIER_ADMIN);
	int64_t let_in = 0;

	ann.url = dash.url = few();
	use_up(&ann, "/tenant");
	for (int64_t i = 0; i < LIMIT + config()->workers_fast; i++) {
		struct answer a = get(&dash, "/tenant");

		if (a.status != 200)
			expect_limited(a);
		let_in += a.status == 200;
	}
	cr_assert_leq(let_in, config()->workers_fast);
}

/* Another email each time: failures of one are locked out wherever they come from. */
static const char *wrong_log_in(void)
{
	return strf("{\"email\":\"%s@example.com\",\"password\":\"wrong horse\"}", new_word());
}

Test(http_limits, of_log_in_are_counted_by_address)
{
	struct caller nobody = on_tier(from_elsewhere(caller_nobody()), TIER_AUTH);

	nobody.url = few();
	for (int i = 0; i < LIMIT; i++)
		answer_is(post(&nobody, "/login", wrong_log_in()), 401);
	expect_limited(post(&nobody, "/login", wrong_log_in()));
	nobody = from_elsewhere(nobody);
	answer_is(post(&nobody, "/login", wrong_log_in()), 401);
}

/* What was refused for its rate was not done. */
Test(http_limits, refused_writes_write_nothing)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller here = ann;

	ann.url = few();
	for (int i = 0; i < LIMIT; i++)
		answer_is(post(&ann, "/projects", strf("{\"slug\":\"p%d\",\"name\":\"x\"}", i)),
			  201);
	expect_limited(post(&ann, "/projects", "{\"slug\":\"late\",\"name\":\"x\"}"));
	cr_assert_eq(answer_int(get(&here, "/projects"), "pagination.total"), LIMIT);
}
