/* Names of rooms: one spelling each. */
#include "realtime/rooms.h"

#include <criterion/criterion.h>
#include <string.h>

#define ID "01900000-0000-7000-8000-00000000000a"

Test(rooms, a_name_says_whose_and_what_about)
{
	struct room_name n;

	cr_assert(room_name_parse(STR("user:" ID), &n));
	cr_assert_eq(n.kind, ROOM_USER);
	cr_assert_eq(n.perm, PERM_MEMBER);
	cr_assert(room_name_parse(STR("tenant:" ID ":events"), &n));
	cr_assert_eq(n.kind, ROOM_EVENTS);
	cr_assert_eq(n.perm, PERM_VIEW_AUDIT_LOGS);
	cr_assert(room_name_parse(STR("tenant:" ID ":projects"), &n));
	cr_assert_eq(n.kind, ROOM_NOUN);
	cr_assert_str_eq(n.noun->name, "project");
	cr_assert(room_name_parse(STR("tenant:" ID ":project:" ID), &n));
	cr_assert_eq(n.kind, ROOM_RESOURCE);
	cr_assert_eq(n.perm, PERM_VIEW_PROJECTS);
}

Test(rooms, what_is_written_is_what_was_read)
{
	static const char *const names[] = { "user:" ID, "tenant:" ID ":events",
					     "tenant:" ID ":apiKeys", "tenant:" ID ":apiKey:" ID,
					     "tenant:" ID ":tenant" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char text[ROOM_NAME_SIZE];
		struct room_name n;

		cr_assert(room_name_parse(str_of(names[i]), &n), "%s", names[i]);
		room_name_write(&n, text);
		cr_assert_str_eq(text, names[i]);
	}
}

Test(rooms, nothing_else_is_a_room)
{
	static const char *const names[] = {
		"",
		"user:",
		"user",
		"user:" ID ":",
		"user:" ID ":events",
		"tenant:" ID,
		"tenant:" ID ":",
		"tenant:" ID ":project",
		"tenant:" ID ":tenant:" ID,
		"tenant:" ID ":projects:" ID,
		"tenant:" ID ":project:",
		"tenant:" ID ":project:x",
		"tenant:" ID ":project:" ID ":",
		"tenant:" ID ":Projects",
		"tenant:01900000-0000-7000-8000-00000000000A:projects",
		"tenants:" ID ":projects",
		"tenant:" ID ":events:" ID,
	};
	struct room_name n;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_assert_not(room_name_parse(str_of(names[i]), &n), "%s", names[i]);
}

Test(rooms, an_event_is_of_the_noun_before_its_dot)
{
	cr_assert_str_eq(noun_of_type(STR("project.created"))->name, "project");
	cr_assert_str_eq(noun_of_type(STR("apiKey.rotated"))->name, "apiKey");
	cr_assert_null(noun_of_type(STR("projects.created")));
	cr_assert_null(noun_of_type(STR("")));
}
