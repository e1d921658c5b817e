/*
 * Many POSTs at once to other people's servers, by libcurl's multi interface: guarded (guard.h),
 * bounded in size and time, TLS verified, no redirect followed; connections are kept and used
 * again.
 *
 * One courier a process, which is asked in a loop:
 *
 *	courier_send(c, &parcel);            as many as there is room for
 *	courier_wait(c, fds, n, timeout_ms); until something happens
 *	while ((r = courier_take(c)))        what has come back
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct courier;

struct parcel {
	void *owner;                /* given back with the receipt */
	const char *url;            /* https, or http where the guard allows the host */
	const char *const *headers; /* "Content-Type: application/json"; ends with NULL */
	struct str body;
	int64_t connect_us, timeout_us; /* to connect; for the whole */
};

struct courier_header {
	struct str name, value;
};

/* Of an answer are kept */
#define COURIER_HEADERS_MAX      40
#define COURIER_HEADER_BYTES_MAX KIB(4)
#define COURIER_BODY_MAX         KIB(4)

/* What became of a parcel. */
struct receipt {
	void *owner;
	int status;        /* 0: no answer, */
	const char *error; /* and why, in words; NULL with a status */
	int64_t duration_us;
	int64_t retry_after_s;                              /* as the answer asks; 0: it does not */
	struct str body;                                    /* its beginning, as it came */
	struct courier_header headers[COURIER_HEADERS_MAX]; /* the first of them */
	size_t headers_len;
};

/* For at most max at a time. */
struct courier *courier_new(unsigned max);
void courier_free(struct courier *c); /* those under way are given up */

unsigned courier_room(const struct courier *c); /* how many more may be sent now */
unsigned courier_under_way(const struct courier *c);

/* Everything in p is copied. There must be room. */
void courier_send(struct courier *c, const struct parcel *p);

/* Until a parcel moves, a descriptor is readable (at most 4 of them, -1: none) or the time is over;
 * then lets all move on. */
void courier_wait(struct courier *c, const int *fds, size_t n, int timeout_ms);

/* The next receipt, good until the next call; NULL: no more now. Then there is room for another. */
const struct receipt *courier_take(struct courier *c);
