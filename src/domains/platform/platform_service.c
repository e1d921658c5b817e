/*
 * What global admins do across tenants.
 */
#include "domains/platform/platform.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "db/page.h"
#include "domains/invitations/invitations.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_platform.h"
#include "gen/sql_users.h"
#include "identity/founding.h"

#define LIMITS_BYTES_MAX KIB(1)

const struct conflict platform_conflicts[] = {
	{ "realms_slug_key", ERR_RESOURCE_CONFLICT, "slug", "A realm with this slug exists" },
	{ "tenants_host_key", ERR_RESOURCE_CONFLICT, "host", "A tenant with this host exists" },
	{ 0 },
};

int platform_tenants_list(struct ctx *c, const struct tenant_filter *f, const struct paging *p,
			  const struct page **ret)
{
	return page_run(c, &sql_platform_tenants_list,
			ARGS(arg_contains(c, f->search), arg_text(f->status), arg_text(f->plan)), p,
			ret);
}

int platform_tenants_get(struct ctx *c, struct tenant_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	batch_add(b, ret, &sql_platform_tenants_get, ARGS(arg_uuid(id.u)));

	return batch_run(b);
}

/* A batch whose events are the tenant's. */
static struct batch *begin_in(struct ctx *c, struct tenant_id id)
{
	struct batch *b = batch_new(c, BATCH_SYSTEM);

	batch_add(b, NULL, &sql_platform_act_in, ARGS(arg_uuid(id.u)));

	return b;
}

/* The event of what the batch does, and the tenant as it is then. */
static int finish(struct batch *b, struct ctx *c, struct tenant_id id, const char *event,
		  const struct rows **ret)
{
	batch_event(b, c, event, id.u, NULL);
	batch_add(b, ret, &sql_platform_tenants_get, ARGS(arg_uuid(id.u)));

	return batch_run(b);
}

static void add_invited(struct batch *b, struct ctx *c, struct tenant_id id, const char *email,
			const char *role, bool is_guest)
{
	struct user_id seat = { uuid_v7() };

	batch_add(b, NULL, &sql_platform_seat_create,
		  ARGS(arg_uuid(id.u), arg_uuid(seat.u), arg_text(email), arg_bool(is_guest)));
	batch_add(b, NULL, &sql_users_may_grant, ARGS(arg_texts(c, (struct list){ &role, 1 })));
	batch_add(b, NULL, &sql_identity_seat_give_role,
		  ARGS(arg_uuid(id.u), arg_uuid(seat.u), arg_text(role)));
	batch_event(b, c, "user.created", seat.u, NULL);
	invitations_add(b, c, seat);
}

int platform_tenants_create(struct ctx *c, const struct platform_tenant_new *in,
			    const struct rows **ret)
{
	struct tenant_id id = { uuid_v7() };
	struct batch *b = begin_in(c, id);
	struct uuid realm = { 0 };

	if (in->own_realm) {
		realm = uuid_v7();
		batch_add(b, NULL, &sql_platform_realm_create,
			  ARGS(arg_uuid(realm), arg_text(in->slug), arg_text(in->name)));
	}
	batch_add(b, NULL, &sql_platform_tenants_create,
		  ARGS(arg_uuid(id.u), arg_text(in->slug), arg_text(in->name), arg_text(in->host),
		       arg_text(in->plan), arg_uuid(realm)));
	founding_add_roles(b, id);
	add_invited(b, c, id, in->owner_email, "owner", false);

	return finish(b, c, id, "tenant.created", ret);
}

static struct str limits_json(struct ctx *c, const struct tenant_limits *l)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, LIMITS_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	if (l && l->has_users)
		jsonwrite_member_i64(&w, "users", l->users);
	if (l && l->has_projects)
		jsonwrite_member_i64(&w, "projects", l->projects);
	if (l && l->has_api_keys)
		jsonwrite_member_i64(&w, "apiKeys", l->api_keys);
	if (l && l->has_webhooks)
		jsonwrite_member_i64(&w, "webhooks", l->webhooks);
	jsonwrite_object_end(&w);

	return buf_view(&out);
}

int platform_tenants_update(struct ctx *c, struct tenant_id id,
			    const struct platform_tenant_patch *in, const struct rows **ret)
{
	struct batch *b = begin_in(c, id);

	batch_add(b, NULL, &sql_platform_tenants_update,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_bool(in->has_plan), arg_text(in->plan),
		       arg_bool(in->has_limits), arg_str(limits_json(c, in->limits)),
		       arg_bool(in->has_host), arg_text(in->host)));

	return finish(b, c, id, "tenant.planChanged", ret);
}

int platform_tenants_suspend(struct ctx *c, struct tenant_id id, const struct tenant_suspension *in,
			     const struct rows **ret)
{
	struct batch *b = begin_in(c, id);

	batch_add(b, NULL, &sql_platform_tenants_suspend,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_text(in->reason)));

	return finish(b, c, id, "tenant.suspended", ret);
}

int platform_tenants_reactivate(struct ctx *c, struct tenant_id id, const struct rows **ret)
{
	struct batch *b = begin_in(c, id);

	batch_add(b, NULL, &sql_platform_tenants_reactivate, ARGS(arg_uuid(id.u), arg_if_match(c)));

	return finish(b, c, id, "tenant.reactivated", ret);
}

int platform_invite(struct ctx *c, struct tenant_id id, const struct platform_invitation *in)
{
	struct batch *b = begin_in(c, id);

	add_invited(b, c, id, in->email, in->role, in->is_guest);

	return batch_run(b);
}
