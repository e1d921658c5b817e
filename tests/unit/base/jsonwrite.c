#include "base/jsonwrite.h"

#include "base/buf.h"
#include "base/id.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct buf out;
static struct jsonwrite w;

static void begin(void)
{
	buf_init_heap(&out, KIB(64));
	jsonwrite_init(&w, &out);
}

static void end(void)
{
	buf_done(&out);
}

TestSuite(jsonwrite, .init = begin, .fini = end);

Test(jsonwrite, commas_and_colons_come_by_themselves)
{
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "a", "x");
	jsonwrite_member_i64(&w, "b", -1);
	jsonwrite_member_bool(&w, "c", true);
	jsonwrite_key(&w, "d");
	jsonwrite_array(&w);
	jsonwrite_object(&w);
	jsonwrite_object_end(&w);
	jsonwrite_array(&w);
	jsonwrite_array_end(&w);
	jsonwrite_null(&w);
	jsonwrite_array_end(&w);
	jsonwrite_member_text(&w, "e", NULL);
	jsonwrite_key(&w, "f");
	jsonwrite_raw(&w, STR("{\"raw\":1}"));
	jsonwrite_object_end(&w);
	cr_assert_str_eq(out.data, "{\"a\":\"x\",\"b\":-1,\"c\":true,\"d\":[{},[],null],"
				   "\"e\":null,\"f\":{\"raw\":1}}");
}

Test(jsonwrite, pretty_is_for_people)
{
	w.pretty = true;
	jsonwrite_object(&w);
	jsonwrite_member_i64(&w, "a", 1);
	jsonwrite_key(&w, "b");
	jsonwrite_array(&w);
	jsonwrite_i64(&w, 2);
	jsonwrite_array_end(&w);
	jsonwrite_key(&w, "c");
	jsonwrite_object(&w);
	jsonwrite_object_end(&w);
	jsonwrite_object_end(&w);
	cr_assert_str_eq(out.data, "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ],\n  \"c\": {}\n}");
}

/* Undoes the escapes one by one, and finds none missing. */
static void read_back(const char *json, char *text)
{
	const char letters[] = "b\bt\tn\nf\fr\r\"\"\\\\";

	cr_assert_eq(*json++, '"');
	for (; *json != '"'; json++) {
		cr_assert_geq((unsigned char)*json, 0x20, "unescaped");
		if (*json != '\\') {
			*text++ = *json;
		} else if (*++json == 'u') {
			cr_assert_eq(strncmp(json, "u00", 3), 0);
			*text++ = (char)strtoul((char[]){ json[3], json[4], '\0' }, NULL, 16);
			json += 4;
		} else {
			*text++ = strchr(letters, *json)[1];
		}
	}
	*text = '\0';
	cr_assert_eq(json[1], '\0');
}

Test(jsonwrite, strings_are_escaped_where_they_must_be)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain /", "\"plain /\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "\\", "\"\\\\\"" },
		{ "\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"" },
		{ "\x01\x1f", "\"\\u0001\\u001f\"" },
		{ "\x7f", "\"\x7f\"" },
		{ "na\xc3\xafve \xf0\x9f\x8e\x89", "\"na\xc3\xafve \xf0\x9f\x8e\x89\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		jsonwrite_init(&w, &out);
		jsonwrite_text(&w, cases[i].text);
		cr_assert_str_eq(out.data, cases[i].json);
	}
}

Test(jsonwrite, an_escape_is_seen_wherever_it_stands)
{
	static const char specials[] = { '"', '\\', '\x01', '\x1f', '\n' };
	char text[41], back[100];

	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
			memset(text, at % 2 ? ' ' : '\xc3', sizeof(text) - 1);
			text[sizeof(text) - 1] = '\0';
			text[at] = specials[i];
			text[sizeof(text) - 2 - at / 2] = '"';
			buf_reset(&out);
			jsonwrite_init(&w, &out);
			jsonwrite_text(&w, text);
			read_back(out.data, back);
			cr_assert_str_eq(back, text, "at %zu", at);
		}
	}
}

Test(jsonwrite, ids_and_times_are_text)
{
	struct uuid u = { { 0x01 } };

	jsonwrite_array(&w);
	jsonwrite_uuid(&w, &u);
	jsonwrite_time(&w, 0);
	jsonwrite_array_end(&w);
	cr_assert_str_eq(out.data, "[\"01000000-0000-0000-0000-000000000000\","
				   "\"1970-01-01T00:00:00.000Z\"]");
}

Test(jsonwrite, a_value_without_its_key_is_a_bug, .signal = SIGABRT)
{
	jsonwrite_object(&w);
	jsonwrite_i64(&w, 1);
}

Test(jsonwrite, a_key_without_its_value_is_a_bug, .signal = SIGABRT)
{
	jsonwrite_object(&w);
	jsonwrite_key(&w, "a");
	jsonwrite_object_end(&w);
}

Test(jsonwrite, a_key_in_an_array_is_a_bug, .signal = SIGABRT)
{
	jsonwrite_array(&w);
	jsonwrite_key(&w, "a");
}

Test(jsonwrite, the_wrong_end_is_a_bug, .signal = SIGABRT)
{
	jsonwrite_array(&w);
	jsonwrite_object_end(&w);
}

Test(jsonwrite, a_second_value_is_a_bug, .signal = SIGABRT)
{
	jsonwrite_i64(&w, 1);
	jsonwrite_i64(&w, 2);
}

Test(jsonwrite, endless_nesting_is_a_bug, .signal = SIGABRT)
{
	for (int i = 0; i < JSONWRITE_DEPTH_MAX; i++)
		jsonwrite_array(&w);
}
