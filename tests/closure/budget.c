/*
 * The budget: one round trip to Redis and one to PostgreSQL for every plain route, whatever it
 * answers; counted by the server and shown in Server-Timing.
 *
 * Plain are the tenant's and the platform's routes and all reads. Not plain are identity's changes,
 * which decide between two questions, and what an Idempotency-Key makes of a POST.
 */
#include "support/database.h"
#include "support/factories.h"
#include "support/probe.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/* "redis;dur=0.041;desc="1 trips"": how many. */
static int64_t trips(const struct answer *a, const char *to)
{
	struct str rest = str_of(answer_header(a, "Server-Timing")), one;
	const char *name = strf("%s;", to);

	while ((one = str_cut(&rest, ',')).ptr) {
		const char *desc;
		struct str number;
		int64_t n;

		one = str_trim(one);
		if (!str_starts(one, name))
			continue;
		desc = strstr(strf("%.*s", STR_FMT(one)), "desc=\"");
		cr_assert(desc);
		number = str_of(desc + strlen("desc=\""));
		cr_assert(str_to_i64(str_cut(&number, ' '), 0, 100, &n));
		return n;
	}
	cr_assert_fail("%s: no %s in Server-Timing", a->asked, to);
	return -1;
}

static void expect_within(const struct mounted *row, const struct answer *a)
{
	cr_expect_leq(trips(a, "pg"), 1, "%s: %d after %ld trips to PostgreSQL", probe_name(row),
		      a->status, trips(a, "pg"));
	cr_expect_leq(trips(a, "redis"), 1, "%s: %d after %ld trips to Redis", probe_name(row),
		      a->status, trips(a, "redis"));
}

static bool is_plain(const struct mounted *row)
{
	return row->tier & (TIER_API | TIER_ADMIN | TIER_SUPER) ||
	       (row->tier == TIER_AUTH && row->route->method == GET);
}

/* What the caller's tenant has, so that routes with an id find something. */
static const char *const *ids_of(const struct caller *c, size_t *ret_len)
{
	const char *tenant = id_text(c->tenant.u);

	if (uuid_is_nil(c->tenant.u))
		return database_column(ret_len, "SELECT id::text FROM tenants LIMIT 1", NULL);
	(void)project_make(c->tenant, NULL);
	(void)user_make(c->tenant, ROLE_MEMBER, NULL);
	return database_column(ret_len,
			       "SELECT id::text FROM projects WHERE tenant_id = $1::uuid UNION ALL "
			       "SELECT id::text FROM users WHERE tenant_id = $1::uuid",
			       tenant, NULL);
}

Test(budget, of_one_round_trip_each_is_kept_by_every_plain_route)
{
	struct mounted row;
	size_t tried = 0;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c;
		const char *const *ids;
		size_t len;

		if (!is_plain(&row))
			continue;
		c = probe_caller(&row);
		ids = ids_of(&c, &len);
		for (size_t k = 0; k < len; k++) {
			struct answer a = probe(&row, &c, ids[k]);

			expect_within(&row, &a);
			tried += a.status < 300;
		}
	}
	cr_assert_gt(tried, 20, "hardly a request went well: nothing was measured");
}

/* Refusals are no dearer. */
Test(budget, is_kept_for_who_is_refused)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c;
		struct answer a;

		if (!probe_needs_tenant(&row))
			continue;
		c = on_tier(caller(ROLE_VIEWER), row.tier);
		a = probe(&row, &c, "not-an-id");
		expect_within(&row, &a);
	}
}

struct hot {
	const struct mounted *row;
	const struct caller *c;
	struct answer last;
};

static bool asks_redis_alone(void *p)
{
	struct hot *h = p;

	h->last = answer_is(probe(h->row, h->c, probe_no_id()), 200);

	return trips(&h->last, "pg") == 0;
}

/* A session's own page is answered from its hot copy, without PostgreSQL: once that is there, for
 * it is sent to Redis and not waited for. */
Test(budget, of_hot_routes_is_redis_alone)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c;
		struct hot h;

		if (!(row.route->flags & ROUTE_HOT))
			continue;
		c = probe_caller(&row);
		c.token = NULL;
		h = (struct hot){ .row = &row, .c = &c };
		answer_is(probe(&row, &c, probe_no_id()), 200);
		wait_until(asks_redis_alone, &h, probe_name(&row));
		cr_expect_eq(trips(&h.last, "redis"), 1, "%s", probe_name(&row));
	}
}
