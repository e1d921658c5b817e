/*
 * What the files of db/ share and nobody else includes: connections, steps, pipelines.
 */
#pragma once

#include "db/batch.h"
#include "db/sqlstate.h"

#include <libpq-fe.h>

struct arena;
struct prepared;

/* One server that this process talks to; pg is NULL while there is no connection. */
struct conn {
	const char *url;
	PGconn *pg;
	struct prepared *prepared; /* the statements that this connection has prepared */
	int64_t retry_at_us;       /* no attempt to connect before; monotonic */
	int64_t delay_us;          /* of the next failed attempt */
	char why[256];             /* what the last failed attempt said, for the log */
};

struct conn *conn_primary(void);
struct conn *conn_replica(void); /* NULL when none is configured */

/*
 * Makes the connection when there is none or it has died in the meantime: at most CONN_WAIT_US, and
 * at once false while the back-off lasts; conn->why says why.
 */
bool conn_ready(struct conn *conn) MUST_CHECK;
void conn_close(struct conn *conn);

/* libpq understands the URL. Asked first, because its complaint quotes the password. */
bool conn_url_is_readable(const char *url) MUST_CHECK;
#define CONN_URL_UNREADABLE "the URL cannot be read; special characters in it are percent-encoded"

/* How long one statement may take: little in a pool whose processes have others to serve meanwhile.
 */
int64_t conn_statement_timeout_us(void);

/* Waits until the socket is ready for one of poll(2)'s events; false when the deadline passed. */
bool conn_wait(PGconn *pg, short events, int64_t deadline_us) MUST_CHECK;

bool conn_has_prepared(const struct conn *conn, const struct sql *s);
void conn_set_prepared(struct conn *conn, const struct sql *s);

/* One statement on its way. */
struct step {
	struct step *next;
	const struct sql *sql;
	struct args args;
	const struct rows **ret_rows; /* NULL: nobody looks */
	const char *blame; /* the field to blame when PostgreSQL cannot read a value (class 22) */
	bool prepares;     /* sent with a Prepare before it */
	PGresult *result;  /* in the arena's care */
};

enum outcome {
	PIPELINE_DONE,    /* all ran; committed, unless a transaction is held open */
	PIPELINE_ERROR,   /* the server refused one: see failed and failure; nothing has happened */
	PIPELINE_REFUSED, /* the verdict did: see err */
	PIPELINE_LOST,    /* the connection was lost; nothing has happened */
	PIPELINE_DOUBT,   /* lost when it may have committed */
	PIPELINE_LATE,    /* no answer in time; the connection is given up; it may have committed */
};

struct pipeline {
	struct step *first;
	int (*verdict)(struct ctx *c);
	bool verdict_first; /* before anything is sent, rather than before anything is read */
	bool commits;       /* the last step is COMMIT itself */

	struct step *failed; /* NULL: the commit */
	struct sql_failure failure;
	int err;
};

/* One round trip; counts it in c. A connection that is of no use any more is closed. */
enum outcome pipeline_run(struct ctx *c, struct conn *conn, struct pipeline *p) MUST_CHECK;

/* Parameters as libpq wants them; in the arena. */
struct wire {
	int n;
	const char *const *values;
	const int *lengths;
	const int *formats;
};
struct wire args_wire(struct arena *a, struct args args);

/* BUG() with the statement's name when a column has a type unknown to rows.c. */
const struct rows *rows_new(struct arena *a, const struct step *s);

/* A value that PostgreSQL cannot read in the last statement is a mistake in this field. */
void batch_blame(struct batch *b, const char *path);

/* Where a page ended, for the next one: see page.c. */
struct cursor {
	const char *sort;  /* "-createdAt" */
	const char *value; /* of the sorted column, as PostgreSQL writes it */
	struct uuid id;
};
const char *cursor_encode(struct arena *a, const struct cursor *cursor);
bool cursor_decode(struct arena *a, const char *text, struct cursor *ret) MUST_CHECK;
