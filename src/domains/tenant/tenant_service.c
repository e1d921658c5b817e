/*
 * The rules of the current tenant.
 */
#include "domains/tenant/tenant.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_tenant.h"

const struct conflict tenant_conflicts[] = {
	{ "tenants_slug_key", ERR_RESOURCE_CONFLICT, "slug", "A tenant with this slug exists" },
	{ 0 },
};

int tenant_get(struct ctx *c, const struct rows **ret)
{
	return db_read(c, ret, &sql_tenant_get, NO_ARGS);
}

int tenant_update(struct ctx *c, const struct tenant_patch *in, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, &sql_tenant_update,
		  ARGS(arg_if_match(c), arg_bool(in->has_slug), arg_text(in->slug),
		       arg_bool(in->has_name), arg_text(in->name), arg_bool(in->has_settings),
		       arg_str(in->settings)));
	batch_event(b, c, "tenant.updated", c->actor.tenant.u, NULL);

	return batch_run(b);
}
