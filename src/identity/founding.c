/* Founding a tenant: see founding.h. */
#include "identity/founding.h"

#include "base/ctx.h"
#include "base/slug.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "http/permissions.h"

/* What a new tenant calls its built-in roles; what they may do is in builtin_roles. */
static const struct {
	enum builtin_role role;
	const char *name;
} roles[] = {
	{ ROLE_OWNER, "Owner" },
	{ ROLE_ADMIN, "Administrator" },
	{ ROLE_MEMBER, "Member" },
	{ ROLE_VIEWER, "Viewer" },
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

void founding_add_roles(struct batch *b, struct tenant_id t)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		batch_add(b, NULL, &sql_identity_role_create,
			  ARGS(arg_uuid(t.u), arg_uuid(uuid_v7()),
			       arg_text(builtin_role_name(roles[i].role)),
			       arg_text(roles[i].name)));
}

void founding_add(struct batch *b, struct ctx *c, const struct founding *f)
{
	add_tenant(b, c, f);
	founding_add_roles(b, f->tenant);
	batch_add(b, NULL, &sql_identity_seat_create,
		  ARGS(arg_uuid(f->tenant.u), arg_uuid(f->owner.u), arg_uuid(f->account.u)));
	batch_add(b, NULL, &sql_identity_seat_give_role,
		  ARGS(arg_uuid(f->tenant.u), arg_uuid(f->owner.u),
		       arg_text(builtin_role_name(ROLE_OWNER))));

	batch_event(b, c, "tenant.created", f->tenant.u, NULL);
	batch_event(b, c, "user.created", f->owner.u, NULL);
}
