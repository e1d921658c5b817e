/*
 * Behind PgBouncer's transaction pooling, where a connection is another one in each transaction:
 * nothing may be kept in it between them, least of all a tenant.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/load.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>

#define TENANTS     4
#define CONNECTIONS 3

static const char *pooled(void)
{
	const char *settings[] = { strf("DATABASE_URL=%s", world()->pool_url),
				   "DATABASE_PREPARE=false", NULL };

	return site_start("pooling", settings);
}

static void stop(void)
{
	site_stop("pooling");
}

TestSuite(pooling, .fini = stop);

Test(pooling, everything_works_behind_pgbouncer)
{
	struct caller ann = caller(ROLE_OWNER), eve = caller(ROLE_OWNER);
	const char *body = "{\"slug\":\"blue\",\"name\":\"Blue\"}";
	struct answer made;
	const char *path;

	ann.url = eve.url = pooled();
	made = answer_is(ask_with(&ann, "POST", "/projects", body, "Idempotency-Key: key-1"), 201);
	path = strf("/projects/%s", answer_text(made, "id"));
	answer_is(ask_with(&ann, "POST", "/projects", body, "Idempotency-Key: key-1"), 201);
	answer_is_error(post(&ann, "/projects", body), 409, "RESOURCE_CONFLICT", "slug");
	answer_is_error(get(&eve, path), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is(patch(&ann, path, "{\"name\":\"Navy\"}"), 200);
	cr_assert_eq(answer_int(get(&ann, "/projects?search=navy"), "pagination.total"), 1);
	answer_is(del(&ann, path), 204);
}

/* Tenants whose requests share connections: each sees its one user. */
Test(pooling, tenants_that_share_connections_see_their_own)
{
	const char *url = pooled();
	struct caller callers[TENANTS];
	struct load *loads[TENANTS];

	for (size_t i = 0; i < TENANTS; i++) {
		callers[i] = caller(ROLE_OWNER);
		callers[i].url = url;
		loads[i] = load_start(&callers[i], "/users", CONNECTIONS);
	}
	for (size_t i = 0; i < TENANTS; i++) {
		for (int k = 0; k < 50; k++) {
			struct answer a = answer_is(get(&callers[i], "/users"), 200);

			cr_assert_eq(answer_int(a, "pagination.total"), 1);
			cr_assert_str_eq(answer_text(a, "data.0.email"), callers[i].email);
		}
	}
	for (size_t i = 0; i < TENANTS; i++) {
		struct load_result r = load_stop(loads[i]);

		cr_assert_eq(r.by_status[200], r.answers, "%s", r.first_failure);
	}
}
