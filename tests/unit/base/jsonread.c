#include "base/jsonread.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(jsonread, .init = begin, .fini = end);

static const struct json *parse(const char *text)
{
	const struct json *json;
	const char *why;
	size_t at;
	bool ok = jsonread_parse(arena, str_of(text), &json, &why, &at);

	cr_assert(ok, "%s: %s", text, ok ? "" : why);

	return json;
}

Test(jsonread, json_reads_back_as_it_was)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-12",
		"1.5",
		"1e5",
		"\"\"",
		"\"a\\\"b\\\\\\n/\"",
		"\"na\xc3\xafve\"",
		"[]",
		"{}",
		"[1,[2,{\"a\":null}],\"x\"]",
		"{\"a\":{\"b\":[true,false]},\"c\":-0.25}",
		"9223372036854775807",
		"-9223372036854775808",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_assert(str_is(jsonread_text(arena, parse(texts[i])), texts[i]), "%s", texts[i]);
	cr_assert(str_is(jsonread_text(arena, parse(" { \"a\" :\t[ 1 ,\r\n2 ] } ")),
			 "{\"a\":[1,2]}"));
	cr_assert(str_is(jsonread_text(arena, parse("\"\\u00e9\\ud83c\\udf89\"")),
			 "\"\xc3\xa9\xf0\x9f\x8e\x89\""));
}

Test(jsonread, what_is_refused_is_refused_with_its_place)
{
	static const struct {
		struct str text;
		const char *why;
		size_t at;
	} cases[] = {
		{ { NULL, 0 }, "the text ends too early", 0 },
		{ { "  ", 2 }, "the text ends too early", 2 },
		{ { "[", 1 }, "the text ends too early", 1 },
		{ { "[1,", 3 }, "the text ends too early", 3 },
		{ { "[1,]", 4 }, "a value was expected", 3 },
		{ { "[1 2]", 5 }, "a comma or the end was expected", 3 },
		{ { "[}", 2 }, "a value was expected", 1 },
		{ { "{]", 2 }, "a key in double quotes was expected", 1 },
		{ { "[1}", 3 }, "a comma or the end was expected", 2 },
		{ { "{\"a\":1,}", 8 }, "a key in double quotes was expected", 7 },
		{ { "{'a':1}", 7 }, "a key in double quotes was expected", 1 },
		{ { "{\"a\" 1}", 7 }, "a colon was expected after the key", 5 },
		{ { "nul", 3 }, "a value was expected", 0 },
		{ { "True", 4 }, "a value was expected", 0 },
		{ { "NaN", 3 }, "a value was expected", 0 },
		{ { "Infinity", 8 }, "a value was expected", 0 },
		{ { "/**/1", 5 }, "a value was expected", 0 },
		{ { "truefalse", 9 }, "text after the value", 4 },
		{ { "{} {}", 5 }, "text after the value", 3 },
		{ { "1\0", 2 }, "invalid UTF-8 or a NUL byte", 1 },
		{ { "\"a\xff\"", 4 }, "invalid UTF-8 or a NUL byte", 2 },
		{ { "01", 2 }, "a number that is malformed or too large", 0 },
		{ { "[-]", 3 }, "a number that is malformed or too large", 1 },
		{ { "1.", 2 }, "a number that is malformed or too large", 0 },
		{ { "1e999", 5 }, "a number that is malformed or too large", 0 },
		{ { "9223372036854775808", 19 }, "a number that is malformed or too large", 0 },
		{ { "\"a", 2 }, "a string without its end", 2 },
		{ { "\"\\\"", 3 }, "a string without its end", 3 },
		{ { "\"\t\"", 3 }, "control character in a string", 1 },
		{ { "\"\\x\"", 4 }, "a backslash before what cannot be escaped", 2 },
		{ { "\"\\u12\"", 6 }, "\\u without four hexadecimal digits", 3 },
		{ { "\"\\u0000\"", 8 }, "NUL character in a string", 3 },
		{ { "\"\\ud83c\"", 8 }, "unpaired surrogate in a string", 7 },
		{ { "\"\\ud83c\\u0041\"", 14 }, "unpaired surrogate in a string", 9 },
		{ { "\"\\udf89\"", 8 }, "unpaired surrogate in a string", 3 },
		{ { "{\"a\":1,\"a\":2}", 13 }, "duplicate key", 13 },
		{ { "{\"a\":1,\"\\u0061\":2}", 18 }, "duplicate key", 18 },
		{ { "[{\"a\":{\"b\":1,\"b\":1}}]", 21 }, "duplicate key", 21 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct json *json;
		const char *why = "";
		size_t at = 0;

		cr_assert_not(jsonread_parse(arena, cases[i].text, &json, &why, &at), "%.*s",
			      STR_FMT(cases[i].text));
		cr_assert_str_eq(why, cases[i].why, "%.*s: %s", STR_FMT(cases[i].text), why);
		cr_assert_eq(at, cases[i].at, "%.*s: %zu", STR_FMT(cases[i].text), at);
	}
}

Test(jsonread, one_key_in_two_objects_is_no_duplicate)
{
	(void)parse("[{\"a\":1},{\"a\":{\"a\":2}}]");
}

static bool nests(int depth)
{
	char text[2 * (JSONREAD_DEPTH_MAX + 1) + 1];
	const struct json *json;
	const char *why;
	size_t at;

	for (int i = 0; i < depth; i++) {
		text[i] = '[';
		text[depth + 1 + i] = ']';
	}
	text[depth] = '1';

	return jsonread_parse(arena, (struct str){ text, (size_t)(2 * depth + 1) }, &json, &why,
			      &at);
}

Test(jsonread, nesting_has_a_bound)
{
	cr_assert(nests(JSONREAD_DEPTH_MAX));
	cr_assert_not(nests(JSONREAD_DEPTH_MAX + 1));
}

/* An array that holds n empty objects. */
static bool holds(size_t n)
{
	char *text = arena_alloc(arena, 3 * n + 1);
	const struct json *json;
	const char *why;
	size_t at;

	for (size_t i = 0; i < n; i++)
		memcpy(text + 3 * i, ",{}", 3);
	text[0] = '[';
	text[3 * n] = ']';

	return jsonread_parse(arena, (struct str){ text, 3 * n + 1 }, &json, &why, &at);
}

/* Else two bytes of a body would cost hundreds of memory. */
Test(jsonread, objects_and_arrays_have_a_bound)
{
	cr_assert(holds(JSONREAD_CONTAINERS_MAX - 1));
	cr_assert_not(holds(JSONREAD_CONTAINERS_MAX));
}

Test(jsonread, kinds_are_named_as_zod_does)
{
	static const struct {
		const char *text;
		enum json_kind kind;
		const char *name;
	} cases[] = {
		{ "null", JSON_NULL, "null" },     { "true", JSON_BOOL, "boolean" },
		{ "1", JSON_INT, "number" },       { "1.0", JSON_DOUBLE, "number" },
		{ "\"\"", JSON_STRING, "string" }, { "[]", JSON_ARRAY, "array" },
		{ "{}", JSON_OBJECT, "object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert_eq(json_kind(parse(cases[i].text)), cases[i].kind, "%s", cases[i].text);
		cr_assert_str_eq(json_kind_name(cases[i].kind), cases[i].name);
	}
}

Test(jsonread, values_are_what_they_were)
{
	const struct json *array = parse("[true,1,1.5,\"x\",null]");

	cr_assert_eq(jsonread_len(array), 5);
	cr_assert(jsonread_bool(jsonread_at(array, 0)));
	cr_assert_eq(jsonread_double(jsonread_at(array, 1)), 1);
	cr_assert_eq(jsonread_double(jsonread_at(array, 2)), 1.5);
	cr_assert(str_is(jsonread_string(jsonread_at(array, 3)), "x"));
	cr_assert_null(jsonread_at(array, 4));
}

Test(jsonread, integers_are_told_from_fractions)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t v;
	} cases[] = {
		{ "3", true, 3 },
		{ "3.0", true, 3 },
		{ "1e3", true, 1000 },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "3.5", false, 0 },
		{ "1e300", false, 0 },
		{ "-1e300", false, 0 },
		{ "9007199254740993.0", true, 9007199254740992 },
		{ "9007199254740994.0", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = 0;

		cr_assert_eq(jsonread_i64(parse(cases[i].text), &v), cases[i].ok, "%s",
			     cases[i].text);
		cr_assert_eq(v, cases[i].v, "%s", cases[i].text);
	}
}

