/* Time zones from TZif files: see zone.h. */
#include "jobs/zone.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#define ZONES_DIR      "/usr/share/zoneinfo"
#define FILE_BYTES_MAX KIB(64)
#define HEADER_BYTES   44
#define TYPE_BYTES     6
#define DAY_S          86400
#define CHANGES_MAX    4096

/*
 * The file
 */

/* The counts of a header, in the file's order (RFC 8536 section 3.1). */
struct header {
	uint32_t isut, isstd, leap, times, types, chars;
};

static uint32_t u32_at(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));

	return be32toh(v);
}

static int64_t i64_at(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));

	return (int64_t)be64toh(v);
}

/* Takes n bytes off the front; NULL when there are not so many. */
static const char *take(struct str *rest, size_t n)
{
	const char *p = rest->ptr;

	if (rest->len < n)
		return NULL;
	rest->ptr += n;
	rest->len -= n;

	return p;
}

static bool take_header(struct str *rest, struct header *ret)
{
	const char *p = take(rest, HEADER_BYTES);

	if (!p || memcmp(p, "TZif", 4) != 0 || p[4] < '2') /* version 1 has 32 bits and no rule */
		return false;
	*ret = (struct header){ u32_at(p + 20), u32_at(p + 24), u32_at(p + 28),
				u32_at(p + 32), u32_at(p + 36), u32_at(p + 40) };

	return ret->times <= CHANGES_MAX && ret->types >= 1 && ret->types <= 256 &&
	       ret->chars <= 4096 && ret->leap <= 4096 && ret->isut <= 256 && ret->isstd <= 256;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
	return h->times * (time_bytes + 1) + (size_t)h->types * TYPE_BYTES + h->chars +
	       h->leap * (time_bytes + 4) + h->isstd + h->isut;
}

static bool take_changes(struct arena *a, struct str *rest, const struct header *h, struct zone *z)
{
	int64_t *at_s = arena_make_n(a, int64_t, h->times);
	int32_t *offsets_s = arena_make_n(a, int32_t, h->times);
	const char *body = take(rest, body_bytes(h, 8));
	const char *indexes, *types;

	if (!body)
		return false;
	indexes = body + (size_t)h->times * 8;
	types = indexes + h->times;
	for (size_t i = 0; i < h->times; i++) {
		uint8_t type = (uint8_t)indexes[i];

		if (type >= h->types)
			return false;
		at_s[i] = i64_at(body + i * 8);
		offsets_s[i] = (int32_t)u32_at(types + (size_t)type * TYPE_BYTES);
	}
	z->at_s = at_s;
	z->offsets_s = offsets_s;
	z->changes_len = h->times;
	z->first_s = (int32_t)u32_at(types);

	return true;
}

/*
 * The footer: a POSIX TZ string, "CET-1CEST,M3.5.0,M10.5.0/3" (RFC 8536 section 3.3)
 */

static bool take_char(struct str *s, char c)
{
	if (!s->len || s->ptr[0] != c)
		return false;

	return take(s, 1) != NULL;
}

static bool take_number(struct str *s, int64_t max, int64_t *ret)
{
	size_t n = 0;

	while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
		n++;

	return n && str_to_i64((struct str){ s->ptr, n }, 0, max, ret) && take(s, n);
}

/* "CET" or "<+0330>" */
static bool take_name(struct str *s)
{
	size_t n = 0;

	if (take_char(s, '<'))
		return str_find(*s, '>', &n) && take(s, n + 1);
	while (n < s->len && ((s->ptr[n] | 0x20) >= 'a' && (s->ptr[n] | 0x20) <= 'z'))
		n++;

	return n >= 3 && take(s, n);
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *s, int32_t *ret_s)
{
	bool is_negative = take_char(s, '-');
	int64_t part, sum;

	if (!is_negative)
		(void)take_char(s, '+');
	if (!take_number(s, 167, &part))
		return false;
	sum = part * 3600;
	for (int64_t unit = 60; unit && take_char(s, ':'); unit /= 60) {
		if (!take_number(s, 59, &part))
			return false;
		sum += part * unit;
	}
	*ret_s = (int32_t)(is_negative ? -sum : sum);

	return true;
}

static bool take_date(struct str *s, struct zone_rule *ret)
{
	int64_t month = 0, week = 0, weekday = 0, day = 0;

	if (take_char(s, 'M')) {
		if (!take_number(s, 12, &month) || !take_char(s, '.') ||
		    !take_number(s, 5, &week) || !take_char(s, '.') ||
		    !take_number(s, 6, &weekday) || !month || !week)
			return false;
		ret->kind = 'M';
	} else {
		ret->kind = take_char(s, 'J') ? 'J' : 'n';
		if (!take_number(s, 365, &day) || (ret->kind == 'J' && !day))
			return false;
	}
	ret->month = (unsigned)month;
	ret->week = (unsigned)week;
	ret->weekday = (unsigned)weekday;
	ret->day = (unsigned)day;
	ret->time_s = 2 * 3600;

	return !take_char(s, '/') || take_time(s, &ret->time_s);
}

