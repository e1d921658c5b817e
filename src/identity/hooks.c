/* Hooks: see hooks.h. */
#include "identity/hooks.h"

#include "db/batch.h"
#include "gen/sql_identity.h"

/* A statement with a second's time: set_config() in a statement would come too late for itself. */
static void add_hurried(struct batch *b, const struct rows **ret, const struct sql *s,
			struct args args)
{
	batch_add(b, NULL, &sql_identity_hurry, NO_ARGS);
	batch_add(b, ret, s, args);
	batch_add(b, NULL, &sql_identity_hurry_no_more, NO_ARGS);
}

void hooks_add_after_sign_up(struct batch *b)
{
	add_hurried(b, NULL, &sql_identity_after_sign_up, NO_ARGS);
}

void hooks_add_claims(struct batch *b, const struct rows **ret)
{
	add_hurried(b, ret, &sql_identity_custom_claims, NO_ARGS);
}

void hooks_add_join_room(struct batch *b, const struct rows **ret, const char *room)
{
	add_hurried(b, ret, &sql_identity_join_room, ARGS(arg_text(room)));
}
