/* How an event is written: see event.h. */
#include "events/event.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "events/types.h"
#include "gen/sql_events.h"

#include <string.h>

static bool is_listed(const struct event_type *types, const char *name)
{
	for (; types->name; types++) {
		if (strcmp(types->name, name) == 0)
			return true;
	}

	return false;
}

/* of: what the transaction knows of the subject where it is nil, as events_create says. */
static void add_event(struct batch *b, struct ctx *c, const char *type, struct uuid subject,
		      const char *of, const char *data)
{
	BUG_IF(!is_listed(event_types, type));
	batch_add(b, NULL, &sql_events_create,
		  ARGS(arg_uuid(uuid_v7()), arg_text(type), arg_uuid(subject),
		       arg_text(actor_kind_name(c->actor.kind)), arg_text(c->actor.ip),
		       arg_text(c->request_id), arg_text(data), arg_text(of)));
}

void batch_event(struct batch *b, struct ctx *c, const char *type, struct uuid subject,
		 const char *data)
{
	add_event(b, c, type, subject, NULL, data);
}

void batch_event_of_seat(struct batch *b, struct ctx *c, const char *type)
{
	add_event(b, c, type, (struct uuid){ { 0 } }, "seat", NULL);
}

void batch_event_of_tenant(struct batch *b, struct ctx *c, const char *type)
{
	add_event(b, c, type, (struct uuid){ { 0 } }, "tenant", NULL);
}

void batch_account_event(struct batch *b, struct ctx *c, const char *type,
			 struct account_id account, const char *user_agent)
{
	BUG_IF(!is_listed(account_event_types, type));
	batch_add(b, NULL, &sql_events_create_of_account,
		  ARGS(arg_uuid(uuid_v7()), arg_text(type), arg_text(c->actor.ip),
		       arg_text(user_agent), arg_text(c->request_id), arg_uuid(account.u)));
}

void batch_platform_event(struct batch *b, struct ctx *c, const char *type, const char *what,
			  const char *name)
{
	BUG_IF(!is_listed(account_event_types, type));
	batch_add(b, NULL, &sql_events_create_of_platform,
		  ARGS(arg_uuid(uuid_v7()), arg_text(type), arg_text(c->actor.ip),
		       arg_text(c->request_id), arg_text(what), arg_text(name)));
}