/* POSIX counts west of UTC. */
static bool read_footer(struct str s, struct zone *z)
{
	if (!take_name(&s) || !take_time(&s, &z->standard_s))
		return false;
	z->standard_s = -z->standard_s;
	if (!s.len)
		return true;

	z->has_summer = true;
	if (!take_name(&s))
		return false;
	z->summer_s = z->standard_s + 3600;
	if (s.len && s.ptr[0] != ',') {
		if (!take_time(&s, &z->summer_s))
			return false;
		z->summer_s = -z->summer_s;
	}

	return take_char(&s, ',') && take_date(&s, &z->begins) && take_char(&s, ',') &&
	       take_date(&s, &z->ends) && !s.len;
}

static bool read_zone(struct arena *a, struct str file, struct zone *z)
{
	struct header h;
	size_t end;

	/* First what old readers want, then the same with 64 bits. */
	if (!take_header(&file, &h) || !take(&file, body_bytes(&h, 4)) || !take_header(&file, &h) ||
	    !take_changes(a, &file, &h, z))
		return false;

	if (!take_char(&file, '\n') || !str_find(file, '\n', &end))
		return false;
	if (end)
		return read_footer((struct str){ file.ptr, end }, z);

	/* No rule: it stays as it is. */
	z->standard_s = z->changes_len ? z->offsets_s[z->changes_len - 1] : z->first_s;

	return true;
}

/* "Europe/Berlin": letters, digits, '_', '+', '-' and single '/' inside. */
static bool is_zone_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		bool is_word = (*p >= '0' && *p <= '9') ||
			       ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') || *p == '_' ||
			       *p == '+' || *p == '-';

		if (!is_word && (*p != '/' || p == name || p[-1] == '/' || !p[1]))
			return false;
	}

	return *name != '\0';
}

bool zone_read(struct arena *a, const char *name, struct zone *ret)
{
	_cleanup_(closep) int fd = -1;
	char *bytes;
	ssize_t n;

	*ret = (struct zone){ 0 };
	if (!name)
		return true;
	if (!is_zone_name(name))
		return false;

	fd = open(arena_printf(a, ZONES_DIR "/%s", name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bytes = arena_alloc(a, FILE_BYTES_MAX);
	n = read(fd, bytes, FILE_BYTES_MAX);

	return n > 0 && (size_t)n < FILE_BYTES_MAX &&
	       read_zone(a, (struct str){ bytes, (size_t)n }, ret);
}

/*
 * Asking
 */

static unsigned weekday_of(int64_t days)
{
	return (unsigned)(((days + 4) % 7 + 7) % 7); /* 1970-01-01: a Thursday */
}

/* The moment of a rule's change in a year; offset_s is what clocks showed before it. */
static int64_t change_s(const struct zone_rule *r, unsigned year, int32_t offset_s)
{
	int64_t day = days_of_date((struct date){ year, 1, 1 });

	if (r->kind == 'M') {
		unsigned last = days_in_month(year, r->month), of_month;
		int64_t first = days_of_date((struct date){ year, r->month, 1 });

		of_month = 1 + (r->weekday + 7 - weekday_of(first)) % 7 + (r->week - 1) * 7;
		while (of_month > last)
			of_month -= 7;
		day = first + of_month - 1;
	} else if (r->kind == 'J') {
		bool is_leap = days_in_month(year, 2) == 29;

		day += r->day - 1 +
		       (is_leap && r->day > 59); /* day 60 is always the 1st of March */
	} else {
		day += r->day;
	}

	return day * DAY_S + r->time_s - offset_s;
}

static int32_t offset_by_rule(const struct zone *z, int64_t at_s)
{
	int64_t local = at_s + z->standard_s, begins, ends;
	unsigned year;

	if (!z->has_summer)
		return z->standard_s;

	year = date_of_days(local / DAY_S - (local % DAY_S < 0)).year;
	begins = change_s(&z->begins, year, z->standard_s);
	ends = change_s(&z->ends, year, z->summer_s);

	/* In the south summer spans the new year. */
	if (begins < ends)
		return at_s >= begins && at_s < ends ? z->summer_s : z->standard_s;

	return at_s >= ends && at_s < begins ? z->standard_s : z->summer_s;
}

int32_t zone_offset(const struct zone *z, int64_t at_s)
{
	size_t low = 0, high = z->changes_len; /* the first change after at_s is in low…high */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->at_s[middle] <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == z->changes_len)
		return offset_by_rule(z, at_s);

	return low ? z->offsets_s[low - 1] : z->first_s;
}

/* The first moment from which on the offset is the one at `to`. */
static int64_t find_change(const struct zone *z, int64_t from, int64_t to)
{
	int32_t after = zone_offset(z, to);

	while (from + 1 < to) {
		int64_t middle = from + (to - from) / 2;

		if (zone_offset(z, middle) == after)
			to = middle;
		else
			from = middle;
	}

	return to;
}

int64_t zone_moment(const struct zone *z, int64_t local_s)
{
	int32_t before = zone_offset(z, local_s - DAY_S), after = zone_offset(z, local_s + DAY_S);
	int64_t at = local_s - before;

	if (zone_offset(z, at) == before)
		return at;
	if (zone_offset(z, local_s - after) == after)
		return local_s - after;

	return find_change(z, local_s - after - 1, at);
}
