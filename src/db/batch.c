/*
 * Batches: what goes into the pipeline before the caller's statements, what is tried again after a
 * failure, and transactions held open over several batches.
 *
 * The order in a transaction is: [BEGIN, when it is held open] entry, role, statements. The entry
 * comes first and runs as the application's own role: it is a SECURITY DEFINER function, needs no
 * other, and when it raises nothing after it runs, so that a role which sees all tenants is never
 * taken on for a caller who was not checked. set_config(…, true) ends with the transaction, as the
 * tenant does.
 */
#include "db/batch.h"

#include "db/conn_impl.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "gen/sql_system.h"

#include <assert.h>

#define TRIES_MAX      3 /* of a transaction that collided with another */
#define LOST_TRIES_MAX 2 /* over a lost connection */

/* The longest wait before the second try; twice that before the third. */
#define PAUSE_US (20 * US_PER_MS)

struct batch {
	struct ctx *c;
	enum batch_mode mode;
	struct step *first, *last;
};

/* What a mode needs; the role is that of the statements which run in no other. */
static const struct {
	const char *role;
	const struct sql *take_role;
	bool read_only;
	bool needs_entry;
} modes[] = {
	[BATCH_READ] = { NULL, &sql_system_as_app, true, true },
	[BATCH_WRITE] = { NULL, &sql_system_as_app, false, true },
	[BATCH_IDENTITY] = { "identity", &sql_system_as_identity, false, false },
	[BATCH_SYSTEM] = { "system", &sql_system_as_system, false, false },
	[BATCH_PLAIN] = { NULL, &sql_system_as_app, false, false },
};
static_assert(ARRAY_LEN(modes) == BATCH_PLAIN + 1, "one row for each mode");

/* The transaction that a unit of work holds open, if any; c is NULL when none is. */
static struct held {
	const struct ctx *c;
	enum batch_mode mode;
	const struct sql *role; /* the last that was taken on; NULL: none yet */
	bool begun;             /* BEGIN and the entry have run */
	bool failed;            /* rolled back; waits for db_rollback() */
} held;

static bool is_held_by(const struct ctx *c)
{
	BUG_IF(held.c && held.c != c); /* one unit of work at a time */
	return held.c != NULL;
}

static struct step *step_new(struct arena *a, const struct sql *s, struct args args)
{
	struct step *step = arena_make(a, struct step);
	struct arg *copy = arena_make_n(a, struct arg, args.n);

	BUG_IF(args.n != s->params);
	if (args.n)
		memcpy(copy, args.v, size_mul(args.n, sizeof(*copy)));
	*step = (struct step){ .sql = s, .args = { copy, args.n } };

	return step;
}

struct batch *batch_new(struct ctx *c, enum batch_mode mode)
{
	struct batch *b = arena_make(c->arena, struct batch);

	BUG_IF(modes[mode].needs_entry && !c->entry);
	b->c = c;
	b->mode = mode;

	return b;
}

static void append(struct batch *b, struct step *s)
{
	if (b->last)
		b->last->next = s;
	else
		b->first = s;
	b->last = s;
}

void batch_add(struct batch *b, const struct rows **ret_rows, const struct sql *s, struct args args)
{
	struct step *step = step_new(b->c->arena, s, args);
	const char *role = modes[b->mode].role;

	if (s->role && (!role || strcmp(s->role, role) != 0))
		BUG(s->name); /* in a batch of another role */
	BUG_IF(ret_rows && s->kind == SQL_EXEC);
	step->ret_rows = ret_rows;
	append(b, step);
}

void batch_blame(struct batch *b, const char *path)
{
	b->last->blame = path;
}

/* The entry with its last parameter: whether the whole transaction is read only. */
static struct step *entry_step(struct ctx *c, bool read_only)
{
	const struct args *own = &c->entry->args;
	struct arg *v = arena_make_n(c->arena, struct arg, own->n + 1);

	if (own->n)
		memcpy(v, own->v, size_mul(own->n, sizeof(*v)));
	v[own->n] = arg_bool(read_only);

	return step_new(c->arena, c->entry->statement, (struct args){ v, own->n + 1 });
}

/* The batch behind what its transaction begins with; *ret_entry may be NULL. */
static struct step *whole(struct batch *b, struct step **ret_entry)
{
	struct ctx *c = b->c;
	bool is_held = is_held_by(c), starts = !is_held || !held.begun;
	enum batch_mode mode = is_held ? held.mode : b->mode;
	const struct sql *role = is_held ? held.role : NULL;
	struct batch before = { .c = c };

	*ret_entry = NULL;
	if (is_held && starts)
		append(&before, step_new(c->arena, &sql_system_begin, NO_ARGS));
	if (starts && c->entry && b->mode != BATCH_PLAIN) {
		*ret_entry = entry_step(c, modes[mode].read_only);
		append(&before, *ret_entry);
	}
	if (role ? role != modes[b->mode].take_role : modes[b->mode].role != NULL)
		append(&before, step_new(c->arena, modes[b->mode].take_role, NO_ARGS));

	if (!before.first)
		return b->first;
	before.last->next = b->first;

