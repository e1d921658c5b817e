/*
 * What was archived goes: see archive.h. All of it in one transaction, in statements of so many
 * rows each, because a statement has only so long.
 */
#include "domains/archive/archive.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "db/parts.h"
#include "gen/sql_archive.h"

#define ROWS_AT_A_TIME 5000

/* All of the tenant's rows in a table; digests: what they have to be, NULL: anything. */
static int remove_rows(struct ctx *c, struct tenant_id tenant, const char *name,
		       const char *digests)
{
	const char *last = NULL, *digest = "0";
	const struct rows *row;
	int64_t removed = 0;
	int err;

	do {
		err = db_run(c, BATCH_SYSTEM, &row, &sql_archive_remove,
			     ARGS(arg_text(name), arg_uuid(tenant.u), arg_text(last),
				  arg_int(ROWS_AT_A_TIME), arg_text(digest)));
		if (err)
			return err;
		removed += rows_get_int(row, "removed");
		digest = rows_get_text(row, "digest");
		last = rows_get_text(row, "last");
	} while (last);
	if (!digests)
		return OK;

	return db_run(c, BATCH_SYSTEM, NULL, &sql_archive_check,
		      ARGS(arg_text(name), arg_text(digests), arg_int(removed), arg_text(digest)));
}

/* In the reverse of the order in which they are restored, so that no row falls with another that it
 * points to. The inbox first, for that waits for events that the spine is about to put into the
 * log. */
static int remove_tables(struct ctx *c, struct tenant_id tenant, const char *digests)
{
	const struct rows *tables;
	int err;

	err = db_run(c, BATCH_SYSTEM, &tables, &sql_archive_tables, NO_ARGS);
	if (!err)
		err = remove_rows(c, tenant, "event_inbox", NULL);
	for (size_t i = err ? 0 : rows_len(tables); !err && i-- > 0;)
		if (rows_bool(tables, i, 2))
			err = remove_rows(c, tenant, rows_str(tables, i, 0).ptr,
					  rows_bool(tables, i, 1) ? digests : NULL);

	return err;
}

int archive_remove(struct ctx *c, struct tenant_id tenant, struct uuid job, const char *digests,
		   int64_t *ret_accounts)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	const struct rows *row;
	struct uuid realm;
	int err;

	BUG_IF(!db_is_open(c));
	batch_add(b, NULL, &sql_archive_moving, NO_ARGS);
	batch_add(b, &row, &sql_archive_lock, ARGS(arg_uuid(tenant.u)));
	err = batch_run(b);
	if (err)
		return err;
	realm = rows_get_uuid(row, "realm_id");

	err = remove_tables(c, tenant, digests);
	if (err)
		return err;

	err = db_in_parts(c, BATCH_SYSTEM, &sql_archive_remove_jobs,
			  ARGS(arg_uuid(tenant.u), arg_uuid(job)), NULL);
	if (!err)
		err = db_in_parts(c, BATCH_IDENTITY, &sql_archive_remove_accounts,
				  ARGS(arg_uuid(realm)), ret_accounts);

	return err ? err
		   : db_run(c, BATCH_IDENTITY, NULL, &sql_archive_remove_realm,
			    ARGS(arg_uuid(realm)));
}
