/* Is the database there, and does it keep tenants apart: see conn.h. */
#include "db/conn.h"

#include "db/batch.h"
#include "db/migrate.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "gen/sql_system.h"

int db_ping(struct ctx *c)
{
	struct batch *b = batch_new(c, BATCH_PLAIN);

	batch_add(b, NULL, &sql_system_ping, NO_ARGS);

	return batch_run(b);
}

/* Adds what the statement finds, a line each. */
static int find(struct ctx *c, const struct sql *s, struct args args, struct buf *ret_findings)
{
	const struct rows *rows;
	struct batch *b = batch_new(c, BATCH_PLAIN);
	int err;

	batch_add(b, &rows, s, args);
	err = batch_run(b);
	if (err)
		return err;

	for (size_t i = 0; i < rows_len(rows); i++) {
		buf_str(ret_findings, rows_str(rows, i, 0).ptr);
		buf_char(ret_findings, '\n');
	}

	return 0;
}

static struct arg migration_names(struct arena *a)
{
	struct str *names;
	size_t n = 0;

	while (migrations[n].name)
		n++;
	names = arena_make_n(a, struct str, n);
	for (size_t i = 0; i < n; i++)
		names[i] = str_of(migrations[i].name);

	return arg_text_array(names, n);
}

/* Missing migrations can be asked for only where their table is: after no finding. */
int db_check(struct ctx *c, struct buf *ret_findings)
{
	int err = find(c, &sql_system_findings, NO_ARGS, ret_findings);

	if (err || ret_findings->len)
		return err;

	return find(c, &sql_system_missing_migrations, ARGS(migration_names(c->arena)),
		    ret_findings);
}
