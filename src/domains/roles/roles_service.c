/*
 * The rules of roles. The statements that refuse (roles_may_…) are of the same batch as the change,
 * so they judge what is true in its transaction; what the change means for the seats that have the
 * role, triggers write (refresh_seats() in sql/migrations/0001).
 */
#include "domains/roles/roles.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "events/event.h"
#include "gen/sql_roles.h"

const struct conflict roles_conflicts[] = {
	{ "roles_tenant_id_key_key", ERR_RESOURCE_CONFLICT, "key", "A role with this key exists" },
	{ "user_roles_role_id_fkey", ERR_RESOURCE_CONFLICT, NULL,
	  "The role was given to somebody, or deleted, at the same moment; try again" },
	{ 0 },
};

int roles_create(struct ctx *c, const struct role_new *in, const struct rows **ret)
{
	struct role_id id = { uuid_v7() };
	struct batch *b = batch_new(c, BATCH_WRITE);
	struct arg permissions = arg_texts(c, in->permissions);

	batch_add(b, NULL, &sql_roles_may_give, ARGS(permissions));
	batch_add(b, NULL, &sql_roles_create,
		  ARGS(arg_uuid(id.u), arg_text(in->key), arg_text(in->name),
		       arg_text(in->description), permissions));
	batch_add(b, ret, &sql_roles_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "role.created", id.u, NULL);

	return batch_run(b);
}

int roles_get(struct ctx *c, struct role_id id, const struct rows **ret)
{
	return db_read(c, ret, &sql_roles_get, ARGS(arg_uuid(id.u)));
}

int roles_list(struct ctx *c, const struct role_filter *f, const struct paging *p,
	       const struct page **ret)
{
	return page_run(c, &sql_roles_list,
			ARGS(arg_contains(c, f->search), arg_text(f->permission)), p, ret);
}

int roles_update(struct ctx *c, struct role_id id, const struct role_patch *in,
		 const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);
	struct arg permissions = arg_texts(c, in->permissions);

	batch_add(b, NULL, &sql_roles_may_change, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_roles_may_give, ARGS(permissions));
	batch_add(b, NULL, &sql_roles_update,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_bool(in->has_name), arg_text(in->name),
		       arg_bool(in->has_description), arg_text(in->description),
		       arg_bool(in->has_permissions), permissions));
	batch_add(b, ret, &sql_roles_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "role.updated", id.u, NULL);

	return batch_run(b);
}

int roles_delete(struct ctx *c, struct role_id id)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_roles_may_change, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_roles_forget_removed, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_roles_must_be_unused, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_roles_delete, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_event(b, c, "role.deleted", id.u, NULL);

	return batch_run(b);
}
