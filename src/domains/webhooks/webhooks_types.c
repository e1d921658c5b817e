/* The types of events that webhooks may be told of, and the reader that does: see webhooks_types.h.
 */
#include "domains/webhooks/webhooks_types.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "events/types.h"
#include "gen/sql_webhooks_sending.h"

const struct event_type *webhook_type(size_t i)
{
	for (const struct event_type *t = event_types; t->name; t++)
		if (t->is_hookable && i-- == 0)
			return t;

	return NULL;
}

struct list webhook_types(struct ctx *c)
{
	const char **names;
	size_t n = 0;

	while (webhook_type(n))
		n++;
	names = arena_make_n(c->arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		names[i] = webhook_type(i)->name;

	return (struct list){ names, n };
}

struct webhook_guarded webhook_guarded_types(struct ctx *c)
{
	size_t n = webhook_types(c).len, len = 0;
	const char **types = arena_make_n(c->arena, const char *, n);
	const char **perms = arena_make_n(c->arena, const char *, n);

	for (size_t i = 0; i < n; i++) {
		const struct event_type *t = webhook_type(i);

		if (!permissions[t->perm].name)
			continue; /* any member may */
		types[len] = t->name;
		perms[len++] = permissions[t->perm].name;
	}

	return (struct webhook_guarded){ { types, len }, { perms, len } };
}

/* "project.*" and "project.created". */
static bool is_of_kind(const char *type, struct str wanted)
{
	return str_ends(wanted, ".*") && strncmp(type, wanted.ptr, wanted.len - 1) == 0;
}

bool webhook_type_exists(const char *name)
{
	const struct event_type *t;

	if (strcmp(name, "*") == 0)
		return true;
	for (size_t i = 0; (t = webhook_type(i)); i++)
		if (strcmp(t->name, name) == 0 || is_of_kind(t->name, str_of(name)))
			return true;

	return false;
}

void webhooks_fan_out(struct batch *b, struct ctx *c)
{
	batch_add(b, NULL, &sql_webhooks_fan_out, ARGS(arg_texts(c, webhook_types(c))));
}
