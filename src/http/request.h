/*
 * One request while it is served. Handlers look at ctx, query, body, paging and the path's
 * parameters; the rest is for the stages.
 */
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/id.h"
#include "base/str.h"
#include "cache/ratelimit.h"
#include "http/route.h"

struct paging;
struct lookup;
struct request;

/*
 * Where a request comes from and its answer goes: FastCGI (serve.c), or a table in tests. Names of
 * parameters are CGI's ("REQUEST_URI", "HTTP_IF_MATCH").
 */
struct transport {
	const char *(*param)(const void *peer, const char *name); /* NULL when absent */
	bool (*params_fit)(const void *peer); /* false: more or longer ones than will be read */
	bool (*read)(void *peer, char *p, size_t max,
		     size_t *ret_len); /* of the body; 0 bytes: its end */
	void (*write)(void *peer, struct str head, struct str body);
	/*
	 * A reply whose body comes in parts, instead of write: its head with the first part, the
	 * others, its end. more is false when the peer takes no more; without is_whole the peer
	 * sees the transfer break off.
	 */
	bool (*begin)(void *peer, struct str head, struct str part);
	bool (*more)(void *peer, struct str part);
	void (*end)(void *peer, bool is_whole);
};

#define REPLY_HEADERS_MAX 24
#define REPLY_BYTES_MAX   MIB(8)

struct reply {
	int status;
	struct buf body;
	const char *content_type; /* NULL: application/json */
	struct {
		const char *name;
		const char *value;
	} headers[REPLY_HEADERS_MAX];
	size_t headers_len;
	int64_t version;  /* of the single resource, for its ETag; -1: the body's hash serves */
	bool is_resource; /* one resource: it has an ETag */
	bool written;     /* a handler, or a stage, has made a reply */

	/* body is the first part of a longer one: see reply_parts(). NULL: all of it. */
	int (*more)(struct request *r, void *source, struct str *ret_part);
	void *source;
	size_t streamed; /* bytes of the other parts that were sent */
};

struct request {
	struct ctx *ctx;
	const struct transport *transport;
	void *peer;                /* the transport's */
	enum method method;        /* 0: none of ours; HEAD is served as GET, without its body */
	const char *path;          /* decoded, valid UTF-8 */
	bool path_is_plain;        /* may name a route */
	struct str query_string;   /* raw */
	const struct route *route; /* NULL: none found */
	struct route_match match;
	enum tier tier;

	const void *query;           /* the row's query shape, filled; NULL without one */
	const void *body;            /* the row's body shape, filled */
	const struct paging *paging; /* lists only */
	struct str body_text;        /* raw, for the idempotency digest */

	struct reply reply;
	struct lookup *lookup;  /* the limiter's question under way */
	struct str hot;         /* the session's hot copy; ptr NULL: none */
	struct verdict verdict; /* its answer; .by NULL: none was asked, or not heard yet */
	bool is_known;          /* the authenticate stage has passed */
	bool limit_waits;   /* until the entry says whose the request is: nothing was asked yet */
	bool is_kept;       /* an Idempotency-Key was claimed: the reply is to be kept */
	int64_t started_us; /* monotonic */
};

/* "IF_NONE_MATCH" for If-None-Match; NULL when absent. Lives as long as the request. */
const char *request_header(const struct request *r, const char *name);

/* A cookie's value, cut from the header; ptr NULL when absent. */
struct str request_cookie(const struct request *r, const char *name);

/* The path's UUID parameter of that name ("id"): checked by the validate stage. Absent is a BUG().
 */
struct uuid request_id_param(const struct request *r, const char *name);

/* Any parameter of the path, as text in the arena. Absent is a BUG(). */
const char *request_param(const struct request *r, const char *name);
