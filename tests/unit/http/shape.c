/* A body against its shape: every type, good and bad, and what is stored. */
#include "http/shape.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/id.h"
#include "base/jsonread.h"

#include <criterion/criterion.h>

static struct arena *arena;
static struct ctx c;

static void setup(void)
{
	arena = arena_new();
	ctx_reset(&c, arena);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(shape, .init = setup, .fini = teardown);

struct part {
	const char *city;
};

struct all {
	const char *string, *email, *password, *uri, *slug, *ip, *cidr, *cron, *hostname, *word,
		*phone;
	struct uuid id;
	int64_t when, count, defaulted;
	double number;
	bool flag, has_flag, has_note;
	const char *note;
	struct list names, parts;
	const struct part *part;
	struct str json;
};

/* clang-format off */
static const char *const words[] = { "active", "pending", NULL };
static const struct field part_fields[] = {
	{ "city", T_STRING, REQUIRED, .offset = offsetof(struct part, city), .min = 1, .max = 10 },
};
static const struct shape part = SHAPE("Part", struct part, part_fields);
static const struct field name_field = { .type = T_STRING, .min = 1, .max = 5 };
static const struct field part_field = { .type = T_OBJECT, .shape = &part };

static const struct field fields[] = {
	{ "string", T_STRING, OPTIONAL, .offset = offsetof(struct all, string), .min = 2, .max = 4 },
	{ "email", T_EMAIL, OPTIONAL, .offset = offsetof(struct all, email) },
	{ "password", T_PASSWORD, OPTIONAL, .offset = offsetof(struct all, password) },
	{ "uri", T_URI, OPTIONAL, .offset = offsetof(struct all, uri) },
	{ "slug", T_SLUG, OPTIONAL, .offset = offsetof(struct all, slug) },
	{ "ip", T_IP, OPTIONAL, .offset = offsetof(struct all, ip) },
	{ "cidr", T_CIDR, OPTIONAL, .offset = offsetof(struct all, cidr) },
	{ "cron", T_CRON, OPTIONAL, .offset = offsetof(struct all, cron) },
	{ "hostname", T_HOSTNAME, OPTIONAL, .offset = offsetof(struct all, hostname) },
	{ "word", T_ENUM, OPTIONAL, .offset = offsetof(struct all, word), .words = words },
	{ "phone", T_STRING, OPTIONAL, .offset = offsetof(struct all, phone), .pattern = "phone" },
	{ "id", T_UUID, OPTIONAL, .offset = offsetof(struct all, id) },
	{ "when", T_DATETIME, OPTIONAL, .offset = offsetof(struct all, when) },
	{ "count", T_INT, OPTIONAL, .offset = offsetof(struct all, count), .min = -5, .max = 100 },
	{ "defaulted", T_INT, OPTIONAL, .offset = offsetof(struct all, defaulted), .min = 1, .fallback = "20" },
	{ "number", T_NUMBER, OPTIONAL, .offset = offsetof(struct all, number), .max = 1 },
	{ "flag", T_BOOL, OPTIONAL, .offset = offsetof(struct all, flag), .has = offsetof(struct all, has_flag) },
	{ "note", T_STRING, OPTIONAL_NULLABLE, .offset = offsetof(struct all, note), .has = offsetof(struct all, has_note) },
	{ "names", T_ARRAY, OPTIONAL, .offset = offsetof(struct all, names), .max = 3, .of = &name_field },
	{ "parts", T_ARRAY, OPTIONAL, .offset = offsetof(struct all, parts), .of = &part_field },
	{ "part", T_OBJECT, OPTIONAL, .offset = offsetof(struct all, part), .shape = &part },
	{ "json", T_JSON, OPTIONAL, .offset = offsetof(struct all, json), .max = 20 },
};
static const struct shape all = SHAPE("All", struct all, fields);
/* clang-format on */

static int read_text(const struct shape *s, const char *text, const void **ret)
{
	const struct json *json;
	const char *why;
	void *read = NULL;
	size_t at;
	int err;

	ctx_reset(&c, arena);
	cr_assert(jsonread_parse(arena, str_of(text), &json, &why, &at), "%s: %s", text, why);
	err = shape_read(&c, s, json, "", &read);
	*ret = read;

	return err;
}

static const struct all *good(const char *text)
{
	const void *read;

	cr_assert_eq(read_text(&all, text, &read), OK, "%s: %s", text,
		     c.fault.issues_len ? c.fault.issues[0].message : "?");

	return read;
}

Test(shape, stores_what_each_type_promises)
{
	const struct all *a = good(
		"{\"string\":\"grün\",\"email\":\"John.Doe@Example.COM\",\"password\":\"12345678\","
		"\"uri\":\"https://example.com:8443/a?b=%20#c\",\"slug\":\"blue-team-7\",\"ip\":\"2001:db8::1\","
		"\"cidr\":\"10.0.0.0/8\",\"cron\":\"*/5 0-6 1,15 jan-mar mon\",\"hostname\":\"a.b-c.example\","
		"\"word\":\"pending\",\"phone\":\"+4915112345678\",\"id\":\"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f\","
		"\"when\":\"2026-01-31T12:00:00+01:00\",\"count\":-5,\"number\":0.5,\"flag\":false,\"note\":null,"
		"\"names\":[\"a\",\"b\"],\"parts\":[{\"city\":\"Bonn\"}],\"part\":{\"city\":\"Ulm\"},"
		"\"json\":{\"b\": [1, 2]}}");
	const struct part *first = a->parts.items;

	cr_expect_str_eq(a->string, "grün");
	cr_expect_str_eq(a->email, "john.doe@example.com");
	cr_expect_eq(a->word, words[1]);
	cr_expect_eq(a->id.bytes[0], 0x01);
	cr_expect_eq(a->when, INT64_C(1769857200000000));
	cr_expect_eq(a->count, -5);
	cr_expect_eq(a->defaulted, 20);
	cr_expect_eq(a->number, 0.5);
	cr_expect(a->has_flag && !a->flag);
	cr_expect(a->has_note && !a->note);
	cr_expect_eq(a->names.len, 2);
	cr_expect_str_eq(((const char *const *)a->names.items)[1], "b");
	cr_expect_eq(a->parts.len, 1);
	cr_expect_str_eq((*(const struct part *const *)(const void *)first)->city, "Bonn");
	cr_expect_str_eq(a->part->city, "Ulm");
	cr_expect(str_is(a->json, "{\"b\":[1,2]}"));
}

Test(shape, what_is_absent_is_zero_and_says_so)
{
	const struct all *a = good("{}");

	cr_expect_null(a->string);
	cr_expect_null(a->part);
	cr_expect_eq(a->names.len, 0);
	cr_expect(!a->has_flag && !a->has_note);
	cr_expect_eq(a->defaulted, 20);
}

/* clang-format off */
static const struct {
	const char *text, *path, *code, *message;
} bad[] = {
	{ "[]", "", "invalid_type", "Expected object, received array" },
	{ "null", "", "invalid_type", "Expected object, received null" },
	{ "\"x\"", "", "invalid_type", "Expected object, received string" },
	{ "{\"string\":1}", "string", "invalid_type", "Expected string, received number" },
	{ "{\"string\":null}", "string", "invalid_type", "Expected string, received null" },
	{ "{\"string\":true}", "string", "invalid_type", "Expected string, received boolean" },
	{ "{\"string\":\"ü\"}", "string", "too_small", "String must contain at least 2 character(s)" },
	{ "{\"string\":\"12345\"}", "string", "too_big", "String must contain at most 4 character(s)" },
	{ "{\"email\":\"a@b\"}", "email", "invalid_string", "Invalid email" },
	{ "{\"password\":\"1234567\"}", "password", "too_small", "String must contain at least 8 character(s)" },
	{ "{\"uri\":\"ftp://a.example\"}", "uri", "invalid_string", "Invalid url" },
	{ "{\"slug\":\"-a\"}", "slug", "invalid_string", "Invalid slug" },
	{ "{\"ip\":\"1.2.3\"}", "ip", "invalid_string", "Invalid ip" },
	{ "{\"cidr\":\"10.0.0.1/8\"}", "cidr", "invalid_string", "Invalid cidr" },
	{ "{\"cron\":\"* * *\"}", "cron", "invalid_string", "Invalid cron expression" },
	{ "{\"hostname\":\"a..b\"}", "hostname", "invalid_string", "Invalid hostname" },
	{ "{\"word\":\"x\"}", "word", "invalid_enum_value",
	  "Invalid enum value. Expected 'active' | 'pending', received 'x'" },
	{ "{\"word\":1}", "word", "invalid_type", "Expected 'active' | 'pending', received number" },
	{ "{\"phone\":\"call me\"}", "phone", "invalid_string", "Invalid phone number: digits, with blanks and ( ) . / - among them" },
	{ "{\"id\":\"1\"}", "id", "invalid_string", "Invalid uuid" },
	{ "{\"when\":\"yesterday\"}", "when", "invalid_string", "Invalid datetime" },
	{ "{\"count\":1.5}", "count", "invalid_type", "Expected integer, received float" },
	{ "{\"count\":\"1\"}", "count", "invalid_type", "Expected number, received string" },
	{ "{\"count\":101}", "count", "too_big", "Number must be less than or equal to 100" },
	{ "{\"count\":-6}", "count", "too_small", "Number must be greater than or equal to -5" },
	{ "{\"count\":1e30}", "count", "too_big", "Number must be less than or equal to 100" },
	{ "{\"number\":-0.5}", "number", "too_small", "Number must be greater than or equal to 0" },
	{ "{\"flag\":\"true\"}", "flag", "invalid_type", "Expected boolean, received string" },
	{ "{\"names\":{}}", "names", "invalid_type", "Expected array, received object" },
	{ "{\"names\":[\"a\",\"b\",\"c\",\"d\"]}", "names", "too_big", "Array must contain at most 3 element(s)" },
	{ "{\"names\":[\"a\",\"\"]}", "names.1", "too_small", "String must contain at least 1 character(s)" },
	{ "{\"names\":[null]}", "names.0", "invalid_type", "Expected string, received null" },
	{ "{\"parts\":[{\"city\":\"Bonn\"},{\"city\":2}]}", "parts.1.city", "invalid_type",
	  "Expected string, received number" },
	{ "{\"part\":{}}", "part.city", "invalid_type", "Required" },
	{ "{\"part\":7}", "part", "invalid_type", "Expected object, received number" },
	{ "{\"part\":{\"city\":\"a\",\"zip\":1}}", "part", "unrecognized_keys",
	  "Unrecognized key(s) in object: 'zip'" },
	{ "{\"json\":[]}", "json", "invalid_type", "Expected object, received array" },
	{ "{\"json\":{\"a\":\"12345678901234567890\"}}", "json", "too_big",
	  "Object must be at most 20 byte(s) of JSON" },
	{ "{\"x\":1,\"y\":2}", "", "unrecognized_keys", "Unrecognized key(s) in object: 'x', 'y'" },
};
/* clang-format on */

Test(shape, each_violation_is_one_issue_with_its_place)
{
	const void *read;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_assert_eq(read_text(&all, bad[i].text, &read), ERR_VALIDATION_ERROR, "%s",
			     bad[i].text);
		cr_expect_eq(c.fault.issues_len, 1, "%s: %zu issues", bad[i].text,
			     c.fault.issues_len);
		cr_expect_str_eq(c.fault.issues[0].path, bad[i].path, "%s", bad[i].text);
		cr_expect_str_eq(c.fault.issues[0].code, bad[i].code, "%s", bad[i].text);
		cr_expect_str_eq(c.fault.issues[0].message, bad[i].message, "%s", bad[i].text);
	}
}

