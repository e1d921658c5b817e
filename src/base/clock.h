/*
 * Time. A moment is int64_t microseconds since 1970-01-01 UTC, named _us or _at; a duration is
 * named with its unit. Tests move the clock with clock_shift(); nothing else reads time.
 */
#pragma once

#include "base/base.h"

struct arena;
struct str;

#define US_PER_MS     INT64_C(1000)
#define US_PER_S      INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_S)
#define US_PER_DAY    (86400 * US_PER_S)

int64_t clock_now_us(void);       /* wall clock */
int64_t clock_monotonic_us(void); /* for measuring; never goes back, not shifted by tests */

/* Moves clock_now_us() by so much, for tests only. */
void clock_shift(int64_t by_us);

/* "2026-01-31T12:00:00.000Z": RFC 3339, UTC, milliseconds (rounded down). 24 bytes and a NUL. */
#define RFC3339_SIZE 25
void clock_rfc3339(int64_t us, char ret[RFC3339_SIZE]);

/* Accepts RFC 3339 with any offset and 0 to 6 digits of fraction; false when it is anything else.
 */
bool clock_parse_rfc3339(struct str s, int64_t *ret_us) MUST_CHECK;

/* "Fri, 31 Jan 2026 12:00:00 GMT" (RFC 9110 section 5.6.7). 29 bytes and a NUL. */
#define HTTP_DATE_SIZE 30
void clock_http_date(int64_t us, char ret[HTTP_DATE_SIZE]);

/* "15m", "30d", "90s", "2h", "1500ms" or plain seconds, to microseconds; false when it is not one.
 */
bool clock_parse_duration(struct str s, int64_t *ret_us) MUST_CHECK;

struct date {
	unsigned year, month, day; /* month and day from 1 */
};

/* Days since 1970-01-01 to a date and back: years 0 to 9999. */
struct date date_of_days(int64_t days);
int64_t days_of_date(struct date d);
unsigned days_in_month(unsigned year, unsigned month);
