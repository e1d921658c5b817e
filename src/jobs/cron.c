/* When a cron expression comes next: see cron.h. */
#include "jobs/cron.h"

#include "base/clock.h"
#include "jobs/zone.h"

#define DAY_S 86400
#define DAYS_MAX                                                                                   \
	(INT64_C(9) * 366) /* from one 29th of February to the next, over a century's end */

/* day: since 1970. */
static bool has_day(const struct cron *c, int64_t day)
{
	struct date d = date_of_days(day);
	bool day_fits = c->days >> d.day & 1;
	bool weekday_fits = c->weekdays >> ((day + 4) % 7) & 1; /* 1970-01-01: a Thursday */

	if (!(c->months >> d.month & 1))
		return false;
	if (c->any_day || c->any_weekday)
		return day_fits && weekday_fits;

	return day_fits || weekday_fits;
}

static bool has_time(const struct cron *c, int64_t second)
{
	return (c->hours >> (second / 3600) & 1) && (c->minutes >> (second / 60 % 60) & 1);
}

/* Goes by what clocks show: each time of the list once. */
static int64_t by_clock(const struct cron *c, const struct zone *z, int64_t day, int64_t after_s)
{
	for (int64_t second = 0; second < DAY_S; second += 60) {
		int64_t at;

		if (!has_time(c, second))
			continue;
		at = zone_moment(z, day * DAY_S + second);
		if (at > after_s)
			return at;
	}

	return 0;
}

/* Goes by the time that passes: what clocks show twice comes twice. */
static int64_t by_passage(const struct cron *c, const struct zone *z, int64_t day, int64_t after_s)
{
	int64_t at = zone_moment(z, day * DAY_S), end = zone_moment(z, (day + 1) * DAY_S);

	if (at <= after_s)
		at = after_s + 60 - after_s % 60;
	for (; at < end; at += 60) {
		int64_t local = at + zone_offset(z, at);

		if (local / DAY_S == day && has_time(c, local % DAY_S))
			return at;
	}

	return 0;
}

int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after_us)
{
	int64_t after_s = after_us / US_PER_S;
	int64_t first = (after_s + zone_offset(z, after_s)) / DAY_S;

	for (int64_t day = first; day < first + DAYS_MAX; day++) {
		int64_t at = 0;

		if (has_day(c, day))
			at = c->any_hour ? by_passage(c, z, day, after_s)
					 : by_clock(c, z, day, after_s);
		if (at)
			return at * US_PER_S;
	}

	return 0;
}
