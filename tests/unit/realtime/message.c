/* What clients may say. */
#include "realtime/message.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *a;
static struct client_message m;

static bool reads(const char *text)
{
	const char *why = NULL;
	bool is_read;

	if (!a)
		a = arena_new();
	is_read = client_message_parse(a, str_of(text), &m, &why);
	cr_assert(is_read || why, "%s is refused without a reason", text);

	return is_read;
}

static void end(void)
{
	arena_free(a);
}

TestSuite(message, .fini = end);

Test(message, each_type_is_known)
{
	cr_assert(reads("{\"type\":\"subscribe\",\"room\":\"x\"}"));
	cr_assert_eq(m.type, MESSAGE_SUBSCRIBE);
	cr_assert(str_is(m.room, "x"));
	cr_assert(!m.has_since && !m.wants_presence);
	cr_assert(reads("{\"room\":\"x\",\"type\":\"unsubscribe\",\"more\":[]}"));
	cr_assert_eq(m.type, MESSAGE_UNSUBSCRIBE);
	cr_assert(reads("{\"type\":\"presence\"}"));
	cr_assert_eq(m.type, MESSAGE_PRESENCE);
	cr_assert(!m.room.ptr);
	cr_assert(reads("{\"type\":\"ping\"}"));
	cr_assert_eq(m.type, MESSAGE_PING);
	cr_assert(reads("{\"type\":\"Ping\"}"));
	cr_assert_eq(m.type, MESSAGE_OTHER);
}

Test(message, since_is_an_id_or_is_lost)
{
	cr_assert(reads(
		"{\"type\":\"subscribe\",\"since\":\"01900000-0000-7000-8000-00000000000a\"}"));
	cr_assert(m.has_since && !uuid_is_nil(m.since));
	cr_assert(reads("{\"type\":\"subscribe\",\"since\":7,\"presence\":true}"));
	cr_assert(m.has_since && uuid_is_nil(m.since) && m.wants_presence);
	cr_assert(reads("{\"type\":\"subscribe\",\"since\":null,\"presence\":1}"));
	cr_assert(!m.has_since && !m.wants_presence);
}

Test(message, what_is_no_object_with_a_type_is_none)
{
	static const char *const texts[] = { "",
					     "x",
					     "null",
					     "[]",
					     "{}",
					     "{\"type\":1}",
					     "{\"type\":\"ping\"} x",
					     "{\"type\":\"ping\",}" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_assert_not(reads(texts[i]), "%s", texts[i]);
}
