/*
 * The rules of users. The statements that refuse (users_may_…, users_keep_an_owner) are of the same
 * batch as the change, so they judge what is true in its transaction.
 */
#include "domains/users/users.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "domains/invitations/invitations.h"
#include "events/event.h"
#include "gen/sql_users.h"

const struct conflict users_conflicts[] = {
	{ "users_tenant_id_email_key", ERR_RESOURCE_CONFLICT, "email",
	  "A user with this email exists" },
	{ 0 },
};

int users_create(struct ctx *c, const struct user_new *in, const struct rows **ret)
{
	static const char *const member[] = { "member" };
	struct list keys = in->roles.len > 0 ? in->roles : (struct list){ member, 1 };
	struct user_id id = { uuid_v7() };
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_may_grant, ARGS(arg_texts(c, keys)));
	batch_add(b, NULL, &sql_users_create,
		  ARGS(arg_uuid(id.u), arg_text(in->email), arg_text(in->first_name),
		       arg_text(in->last_name), arg_text(in->display_name), arg_text(in->phone)));
	batch_add(b, NULL, &sql_users_set_roles, ARGS(arg_uuid(id.u), arg_texts(c, keys)));
	batch_add(b, ret, &sql_users_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "user.created", id.u, NULL);
	invitations_add(b, c, id);

	return batch_run(b);
}

int users_get(struct ctx *c, struct user_id id, const struct rows **ret)
{
	return db_read(c, ret, &sql_users_get, ARGS(arg_uuid(id.u)));
}

int users_list(struct ctx *c, const struct user_filter *f, const struct paging *p,
	       const struct page **ret)
{
	if (f->search)
		return page_run(
			c, &sql_users_search,
			ARGS(arg_contains(c, f->search), arg_text(f->status), arg_text(f->role)), p,
			ret);

	return page_run(c, &sql_users_list, ARGS(arg_text(f->status), arg_text(f->role)), p, ret);
}

int users_update(struct ctx *c, struct user_id id, const struct user_patch *in,
		 const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_users_update,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_bool(in->has_first_name),
		       arg_text(in->first_name), arg_bool(in->has_last_name),
		       arg_text(in->last_name), arg_bool(in->has_display_name),
		       arg_text(in->display_name), arg_bool(in->has_avatar), arg_text(in->avatar),
		       arg_bool(in->has_phone), arg_text(in->phone)));
	batch_add(b, ret, &sql_users_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "user.updated", id.u, NULL);

	return batch_run(b);
}

int users_set_roles(struct ctx *c, struct user_id id, const struct user_roles *in,
		    const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_touch, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, NULL, &sql_users_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_users_may_grant, ARGS(arg_texts(c, in->roles)));
	batch_add(b, NULL, &sql_users_set_roles, ARGS(arg_uuid(id.u), arg_texts(c, in->roles)));
	batch_add(b, NULL, &sql_users_keep_an_owner, NO_ARGS);
	batch_add(b, ret, &sql_users_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "user.rolesChanged", id.u, NULL);

	return batch_run(b);
}

int users_suspend(struct ctx *c, struct user_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_users_suspend, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, NULL, &sql_users_keep_an_owner, NO_ARGS);
	batch_add(b, ret, &sql_users_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "user.suspended", id.u, NULL);

	return batch_run(b);
}

int users_reactivate(struct ctx *c, struct user_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_users_reactivate, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, ret, &sql_users_get, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "user.reactivated", id.u, NULL);

	return batch_run(b);
}

int users_delete(struct ctx *c, struct user_id id)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_users_delete, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, NULL, &sql_users_keep_an_owner, NO_ARGS);
	batch_event(b, c, "user.deleted", id.u, NULL);

	return batch_run(b);
}
