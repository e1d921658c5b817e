/* When cron expressions come next: by the calendar, and where clocks change. */
#include "jobs/cron.h"

#include "base/arena.h"
#include "base/clock.h"
#include "jobs/zone.h"

#include <criterion/criterion.h>

static const char *next(const char *text, const char *zone_name, const char *after)
{
	static char when[RFC3339_SIZE];
	struct arena *a = arena_new();
	struct cron c;
	struct zone z;
	int64_t us;

	cr_assert(cron_read(str_of(text), &c), "%s", text);
	cr_assert(zone_read(a, zone_name, &z), "%s", zone_name);
	cr_assert(clock_parse_rfc3339(str_of(after), &us), "%s", after);
	us = cron_next(&c, &z, us);
	clock_rfc3339(us, when);
	arena_free(a);
	return us ? when : "never";
}

struct time_case {
	const char *cron, *zone, *after, *next;
};

static void expect(const struct time_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct time_case *c = &cases[i];

		cr_expect_str_eq(next(c->cron, c->zone, c->after), c->next, "\"%s\" after %s: %s",
				 c->cron, c->after, next(c->cron, c->zone, c->after));
	}
}

Test(cron, comes_when_its_fields_say)
{
	static const struct time_case cases[] = {
		{ "* * * * *", NULL, "2026-01-31T12:00:00Z", "2026-01-31T12:01:00.000Z" },
		{ "* * * * *", NULL, "2026-01-31T12:00:59.9Z", "2026-01-31T12:01:00.000Z" },
		{ "*/15 * * * *", NULL, "2026-01-31T23:50:00Z", "2026-02-01T00:00:00.000Z" },
		{ "5/20 * * * *", NULL, "2026-01-31T12:26:00Z", "2026-01-31T12:45:00.000Z" },
		{ "0 3 * * *", NULL, "2026-01-31T03:00:00Z", "2026-02-01T03:00:00.000Z" },
		{ "30 8-17/3 * * mon-fri", NULL, "2026-01-30T17:31:00Z",
		  "2026-02-02T08:30:00.000Z" },
		{ "0 0 1 jan *", NULL, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00.000Z" },
		{ "0 0 29 2 *", NULL, "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z" },
		{ "0 0 29 2 *", NULL, "2096-03-01T00:00:00Z", "2104-02-29T00:00:00.000Z" },
		{ "0 0 31 * *", NULL, "2026-01-31T00:00:00Z", "2026-03-31T00:00:00.000Z" },
		{ "0 0 30 2 *", NULL, "2026-01-01T00:00:00Z", "never" },
		{ "0 12 * * 7", NULL, "2026-01-31T12:00:00Z", "2026-02-01T12:00:00.000Z" },
		{ "0 12 * * 0,6", NULL, "2026-01-31T12:00:00Z", "2026-02-01T12:00:00.000Z" },
		/* Both days restricted: either suffices. */
		{ "0 0 13 * fri", NULL, "2026-02-07T00:00:00Z", "2026-02-13T00:00:00.000Z" },
		{ "0 0 13 * fri", NULL, "2026-02-13T00:00:00Z", "2026-02-20T00:00:00.000Z" },
		{ "0 0 13 * *", NULL, "2026-02-13T00:00:00Z", "2026-03-13T00:00:00.000Z" },
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(cron, goes_by_its_zone)
{
	static const struct time_case cases[] = {
		{ "0 9 * * *", "Europe/Berlin", "2026-01-15T08:00:00Z",
		  "2026-01-16T08:00:00.000Z" },
		{ "0 9 * * *", "Europe/Berlin", "2026-07-15T06:59:00Z",
		  "2026-07-15T07:00:00.000Z" },
		{ "0 0 1 * *", "Pacific/Auckland", "2026-01-31T10:00:00Z",
		  "2026-01-31T11:00:00.000Z" },
		{ "0 23 31 12 *", "America/New_York", "2026-06-01T00:00:00Z",
		  "2027-01-01T04:00:00.000Z" },
	};

	expect(cases, ARRAY_LEN(cases));
}

/* Berlin's clocks went from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC. */
Test(cron, runs_once_when_its_hour_is_left_out)
{
	static const struct time_case cases[] = {
		{ "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
		  "2026-03-29T01:00:00.000Z" },
		{ "30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z",
		  "2026-03-30T00:30:00.000Z" },
		{ "0,30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z",
		  "2026-03-30T00:00:00.000Z" },
		{ "*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
		  "2026-03-29T01:00:00.000Z" },
		{ "0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
		  "2026-03-29T01:00:00.000Z" },
	};

	expect(cases, ARRAY_LEN(cases));
}

/* … and from 03:00 back to 02:00 on 25 October 2026, at 01:00 UTC. */
Test(cron, runs_once_when_its_hour_comes_twice_unless_every_hour_is_its)
{
	static const struct time_case cases[] = {
		{ "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
		  "2026-10-25T00:30:00.000Z" },
		{ "30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z",
		  "2026-10-26T01:30:00.000Z" },
		{ "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z",
		  "2026-10-26T01:30:00.000Z" },
		{ "30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z",
		  "2026-10-25T01:30:00.000Z" },
		{ "0 */2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z",
		  "2026-10-25T01:00:00.000Z" },
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(cron, every_time_of_a_year_is_after_the_one_before)
{
	static const char *const texts[] = { "*/7 * * * *", "*/20 1-3 * * *", "59 23 * * 1" };
	struct arena *a = arena_new();
	struct zone z;

	cr_assert(zone_read(a, "Europe/Berlin", &z));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t end_us = 1798761600 * US_PER_S; /* 2027-01-01 */
		struct cron c;

		cr_assert(cron_read(str_of(texts[i]), &c));
		for (int64_t us = end_us - 365 * US_PER_DAY, after; us < end_us; us = after) {
			after = cron_next(&c, &z, us);
			cr_assert_gt(after, us, "%s", texts[i]);
			cr_assert_leq(after - us, 8 * US_PER_DAY);
		}
	}
	arena_free(a);
}
