/*
 * What global admins do across tenants.
 */
#include "domains/platform/platform.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "gen/sql_platform.h"

int platform_tenants_list(struct ctx *c, const struct tenant_filter *f, const struct paging *p,
			  const struct page **ret)
{
	return page_run(c, &sql_platform_tenants_list,
			ARGS(arg_contains(c, f->search), arg_text(f->status)), p, ret);
}

int platform_tenants_get(struct ctx *c, struct tenant_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	batch_add(b, ret, &sql_platform_tenants_get, ARGS(arg_uuid(id.u)));

	return batch_run(b);
}
