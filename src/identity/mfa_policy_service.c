/* Whether a tenant wants a second factor of its members: see mfa_policy.h. */
#include "identity/mfa_policy.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_mfa.h"

int mfa_policy_get(struct ctx *c, const struct rows **ret)
{
	return db_read(c, ret, &sql_mfa_policy, NO_ARGS);
}

int mfa_policy_set(struct ctx *c, const struct mfa_policy *in, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_mfa_policy_set,
		  ARGS(arg_bool(in->required), arg_int(in->grace_days)));
	batch_add(b, ret, &sql_mfa_policy, NO_ARGS);
	batch_event_of_tenant(b, c, "tenant.updated");

	return batch_run(b);
}
