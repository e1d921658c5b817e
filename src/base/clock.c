/*
 * Time read, written and parsed, without the C library's calendar: its text functions are slow,
 * know locales and share buffers. The calendar is the proleptic Gregorian one, as RFC 3339 wants.
 */
#include "base/clock.h"

#include "base/str.h"

#define DAYS_PER_ERA 146097 /* 400 years */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

/* 0001-01-01 and the last microsecond of 9999: what four digits of a year and PostgreSQL can hold.
 */
#define CLOCK_MIN_US (INT64_C(-62135596800) * US_PER_S)
#define CLOCK_MAX_US (INT64_C(253402300800) * US_PER_S - 1)

static int64_t shift_us;

struct moment {
	struct date date;
	unsigned hour, minute, second, ms;
	unsigned weekday; /* 0: Sunday */
};

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	BUG_IF(clock_gettime(id, &ts) != 0);

	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
	return read_clock(CLOCK_REALTIME) + shift_us;
}

int64_t clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_shift(int64_t by_us)
{
	shift_us += by_us;
}

/*
 * Both count years from March, so that the leap day comes last (H. Hinnant, "chrono-compatible
 * low-level date algorithms").
 */
struct date date_of_days(int64_t days)
{
	uint64_t from_march = (uint64_t)(days + DAYS_TO_1970);
	uint64_t era = from_march / DAYS_PER_ERA;
	unsigned doe = (unsigned)(from_march % DAYS_PER_ERA); /* day of the era */
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100); /* from the 1st of March */
	unsigned mp = (5 * doy + 2) / 153;                      /* 0: March */
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	return (struct date){
		.year = (unsigned)era * 400 + yoe + (month <= 2),
		.month = month,
		.day = doy - (153 * mp + 2) / 5 + 1,
	};
}

int64_t days_of_date(struct date d)
{
	unsigned year = d.year - (d.month <= 2);
	unsigned era = year / 400;
	unsigned yoe = year % 400;
	unsigned doy = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (int64_t)era * DAYS_PER_ERA + doe - DAYS_TO_1970;
}

unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static struct moment moment_of(int64_t us)
{
	int64_t days, rest;
	unsigned ms;

	if (us < CLOCK_MIN_US)
		us = CLOCK_MIN_US;
	if (us > CLOCK_MAX_US)
		us = CLOCK_MAX_US;

	days = us / US_PER_DAY - (us % US_PER_DAY < 0); /* rounded down */
	rest = us - days * US_PER_DAY;
	ms = (unsigned)(rest / US_PER_MS);

	return (struct moment){
		.date = date_of_days(days),
		.hour = ms / 3600000,
		.minute = ms / 60000 % 60,
		.second = ms / 1000 % 60,
		.ms = ms % 1000,
		.weekday = (unsigned)((days + DAYS_TO_1970 + 3) % 7), /* 0000-03-01: a Wednesday */
	};
}

/* Writes v as that many digits; returns what follows them. */
static char *put_digits(char *p, unsigned v, unsigned count)
{
	for (unsigned i = count; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);

	return p + count;
}

static char *put_text(char *p, const char *s, size_t len)
{
	memcpy(p, s, len);
	return p + len;
}

/* hh:mm:ss */
static char *put_time_of_day(char *p, const struct moment *m)
{
	p = put_digits(p, m->hour, 2);
	*p++ = ':';
	p = put_digits(p, m->minute, 2);
	*p++ = ':';

	return put_digits(p, m->second, 2);
}

void clock_rfc3339(int64_t us, char ret[RFC3339_SIZE])
{
	struct moment m = moment_of(us);
	char *p = ret;

	p = put_digits(p, m.date.year, 4);
	*p++ = '-';
	p = put_digits(p, m.date.month, 2);
	*p++ = '-';
	p = put_digits(p, m.date.day, 2);
	*p++ = 'T';
	p = put_time_of_day(p, &m);
	*p++ = '.';
	p = put_digits(p, m.ms, 3);
	*p++ = 'Z';
	*p = '\0';
}

