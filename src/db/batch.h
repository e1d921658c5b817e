/*
 * A batch: statements that succeed or fail together, in one transaction and one round trip.
 *
 * Everything is sent as one libpq pipeline up to its Sync, which PostgreSQL runs as one implicit
 * transaction. The first statement of every transaction is the ctx's entry: it sets the tenant and
 * proves that the caller may be here, and when it raises, nothing after it runs. So no statement
 * can run for a caller who was not checked, and nobody has to remember it.
 *
 *	b = batch_new(c, BATCH_WRITE);
 *	batch_add(b, &rows, &sql_projects_create, ARGS(arg_uuid(id), arg_text(slug)));
 *	return batch_run(b);
 *
 * Errors: SQLSTATEs are mapped in sqlstate.c, constraint names by the domains' conflict tables.
 * Serialization failures and deadlocks are tried again, three times at most. A lost connection is
 * made anew and the batch tried again when nothing of it can have been committed; else
 * ERR_SERVICE_UNAVAILABLE.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/list.h"
#include "base/str.h"
#include "db/rows.h"
#include "db/sql.h"

struct ctx;
struct batch;

enum batch_mode {
	/* The tenant's rows, read only; may go to the replica when the entry allows it. */
	BATCH_READ,
	/* The tenant's rows. */
	BATCH_WRITE,
	/* Accounts, sessions and seats of all tenants: role zygo_identity, identity/ only. */
	BATCH_IDENTITY,
	/* All tenants: role zygo_system; superadmin and worker paths (docs/security.md). */
	BATCH_SYSTEM,
	/* Catalogs and health, no tenant and no entry: db/ only. */
	BATCH_PLAIN,
};

enum arg_kind {
	ARG_NULL,
	ARG_TEXT,
	ARG_INT,
	ARG_BOOL,
	ARG_UUID,
	ARG_TIME,
	ARG_BYTES,
	ARG_TEXT_ARRAY
};

/* One parameter. Pointers must live until batch_run() returns. */
struct arg {
	enum arg_kind kind;
	union {
		struct str text; /* TEXT, BYTES */
		int64_t num;     /* INT, BOOL, TIME (microseconds since 1970) */
		struct uuid uuid;
		struct {
			const struct str *items;
			size_t len;
		} array;
	};
};

struct args {
	const struct arg *v;
	size_t n;
};

#define ARGS(...)                                                                                  \
	((struct args){ (const struct arg[]){ __VA_ARGS__ },                                       \
			sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg) })
#define NO_ARGS ((struct args){ NULL, 0 })

/*
 * No parameter carries a type: each has the one that the statement gives it ($1::jsonb where
 * nothing else says so), and whatever fits its text form may be passed. So a statement is prepared
 * once and alike, whoever calls it first. Bytes alone travel as they are, and want a bytea.
 */
struct arg arg_null(void);
struct arg arg_text(const char *s); /* NULL is SQL NULL */
struct arg arg_str(struct str s);   /* ptr NULL is SQL NULL */
struct arg arg_int(int64_t v);
struct arg arg_bool(bool v);
struct arg arg_uuid(struct uuid u); /* nil is SQL NULL */
struct arg arg_time(int64_t us);    /* timestamptz; 0 is SQL NULL */
struct arg arg_bytes(const void *p, size_t n);
struct arg arg_text_array(const struct str *items, size_t n);
/* A list of const char * as text[], in c's arena. */
struct arg arg_texts(struct ctx *c, struct list texts);
/* "%s%" with LIKE's own characters escaped, in c's arena; NULL stays NULL. */
struct arg arg_contains(struct ctx *c, const char *s);
/* The versions that If-Match named as bigint[], in c's arena, or NULL: for version_is_wanted() in
 * UPDATE statements. */
struct arg arg_if_match(const struct ctx *c);

/*
 * How a transaction of this unit of work begins. statement runs first in every transaction;
 * on_enter, when not NULL, is called with its row before anything else is handed out and may
 * fail(). By then a write is committed: what must stop one is raised by the statement.
 *
 * verdict, when not NULL, is asked before the first byte of a writing transaction is sent and
 * before a read's rows are handed out: the rate limiter's verdict, which travels meanwhile.
 */
struct entry {
	const struct sql *statement;
	struct args args; /* statement's own, without the last: batch_run() appends read_only as a
			     bool */
	int (*on_enter)(struct ctx *c, const struct rows *row);
	int (*verdict)(struct ctx *c);
	bool replica_ok;
};

struct batch *batch_new(struct ctx *c, enum batch_mode mode);

/*
 * ret_rows may be NULL when nobody looks; it is filled by batch_run() on success only. args are
 * copied, what they point to is not.
 */
void batch_add(struct batch *b, const struct rows **ret_rows, const struct sql *s,
	       struct args args);

/*
 * Runs all; blocking, bounded by the statement time-out. 0, or the first error, after which nothing
 * of the batch has happened: a :one statement that writes or locks raises ZY404 by itself when it
 * finds no row (scripts/sqlgen.awk sees to that). A plain SELECT of kind :one is looked at after
 * the commit, so beside a write it must lock (FOR SHARE).
 */
int batch_run(struct batch *b) MUST_CHECK;

/* One statement in a batch of its own; the last two for a caller's reading and writing. */
int db_run(struct ctx *c, enum batch_mode mode, const struct rows **ret, const struct sql *s,
	   struct args args) MUST_CHECK;
int db_read(struct ctx *c, const struct rows **ret, const struct sql *s, struct args args)
	MUST_CHECK;
int db_write(struct ctx *c, const struct rows **ret, const struct sql *s, struct args args)
	MUST_CHECK;

/*
 * Runs the entry alone when no batch of this unit of work has yet: the caller is checked, nothing
 * else happens. For replies that need no row, and so that a refused caller is told so before its
 * input is judged.
 */
int batch_enter(struct ctx *c) MUST_CHECK;

/*
 * Holds the transaction open: from now on batches of this unit of work run in one transaction,
 * which ends with db_commit() or db_rollback(). Idempotency uses it to store a reply beside what it
 * answers; sign-up to decide in between. Each batch is still one round trip; the commit is one
 * more.
 */
int db_begin(struct ctx *c, enum batch_mode mode) MUST_CHECK;
int db_commit(struct ctx *c) MUST_CHECK;
void db_rollback(struct ctx *c); /* nothing to do is fine */
bool db_is_open(const struct ctx *c);

/* Rolls back what is still open; called after each unit of work by who runs them. */
void db_end(struct ctx *c);

struct conflict;                                       /* base/err.h */
void conflicts_register(const struct conflict *table); /* at start; the pointer is kept */
const struct conflict *conflict_find(const char *constraint);
