/*
 * Every field of every body and query, violated one at a time: a 400 that names it, and nothing is
 * written. The valid body that all are made from is the one of the document's examples.
 *
 * To add a violation: a row in violations[].
 */
#include "base/buf.h"
#include "base/jsonwrite.h"
#include "http/incoming.h"
#include "http/paging.h"
#include "http/shape.h"
#include "http/shape_impl.h"
#include "support/database.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <string.h>

/* A field within the body, and the objects that it stands in. */
struct site {
	const struct site *up;
	const struct shape *shape;
	const struct field *field;
};

/*
 * Values that are wrong for a field, as raw JSON; NULL: not so wrong is possible here.
 */

static bool is_text(const struct field *f)
{
	return strcmp(shape_types[f->type].json, "string") == 0;
}

static const char *a_null(const struct field *f)
{
	return f->need == OPTIONAL_NULLABLE ? NULL : "null";
}

static const char *another_type(const struct field *f)
{
	return is_text(f) ? "17" : "\"text\"";
}

static const char *an_array(const struct field *f)
{
	return f->type == T_ARRAY ? "{}" : "[]";
}

static const char *letters(int64_t n)
{
	char *text = arena_alloc(world_arena(), (size_t)n + 3);

	memset(text, 'a', (size_t)n + 2);
	text[0] = text[n + 1] = '"';
	return text;
}

static const char *too_short(const struct field *f)
{
	struct bounds b = field_bounds(f);

	return is_text(f) && b.min > 0 ? letters(b.min - 1) : NULL;
}

static const char *too_long(const struct field *f)
{
	struct bounds b = field_bounds(f);

	return is_text(f) && b.max > 0 ? letters(b.max + 1) : NULL;
}

/* By type: text that looks like one to a careless reader. */
static const char *bad_format(const struct field *f)
{
	static const char *const texts[] = {
		[T_EMAIL] = "\"ann@example\"",
		[T_UUID] = "\"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8\"",
		[T_URI] = "\"javascript:alert(1)\"",
		[T_SLUG] = "\"Blue Team\"",
		[T_DATETIME] = "\"2026-02-30T12:00:00Z\"",
		[T_IP] = "\"192.0.2.256\"",
		[T_CIDR] = "\"192.0.2.0/33\"",
		[T_CRON] = "\"61 * * * *\"",
		[T_HOSTNAME] = "\"-a.example.com\"",
		[T_ENUM] = "\"no-such-word\"",
	};

	if (f->pattern)
		return "\"\\u0001\\u0001\\u0001\\u0001\"";
	return f->type < ARRAY_LEN(texts) ? texts[f->type] : NULL;
}

static bool is_number(const struct field *f)
{
	return f->type == T_INT || f->type == T_NUMBER;
}

static const char *below_range(const struct field *f)
{
	return is_number(f) ? strf("%lld", (long long)field_bounds(f).min - 1) : NULL;
}

static const char *above_range(const struct field *f)
{
	return is_number(f) ? strf("%lld", (long long)field_bounds(f).max + 1) : NULL;
}

static const char *a_fraction(const struct field *f)
{
	return f->type == T_INT ? strf("%lld.5", (long long)field_bounds(f).min) : NULL;
}

/* So many of the element's examples. */
static const char *items(const struct field *f, int64_t n)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, world_arena(), MIB(1));
	jsonwrite_init(&w, &out);
	jsonwrite_array(&w);
	for (int64_t i = 0; i < n; i++)
		field_write_example(&w, f->of);
	jsonwrite_array_end(&w);
	return out.data;
}

static const char *too_few(const struct field *f)
{
	return f->type == T_ARRAY && field_bounds(f).min > 0 ? items(f, field_bounds(f).min - 1)
							     : NULL;
}

static const char *too_many(const struct field *f)
{
	return f->type == T_ARRAY ? items(f, field_bounds(f).max + 1) : NULL;
}

static const char *too_much_json(const struct field *f)
{
	return f->type == T_JSON ? strf("{\"a\":%s}", letters(field_bounds(f).max)) : NULL;
}

static const struct {
	const char *name;
	const char *(*value)(const struct field *f);
} violations[] = {
	{ "null", a_null },
	{ "of another type", another_type },
	{ "an array, or none", an_array },
	{ "too short", too_short },
	{ "too long", too_long },
	{ "in a bad format", bad_format },
	{ "below its range", below_range },
	{ "above its range", above_range },
	{ "a fraction", a_fraction },
	{ "too few items", too_few },
	{ "too many items", too_many },
	{ "too much JSON", too_much_json },
};

/*
 * Bodies
 */

static const char *path_of(const struct site *at)
{
	const char *path = at->field->name;

	while ((at = at->up))
		path = strf("%s.%s", at->field->name, path);
	return path;
}

/* The whole body, with this value there. */
static const char *body_with(const struct site *at, const char *raw)
{
	for (; at; at = at->up)
		raw = probe_body_but(at->shape, at->field->name, raw);
	return raw;
}

static struct answer send_body(const struct mounted *row, const struct caller *c, const char *body)
{
	return answer_to(&(struct ask){
		.method = method_name(row->route->method),
		.path = probe_path(row, probe_no_id()),
		.caller = c,
		.body = body,
	});
}

static void refused(const struct mounted *row, const struct answer *a, const char *path,
		    const char *how)
{
	cr_expect(a->status == 400 && answer_has_issue(a, path), "%s: %s %s: %d %.*s",
		  probe_name(row), path, how, a->status, STR_FMT(a->body));
}