void clock_http_date(int64_t us, char ret[HTTP_DATE_SIZE])
{
	static const char weekdays[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct moment m = moment_of(us);
	char *p = ret;

	p = put_text(p, weekdays + 3 * (size_t)m.weekday, 3);
	p = put_text(p, ", ", 2);
	p = put_digits(p, m.date.day, 2);
	*p++ = ' ';
	p = put_text(p, months + 3 * (size_t)(m.date.month - 1), 3);
	*p++ = ' ';
	p = put_digits(p, m.date.year, 4);
	*p++ = ' ';
	p = put_time_of_day(p, &m);
	p = put_text(p, " GMT", 4);
	*p = '\0';
}

/* Takes exactly that many digits off the front of s. */
static bool take_digits(struct str *s, size_t count, unsigned *ret)
{
	int64_t v;

	if (s->len < count || s->ptr[0] == '-' ||
	    !str_to_i64((struct str){ s->ptr, count }, 0, INT32_MAX, &v))
		return false;

	*s = (struct str){ s->ptr + count, s->len - count };
	*ret = (unsigned)v;

	return true;
}

/* Takes one of the characters of any off the front of s. */
static bool take_one_of(struct str *s, const char *any, char *ret)
{
	if (!s->len || !s->ptr[0] || !strchr(any, s->ptr[0]))
		return false;

	*ret = s->ptr[0];
	*s = (struct str){ s->ptr + 1, s->len - 1 };

	return true;
}

/* YYYY-MM-DD */
static bool take_date(struct str *s, struct date *ret)
{
	char hyphen;

	return take_digits(s, 4, &ret->year) && take_one_of(s, "-", &hyphen) &&
	       take_digits(s, 2, &ret->month) && take_one_of(s, "-", &hyphen) &&
	       take_digits(s, 2, &ret->day) && ret->year >= 1 && ret->month >= 1 &&
	       ret->month <= 12 && ret->day >= 1 &&
	       ret->day <= days_in_month(ret->year, ret->month);
}

/* hh:mm and, with seconds, :ss; to seconds since midnight. A leap second (:60) is no time of ours.
 */
static bool take_time_of_day(struct str *s, bool seconds, int64_t *ret_s)
{
	unsigned hour, minute, second = 0;
	char colon;

	if (!take_digits(s, 2, &hour) || !take_one_of(s, ":", &colon) ||
	    !take_digits(s, 2, &minute))
		return false;
	if (seconds && (!take_one_of(s, ":", &colon) || !take_digits(s, 2, &second)))
		return false;
	*ret_s = (int64_t)hour * 3600 + (int64_t)minute * 60 + second;

	return hour <= 23 && minute <= 59 && second <= 59;
}

/* Nothing, or a dot and 1 to 6 digits. */
static bool take_fraction(struct str *s, int64_t *ret_us)
{
	int64_t scale = US_PER_S;
	unsigned digit;
	char dot;

	*ret_us = 0;
	if (!take_one_of(s, ".", &dot))
		return true;
	while (scale > 1 && take_digits(s, 1, &digit)) {
		scale /= 10;
		*ret_us += digit * scale;
	}

	return scale < US_PER_S;
}

/* Z or ±hh:mm, and then nothing. */
static bool take_offset(struct str *s, int64_t *ret_s)
{
	char sign;

	*ret_s = 0;
	if (take_one_of(s, "Zz", &sign))
		return s->len == 0;
	if (!take_one_of(s, "+-", &sign) || !take_time_of_day(s, false, ret_s))
		return false;
	if (sign == '-')
		*ret_s = -*ret_s;

	return s->len == 0;
}

bool clock_parse_rfc3339(struct str s, int64_t *ret_us)
{
	int64_t time_s, fraction_us, offset_s, us;
	struct date date;
	char t;

	if (!take_date(&s, &date) || !take_one_of(&s, "Tt", &t) ||
	    !take_time_of_day(&s, true, &time_s) || !take_fraction(&s, &fraction_us) ||
	    !take_offset(&s, &offset_s))
		return false;

	us = days_of_date(date) * US_PER_DAY + (time_s - offset_s) * US_PER_S + fraction_us;
	if (us < CLOCK_MIN_US || us > CLOCK_MAX_US)
		return false;
	*ret_us = us;

	return true;
}

bool clock_parse_duration(struct str s, int64_t *ret_us)
{
	static const struct {
		const char *suffix; /* "ms" stands before "s", which it ends with */
		int64_t us;
	} units[] = {
		{ "ms", US_PER_MS },      { "s", US_PER_S },   { "m", US_PER_MINUTE },
		{ "h", 3600 * US_PER_S }, { "d", US_PER_DAY }, { "", US_PER_S },
	};
	size_t i = 0;
	int64_t n;

	while (!str_ends(s, units[i].suffix))
		i++;
	s.len -= strlen(units[i].suffix);

	if (!str_to_i64(s, 0, INT64_MAX / units[i].us, &n))
		return false;
	*ret_us = n * units[i].us;

	return true;
}
