/*
 * One HTTP request to somebody else's server, by libcurl: guarded (guard.h), bounded in size and
 * time, TLS verified, no redirect followed, no proxy or netrc of the environment believed.
 *
 * Blocking: routes that call it are ROUTE_SLOW, or jobs.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

#define FETCH_HEADERS_MAX 8

struct fetch {
	const char *url;  /* https, or http where the guard allows the host by OUTBOUND_ALLOW */
	const char *body; /* POST when not NULL, NUL-terminated */
	const char *headers[FETCH_HEADERS_MAX]; /* "Accept: application/json" */
	const char *user, *password;            /* Basic; NULL: none. As they are to be sent */
	int64_t timeout_us;                     /* of the whole; 0: 5 s */
	size_t reply_max;                       /* bytes of body; more is a failure; 0: 256 KiB */
};

struct fetched {
	int status;
	struct str body;           /* in c's arena */
	const char *content_type;  /* NULL when not said */
	const char *cache_control; /* the same */
};

/*
 * Any status is success. ERR_BAD_GATEWAY when there was no whole answer (why is in the log alone),
 * ERR_GATEWAY_TIMEOUT when it took too long, ERR_VALIDATION_ERROR when the guard refuses the
 * address.
 */
int fetch(struct ctx *c, const struct fetch *f, struct fetched *ret) MUST_CHECK;

/* name=value&…, values percent-encoded, in c's arena: for forms and query strings. Pairs end with a
 * NULL name; one with a NULL value is left out. */
const char *fetch_form(struct ctx *c, const char *const pairs[][2]);

/* One value, percent-encoded, in c's arena. */
const char *fetch_escape(struct ctx *c, const char *s);