static void break_field(const struct mounted *row, const struct caller *c, const struct site *at);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables nest */
static void break_members(const struct mounted *row, const struct caller *c, const struct shape *s,
			  const struct site *up)
{
	for (size_t i = 0; i < s->fields_len; i++)
		break_field(row, c, &(struct site){ up, s, &s->fields[i] });
}

/* One bad element in an array. */
static void break_element(const struct mounted *row, const struct caller *c, const struct site *at)
{
	const struct field *f = at->field;

	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		const char *raw = violations[i].value(f->of);
		struct answer a;

		if (!raw)
			continue;
		a = send_body(row, c, body_with(at, strf("[%s]", raw)));
		refused(row, &a, strf("%s.0", path_of(at)), violations[i].name);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables nest */
static void break_field(const struct mounted *row, const struct caller *c, const struct site *at)
{
	const struct field *f = at->field;
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		const char *raw = violations[i].value(f);

		if (!raw)
			continue;
		a = send_body(row, c, body_with(at, raw));
		refused(row, &a, path_of(at), violations[i].name);
	}
	if (f->need == REQUIRED) {
		a = send_body(row, c, body_with(at, NULL));
		refused(row, &a, path_of(at), "missing");
	}
	if (f->type == T_ARRAY)
		break_element(row, c, at);
	if (f->type == T_OBJECT)
		break_members(row, c, f->shape, at);
}

/* What is wrong with the body as a whole. */
static void break_whole(const struct mounted *row, const struct caller *c)
{
	static const char *const bodies[] = { "[]", "null", "17", "\"text\"",
					      "{\"noSuchField\":true}" };
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		a = send_body(row, c, bodies[i]);
		refused(row, &a, "", bodies[i]);
	}
}

/* Digest of what the caller could have changed; "" for who has no tenant. */
static const char *state_of(const struct caller *c)
{
	return uuid_is_nil(c->tenant.u) ? "" : database_tenant_digest(c->tenant);
}

Test(fields, of_bodies_are_each_checked)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c;
		const char *before;

		if (!row.route->body)
			continue;
		c = probe_caller(&row);
		before = state_of(&c);
		break_members(&row, &c, row.route->body, NULL);
		break_whole(&row, &c);
		cr_expect_str_eq(state_of(&c), before,
				 "%s wrote something for a body that it refused", probe_name(&row));
	}
}

Test(fields, of_the_examples_are_all_valid)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c = probe_caller(&row);
		struct answer a = probe(&row, &c, probe_no_id());

		cr_expect(a.status != 400, "%s: its own example is refused: %.*s", probe_name(&row),
			  STR_FMT(a.body));
	}
}

/*
 * Queries and paths
 */

static struct answer send_query(const struct mounted *row, const struct caller *c,
				const char *query)
{
	return answer_to(&(struct ask){
		.method = method_name(row->route->method),
		.path = strf("%s?%s", probe_path(row, probe_no_id()), query),
		.caller = c,
	});
}

/* JSON as a query says it: text without its quotes, percent-encoded. */
static const char *as_query(const char *name, const char *raw)
{
	struct str text = str_of(raw);
	char *escaped;
	const char *query;

	if (text.ptr[0] == '"')
		text = (struct str){ text.ptr + 1, text.len - 2 };
	escaped = curl_easy_escape(NULL, str_dup(world_arena(), text), 0);
	query = strf("%s=%s", name, escaped);
	curl_free(escaped);
	return query;
}

/* A query has only text: what is wrong is its length, its format, its range, or that it comes
 * twice. */
static void break_parameter(const struct mounted *row, const struct caller *c,
			    const struct field *f)
{
	static const char *(*const ways[])(const struct field *f) = { too_short,   too_long,
								      bad_format,  below_range,
								      above_range, a_fraction };
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const char *raw = ways[i](f);

		if (!raw || strchr(raw, '\\') || strlen(raw) > QUERY_BYTES_MAX - 64)
			continue; /* what no query can hold is no case: badinput.c has longer ones
				   */
		a = send_query(row, c, as_query(f->name, raw));
		refused(row, &a, f->name, raw);
	}
	if (f->type != T_ARRAY) {
		a = send_query(row, c, strf("%s=1&%s=1", f->name, f->name));
		refused(row, &a, f->name, "twice");
	}
	a = send_query(row, c, strf("%s=%%zz", f->name));
	refused(row, &a, "", "with a broken escape");
}

static void break_query(const struct mounted *row, const struct caller *c, const struct shape *s)
{
	for (size_t i = 0; s && i < s->fields_len; i++)
		break_parameter(row, c, &s->fields[i]);
}

Test(fields, of_queries_are_each_checked)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c = probe_caller(&row);
		struct answer a;

		break_query(&row, &c, row.route->query);
		if (!row.route->sorts)
			continue;
		break_query(&row, &c, &paging_shape);
		a = send_query(&row, &c, "sort=noSuchSort");
		refused(&row, &a, "sort", "unknown");
		a = send_query(&row, &c, "cursor=bm8gY3Vyc29y");
		refused(&row, &a, "cursor", "not ours");
	}
}

Test(fields, of_paths_that_are_ids_are_checked)
{
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c = probe_caller(&row);
		struct answer a;

		if (strcmp(probe_path(&row, "x"), probe_path(&row, "y")) == 0)
			continue;
		a = probe(&row, &c, "not-an-id");
		cr_expect(a.status == 400 &&
				  strcmp(answer_text(a, "error"), "VALIDATION_ERROR") == 0,
			  "%s: %d %.*s", probe_name(&row), a.status, STR_FMT(a.body));
	}
}