	return before.first;
}

/* The replica when the batch may go there, it is the first try, and the replica is there. */
static struct conn *connection_for(const struct batch *b, unsigned try)
{
	const struct entry *e = b->c->entry;
	struct conn *conn = conn_replica();

	if (conn && try == 1 && b->mode == BATCH_READ && !is_held_by(b->c) && e && e->replica_ok &&
	    conn_ready(conn))
		return conn;

	conn = conn_primary();
	if (is_held_by(b->c) && held.begun) /* a new connection would not be the transaction's */
		return conn->pg ? conn : NULL;

	return conn_ready(conn) ? conn : NULL;
}

/* A batch that writes was told that it may not: after a failover the connection leads to a standby,
 * where nothing has happened, and a new one leads elsewhere. */
static bool is_demoted(const struct batch *b, const struct pipeline *p)
{
	return !modes[b->mode].read_only && sqlstate_is_standby(p->failure.sqlstate);
}

/*
 * What is held and was begun by an earlier batch cannot be run again from here. What the replica
 * refuses is asked of the primary: it may not know yet of a session or a seat that is new.
 */
static bool may_try_again(const struct batch *b, const struct conn *conn, enum outcome o,
			  const struct pipeline *p, unsigned try)
{
	bool is_harmless = b->mode == BATCH_READ || b->mode == BATCH_PLAIN || is_held_by(b->c);

	if (is_held_by(b->c) && held.begun)
		return false;

	switch (o) {
	case PIPELINE_ERROR:
		if (conn == conn_replica() && sqlstate_is_rule(p->failure.sqlstate))
			return true;
		if (is_demoted(b, p))
			return try < LOST_TRIES_MAX;
		return try < TRIES_MAX && (sqlstate_is_retryable(p->failure.sqlstate) ||
					   sqlstate_is_stale_plan(p->failure.sqlstate));
	case PIPELINE_LOST: return try < LOST_TRIES_MAX;
	case PIPELINE_DOUBT: return try < LOST_TRIES_MAX && is_harmless;
	case PIPELINE_LATE:
	case PIPELINE_REFUSED:
	case PIPELINE_DONE: return false;
	}
	BUG("no such outcome");
}

/* Up to PAUSE_US for each try so far, at random, so that those who collided do not meet again. */
static void pause_before(unsigned try)
{
	struct timespec t = { 0 };
	uint16_t jitter;

	random_bytes(&jitter, sizeof(jitter));
	t.tv_nsec = PAUSE_US * 1000 * try / UINT16_MAX * jitter;
	(void)nanosleep(&t, NULL);
}

