/*
 * One pipeline: statements sent together up to a Sync, their results read in order.
 *
 * The work is to say truly what has become of a transaction when something breaks. It commits when
 * the server reads the Sync, so it has not when the server refused a statement, or said farewell
 * (FATAL) in the place of a statement's result. A connection that ends without a word, or after the
 * last result, leaves a doubt.
 *
 * Sending never blocks on a full socket without reading too: else a long pipeline, whose results
 * fill the server's side, would stop both (PostgreSQL manual, section 34.5.1.1).
 */
#include "db/conn_impl.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"

#include <poll.h>

/* Time for the server to end a slow statement by itself, before we give it up. */
#define MARGIN_US (2 * US_PER_S)

/* A conversation with the server. */
struct talk {
	struct arena *arena;
	struct conn *conn;
	struct pipeline *p;
	int64_t deadline_us;
};

static void clear_result(void *result)
{
	PQclear(result);
}

/* A statement that the same batch prepares already is not prepared twice. */
static bool must_prepare(const struct talk *t, const struct step *s)
{
	if (!config()->database_prepare || conn_has_prepared(t->conn, s->sql))
		return false;

	for (const struct step *earlier = t->p->first; earlier != s; earlier = earlier->next)
		if (earlier->sql == s->sql)
			return false;

	return true;
}

static bool send_step(const struct talk *t, struct step *s)
{
	struct wire w = args_wire(t->arena, s->args);
	PGconn *pg = t->conn->pg;

	s->prepares = must_prepare(t, s);
	s->result = NULL;

	if (!config()->database_prepare)
		return PQsendQueryParams(pg, s->sql->text, w.n, NULL, w.values, w.lengths,
					 w.formats, 1);
	if (s->prepares && !PQsendPrepare(pg, s->sql->name, s->sql->text, 0, NULL))
		return false;

	return PQsendQueryPrepared(pg, s->sql->name, w.n, w.values, w.lengths, w.formats, 1);
}

/* Reads while it writes: see the top. */
static enum outcome flush(const struct talk *t)
{
	PGconn *pg = t->conn->pg;
	int left;

	while ((left = PQflush(pg)) > 0) {
		if (!conn_wait(pg, POLLIN | POLLOUT, t->deadline_us))
			return PIPELINE_LATE;
		if (!PQconsumeInput(pg))
			return PIPELINE_DOUBT;
	}

	return left < 0 ? PIPELINE_DOUBT : PIPELINE_DONE;
}

/* Before the Sync is sent nothing can have been committed. */
static enum outcome send_all(const struct talk *t)
{
	for (struct step *s = t->p->first; s; s = s->next)
		if (!send_step(t, s))
			return PIPELINE_LOST;
	if (!PQpipelineSync(t->conn->pg))
		return PIPELINE_LOST;

	return flush(t);
}

/* The next result, or NULL between the results of two commands; the arena clears it. */
static enum outcome next_result(const struct talk *t, PGresult **ret)
{
	PGconn *pg = t->conn->pg;

	while (PQisBusy(pg)) {
		if (!conn_wait(pg, POLLIN, t->deadline_us))
			return PIPELINE_LATE;
		if (!PQconsumeInput(pg))
			break; /* PQgetResult() makes a result of what is wrong */
	}
	*ret = PQgetResult(pg);
	if (*ret)
		arena_defer(t->arena, clear_result, *ret);
	else if (PQstatus(pg) == CONNECTION_BAD)
		return PIPELINE_DOUBT;

	return PIPELINE_DONE;
}

/* The server ends the session; libpq's own errors have no severity. */
static bool is_farewell(const PGresult *r)
{
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

	return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

/* Keeps the first refusal of the pipeline; s is NULL at the commit. */
static void note_failure(struct pipeline *p, struct step *s, const PGresult *r)
{
	if (p->failure.sqlstate)
		return;

	p->failed = s;
	p->failure = (struct sql_failure){
		.sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		.message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY),
		.detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL),
		.constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME),
		.column = PQresultErrorField(r, PG_DIAG_COLUMN_NAME),
	};
}

