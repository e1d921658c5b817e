/* Time zones read from the host's database, against moments that are known. */
#include "jobs/zone.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

#include <criterion/criterion.h>

/* Until the test ends. */
static struct arena *forever(void)
{
	static struct arena *a;

	if (!a)
		a = arena_new();
	return a;
}

static int64_t at(const char *when)
{
	int64_t us;

	cr_assert(clock_parse_rfc3339(str_of(when), &us), "%s", when);
	return us / US_PER_S;
}

static struct zone zone(const char *name)
{
	struct zone z;

	cr_assert(zone_read(forever(), name, &z), "%s", name);
	return z;
}

Test(zone, offsets_are_those_of_the_place_and_time)
{
	static const struct {
		const char *zone, *when;
		int hundredths; /* of an hour */
	} cases[] = {
		{ NULL, "2026-07-01T00:00:00Z", 0 },
		{ "Europe/Berlin", "2026-01-15T12:00:00Z", 100 },
		{ "Europe/Berlin", "2026-03-29T00:59:59Z", 100 },
		{ "Europe/Berlin", "2026-03-29T01:00:00Z", 200 },
		{ "Europe/Berlin", "2026-10-25T00:59:59Z", 200 },
		{ "Europe/Berlin", "2026-10-25T01:00:00Z", 100 },
		{ "Europe/Berlin", "1970-06-01T12:00:00Z", 100 }, /* no summer time then */
		{ "Europe/Berlin", "2099-07-01T12:00:00Z", 200 }, /* by the file's rule */
		{ "America/New_York", "2026-07-01T12:00:00Z", -400 },
		{ "America/New_York", "2090-12-01T12:00:00Z", -500 },
		{ "Australia/Sydney", "2026-01-15T12:00:00Z", 1100 }, /* summer over the new year */
		{ "Australia/Sydney", "2088-01-15T12:00:00Z", 1100 },
		{ "Australia/Sydney", "2088-07-15T12:00:00Z", 1000 },
		{ "Asia/Kolkata", "2026-07-01T12:00:00Z", 550 },
		{ "Asia/Kathmandu", "2060-07-01T12:00:00Z", 575 },
		{ "America/St_Johns", "2026-01-01T12:00:00Z", -350 },
		{ "Etc/GMT+5", "2026-01-01T12:00:00Z", -500 },
		{ "Africa/Abidjan", "2026-01-01T12:00:00Z", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct zone z = zone(cases[i].zone);

		cr_expect_eq(zone_offset(&z, at(cases[i].when)), cases[i].hundredths * 36,
			     "%s %s: %d", cases[i].zone, cases[i].when,
			     zone_offset(&z, at(cases[i].when)));
	}
}

Test(zone, a_local_time_is_the_first_moment_that_shows_it)
{
	struct zone berlin = zone("Europe/Berlin");

	cr_expect_eq(zone_moment(&berlin, at("2026-07-01T12:00:00Z")), at("2026-07-01T10:00:00Z"));
	cr_expect_eq(zone_moment(&berlin, at("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z"));
	cr_expect_eq(zone_moment(&berlin, at("2026-10-25T03:00:00Z")), at("2026-10-25T02:00:00Z"));
}

Test(zone, a_local_time_that_is_left_out_is_the_moment_of_the_change)
{
	struct zone berlin = zone("Europe/Berlin"), samoa = zone("Pacific/Apia");

	cr_expect_eq(zone_moment(&berlin, at("2026-03-29T02:00:00Z")), at("2026-03-29T01:00:00Z"));
	cr_expect_eq(zone_moment(&berlin, at("2026-03-29T02:30:00Z")), at("2026-03-29T01:00:00Z"));
	cr_expect_eq(zone_moment(&berlin, at("2026-03-29T03:00:00Z")), at("2026-03-29T01:00:00Z"));
	/* Samoa left out a whole day. */
	cr_expect_eq(zone_moment(&samoa, at("2011-12-30T12:00:00Z")), at("2011-12-30T10:00:00Z"));
}

Test(zone, what_is_no_zone_is_refused)
{
	static const char *const names[] = {
		"",       "Europe/Nowhere", "../etc/passwd", "/etc/passwd", "Europe/",
		"Europe", "Europe//Berlin", "tzdata.zi",     "a b",
	};
	struct zone z;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect_not(zone_read(forever(), names[i], &z), "\"%s\"", names[i]);
}