Test(jsonread, members_are_found_by_key)
{
	const struct json *object = parse("{\"a\":1,\"b\":null}"), *value;

	cr_assert(jsonread_member(object, "a", &value));
	cr_assert_eq(json_kind(value), JSON_INT);
	cr_assert(jsonread_member(object, "b", &value));
	cr_assert_null(value);
	cr_assert_not(jsonread_member(object, "c", &value));
}

Test(jsonread, a_member_is_text_or_nothing)
{
	const struct json *object = parse("{\"a\":1,\"b\":null,\"t\":\"x\"}");

	cr_assert(str_is(jsonread_member_text(object, "t"), "x"));
	cr_assert_null(jsonread_member_text(object, "a").ptr);
	cr_assert_null(jsonread_member_text(object, "b").ptr);
	cr_assert_null(jsonread_member_text(object, "c").ptr);
}

Test(jsonread, members_are_walked_in_their_order)
{
	const struct json *object = parse("{\"z\":1,\"a\":{\"x\":9},\"m\":3}"), *value, *inner;
	static const char *const keys[] = { "z", "a", "m" };
	struct str key;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		cr_assert(jsonread_each(object, i, &key, &value));
		cr_assert(str_is(key, keys[i]));
		if (json_kind(value) == JSON_OBJECT) /* a walk within the walk */
			cr_assert(jsonread_each(value, 0, &key, &inner));
	}
	cr_assert_not(jsonread_each(object, 3, &key, &value));
	cr_assert(jsonread_each(object, 1, &key, &value));
	cr_assert(str_is(key, "a"));
	cr_assert_not(jsonread_each(parse("{}"), 0, &key, &value));
}

Test(jsonread, many_members_are_walked_in_one_pass)
{
	char *text = arena_alloc(arena, KIB(900));
	const struct json *object, *value;
	size_t len = 0, i = 0;
	struct str key;

	for (int n = 0; n < 50000; n++)
		len += (size_t)snprintf(text + len, KIB(900) - len, "%c\"k%d\":%d", n ? ',' : '{',
					n, n);
	text[len] = '}';

	object = parse(text);
	while (jsonread_each(object, i, &key, &value))
		i++;
	cr_assert_eq(i, 50000);
}

Test(jsonread, the_wrong_kind_is_a_bug, .signal = SIGABRT)
{
	(void)jsonread_bool(parse("1"));
}

Test(jsonread, past_the_end_of_an_array_is_a_bug, .signal = SIGABRT)
{
	(void)jsonread_at(parse("[1]"), 1);
}
