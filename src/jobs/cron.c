/* When a cron expression comes next: see cron.h. */
#include "jobs/cron.h"

#include "base/clock.h"
#include "jobs/zone.h"

#define DAY_S 86400
#define DAYS_MAX                                                                                   \
	(INT64_C(9) * 366) /* from one 29th of February to the next, over a century's end */

/* One field; words stand for numbers from `low` on. */
struct cron_field {
	int64_t low, high;
	const char *words; /* three letters each; NULL: none */
};

static bool read_number(const struct cron_field *f, struct str s, int64_t *ret)
{
	struct str words = str_of(f->words);

	for (size_t i = 0; s.len == 3 && i < words.len; i += 3) {
		if (str_is_nocase(
			    s, ((char[]){ words.ptr[i], words.ptr[i + 1], words.ptr[i + 2], 0 }))) {
			*ret = f->low + (int64_t)(i / 3);
			return true;
		}
	}

	return str_to_i64(s, f->low, f->high, ret);
}

/* "*", "5", "1-5", each with "/2" behind it; "5/2" is "5-high/2". */
static bool read_part(const struct cron_field *f, struct str s, uint64_t *bits)
{
	struct str range = str_cut(&s, '/');
	struct str first = str_cut(&range, '-');
	int64_t from = f->low, to = f->high, step = 1;

	if (s.ptr && !str_to_i64(s, 1, f->high, &step))
		return false;
	if (str_is(first, "*")) {
		if (range.ptr)
			return false;
	} else {
		if (!read_number(f, first, &from))
			return false;
		if (range.ptr ? !read_number(f, range, &to) || from > to : false)
			return false;
		if (!range.ptr && !s.ptr)
			to = from;
	}
	for (int64_t i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;

	return true;
}

static bool read_field(const struct cron_field *f, struct str s, uint64_t *ret)
{
	*ret = 0;
	for (struct str part = str_cut(&s, ','); part.ptr; part = str_cut(&s, ','))
		if (!read_part(f, part, ret))
			return false;

	return true;
}

bool cron_read(struct str text, struct cron *ret)
{
	static const struct cron_field fields[] = {
		{ 0, 59, NULL },
		{ 0, 23, NULL },
		{ 1, 31, NULL },
		{ 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
		{ 0, 7, "sunmontuewedthufrisat" },
	};
	uint64_t bits[ARRAY_LEN(fields)];
	bool any[ARRAY_LEN(fields)];
	size_t n = 0;

	for (struct str f = str_cut(&text, ' '); f.ptr; f = str_cut(&text, ' '), n++) {
		if (n == ARRAY_LEN(fields) || !read_field(&fields[n], f, &bits[n]))
			return false;
		any[n] = f.ptr[0] == '*';
	}
	if (n != ARRAY_LEN(fields))
		return false;

	*ret = (struct cron){ .minutes = bits[0],
			      .hours = (uint32_t)bits[1],
			      .days = (uint32_t)bits[2],
			      .months = (uint32_t)bits[3],
			      .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
			      .any_hour = any[1],
			      .any_day = any[2],
			      .any_weekday = any[4] };

	return true;
}

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