/* Judges a result that stands for an error. */
static enum outcome take_error(const struct talk *t, struct step *s, const PGresult *r)
{
	bool is_over = PQstatus(t->conn->pg) == CONNECTION_BAD;

	if (is_farewell(r))
		return s && !t->p->commits ? PIPELINE_LOST : PIPELINE_DOUBT;
	if (is_over || !PQresultErrorField(r, PG_DIAG_SQLSTATE))
		return PIPELINE_DOUBT;

	note_failure(t->p, s, r);

	return PIPELINE_DONE;
}

/* The one result of a command, and the NULL that ends it. */
static enum outcome read_command(const struct talk *t, struct step *s)
{
	PGresult *r, *end;
	enum outcome o;

	o = next_result(t, &r);
	if (o)
		return o;
	BUG_IF(!r);

	switch (PQresultStatus(r)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_PIPELINE_ABORTED: s->result = r; break;
	case PGRES_FATAL_ERROR:
		o = take_error(t, s, r);
		if (o)
			return o;
		break;
	default: BUG("a statement does what a pipeline cannot carry");
	}

	o = next_result(t, &end);
	BUG_IF(!o && end);

	return o;
}

static enum outcome read_step(const struct talk *t, struct step *s)
{
	enum outcome o;

	if (s->prepares) {
		o = read_command(t, s);
		if (o)
			return o;
		if (s->result && PQresultStatus(s->result) == PGRES_COMMAND_OK)
			conn_set_prepared(t->conn, s->sql);
	}

	return read_command(t, s);
}

/* The Sync's own answer; a deferred constraint may refuse the commit before it. */
static enum outcome read_sync(const struct talk *t)
{
	PGresult *r;
	enum outcome o;

	for (;;) {
		o = next_result(t, &r);
		if (o)
			return o;
		if (!r)
			continue;
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC)
			return PIPELINE_DONE;
		o = take_error(t, NULL, r);
		if (o)
			return o;
	}
}

static enum outcome read_all(const struct talk *t)
{
	enum outcome o;

	for (struct step *s = t->p->first; s; s = s->next) {
		o = read_step(t, s);
		if (o)
			return o;
	}
	o = read_sync(t);
	if (o)
		return o;

	return t->p->failure.sqlstate ? PIPELINE_ERROR : PIPELINE_DONE;
}

/* What libpq said of a lost connection, kept past its end. */
static void note_loss(const struct talk *t, enum outcome o)
{
	t->p->failure = (struct sql_failure){
		.message = o == PIPELINE_LATE ? "no answer in time"
					      : arena_strdup(t->arena, PQerrorMessage(t->conn->pg)),
	};
	conn_close(t->conn);
}

static enum outcome timed(struct ctx *c, const struct talk *t,
			  enum outcome (*part)(const struct talk *))
{
	int64_t from_us = clock_monotonic_us();
	enum outcome o = part(t);

	c->pg_us += clock_monotonic_us() - from_us;
	if (o == PIPELINE_LOST || o == PIPELINE_DOUBT || o == PIPELINE_LATE)
		note_loss(t, o);

	return o;
}

enum outcome pipeline_run(struct ctx *c, struct conn *conn, struct pipeline *p)
{
	struct talk t = {
		.arena = c->arena,
		.conn = conn,
		.p = p,
		.deadline_us = clock_monotonic_us() + conn_statement_timeout_us() + MARGIN_US,
	};
	enum outcome o;

	p->failed = NULL;
	p->failure = (struct sql_failure){ 0 };
	p->err = p->verdict && p->verdict_first ? p->verdict(c) : 0;
	if (p->err)
		return PIPELINE_REFUSED;

	c->pg_trips++;
	o = timed(c, &t, send_all);
	if (o)
		return o;

	/* The verdict travels meanwhile; what it refuses is read all the same, and dropped. */
	if (p->verdict && !p->verdict_first)
		p->err = p->verdict(c);
	o = timed(c, &t, read_all);

	return p->err ? PIPELINE_REFUSED : o;
}