Test(shape, all_issues_are_told_at_once)
{
	const void *read;

	cr_assert_eq(read_text(&all, "{\"string\":1,\"email\":\"x\",\"part\":{},\"zzz\":0}", &read),
		     ERR_VALIDATION_ERROR);
	cr_expect_eq(c.fault.issues_len, 4);
}

Test(shape, a_required_field_may_not_be_null)
{
	const void *read;

	cr_assert_eq(read_text(&part, "{\"city\":null}", &read), ERR_VALIDATION_ERROR);
	cr_expect_str_eq(c.fault.issues[0].message, "Expected string, received null");
}

Test(shape, messages_repeat_little_of_what_was_sent)
{
	const void *read;
	char text[512];

	(void)snprintf(text, sizeof(text), "{\"word\":\"%0300d\"}", 0);
	cr_assert_eq(read_text(&all, text, &read), ERR_VALIDATION_ERROR);
	cr_expect_lt(strlen(c.fault.issues[0].message), 160);
}

Test(shape, a_table_with_a_mistake_is_named)
{
	static const struct field untyped[] = { { "a", T_UNSTATED, OPTIONAL, .offset = 0 } };
	static const struct field wordless[] = { { "a", T_ENUM, OPTIONAL, .offset = 0 } };
	static const struct field unknown[] = { { "a", T_STRING, OPTIONAL, .offset = 0,
						  .pattern = "none" } };
	static const struct shape shapes[] = {
		{ .name = "S", .size = 8, .fields = untyped, .fields_len = 1 },
		{ .name = "S", .size = 8, .fields = wordless, .fields_len = 1 },
		{ .name = "S", .size = 8, .fields = unknown, .fields_len = 1 },
		{ .name = "S", .size = 0, .fields = part_fields, .fields_len = 1 },
	};

	cr_expect_null(shape_mistake(arena, &all, true));
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		cr_expect_not_null(shape_mistake(arena, &shapes[i], true), "shape %zu", i);
}
