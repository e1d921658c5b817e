/* Cursors: what comes back is what was given out, and anything else is refused. */
#include "db/conn_impl.h"

#include "base/arena.h"

#include <criterion/criterion.h>

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(cursor, .init = setup, .fini = teardown);

static const struct cursor sample = {
	.sort = "-name",
	.value = "Grün \"quoted\" \\ ☃",
	.id = { .bytes = { 1, [6] = 0x70, [15] = 0xff } },
};

Test(cursor, comes_back_as_it_was_given_out)
{
	struct cursor back;

	cr_assert(cursor_decode(arena, cursor_encode(arena, &sample), &back));
	cr_expect_str_eq(back.sort, sample.sort);
	cr_expect_str_eq(back.value, sample.value);
	cr_expect(uuid_eq(back.id, sample.id));
}

Test(cursor, is_refused_when_a_part_is_missing_or_of_another_kind)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"\"text\"",
		"{}",
		"{\"s\":\"name\",\"v\":\"x\"}",
		"{\"s\":\"name\",\"v\":\"x\",\"i\":\"1\"}",
		"{\"s\":\"name\",\"v\":1,\"i\":\"01000000-0000-7000-0000-0000000000ff\"}",
		"{\"s\":null,\"v\":\"x\",\"i\":\"01000000-0000-7000-0000-0000000000ff\"}",
		"{\"s\":\"name\",\"v\":\"x\",\"i\":\"01000000-0000-7000-0000-0000000000ff\"} ,",
	};
	struct cursor back;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(!cursor_decode(arena, str_base64url(arena, texts[i], strlen(texts[i])),
					 &back),
			  "%s", texts[i]);
}

Test(cursor, survives_no_change_that_breaks_its_text)
{
	const char *text = cursor_encode(arena, &sample);
	struct cursor back;

	cr_expect(!cursor_decode(arena, "not base64!", &back));
	for (size_t len = 0; len < strlen(text); len++)
		cr_expect(!cursor_decode(arena, arena_strndup(arena, text, len), &back),
			  "the first %zu bytes", len);
}
