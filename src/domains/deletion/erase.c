/* Seats that are erased: see erase.h. */
#include "domains/deletion/erase.h"

#include "base/ctx.h"
#include "db/parts.h"
#include "db/rows.h"
#include "gen/sql_deletion.h"

/* How many rows went so far of what has no foreign key. */
struct erased {
	int64_t letters, notifications, events;
};

/* whose: the tenant's jobs; nil: the platform's own. */
static int erase_letters(struct ctx *c, struct tenant_id whose, struct tenant_id tenant,
			 int64_t *count)
{
	int64_t more;
	int err;

	err = db_in_parts(c, BATCH_SYSTEM, &sql_deletion_erase_in_letters,
			  ARGS(arg_uuid(whose.u), arg_uuid(tenant.u)), &more);
	if (!err)
		*count += more;

	return err;
}

/* What says who they were, table by table. */
static int erase_traces(struct ctx *c, struct tenant_id tenant, struct erased *went)
{
	const struct args of_tenant = ARGS(arg_uuid(tenant.u));
	int err;

	err = erase_letters(c, tenant, tenant, &went->letters);
	if (!err)
		err = erase_letters(c, (struct tenant_id){ 0 }, tenant, &went->letters);
	if (!err)
		err = db_in_parts(c, BATCH_SYSTEM, &sql_deletion_erase_in_notifications, of_tenant,
				  &went->notifications);
	if (!err)
		err = db_in_parts(c, BATCH_SYSTEM, &sql_deletion_erase_in_events, of_tenant,
				  &went->events);

	return err ? err
		   : db_in_parts(c, BATCH_SYSTEM, &sql_deletion_erase_in_answers, of_tenant, NULL);
}

int erase_seats(struct ctx *c, struct tenant_id tenant, struct arg users, struct str *ret_counts)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	struct erased went = { 0 };
	const struct rows *begun, *row;
	int err;

	BUG_IF(!db_is_open(c));
	*ret_counts = (struct str){ NULL, 0 };
	batch_add(b, &begun, &sql_deletion_erase_begin, ARGS(arg_uuid(tenant.u), users));
	err = batch_run(b);
	if (err || rows_is_null(begun, 0, 0))
		return err;
	err = erase_traces(c, tenant, &went);
	if (err)
		return err;

	b = batch_new(c, BATCH_SYSTEM);
	batch_add(b, &row, &sql_deletion_erase_end,
		  ARGS(arg_uuid(tenant.u), arg_int(rows_get_int(begun, "position")),
		       arg_int(went.letters), arg_int(went.notifications), arg_int(went.events)));
	err = batch_run(b);
	if (!err)
		*ret_counts = rows_get_str(row, "counts");

	return err;
}
