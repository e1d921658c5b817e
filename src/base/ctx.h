/*
 * What one unit of work, a request or a job, carries through every layer: its memory, who acts,
 * what went wrong first, what it has cost.
 *
 * A ctx is reset, never shared: one process works on one unit at a time.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/id.h"
#include "base/list.h"

struct arena;
struct entry;

/* How the caller proved who it is; printed in events and logs by actor_kind_name(). */
enum actor_kind {
	ACTOR_NONE,    /* nobody yet, or an open route */
	ACTOR_SESSION, /* browser cookie */
	ACTOR_TOKEN,   /* access token (JWT) */
	ACTOR_API_KEY, /* a program, for the person who made its key */
	ACTOR_SYSTEM,  /* the platform itself: a job, an admin's command */
};

/* Who acts, for events, logs and limits. Ids that do not apply are nil. */
struct actor {
	enum actor_kind kind;
	struct account_id account;
	struct session_id session;
	struct api_key_id api_key;
	struct tenant_id tenant;
	struct user_id user;
	bool is_global_admin;
	int64_t rate_limit; /* the API key's own, requests a minute; 0: none */
	const char *ip;     /* text; NULL when not from the network */
};

/* One thing wrong with one field of an input; code is Zod's word for it ("too_small", …). */
struct issue {
	const char *path; /* "address.city", "roles.0" */
	const char *message;
	const char *code;
};

#define ISSUES_MAX 64

/* The first failure of this unit of work. All strings live in the ctx's arena or are literals. */
struct fault {
	int err;               /* enum err; 0: nothing failed */
	const char *path;      /* the field it concerns, or NULL */
	const char *message;   /* for the caller of the API; NULL: the error's own */
	const char *required;  /* the permission that was missing, or NULL */
	int64_t retry_after_s; /* with ERR_RATE_LIMIT_EXCEEDED */
	struct issue *issues;  /* with ERR_VALIDATION_ERROR, else NULL */
	size_t issues_len;     /* at most ISSUES_MAX */
	const char *detail;    /* for the log only: SQL message, errno, … */
	const char *where;     /* for the log only: file:line */
};

struct ctx {
	struct arena *arena;
	struct fault fault;
	struct actor actor;
	const char *request_id;
	struct list if_match; /* int64_t: versions that will do; empty: no If-Match */
	unsigned redis_trips; /* round trips so far; shown in Server-Timing */
	unsigned pg_trips;
	int64_t redis_us; /* time spent waiting for them */
	int64_t pg_us;
	const struct entry *entry;   /* db/batch.h: how its transactions begin; NULL: it has none */
	const struct entry *entered; /* the entry that one of its transactions has passed */
};

/* Makes c ready for a new unit of work in a, which the caller has reset; forgets what it held. */
void ctx_reset(struct ctx *c, struct arena *a);

/* Tells the compiler, and who analyses the code, that a failure is not success. */
static inline int never_ok(int err)
{
	if (!err)
		__builtin_unreachable();
	return err;
}

/*
 * Records the first failure and returns err, so that a failing path is one statement:
 * `return fail(c, ERR_RESOURCE_CONFLICT, "slug", "A project with this slug exists");`
 *
 * path and message may be NULL. A later fail() in the same unit of work changes nothing and returns
 * the first error: whoever knew first knew best.
 */
#define fail(c, err, path, message)                                                                \
	never_ok(fail_at((c), (err), (path), (message), __FILE__, __LINE__))
int fail_at(struct ctx *c, int err, const char *path, const char *message, const char *file,
	    int line);

/* As fail(ERR_INTERNAL_ERROR), with a formatted detail that only the log shows. */
#define fail_internal(c, ...) never_ok(fail_internal_at((c), __FILE__, __LINE__, __VA_ARGS__))
int fail_internal_at(struct ctx *c, const char *file, int line, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Adds what only an admin may see to the fault, for the log. */
void errdetail_log(struct ctx *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Adds one issue to the fault and makes it ERR_VALIDATION_ERROR; path is copied, code and message
 * are not. Past ISSUES_MAX nothing is added. Returns the fault's error, which is another one when
 * something else failed first.
 */
int fail_issue(struct ctx *c, const char *path, const char *code, const char *message);

const char *actor_kind_name(enum actor_kind k);
