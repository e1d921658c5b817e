/* How a transaction without a caller begins: see act.h. */
#include "db/act.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "gen/sql_system.h"

void act_for_tenant(struct ctx *c, struct tenant_id t)
{
	struct entry *e = arena_make(c->arena, struct entry);
	struct arg *args = arena_make(c->arena, struct arg);

	args[0] = arg_uuid(t.u);
	*e = (struct entry){ .statement = &sql_system_enter_tenant, .args = { args, 1 } };

	c->actor.kind = ACTOR_SYSTEM;
	c->actor.tenant = t;
	c->entry = e;
	c->entered = NULL;
}
