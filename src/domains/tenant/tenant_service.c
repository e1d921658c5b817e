/*
 * The rules of the current tenant.
 */
#include "domains/tenant/tenant.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_tenant.h"
#include "gen/sql_users.h"

#define SETTINGS_BYTES_MAX KIB(8)

const struct conflict tenant_conflicts[] = {
	{ "tenants_slug_key", ERR_RESOURCE_CONFLICT, "slug", "A tenant with this slug exists" },
	{ 0 },
};

int tenant_get(struct ctx *c, const struct rows **ret)
{
	return db_read(c, ret, &sql_tenant_get, NO_ARGS);
}

/* Only what is said. */
static struct str settings_json(struct ctx *c, const struct tenant_settings *s)
{
	const struct {
		const char *key, *value;
	} said[] = {
		{ "theme", s->theme },        { "locale", s->locale },
		{ "timeZone", s->time_zone }, { "weekStart", s->week_start },
		{ "logoUrl", s->logo_url },   { "supportEmail", s->support_email },
	};
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, SETTINGS_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		if (said[i].value)
			jsonwrite_member_text(&w, said[i].key, said[i].value);
	jsonwrite_object_end(&w);
	BUG_IF(out.overflow); /* shapes have bounds */

	return buf_view(&out);
}

int tenant_update(struct ctx *c, const struct tenant_patch *in, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, &sql_tenant_update,
		  ARGS(arg_if_match(c), arg_bool(in->has_slug), arg_text(in->slug),
		       arg_bool(in->has_name), arg_text(in->name), arg_bool(in->has_settings),
		       in->settings ? arg_str(settings_json(c, in->settings)) : arg_null()));
	batch_event_of_tenant(b, c, "tenant.updated");

	return batch_run(b);
}

int tenant_leave(struct ctx *c)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_tenant_leave, NO_ARGS);
	batch_add(b, NULL, &sql_users_keep_an_owner, NO_ARGS);
	batch_event_of_seat(b, c, "user.left");

	return batch_run(b);
}

/* Who may grant the role of an owner is one: nobody grants what they do not hold. */
int tenant_transfer(struct ctx *c, const struct tenant_transfer *in)
{
	static const char *const owner[] = { "owner" };
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_users_may_grant, ARGS(arg_texts(c, (struct list){ owner, 1 })));
	batch_add(b, NULL, &sql_tenant_heir, ARGS(arg_uuid(in->user.u)));
	batch_add(b, NULL, &sql_tenant_give_role, ARGS(arg_uuid(in->user.u), arg_text("owner")));
	batch_add(b, NULL, &sql_tenant_give_role, ARGS(arg_null(), arg_text("admin")));
	batch_add(b, NULL, &sql_tenant_give_up_role, ARGS(arg_text("owner")));
	batch_add(b, NULL, &sql_users_keep_an_owner, NO_ARGS);
	batch_event_of_tenant(b, c, "tenant.ownershipTransferred");
	batch_event(b, c, "user.rolesChanged", in->user.u, NULL);
	batch_event_of_seat(b, c, "user.rolesChanged");

	return batch_run(b);
}

int tenant_public(struct ctx *c, const char *name, const struct rows **ret, const char **ret_slug)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	const char *slug;
	int err;

	batch_add(b, ret, &sql_tenant_public, ARGS(arg_text(name)));
	err = batch_run(b);
	if (err)
		return err;

	slug = rows_get_text(*ret, "slug");
	*ret_slug = strcmp(slug, name) == 0 ? NULL : slug;

	return OK;
}