/* Ends what a failed batch left of a held transaction; with its connection, if need be. */
static void roll_back(struct ctx *c, struct conn *conn)
{
	struct pipeline p = { .first = step_new(c->arena, &sql_system_rollback, NO_ARGS) };

	if (!conn->pg || PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
		return;
	if (pipeline_run(c, conn, &p) != PIPELINE_DONE)
		conn_close(conn);
}

/* libpq's reasons are lines, further ones with a tab before; a log's is one line. */
static const char *on_one_line(struct arena *a, const char *lines)
{
	char *line = str_dup(a, str_trim(str_of(lines)));

	for (char *s = line; *s; s++)
		if (*s == '\n' || *s == '\t')
			*s = *s == '\n' ? ';' : ' ';

	return line;
}

static int unavailable(struct ctx *c, const char *message, const char *why)
{
	int err = fail(c, ERR_SERVICE_UNAVAILABLE, NULL, message);

	errdetail_log(c, "PostgreSQL: %s", why ? on_one_line(c->arena, why) : "no reason given");

	return err;
}

/* Says what became of the batch; only a commit that was asked for leaves a doubt. */
static int give_up(const struct batch *b, enum outcome o, const struct pipeline *p)
{
	const struct step *s = p->failed;
	bool reads = b->mode == BATCH_READ || b->mode == BATCH_PLAIN;
	bool doubt = (o == PIPELINE_DOUBT || o == PIPELINE_LATE) && !reads && !held.c;

	if (o == PIPELINE_ERROR && s && s->blame && sqlstate_is_unreadable(p->failure.sqlstate))
		return fail_issue(b->c, s->blame, "custom",
				  "This is not a value that was given out");
	if (o == PIPELINE_ERROR && is_demoted(b, p))
		return unavailable(b->c, "The database takes no changes at the moment; try again",
				   p->failure.message);
	if (o == PIPELINE_ERROR)
		return sqlstate_fail(b->c, &p->failure, s ? s->sql->name : "commit");

	return unavailable(b->c,
			   doubt ? "The database connection was lost; whether the "
				   "change was made is not known"
			   : o == PIPELINE_LATE
				   ? "The database did not answer in time"
				   : "The database connection was lost; nothing was changed",
			   p->failure.message);
}

static int no_row(struct ctx *c, const struct sql *s)
{
	const char *noun = s->noun ? s->noun : "Resource";

	return fail(c, ERR_RESOURCE_NOT_FOUND, NULL, arena_printf(c->arena, "%s not found", noun));
}

/*
 * The caller was let in, whatever became of the statements behind the entry: nobody asks again in
 * this unit of work.
 */
static int note_entered(struct ctx *c, const struct step *entry)
{
	if (!entry || !entry->result || PQresultStatus(entry->result) != PGRES_TUPLES_OK)
		return 0;

	c->entered = c->entry;

	return c->entry->on_enter ? c->entry->on_enter(c, rows_new(c->arena, entry)) : 0;
}

/* All ran: the callers' rows, unless a :one has none. */
static int hand_out(const struct batch *b)
{
	struct ctx *c = b->c;

	for (const struct step *s = b->first; s; s = s->next)
		if (s->sql->kind == SQL_ONE && PQntuples(s->result) == 0)
			return no_row(c, s->sql);
	for (const struct step *s = b->first; s; s = s->next)
		if (s->ret_rows)
			*s->ret_rows = rows_new(c->arena, s);

	return 0;
}

/* The held transaction goes on, or is over and waits for its owner to say so. */
static void note_held(struct ctx *c, struct conn *conn, const struct batch *b, bool went_well)
{
	if (!is_held_by(c))
		return;

	if (went_well) {
		held.begun = true;
		held.role = modes[b->mode].take_role;
	} else {
		roll_back(c, conn);
	}
}

int batch_run(struct batch *b)
{
	struct ctx *c = b->c;
	struct pipeline p = { 0 };
	struct step *entry;
	enum outcome o;

	if (is_held_by(c) && held.failed)
		return fail_internal(c, "a batch after its transaction failed");
	BUG_IF(is_held_by(c) && modes[held.mode].read_only && b->mode != BATCH_READ);
	p.first = whole(b, &entry);
	if (!p.first)
		return 0;
	if (c->entry && b->mode != BATCH_PLAIN) {
		p.verdict = c->entry->verdict;
		p.verdict_first = b->mode != BATCH_READ;
	}

	for (unsigned try = 1;; try++) {
		struct conn *conn = connection_for(b, try);

		if (!conn) {
			held.failed = is_held_by(c);
			return unavailable(c, "The database is not reachable", conn_primary()->why);
		}
		o = pipeline_run(c, conn, &p);
		note_held(c, conn, b, o == PIPELINE_DONE);
		if (o == PIPELINE_DONE) {
			int err = note_entered(c, entry);

			return err ? err : hand_out(b);
		}
		if (o == PIPELINE_ERROR && is_demoted(b, &p))
			conn_close(conn);
		if (!may_try_again(b, conn, o, &p, try))
			break;
		if (o == PIPELINE_ERROR && sqlstate_is_stale_plan(p.failure.sqlstate))
			conn_close(conn); /* with what it prepared: happens once a migration */
		else if (o == PIPELINE_ERROR && sqlstate_is_retryable(p.failure.sqlstate))
			pause_before(try);
	}
	held.failed = is_held_by(c);
	if (o == PIPELINE_REFUSED)
		return p.err;
	if (o == PIPELINE_ERROR)
		(void)note_entered(c, entry); /* what failed is the answer, not what it says */

	return give_up(b, o, &p);
}

int db_run(struct ctx *c, enum batch_mode mode, const struct rows **ret, const struct sql *s,
	   struct args args)
{
	struct batch *b = batch_new(c, mode);

	batch_add(b, ret, s, args);

	return batch_run(b);
}

int db_read(struct ctx *c, const struct rows **ret, const struct sql *s, struct args args)
{
	return db_run(c, BATCH_READ, ret, s, args);
}

int db_write(struct ctx *c, const struct rows **ret, const struct sql *s, struct args args)
{
	return db_run(c, BATCH_WRITE, ret, s, args);
}

int batch_enter(struct ctx *c)
{
	return c->entered == c->entry ? 0 : batch_run(batch_new(c, BATCH_READ));
}

int db_begin(struct ctx *c, enum batch_mode mode)
{
	BUG_IF(is_held_by(c));
	BUG_IF(mode == BATCH_PLAIN || (modes[mode].needs_entry && !c->entry));
	held = (struct held){ .c = c, .mode = mode };

	return 0; /* BEGIN goes with the first batch */
}

int db_commit(struct ctx *c)
{
	struct pipeline p = { .commits = true };
	struct batch b = { .c = c, .mode = held.mode };
	struct held was = held;
	enum outcome o;

	BUG_IF(!is_held_by(c));
	held = (struct held){ 0 };
	if (was.failed)
		return fail_internal(c, "a commit after the transaction failed");
	if (!was.begun)
		return 0;

	p.first = step_new(c->arena, &sql_system_commit, NO_ARGS);
	o = pipeline_run(c, conn_primary(), &p);

	return o == PIPELINE_DONE ? 0 : give_up(&b, o, &p);
}

void db_rollback(struct ctx *c)
{
	bool runs = is_held_by(c) && held.begun && !held.failed;

	held = (struct held){ 0 };
	if (runs)
		roll_back(c, conn_primary());
}

bool db_is_open(const struct ctx *c)
{
	return is_held_by(c);
}

void db_end(struct ctx *c)
{
	if (held.c == c)
		db_rollback(c);
}
