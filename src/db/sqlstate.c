/*
 * What PostgreSQL refused, as errors of ours. SQLSTATEs are read here alone.
 */
#include "db/sqlstate.h"

#include "db/batch.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"

/*
 * One row a SQLSTATE, or a class (two characters). What has no row is ERR_INTERNAL_ERROR: a
 * statement or its caller is wrong. To add an error of the schema's: refuse('ZYnnn', …) in SQL, a
 * row here; tests/unit/db/sqlstate.c looks.
 */
static const struct mapping {
	const char *sqlstate;
	int err;
	const char *message; /* NULL: the server's, which the schema wrote for the caller */
} mappings[] = {
	{ "ZY400", ERR_VALIDATION_ERROR, NULL },
	{ "ZY401", ERR_AUTH_UNAUTHORIZED, NULL },
	{ "ZY402", ERR_PLAN_LIMIT_EXCEEDED, NULL },
	{ "ZY403", ERR_AUTH_FORBIDDEN, NULL },
	{ "ZY404", ERR_RESOURCE_NOT_FOUND, NULL },
	{ "ZY409", ERR_RESOURCE_CONFLICT, NULL },
	{ "ZY412", ERR_PRECONDITION_FAILED, NULL },
	{ "ZY422", ERR_RULE_VIOLATED, NULL },
	{ "ZY423", ERR_IDEMPOTENCY_IN_PROGRESS, NULL },
	{ "ZY424", ERR_IDEMPOTENCY_MISMATCH, NULL },
	{ "ZY429", ERR_RATE_LIMIT_EXCEEDED, NULL },
	{ "ZY451", ERR_TENANT_SUSPENDED, NULL },
	{ "ZY452", ERR_AUTH_MFA_REQUIRED, NULL },
	{ "ZY453", ERR_AUTH_EMAIL_UNVERIFIED, NULL },
	{ "ZY454", ERR_AUTH_RECENT_LOGIN_REQUIRED, NULL },
	{ "ZY461", ERR_AUTH_TOKEN_EXPIRED, NULL },
	{ "ZY462", ERR_AUTH_TOKEN_REUSED, NULL },
	{ "ZY463", ERR_AUTH_MFA_INVALID, NULL },
	{ "ZY503", ERR_SERVICE_UNAVAILABLE, NULL },

	{ "40001", ERR_SERVICE_UNAVAILABLE, "The change collided with another; try again" },
	{ "40P01", ERR_SERVICE_UNAVAILABLE, "The change collided with another; try again" },
	{ "55P03", ERR_SERVICE_UNAVAILABLE, "Another change holds the resource; try again" },
	{ "57014", ERR_SERVICE_UNAVAILABLE, "The query took too long" },

	{ "08", ERR_SERVICE_UNAVAILABLE, "The database is not reachable" },
	{ "53", ERR_SERVICE_UNAVAILABLE, "The database has no capacity left; try again" },
	{ "57", ERR_SERVICE_UNAVAILABLE, "The database is not reachable" },
};

#define CONFLICT_TABLES_MAX 64

static const struct conflict *conflict_tables[CONFLICT_TABLES_MAX];
static size_t conflict_tables_len;

void conflicts_register(const struct conflict *table)
{
	BUG_IF(conflict_tables_len == CONFLICT_TABLES_MAX);
	conflict_tables[conflict_tables_len++] = table;
}

const struct conflict *conflict_find(const char *constraint)
{
	if (!constraint)
		return NULL;

	for (size_t i = 0; i < conflict_tables_len; i++)
		for (const struct conflict *row = conflict_tables[i]; row->constraint; row++)
			if (strcmp(row->constraint, constraint) == 0)
				return row;

	return NULL;
}

static bool is_of_class(const char *sqlstate, const char *class)
{
	return strncmp(sqlstate, class, strlen(class)) == 0;
}

bool sqlstate_is_retryable(const char *sqlstate)
{
	return sqlstate && (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

bool sqlstate_is_stale_plan(const char *sqlstate)
{
	return sqlstate && (strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0);
}

bool sqlstate_is_standby(const char *sqlstate)
{
	return sqlstate && strcmp(sqlstate, "25006") == 0;
}

bool sqlstate_is_rule(const char *sqlstate)
{
	return sqlstate && is_of_class(sqlstate, "ZY");
}

bool sqlstate_is_unreadable(const char *sqlstate)
{
	return sqlstate && is_of_class(sqlstate, "22");
}

static const struct mapping *mapping_find(const char *sqlstate)
{
	for (size_t i = 0; i < ARRAY_LEN(mappings); i++)
		if (is_of_class(sqlstate, mappings[i].sqlstate))
			return &mappings[i];

	return NULL;
}

/* path may be NULL, and is copied. */
static int fail_with(struct ctx *c, int err, const char *path, const char *message)
{
	if (err == ERR_VALIDATION_ERROR)
		return fail_issue(c, path ? path : "", "custom", message);

	return fail(c, err, arena_strdup(c->arena, path), message);
}

/* refuse() sends '' for what it has nothing to say about. */
static const char *said(const char *s)
{
	return s && *s ? s : NULL;
}

/* What refuse() says beside its message: the permission that is lacking, the seconds to wait. */
static void note_detail(struct ctx *c, int err, const char *detail)
{
	if (err == ERR_AUTH_FORBIDDEN)
		c->fault.required = arena_strdup(c->arena, said(detail));
	if (err == ERR_RATE_LIMIT_EXCEEDED &&
	    !str_to_i64(str_of(detail), 1, INT32_MAX, &c->fault.retry_after_s))
		c->fault.retry_after_s = 1;
}

/* The message of class 22 quotes the value, which may be a secret. */
static int fail_unforeseen(struct ctx *c, const struct sql_failure *f, const char *statement)
{
	const char *message = sqlstate_is_unreadable(f->sqlstate) || !f->message ? "" : f->message;

	return fail_internal(c, "%s: SQLSTATE %s %s%s%s", statement, f->sqlstate, message,
			     f->constraint ? ", constraint " : "",
			     f->constraint ? f->constraint : "");
}

int sqlstate_fail(struct ctx *c, const struct sql_failure *f, const char *statement)
{
	const struct mapping *m = mapping_find(f->sqlstate);
	const struct conflict *conflict = conflict_find(f->constraint);
	int err;

	if (m && m->message) {
		err = fail(c, m->err, NULL, m->message);
		errdetail_log(c, "%s: SQLSTATE %s %s", statement, f->sqlstate, f->message);
		return err;
	}
	if (m) {
		bool is_first = !c->fault.err;

		err = fail_with(c, m->err, said(f->column), arena_strdup(c->arena, f->message));
		if (is_first)
			note_detail(c, err, f->detail);
		return err;
	}
	if (conflict && is_of_class(f->sqlstate, "23"))
		return fail_with(c, conflict->err, conflict->path, conflict->message);

	return fail_unforeseen(c, f, statement);
}
