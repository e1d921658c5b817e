/* Slugs: what a text becomes, and what is one. */
#include "base/slug.h"

#include "base/arena.h"

#include <criterion/criterion.h>

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(slug, .init = begin, .fini = end);

Test(slug, a_text_becomes_the_slug_nearest_to_it)
{
	static const struct {
		const char *text, *slug;
	} cases[] = {
		{ "Blue", "blue" },
		{ "Blue Team 2", "blue-team-2" },
		{ "  --Blue--  team--", "blue-team" },
		{ "Müller's & Sons", "mullers-sons" },
		{ "Ærøskøbing", "aeroskobing" },
		{ "Straße", "strasse" },
		{ "日本", "fallback" },
		{ "a日本b", "ab" },
		{ "3×4", "34" },
		{ "", "fallback" },
		{ "---", "fallback" },
		{ "a\xc3", "a" }, /* breaks off in a character */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_str_eq(slug_make(arena, str_of(cases[i].text), "fallback"), cases[i].slug,
				 "of \"%s\"", cases[i].text);
}

Test(slug, a_long_text_is_cut_to_a_slug)
{
	char text[400];

	for (size_t length = 1; length < sizeof(text); length++) {
		for (size_t i = 0; i < length; i++)
			text[i] = i % 7 == 6 ? ' ' : i % 5 == 4 ? 'A' : 'z';
		cr_assert(
			slug_is(str_of(slug_make(arena, (struct str){ text, length }, "fallback"))),
			"of %zu characters", length);
	}
}

Test(slug, a_varied_one_is_a_slug_and_another_each_time)
{
	static const char *const slugs[] = {
		"a",
		"blue-team",
		"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc",
		"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc-efghijabc",
	};

	for (size_t i = 0; i < ARRAY_LEN(slugs); i++) {
		const char *once = slug_vary(arena, slugs[i]);

		cr_expect(slug_is(str_of(once)), "%s", once);
		cr_expect_str_neq(once, slug_vary(arena, slugs[i]));
	}
}

Test(slug, what_is_none_is_told_from_one)
{
	static const char *const others[] = { "",
					      "-",
					      "-a",
					      "a-",
					      "a--b",
					      "A",
					      "a b",
					      "a_b",
					      "\xc3\xa4",
					      "a/b",
					      "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
					      "abcdefghijabcd" };

	cr_expect(slug_is(STR("a")));
	cr_expect(slug_is(STR("0-9")));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		cr_expect_not(slug_is(str_of(others[i])), "\"%s\"", others[i]);
}
