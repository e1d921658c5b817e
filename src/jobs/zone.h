/*
 * Time zones, read from the host's tz database (TZif files, RFC 8536) and asked without the C
 * library, whose zone is one for the whole process and changes under everybody's feet (TZ,
 * tzset()).
 */
#pragma once

#include "base/base.h"

struct arena;

/* When clocks change in years after the file's last entry, by its footer: "M3.5.0/2". */
struct zone_rule {
	char kind; /* 'M': week and weekday of a month; 'J': day 1…365 without leap days;
		      'n': day 0…365 */
	unsigned month, week, weekday, day;
	int32_t time_s; /* local, from midnight; may be before it or past the next */
};

struct zone {
	const int64_t *at_s;      /* changes_len moments, ascending, since 1970 */
	const int32_t *offsets_s; /* east of UTC, from each of them on */
	size_t changes_len;
	int32_t first_s;              /* before all of them */
	int32_t standard_s, summer_s; /* after them */
	bool has_summer;
	struct zone_rule begins, ends; /* of summer */
};

/* name: "Europe/Berlin"; NULL: UTC. False when the host has no such zone or its file is broken. */
bool zone_read(struct arena *a, const char *name, struct zone *ret) MUST_CHECK;

/* Seconds east of UTC at a moment. */
int32_t zone_offset(const struct zone *z, int64_t at_s);

/*
 * The moment at which clocks there show this (seconds since 1970 as if they were UTC's): the first
 * of two, when they show it twice; the moment of the change, when they never show it.
 */
int64_t zone_moment(const struct zone *z, int64_t local_s);
