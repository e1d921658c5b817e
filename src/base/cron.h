/*
 * Cron expressions: five fields (minute, hour, day of the month, month, day of the week), each with
 * *, numbers, ranges, steps, lists; months and days also by their first three letters; 7 is Sunday
 * like 0 (crontab(5)). When one comes next is said by jobs/cron.h.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct cron {
	uint64_t minutes; /* bit n: n is in it */
	uint32_t hours, days, months, weekdays;
	bool any_hour, any_day, any_weekday; /* written with * */
};

/* False when it is none; *ret is then as it was. */
bool cron_read(struct str text, struct cron *ret) MUST_CHECK;
