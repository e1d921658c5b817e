/*
 * Each noun that has rooms is one of events, or of what is only live; its table has ids. Whoever
 * may be in its rooms is whoever may be told of its events.
 */
#include "events/types.h"
#include "realtime/rooms.h"
#include "support/database.h"

#include <criterion/criterion.h>
#include <string.h>

static bool has_events(const struct noun *n)
{
	for (const struct event_type *t = event_types; t->name; t++)
		if (noun_of_type(str_of(t->name)) == n)
			return true;

	return false;
}

Test(rooms_table, each_noun_has_events_and_a_table)
{
	for (const struct noun *n = nouns; n->name; n++) {
		bool is_live = strcmp(n->name, "job") == 0; /* its progress is no event */

		cr_expect(is_live || has_events(n), "%s: no type of event", n->name);
		if (!n->table)
			continue;
		cr_expect_eq(
			database_number("SELECT count(*) FROM information_schema.columns "
					"WHERE table_schema = 'public' AND table_name = $1 AND "
					"column_name IN ('tenant_id', 'id')",
					n->table, NULL),
			2, "%s: %s has no tenant_id and id", n->name, n->table);
		cr_expect(permissions[n->perm].name, "%s: no permission", n->name);
	}
}

Test(rooms_table, a_room_wants_what_its_events_want)
{
	for (const struct event_type *t = event_types; t->name; t++) {
		const struct noun *n = noun_of_type(str_of(t->name));

		cr_expect(!n || n->perm == t->perm, "%s: the room of %s wants another permission",
			  t->name, n ? n->plural : "");
	}
}
