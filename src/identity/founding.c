/* Founding a tenant: see founding.h. */
#include "identity/founding.h"

#include "base/ctx.h"
#include "base/slug.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"

/* Rows of `roles`; what they may do is in builtin_roles, and its keys are those of enum
 * builtin_role. */
static const struct {
	const char *key, *name;
} roles[] = {
	{ "owner", "Owner" },
	{ "admin", "Administrator" },
	{ "member", "Member" },
	{ "viewer", "Viewer" },
};

static void add_tenant(struct batch *b, struct ctx *c, const struct founding *f)
{
	const char *slug = slug_make(c->arena, str_of(f->name), "tenant");

	batch_add(b, NULL, &sql_identity_tenant_create,
		  ARGS(arg_uuid(f->tenant.u), arg_text(slug), arg_text(f->name)));
	batch_add(b, NULL, &sql_identity_tenant_create,
		  ARGS(arg_uuid(f->tenant.u), arg_text(slug_vary(c->arena, slug)),
		       arg_text(f->name)));
}

void founding_add(struct batch *b, struct ctx *c, const struct founding *f)
{
	add_tenant(b, c, f);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		batch_add(b, NULL, &sql_identity_role_create,
			  ARGS(arg_uuid(f->tenant.u), arg_uuid(uuid_v7()), arg_text(roles[i].key),
			       arg_text(roles[i].name)));
	batch_add(b, NULL, &sql_identity_seat_create,
		  ARGS(arg_uuid(f->tenant.u), arg_uuid(f->owner.u), arg_uuid(f->account.u)));
	batch_add(b, NULL, &sql_identity_seat_give_role,
		  ARGS(arg_uuid(f->tenant.u), arg_uuid(f->owner.u), arg_text(roles[0].key)));

	batch_event(b, c, "tenant.created", f->tenant.u, NULL);
	batch_event(b, c, "user.created", f->owner.u, NULL);
}
