#include "base/str.h"

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

TestSuite(str, .init = begin, .fini = end);

Test(str, equality_is_of_bytes)
{
	const struct str none = { NULL, 0 };

	cr_assert(str_eq(none, STR("")));
	cr_assert(str_eq(STR("a\0b"), STR("a\0b")));
	cr_assert_not(str_eq(STR("a\0b"), STR("a\0c")));
	cr_assert(str_is(STR("blue"), "blue"));
	cr_assert_not(str_is(STR("blue"), "Blue"));
	cr_assert(str_is_nocase(STR("blue"), "BLUE"));
	cr_assert_not(str_is_nocase(STR("blue"), "blu"));
	cr_assert_not(str_is_nocase(STR("\xe4"), "\xc4")); /* no locale */
	cr_assert_eq(str_of(NULL).len, 0);
}

Test(str, starts_and_ends)
{
	const struct str none = { NULL, 0 };

	cr_assert(str_starts(STR("/api/v1"), "/api"));
	cr_assert_not(str_starts(STR("/ap"), "/api"));
	cr_assert(str_ends(STR("a.sql"), ".sql"));
	cr_assert_not(str_ends(STR("sql"), ".sql"));
	cr_assert(str_starts(none, "") && str_ends(none, ""));
}

Test(str, trim_takes_blanks_at_both_ends)
{
	cr_assert(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
	cr_assert_eq(str_trim(STR(" \r\n")).len, 0);
	cr_assert_eq(str_trim((struct str){ NULL, 0 }).len, 0);
}

Test(str, cut_gives_every_part_once)
{
	static const struct {
		const char *list, *parts; /* the parts, each in brackets */
	} cases[] = {
		{ "a,b", "[a][b]" }, { "a", "[a]" },     { "", "[]" },
		{ "a,", "[a][]" },   { ",,", "[][][]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str rest = str_of(cases[i].list);
		char *parts = arena_strdup(arena, "");

		for (struct str part = str_cut(&rest, ','); part.ptr; part = str_cut(&rest, ','))
			parts = arena_printf(arena, "%s[%.*s]", parts, STR_FMT(part));
		cr_assert_str_eq(parts, cases[i].parts, "%s", cases[i].list);
	}
}

Test(str, copies_end_in_nul)
{
	cr_assert_str_eq(str_dup(arena, (struct str){ "abcd", 2 }), "ab");
	cr_assert_str_eq(str_dup(arena, (struct str){ NULL, 0 }), "");
	cr_assert_str_eq(str_lower(arena, STR("AbZ-\xc3\x84")), "abz-\xc3\x84");
}

Test(str, only_decimal_integers_within_bounds_are_integers)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t v;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "12", true, 12 },
		{ "-12", true, -12 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.0", false, 0 },
		{ "0x1", false, 0 },
		{ "--1", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = 77;
		bool ok = str_to_i64(str_of(cases[i].text), INT64_MIN, INT64_MAX, &v);

		cr_assert_eq(ok, cases[i].ok, "\"%s\"", cases[i].text);
		cr_assert_eq(v, ok ? cases[i].v : 77, "\"%s\"", cases[i].text);
	}
}

Test(str, integers_out_of_bounds_are_refused)
{
	int64_t v;

	cr_assert(str_to_i64(STR("100"), 1, 100, &v));
	cr_assert_not(str_to_i64(STR("101"), 1, 100, &v));
	cr_assert_not(str_to_i64(STR("0"), 1, 100, &v));
}

Test(str, only_json_numbers_are_doubles)
{
	static const char *const good[] = { "0", "-0", "1.5", "1e5", "1E+5", "-1.25e-3", "1e308" };
	static const char *const bad[] = { "",    "-",   "+1",  "01", "1.",  ".5",    "1e", "1e+",
					   "0x1", "nan", "inf", "1 ", "1,5", "1e309", "--1" };
	double v;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cr_assert(str_to_double(str_of(good[i]), &v), "\"%s\"", good[i]);
		cr_assert_eq(v, strtod(good[i], NULL), "\"%s\"", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert_not(str_to_double(str_of(bad[i]), &v), "\"%s\"", bad[i]);
}

Test(str, utf8_is_told_from_what_is_not)
{
	static const struct {
		struct str text;
		bool ok;
	} cases[] = {
		{ { "", 0 }, true },
		{ { "plain", 5 }, true },
		{ { "exactly eight or more", 21 }, true },
		{ { "\x7f", 1 }, true },
		{ { "\xc2\x80", 2 }, true },
		{ { "\xdf\xbf", 2 }, true },
		{ { "\xe0\xa0\x80", 3 }, true },
		{ { "\xed\x9f\xbf", 3 }, true },
		{ { "\xef\xbf\xbf", 3 }, true },
		{ { "\xf0\x90\x80\x80", 4 }, true },
		{ { "\xf4\x8f\xbf\xbf", 4 }, true },
		{ { "\0", 1 }, false },
		{ { "sixteen bytes \0.", 16 }, false },
		{ { "\x80", 1 }, false },             /* a tail without its head */
		{ { "\xc2", 1 }, false },             /* a head without its tail */
		{ { "\xc0\x80", 2 }, false },         /* overlong NUL */
		{ { "\xc1\xbf", 2 }, false },         /* overlong */
		{ { "\xe0\x9f\xbf", 3 }, false },     /* overlong */
		{ { "\xed\xa0\x80", 3 }, false },     /* a surrogate */
		{ { "\xf0\x8f\xbf\xbf", 4 }, false }, /* overlong */
		{ { "\xf4\x90\x80\x80", 4 }, false }, /* past U+10FFFF */
		{ { "\xf5\x80\x80\x80", 4 }, false },
		{ { "\xff", 1 }, false },
		{ { "\xe2\x82", 2 }, false },
		{ { "\xf0\x9f\x8e", 3 }, false },
		{ { "1234567\xff", 8 }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_assert_eq(str_is_utf8(cases[i].text), cases[i].ok, "case %zu", i);
}

Test(str, utf8_prefix_ends_where_it_goes_wrong)
{
	cr_assert_eq(str_utf8_prefix(STR("all of it")), 9);
	cr_assert_eq(str_utf8_prefix(STR("eight by\xc3\xa9\xff rest")), 10);
	cr_assert_eq(str_utf8_prefix(STR("\xff")), 0);
}

Test(str, characters_are_code_points)
{
	cr_assert_eq(str_chars(STR("")), 0);
	cr_assert_eq(str_chars(STR("na\xc3\xafve")), 5);
	cr_assert_eq(str_chars(STR("\xf0\x9f\x8e\x89!")), 2);
}

Test(str, percent_escapes_are_decoded_or_refused)
{
	static const struct {
		const char *text;
		bool plus_is_space;
		const char *decoded; /* NULL: refused */
	} cases[] = {
		{ "", true, "" },
		{ "plain", true, "plain" },
		{ "a%20b", false, "a b" },
		{ "a+b", true, "a b" },
		{ "a+b", false, "a+b" },
		{ "a%2Bb", true, "a+b" },
		{ "%c3%A9", false, "\xc3\xa9" },
		{ "%", false, NULL },
		{ "%4", false, NULL },
		{ "a%4", false, NULL },
		{ "%4g", false, NULL },
		{ "%g4", false, NULL },
		{ "%00", false, NULL },
		{ "a%ff", false, NULL },
		{ "%c3", false, NULL },
		{ "%ed%a0%80", false, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str decoded;
		bool ok = str_percent_decode(arena, str_of(cases[i].text), cases[i].plus_is_space,
					     &decoded);

		cr_assert_eq(ok, cases[i].decoded != NULL, "\"%s\"", cases[i].text);
		if (ok)
			cr_assert(str_is(decoded, cases[i].decoded), "\"%s\"", cases[i].text);
	}
}

Test(str, hex_goes_there_and_back)
{
	const uint8_t bytes[] = { 0x00, 0x7f, 0xa5, 0xff };
	uint8_t back[4];

	cr_assert_str_eq(str_hex(arena, bytes, sizeof(bytes)), "007fa5ff");
	cr_assert(str_unhex(STR("007FA5ff"), back, sizeof(back)));
	cr_assert_arr_eq(back, bytes, sizeof(bytes));
	cr_assert_not(str_unhex(STR("007fa5f"), back, sizeof(back)));
	cr_assert_not(str_unhex(STR("007fa5ff00"), back, sizeof(back)));
	cr_assert_not(str_unhex(STR("007fa5fg"), back, sizeof(back)));
}

/* The values of RFC 4648 section 10, without padding. */
Test(str, base64url_is_that_of_the_rfc)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xff\xbe", "__--" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str back;

		cr_assert_str_eq(str_base64url(arena, cases[i].bytes, strlen(cases[i].bytes)),
				 cases[i].text);
		cr_assert(str_unbase64url(arena, str_of(cases[i].text), &back));
		cr_assert(str_is(back, cases[i].bytes), "%s", cases[i].text);
	}
}

Test(str, base64url_that_spells_nothing_is_refused)
{
	static const char *const bad[] = {
		"Z", "Zg==", "Zm9vY", "Zm+v", "Zm/v", "Zm v", "Zh", /* stray bits */ "Zm9",
	};
	struct str back;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert_not(str_unbase64url(arena, str_of(bad[i]), &back), "%s", bad[i]);
}
