#include "base/clock.h"

#include "base/str.h"

#include <criterion/criterion.h>

/* Each moment in both forms; the numbers are `date -u -d … +%s`'s. */
static const struct {
	int64_t us;
	const char *rfc3339, *http_date;
} moments[] = {
	{ 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ -1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT" },
	{ 951827696999999, "2000-02-29T12:34:56.999Z", "Tue, 29 Feb 2000 12:34:56 GMT" },
	{ 1769860800000000, "2026-01-31T12:00:00.000Z", "Sat, 31 Jan 2026 12:00:00 GMT" },
	{ 4107542399001000, "2100-02-28T23:59:59.001Z", "Sun, 28 Feb 2100 23:59:59 GMT" },
	{ 4107542400000000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT" },
	{ INT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ INT64_MIN, "0001-01-01T00:00:00.000Z", "Mon, 01 Jan 0001 00:00:00 GMT" },
};

Test(clock, moments_are_written_in_both_forms)
{
	char rfc3339[RFC3339_SIZE], http_date[HTTP_DATE_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		clock_rfc3339(moments[i].us, rfc3339);
		cr_assert_str_eq(rfc3339, moments[i].rfc3339);
		clock_http_date(moments[i].us, http_date);
		cr_assert_str_eq(http_date, moments[i].http_date);
	}
}

Test(clock, every_day_of_four_centuries_reads_back)
{
	char text[RFC3339_SIZE];
	int64_t back;

	for (int64_t day = -80000; day < 80000; day++) {
		clock_rfc3339(day * US_PER_DAY, text);
		cr_assert(clock_parse_rfc3339(str_of(text), &back), "%s", text);
		cr_assert_eq(back, day * US_PER_DAY, "%s", text);
	}
}

Test(clock, the_calendar_agrees_with_the_c_library)
{
	char ours[RFC3339_SIZE], theirs[64];
	struct tm tm;

	for (time_t s = 0; s < 4000000000; s += 12345678) {
		clock_rfc3339(s * US_PER_S, ours);
		cr_assert_not_null(gmtime_r(&s, &tm));
		cr_assert_gt(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000Z", &tm), 0);
		cr_assert_str_eq(ours, theirs);
	}
}

Test(clock, rfc3339_is_read_with_any_offset_and_fraction)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "2026-01-31T12:00:00Z", 1769860800000000 },
		{ "2026-01-31t12:00:00z", 1769860800000000 },
		{ "2026-01-31T13:30:00+01:30", 1769860800000000 },
		{ "2026-01-31T04:00:00-08:00", 1769860800000000 },
		{ "2026-01-31T12:00:00.1Z", 1769860800100000 },
		{ "2026-01-31T12:00:00.123456+00:00", 1769860800123456 },
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert(clock_parse_rfc3339(str_of(cases[i].text), &us), "%s", cases[i].text);
		cr_assert_eq(us, cases[i].us, "%s", cases[i].text);
	}
}

Test(clock, what_is_not_rfc3339_is_refused)
{
	static const char *const bad[] = {
		"",
		"2026-01-31",
		"2026-01-31T12:00:00",
		"2026-01-31 12:00:00Z",
		"2026-1-31T12:00:00Z",
		"2026-02-29T12:00:00Z",
		"2100-02-29T12:00:00Z",
		"2026-13-01T12:00:00Z",
		"2026-00-01T12:00:00Z",
		"2026-01-00T12:00:00Z",
		"2026-04-31T12:00:00Z",
		"2026-01-31T24:00:00Z",
		"2026-01-31T12:60:00Z",
		"2026-06-30T23:59:60Z",
		"2026-01-31T12:00:00.Z",
		"2026-01-31T12:00:00.1234567Z",
		"2026-01-31T12:00:00+0100",
		"2026-01-31T12:00:00+25:00",
		"2026-01-31T12:00:00Zx",
		"0000-01-01T00:00:00Z",
		"0001-01-01T00:00:00+01:00",
		"-026-01-31T12:00:00Z",
		"2026-01--1T12:00:00Z",
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert_not(clock_parse_rfc3339(str_of(bad[i]), &us), "%s", bad[i]);
}

Test(clock, durations_have_units)
{
	static const struct {
		const char *text;
		int64_t us; /* -1: refused */
	} cases[] = {
		{ "15m", 900 * US_PER_S },
		{ "30d", 30 * US_PER_DAY },
		{ "90s", 90 * US_PER_S },
		{ "2h", 7200 * US_PER_S },
		{ "1500ms", 1500000 },
		{ "45", 45 * US_PER_S },
		{ "0", 0 },
		{ "", -1 },
		{ "m", -1 },
		{ "-1s", -1 },
		{ "1.5h", -1 },
		{ "1 h", -1 },
		{ "1w", -1 },
		{ "1H", -1 },
		{ "9223372036854775807s", -1 },
		{ "106751992d", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t us = -1;
		bool ok = clock_parse_duration(str_of(cases[i].text), &us);

		cr_assert_eq(ok, cases[i].us >= 0, "\"%s\"", cases[i].text);
		cr_assert_eq(us, cases[i].us, "\"%s\"", cases[i].text);
	}
}

Test(clock, tests_can_move_the_wall_clock_alone)
{
	int64_t wall = clock_now_us(), monotonic = clock_monotonic_us();

	clock_shift(30 * US_PER_DAY);
	cr_assert_geq(clock_now_us() - wall, 30 * US_PER_DAY);
	cr_assert_lt(clock_monotonic_us() - monotonic, US_PER_DAY);
	clock_shift(-30 * US_PER_DAY);
	cr_assert_lt(clock_now_us() - wall, US_PER_DAY);
}
