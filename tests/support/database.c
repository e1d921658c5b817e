/*
 * libpq, plainly: one connection for the test, statements as they come.
 */
#include "support/database.h"

#include "base/str.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <string.h>

#define PARAMETERS_MAX 16

static PGconn *current;

/*
 * The texts that this connection was given, each prepared when it comes the second time, so that
 * what is asked again and again is parsed and planned once.
 */
static struct known {
	const char *text; /* a literal, or in the world's arena */
	bool is_prepared;
} known[64];
static size_t known_len;

static PGconn *connection(void)
{
	if (current && PQstatus(current) == CONNECTION_OK)
		return current;

	PQfinish(current);
	known_len = 0;
	current = PQconnectdb(world()->super_url);
	cr_assert_eq(PQstatus(current), CONNECTION_OK, "%s", PQerrorMessage(current));
	return current;
}

static void resultp(PGresult **p)
{
	PQclear(*p);
}

/* NULL when it is new; while there is room it is known from then on. */
static struct known *recall(const char *text)
{
	for (size_t i = 0; i < known_len; i++) {
		if (strcmp(known[i].text, text) == 0)
			return &known[i];
	}
	if (known_len < ARRAY_LEN(known))
		known[known_len++] = (struct known){ .text = text };
	return NULL;
}

static bool prepare(PGconn *conn, const char *name, const char *statement)
{
	_cleanup_(resultp) PGresult *result = PQprepare(conn, name, statement, 0, NULL);

	return PQresultStatus(result) == PGRES_COMMAND_OK;
}

static PGresult *execute_once(const char *statement, int n, const char *const *values)
{
	PGconn *conn = connection();
	struct known *k = recall(statement);
	char name[8] = "";

	if (k)
		(void)snprintf(name, sizeof(name), "k%d", (int)(k - known));
	if (k && !k->is_prepared)
		k->is_prepared = prepare(conn, name, statement);
	if (!k || !k->is_prepared)
		return PQexecParams(conn, statement, n, NULL, values, NULL, NULL, 0);
	return PQexecPrepared(conn, name, n, values, NULL, NULL, 0);
}

/* Once more when the server went away since the last time: tests/faults take it. */
static PGresult *execute(const char *statement, int n, const char *const *values)
{
	PGresult *result = execute_once(statement, n, values);

	if (PQstatus(current) == CONNECTION_OK)
		return result;
	PQclear(result);
	return execute_once(statement, n, values);
}

static PGresult *run(const char *statement, va_list ap)
{
	const char *values[PARAMETERS_MAX];
	int n = 0;
	PGresult *result;

	while ((values[n] = va_arg(ap, const char *))) {
		n++;
		cr_assert(n < PARAMETERS_MAX);
	}
	result = execute(statement, n, values);
	cr_assert(PQresultStatus(result) == PGRES_COMMAND_OK ||
			  PQresultStatus(result) == PGRES_TUPLES_OK,
		  "%s: %s", statement, PQresultErrorMessage(result));
	return result;
}

static const char *cell(const PGresult *result, int row)
{
	if (row >= PQntuples(result) || PQnfields(result) < 1 || PQgetisnull(result, row, 0))
		return NULL;
	return arena_strdup(world_arena(), PQgetvalue(result, row, 0));
}

const char *database_value(const char *statement, ...)
{
	_cleanup_(resultp) PGresult *result = NULL;
	va_list ap;

	va_start(ap, statement);
	result = run(statement, ap);
	va_end(ap);
	return cell(result, 0);
}

int64_t database_number(const char *statement, ...)
{
	_cleanup_(resultp) PGresult *result = NULL;
	const char *text;
	int64_t number;
	va_list ap;

	va_start(ap, statement);
	result = run(statement, ap);
	va_end(ap);

	text = cell(result, 0);
	if (!text)
		return 0;
	cr_assert(str_to_i64(str_of(text), INT64_MIN, INT64_MAX, &number), "%s", text);
	return number;
}

void database_run(const char *statement, ...)
{
	va_list ap;

	va_start(ap, statement);
	PQclear(run(statement, ap));
	va_end(ap);
}

const char *const *database_column(size_t *ret_len, const char *statement, ...)
{
	_cleanup_(resultp) PGresult *result = NULL;
	const char **cells;
	va_list ap;

	va_start(ap, statement);
	result = run(statement, ap);
	va_end(ap);

	*ret_len = (size_t)PQntuples(result);
	cells = arena_make_n(world_arena(), const char *, *ret_len + 1);
	for (size_t i = 0; i < *ret_len; i++)
		cells[i] = cell(result, (int)i);
	return cells;
}

const char *id_text(struct uuid u)
{
	char *text = arena_alloc(world_arena(), UUID_TEXT_SIZE);

	uuid_format(u, text);
	return text;
}

struct uuid id_of(const char *text)
{
	struct uuid u;

	cr_assert(text && uuid_parse(str_of(text), &u), "not an id: %s", text);
	return u;
}

/* One SELECT over all tables with tenant_id, each row as JSON with its table's name. */
static const char *dump_statement(void)
{
	return database_value(
		"SELECT string_agg(format('SELECT %L AS name, to_jsonb(x)::text AS row FROM %I.%I x "
		"WHERE tenant_id = $1::uuid', c.relname, n.nspname, c.relname), ' UNION ALL ') "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' "
		"WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public'",
		NULL);
}

/* What follows from its changes writes too: events get their places, readers their jobs. */
static bool is_at_rest(void *tenant)
{
	return database_number(
		       "SELECT (NOT EXISTS (SELECT FROM event_inbox WHERE tenant_id = $1::uuid) "
		       "AND NOT EXISTS (SELECT FROM event_log l JOIN event_readers r "
		       "ON r.position < l.position AND r.name IN ('webhooks', 'notifications') "
		       "WHERE l.tenant_id = $1::uuid) AND NOT EXISTS (SELECT FROM jobs "
		       "WHERE tenant_id = $1::uuid AND state IN ('waiting', 'active')))::int",
		       (const char *)tenant, NULL) == 1;
}

const char *database_tenant_digest(struct tenant_id tenant)
{
	static const char *tables;
	const char *people = "SELECT account_id FROM users WHERE tenant_id = $1::uuid";

	if (!tables)
		tables = dump_statement();
	wait_until(is_at_rest, arena_strdup(world_arena(), id_text(tenant.u)),
		   "nothing is under way for the tenant");
	return database_value(
		strf("SELECT md5(string_agg(name || row, E'\\n' ORDER BY name, row)) FROM ("
		     "%s UNION ALL SELECT 'tenants', to_jsonb(x)::text FROM tenants x WHERE id = $1::uuid "
		     "UNION ALL SELECT 'accounts', to_jsonb(x)::text FROM accounts x WHERE id IN (%s) "
		     "UNION ALL SELECT 'sessions', to_jsonb(x)::text FROM sessions x "
		     "WHERE account_id IN (%s)) all_rows",
		     tables, people, people),
		id_text(tenant.u), NULL);
}
