/*
 * The types of events say what is true: each is written by some test, what was written fits its
 * row, and a subject's shape has the columns that its table is audited with.
 */
#include "base/buf.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "events/types.h"
#include "http/openapi.h"
#include "http/shape.h"
#include "http/shape_impl.h"
#include "realtime/rooms.h"
#include "support/database.h"
#include "support/schema.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct json *parse(struct str text)
{
	const struct json *json;
	const char *why;
	size_t at;

	cr_assert(jsonread_parse(world_arena(), text, &json, &why, &at), "%s at %zu", why, at);
	return json;
}

static const struct json *document(void)
{
	struct buf text;

	buf_init(&text, world_arena(), MIB(8));
	openapi_write(&text, ~0U, false);
	return parse(buf_view(&text));
}

static const struct json *schema_of(const struct event_type *t)
{
	struct buf text;
	struct jsonwrite w;

	buf_init(&text, world_arena(), KIB(64));
	jsonwrite_init(&w, &text);
	event_write_data_schema(&w, t);
	return parse(buf_view(&text));
}

/* These suites run last, behind everything that writes events. */
Test(coverage, each_type_of_event_is_written_and_its_data_fits)
{
	const struct json *all;

	world();
	all = document();
	for (const struct event_type *t = event_types; t->name; t++) {
		const struct json *schema = schema_of(t);
		const char *const *data;
		size_t n;

		data = database_column(&n,
				       "SELECT data::text FROM events WHERE type = $1 "
				       "GROUP BY data LIMIT 200",
				       t->name, NULL);
		cr_expect(n, "no test makes the event %s", t->name);
		for (size_t i = 0; i < n; i++) {
			const char *why = schema_mismatch(all, schema, parse(str_of(data[i])));

			cr_expect_null(why, "%s: %s: %s", t->name, why, data[i]);
		}
	}
}

Test(coverage, each_event_that_was_written_has_a_type)
{
	const char *const *types;
	size_t n;

	world();
	types = database_column(&n, "SELECT DISTINCT type FROM events WHERE type NOT LIKE 'test.%'",
				NULL);
	for (size_t i = 0; i < n; i++)
		cr_expect(event_type_find(types[i]), "%s is in no table", types[i]);
}

/* Where the subjects of that type stand. */
static const char *table_of(const struct event_type *t)
{
	const struct noun *n = noun_of_type(str_of(t->name));

	cr_assert(n, "%s is about no noun of src/realtime/rooms.c", t->name);
	return n->table ? n->table : "tenants";
}

static bool has_field(const struct shape *s, const char *name)
{
	for (size_t i = 0; i < s->fields_len; i++) {
		if (strcmp(s->fields[i].name, name) == 0)
			return true;
	}
	return false;
}

/* record_change() leaves aside what every table has, and what the trigger names. */
static const char audited[] =
	"SELECT camel_case(a.attname) FROM pg_attribute a "
	"JOIN pg_trigger t ON t.tgrelid = a.attrelid AND t.tgname = 'audit' "
	"WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped "
	"AND a.attname <> ALL ('{id,tenant_id,version,created_at,updated_at}') "
	"AND a.attname::text <> ALL (string_to_array(encode(t.tgargs, 'escape'), '\\000'))";

Test(events, show_every_audited_column_of_their_subject)
{
	const struct shape *looked_at = NULL;

	world();
	for (const struct event_type *t = event_types; t->name; t++) {
		const char *const *columns;
		size_t n;

		if (!t->subject || t->subject == looked_at)
			continue;
		looked_at = t->subject;
		columns = database_column(&n, audited, table_of(t), NULL);
		cr_expect(n, "%s is not audited", table_of(t));
		for (size_t k = 0; k < n; k++)
			cr_expect(has_field(t->subject, columns[k]), "%s lacks %s",
				  t->subject->name, columns[k]);
	}
}

/* What is sent to try a webhook out is what its receiver will get. */
Test(events, have_an_example_that_fits)
{
	const struct json *all;

	world();
	all = document();

	for (const struct event_type *t = event_types; t->name; t++) {
		struct buf text;
		struct jsonwrite w;
		const char *why;

		buf_init(&text, world_arena(), KIB(64));
		jsonwrite_init(&w, &text);
		event_write_data_example(&w, t);
		cr_expect(text.len > 2, "%s has an empty example", t->name);
		why = schema_mismatch(all, schema_of(t), parse(buf_view(&text)));
		cr_expect_null(why, "%s: %s: %s", t->name, why, text.data);
	}
}

Test(events, of_a_type_are_told_to_somebody)
{
	for (const struct event_type *t = event_types; t->name; t++)
		cr_expect(t->perm >= PERM_MEMBER && t->perm != PERM_GLOBAL_ADMIN,
			  "%s names no permission of a tenant's", t->name);
}

Test(events, have_names_that_webhooks_and_filters_take)
{
	const struct shape_pattern *pattern = shape_pattern_find("eventType");

	for (const struct event_type *t = event_types; t->name; t++)
		cr_expect(shape_pattern_matches(pattern, t->name), "%s", t->name);
}
