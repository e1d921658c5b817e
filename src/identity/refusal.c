/* Refused attempts: see refusal.h. */
#include "identity/refusal.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_events.h"
#include "http/request.h"
#include "http/route.h"
#include "identity/hash.h"

#define DATA_BYTES_MAX KIB(2)

/* {"route":"DELETE /api/v1/users/:id","required":"canManageUsers"} */
static struct str data_of(const struct request *r)
{
	const struct ctx *c = r->ctx;
	struct buf out, route;
	struct jsonwrite w;

	buf_init(&route, c->arena, DATA_BYTES_MAX / 2);
	buf_printf(&route, "%s %s", method_name(r->method), r->match.pattern);
	buf_init(&out, c->arena, DATA_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "route", route.data);
	jsonwrite_member_text(&w, "required", c->fault.required);
	jsonwrite_object_end(&w);

	return buf_view(&out);
}

void refusal_note(struct request *r, const struct token_hash *cookie,
		  const struct token_hash *api_key)
{
	struct ctx *c = r->ctx;
	struct batch *b;

	if (c->fault.err != ERR_AUTH_FORBIDDEN || !r->match.pattern || !c->actor.kind)
		return;

	c->entry = NULL;
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_events_create_of_refusal,
		  ARGS(arg_uuid(uuid_v7()), arg_text(actor_kind_name(c->actor.kind)),
		       arg_text(c->actor.ip), arg_text(c->request_id), arg_str(data_of(r)),
		       arg_uuid(c->actor.tenant.u), arg_uuid(c->actor.session.u), arg_hash(cookie),
		       arg_hash(api_key)));
	(void)!batch_run(b);
}
