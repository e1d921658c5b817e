/*
 * Routes: one row each, the only place that says what a route is. The dispatcher, the validator,
 * the OpenAPI document, the access matrix, nginx' pool map, the metrics and the closure tests all
 * read the row.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "http/method.h"
#include "http/permissions.h"

struct page;
struct request;
struct rows;
struct shape;

/* Where a row is mounted and which credential that tier takes (DESIGN.md). */
enum tier {
	TIER_API = 1 << 0,    /* /api/v1: bearer token or API key */
	TIER_ADMIN = 1 << 1,  /* /api/admin: session cookie */
	TIER_SUPER = 1 << 2,  /* /api/superadmin: session cookie of a global admin with MFA */
	TIER_AUTH = 1 << 3,   /* /api/auth: cookie or bearer token, or none */
	TIER_SYSTEM = 1 << 4, /* /: no credential */
};

/* Whose requests are counted together and how many they may be; numbers from config(). */
enum rate {
	RATE_UNSTATED,
	RATE_EXEMPT, /* probes and documents: not counted here; nginx may */
	RATE_READ,
	RATE_WRITE,
	RATE_SEARCH, /* lists and what costs more to read */
	RATE_AUTH,   /* log-in, sign-up: by address, before anyone is known */
	RATE_COUNT
};

enum route_flags {
	ROUTE_SLOW = 1 << 0,       /* hashes passwords or calls out: the slow pool */
	ROUTE_HOT = 1 << 1,        /* answered from the session's hot copy, without PostgreSQL */
	ROUTE_IDEMPOTENT = 1 << 2, /* takes an Idempotency-Key: every POST that creates */
	ROUTE_REPLICA = 1 << 3,    /* may be read from the replica */
	ROUTE_NO_STORE = 1 << 4,   /* the reply holds credentials: never cached, arena wiped */
	ROUTE_HIDDEN = 1 << 5,     /* not in the OpenAPI document: pages and assets */
	ROUTE_RAW_BODY = 1 << 6, /* the body is taken as it comes, in r->body_text: what others sign
				    and send to us */
	ROUTE_STEP_UP = 1 << 7,  /* dangerous: of who has a second factor, it must have been proven
				    within 15 minutes (enter() looks) */
	ROUTE_PERSON = 1 << 8,   /* a person's own: no API key, whatever its scopes */
	ROUTE_VERSIONED = 1 << 9, /* handle answers with a row, its ETag, and Location if made */
	ROUTE_MOVES = 1 << 10,    /* handle may answer with a 301 to another address */
	ROUTE_RECENT = 1 << 11,   /* makes a way to log in: of who has no second factor to step up
				     with, log-in or password must be of the last 15 minutes */
};

struct route {
	enum method method;
	const char *path; /* "/projects/:id"; :id and :…Id are UUIDs, other parameters text */
	unsigned tiers;   /* enum tier bits */
	enum perm perm;
	enum rate rate;
	const struct shape
		*query; /* filters; a list's page, limit, cursor, sort are implied by .sorts */
	const struct shape *body;
	const struct shape *reply; /* of one; page and all wrap it */
	const struct shape
		*accepted; /* a 202 of this shape may come instead: handle decides; NULL: never */
	const char *sorts; /* a list: its sort names, space-separated, the default first ("createdAt
			      email") */
	int status;        /* of success; 0: 200, or 204 without a reply shape */
	const int *errors; /* enum err beside those that every route of its kind may give; ends with
			      0 */
	unsigned flags;
	const char *deprecated; /* since, until and what comes instead: "2026-12-31 2027-12-31
				   /api/v1/…"; NULL */
	const char *tag;        /* "Projects": heading in the document; NULL: the mount's */
	const char *summary;
	const char *about;

	/*
	 * Exactly one of these. All but the last say what they answer with, and the dispatcher
	 * writes it: the row, a page, all rows of a short list, or nothing (204); handle makes
	 * its own reply, which is one object of the reply shape.
	 */
	int (*one)(struct request *r, const struct rows **ret);
	int (*page)(struct request *r, const struct page **ret);
	int (*all)(struct request *r, const struct rows **ret);
	int (*none)(struct request *r);
	int (*handle)(struct request *r);

	/*
	 * A page that browsers open: makes the reply of a failure, a redirect; false: who asks is
	 * none, and gets the error's body. Its successes may be redirects (302) too. NULL: no page.
	 */
	bool (*failed)(struct request *r);
};

/* One row on one tier. */
struct mounted {
	const struct route *route;
	const struct mount *mount;
	enum tier tier;
	const char *path; /* "/api/v1/projects/:id" */
};

#define ERRORS(...) ((const int[]){ __VA_ARGS__, 0 })

/* One domain, as mount.c names it. */
struct mount {
	const char *name;                 /* "projects"; its capitalised form tags the routes */
	const struct route *routes;       /* ends with a row without method */
	const struct conflict *conflicts; /* NULL: none */
	const char *about;                /* what the document says of the tag; NULL: another's */
};

/*
 * Takes the tables (ends with NULL), checks every row (tier, permission and rate stated, no two
 * rows for one method and path, shapes complete, names of schemas unique), registers the conflicts
 * and builds the matcher. Prints what is wrong to standard error and returns false.
 */
bool routes_init(const struct mount *const *mounts) MUST_CHECK;

/* Parameters of a matched path, in order. */
#define ROUTE_PARAMS_MAX 4

struct route_match {
	const struct route *route; /* NULL: no row */
	enum tier tier;
	const char *pattern; /* "/api/v1/projects/:id"; NULL with route */
	unsigned allowed;    /* methods that this path has, for 405 and OPTIONS; 0: no such path */
	size_t params_len;
	struct {
		struct str name;  /* "id" */
		struct str value; /* into the path */
	} params[ROUTE_PARAMS_MAX];
};

/*
 * A literal segment wins over a parameter, and there is no way back: with /a/b and /a/:id/c, /a/b/c
 * is no path. HEAD finds the row of GET.
 */
void route_find(enum method m, const char *path, struct route_match *ret);

/* An error that this row may give on this tier: what it states and what every row of its kind may.
 */
bool route_may_fail(const struct route *r, enum tier t, int err);

/* Parameters of a path: "id" and "…Id" are UUIDs. */
bool route_needs_tenant(const struct route *r);
bool route_has_params(const struct route *r);
bool route_param_is_id(struct str name);

/* The next segment of a path; ptr NULL at its end. *rest begins as the path behind its first '/'.
 */
struct str route_segment(struct str *rest, bool *ret_is_param);

/*
 * Walks all rows, once for each tier that they are mounted on: for the document, the matrix, the
 * tests. False at the end.
 */
bool route_each(size_t i, struct mounted *ret);

/* An API key may call it: a tenant's route of the public tier, but not those that make keys, since
 * no key is scoped to that (sql/migrations/0004), and not those for people alone. */
bool route_takes_api_key(const struct route *r, enum tier t);

/* What the reply says when all went well. */
int route_status(const struct route *r);

const char *tier_prefix(enum tier t); /* "/api/v1" */
const char *tier_name(enum tier t);   /* "api" */
const char *rate_name(enum rate r);   /* "read" */
