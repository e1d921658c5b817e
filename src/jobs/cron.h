/*
 * Cron expressions: five fields (minute, hour, day of the month, month, day of the week), each with
 * *, numbers, ranges, steps, lists; months and days also by their first three letters; 7 is Sunday
 * like 0 (crontab(5)).
 *
 * When both days are restricted, either suffices, as in every cron since 1979.
 *
 * Where clocks change, a task with fixed hours runs once a day: one that falls into the hour that
 * is left out runs at the moment of the change, one in the hour that comes twice runs the first
 * time. A task whose hour starts with * goes by the time that really passes.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct zone;

struct cron {
	uint64_t minutes; /* bit n: n is in it */
	uint32_t hours, days, months, weekdays;
	bool any_hour, any_day, any_weekday; /* written with * */
};

bool cron_read(struct str text, struct cron *ret) MUST_CHECK;

/* The first time after after_us, in microseconds; 0: none in the next nine years. */
int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after_us);
