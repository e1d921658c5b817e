/*
 * The OpenAPI document has every route and only what there is; answers are held against it in
 * support/conformance.c, and a standard validator reads it in tests/e2e/openapi.mjs.
 */
#include "base/jsonread.h"
#include "http/method.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct json *parse(struct str text)
{
	const struct json *document;
	const char *why;
	size_t at;

	cr_assert(jsonread_parse(world_arena(), text, &document, &why, &at), "%s at byte %zu", why,
		  at);
	return document;
}

static const struct json *printed(void)
{
	const char *argv[] = { world()->binary, "openapi", NULL };

	return parse(world_run(argv, NULL));
}

static const struct json *member(const struct json *object, const char *name)
{
	const struct json *value;

	cr_assert(jsonread_member(object, name, &value), "no \"%s\"", name);
	return value;
}

/* What a "#/a/b" points to; NULL: nothing. */
static const struct json *resolve(const struct json *document, struct str ref)
{
	const struct json *at = document;
	struct str name;

	cr_assert(str_is(str_cut(&ref, '/'), "#"));
	while (at && (name = str_cut(&ref, '/')).ptr) {
		if (json_kind(at) != JSON_OBJECT ||
		    !jsonread_member(at, strf("%.*s", STR_FMT(name)), &at))
			return NULL;
	}
	return at;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the document, which jsonread bounds */
static size_t check_refs(const struct json *document, const struct json *j)
{
	const struct json *value;
	struct str key;
	size_t n = 0;

	if (json_kind(j) == JSON_ARRAY) {
		for (size_t i = 0; i < jsonread_len(j); i++)
			n += check_refs(document, jsonread_at(j, i));
	} else if (json_kind(j) == JSON_OBJECT) {
		for (size_t i = 0; jsonread_each(j, i, &key, &value); i++) {
			if (str_is(key, "$ref") && json_kind(value) == JSON_STRING) {
				n++;
				cr_expect(resolve(document, jsonread_string(value)),
					  "%.*s leads nowhere", STR_FMT(jsonread_string(value)));
			}
			n += check_refs(document, value);
		}
	}
	return n;
}

Test(openapi, every_reference_leads_somewhere)
{
	const struct json *document = printed();

	cr_assert(str_starts(jsonread_string(member(document, "openapi")), "3.1."));
	cr_assert_gt(check_refs(document, document), 20);
}

/* "/projects/:id" as the document says it. */
static const char *template_of(const char *path)
{
	struct str rest = str_of(path + 1);
	const char *template = "";
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param))
		template = strf("%s/%.*s", template, STR_FMT(is_param ? STR("{id}") : s));
	return template;
}

/* The operation of a row in a document; NULL: it has none. */
static const struct json *operation_of(const struct json *document, const struct mounted *row)
{
	const struct json *paths = member(document, "paths"), *item, *path, *operation;
	const char *method = str_lower(world_arena(), str_of(method_name(row->route->method)));
	const char *wanted = template_of(row->path);
	struct str key;

	for (size_t i = 0; jsonread_each(paths, i, &key, &item); i++) {
		struct str rest = key, part;
		const char *name = "";

		/* whatever its parameters are called */
		for (str_cut(&rest, '/'); (part = str_cut(&rest, '/')).ptr;)
			name = part.len && part.ptr[0] == '{'
				       ? strf("%s/{id}", name)
				       : strf("%s/%.*s", name, STR_FMT(part));
		path = strcmp(name, wanted) == 0 ? item : NULL;
		if (path && jsonread_member(path, method, &operation))
			return operation;
	}
	return NULL;
}

Test(openapi, every_route_is_in_it_on_every_tier)
{
	const struct json *document = printed();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		bool is_hidden = row.route->flags & ROUTE_HIDDEN;

		cr_expect_neq(!operation_of(document, &row), !is_hidden, "%s is %s the document",
			      probe_name(&row), is_hidden ? "hidden and in" : "not in");
	}
}

static bool is_method(struct str key)
{
	static const enum method all[] = { GET, POST, PUT, PATCH, DELETE };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (str_is_nocase(key, method_name(all[i])))
			return true;
	}
	return false;
}

static size_t count_operations(const struct json *document)
{
	const struct json *paths = member(document, "paths"), *item, *operation;
	struct str key;
	size_t n = 0;

	for (size_t i = 0; jsonread_each(paths, i, &key, &item); i++) {
		for (size_t k = 0; jsonread_each(item, k, &key, &operation); k++)
			n += is_method(key);
	}
	return n;
}

Test(openapi, nothing_is_in_it_that_is_no_route)
{
	struct mounted row;
	size_t rows = 0;

	for (size_t i = 0; probe_each(&i, &row);)
		rows += !(row.route->flags & ROUTE_HIDDEN);
	cr_assert_eq(count_operations(printed()), rows);
}

/* What it says of an operation: a summary, what may go wrong, who may call. */
Test(openapi, every_operation_says_what_a_caller_must_know)
{
	const struct json *document = printed(), *value;
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		const struct json *operation = operation_of(document, &row);

		if (!operation)
			continue;
		cr_expect(jsonread_string(member(operation, "summary")).len > 0);
		cr_expect(jsonread_member(operation, "operationId", &value), "%s",
			  probe_name(&row));
		cr_expect(jsonread_member(operation, "tags", &value), "%s", probe_name(&row));
		cr_expect(jsonread_member(member(operation, "responses"),
					  strf("%d", route_status(row.route)), &value),
			  "%s: its success is not in the document", probe_name(&row));
		if (row.route->body)
			member(member(member(operation, "requestBody"), "content"),
			       "application/json");
	}
}

/* Generated clients have a function of each name. */
Test(openapi, every_operation_has_a_name_of_its_own)
{
	static const char *names[1000];
	const struct json *document = printed();
	struct mounted row;
	size_t n = 0;

	for (size_t i = 0; probe_each(&i, &row);) {
		const struct json *operation = operation_of(document, &row);

		if (!operation)
			continue;
		cr_assert_lt(n, ARRAY_LEN(names));
		names[n] = jsonread_string(member(operation, "operationId")).ptr;
		for (size_t k = 0; k < n; k++)
			cr_expect_str_neq(names[k], names[n], "%s", probe_name(&row));
		n++;
	}
}

/* The served documents are the printed one, and its public part. */
Test(openapi, what_is_served_is_what_is_printed)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);
	const struct json *all = printed();
	const struct json *public_part = answer_is(get(&nobody, "/api/v1/openapi.json"), 200).json;
	const struct json *path;
	struct str key;
	struct answer a = answer_is(get(&nobody, "/api/openapi.json"), 200);

	cr_assert(str_eq(jsonread_text(world_arena(), member(a.json, "paths")),
			 jsonread_text(world_arena(), member(all, "paths"))));
	for (size_t i = 0; jsonread_each(member(public_part, "paths"), i, &key, &path); i++)
		cr_expect(str_starts(key, "/api/v1/"), "%.*s is not public", STR_FMT(key));
}
