/* What a person's transactions begin with: see entry.h. */
#include "identity/entry.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "identity/hash.h"

struct entry *entry_of_person(struct arena *a, const struct person *p)
{
	struct entry *e = arena_make(a, struct entry);
	struct arg *args = arena_make_n(a, struct arg, 7);

	args[0] = arg_uuid(p->session.u);
	args[1] = arg_hash(p->cookie);
	args[2] = arg_uuid(p->tenant.u);
	args[3] = arg_bool(p->is_named);
	args[4] = arg_text(p->need);
	args[5] = arg_text(p->permission);
	args[6] = arg_bool(p->steps_up);
	*e = (struct entry){ .statement = &sql_identity_enter,
			     .args = { args, 7 },
			     .on_enter = entry_taken };

	return e;
}

int entry_taken(struct ctx *c, const struct rows *row)
{
	struct actor *a = &c->actor;

	a->session.u = rows_get_uuid(row, "session_id");
	a->account.u = rows_get_uuid(row, "account_id");
	a->tenant.u = rows_get_uuid(row, "tenant_id");
	a->user.u = rows_get_uuid(row, "user_id");
	a->is_global_admin = rows_get_bool(row, "is_global_admin");

	return OK;
}
