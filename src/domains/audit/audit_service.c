/*
 * What of the audit is read.
 */
#include "domains/audit/audit.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "gen/sql_audit.h"

#define FILTER(c, f)                                                                               \
	arg_text((f)->type), arg_uuid((f)->user), arg_uuid((f)->subject), arg_time((f)->from),     \
		arg_time((f)->to), arg_contains((c), (f)->search)

int audit_list(struct ctx *c, const struct audit_filter *f, const struct paging *p,
	       const struct page **ret)
{
	return page_run(c, &sql_audit_list, ARGS(FILTER(c, f)), p, ret);
}

int audit_get(struct ctx *c, struct uuid id, const struct rows **ret)
{
	return db_read(c, ret, &sql_audit_get, ARGS(arg_uuid(id)));
}

int audit_list_all_tenants(struct ctx *c, const struct audit_filter *f, const struct paging *p,
			   const struct page **ret)
{
	return page_run(c, &sql_audit_list_all_tenants,
			ARGS(FILTER(c, f), arg_uuid(f->tenant), arg_uuid(f->account)), p, ret);
}
