/*
 * One function a keyword, in a table.
 */
#include "support/schema.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/jsonread.h"
#include "base/str.h"
#include "support/world.h"

#include <regex.h>
#include <string.h>

/* A value at a place, against one schema. */
struct place {
	const struct json *document;
	const struct json *schema;
	const struct json *value;
	const char *path; /* "data.0"; "" at the top */
};

static const char *check(const struct place *p);

static const char *mismatch(const struct place *p, const char *what)
{
	return strf("%s: %s", *p->path ? p->path : "the body", what);
}

static const char *text_of(const struct json *j)
{
	return jsonread_string(j).ptr;
}

/* The place of a member or item below p. */
static struct place below(const struct place *p, const char *name, const struct json *schema,
			  const struct json *value)
{
	return (struct place){ p->document, schema, value,
			       *p->path ? strf("%s.%s", p->path, name) : name };
}

/*
 * Any value
 */

static bool is_of_type(const struct json *value, const char *type)
{
	int64_t whole;

	if (strcmp(type, "integer") == 0)
		return (json_kind(value) == JSON_INT || json_kind(value) == JSON_DOUBLE) &&
		       jsonread_i64(value, &whole);
	return strcmp(json_kind_name(json_kind(value)), type) == 0;
}

static const char *check_type(const struct place *p, const struct json *type)
{
	if (json_kind(type) == JSON_STRING)
		return is_of_type(p->value, text_of(type))
			       ? NULL
			       : mismatch(p, strf("not %s", text_of(type)));
	for (size_t i = 0; i < jsonread_len(type); i++) {
		if (is_of_type(p->value, text_of(jsonread_at(type, i))))
			return NULL;
	}
	return mismatch(p, "of none of its types");
}

static bool same(const struct json *a, const struct json *b)
{
	return str_eq(jsonread_text(world_arena(), a), jsonread_text(world_arena(), b));
}

static const char *check_const(const struct place *p, const struct json *wanted)
{
	return same(p->value, wanted) ? NULL : mismatch(p, "not the one value it may have");
}

static const char *check_enum(const struct place *p, const struct json *words)
{
	for (size_t i = 0; i < jsonread_len(words); i++) {
		if (same(p->value, jsonread_at(words, i)))
			return NULL;
	}
	return mismatch(p, "not one of its words");
}

static const char *check_ref(const struct place *p, const struct json *ref)
{
	struct str rest = jsonread_string(ref), name;
	struct place target = *p;

	target.schema = p->document;
	for (str_cut(&rest, '/'); (name = str_cut(&rest, '/')).ptr;) {
		if (!jsonread_member(target.schema, strf("%.*s", STR_FMT(name)), &target.schema))
			return mismatch(p, strf("no %s in the document", text_of(ref)));
	}
	return check(&target);
}

/* How many of several schemas the value fits; the last mismatch in *ret_why. */
static size_t count_fitting(const struct place *p, const struct json *schemas, const char **ret_why)
{
	struct place one = *p;
	size_t n = 0;

	for (size_t i = 0; i < jsonread_len(schemas); i++) {
		const char *why;

		one.schema = jsonread_at(schemas, i);
		why = check(&one);
		n += !why;
		if (why)
			*ret_why = why;
	}
	return n;
}

static const char *check_any_of(const struct place *p, const struct json *schemas)
{
	const char *why = mismatch(p, "anyOf is empty");

	return count_fitting(p, schemas, &why) ? NULL : why;
}

static const char *check_one_of(const struct place *p, const struct json *schemas)
{
	const char *why = mismatch(p, "oneOf is empty");
	size_t n = count_fitting(p, schemas, &why);

	return n == 1 ? NULL : n ? mismatch(p, "fits more than one of oneOf") : why;
}

static const char *check_all_of(const struct place *p, const struct json *schemas)
{
	const char *why = NULL;

	return count_fitting(p, schemas, &why) == jsonread_len(schemas) ? NULL : why;
}

/*
 * Objects and arrays
 */

/* Every member: by its own schema, or by that of additional ones. */
static const char *check_properties(const struct place *p, const struct json *properties)
{
	const struct json *schema, *value;
	const char *why = NULL;
	struct str key;

	if (json_kind(p->value) != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; !why && jsonread_each(p->value, i, &key, &value); i++) {
		struct place member;

		if (!jsonread_member(properties, key.ptr, &schema) &&
		    !jsonread_member(p->schema, "additionalProperties", &schema))
			return mismatch(p, strf("\"%s\" is not in its schema", key.ptr));
		member = below(p, key.ptr, schema, value);
		why = check(&member);
	}
	return why;
}

/* Of an object whose schema names no members. */
static const char *check_additional(const struct place *p, const struct json *additional)
{
	const struct json *properties, *value;
	const char *why = NULL;
	struct str key;

	if (json_kind(p->value) != JSON_OBJECT ||
	    jsonread_member(p->schema, "properties", &properties))
		return NULL;
	for (size_t i = 0; !why && jsonread_each(p->value, i, &key, &value); i++) {
		struct place member = below(p, key.ptr, additional, value);

		why = check(&member);
	}
	return why;
}

static const char *check_required(const struct place *p, const struct json *names)
{
	const struct json *value;

	if (json_kind(p->value) != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < jsonread_len(names); i++) {
		if (!jsonread_member(p->value, text_of(jsonread_at(names, i)), &value))
			return mismatch(p, strf("no \"%s\"", text_of(jsonread_at(names, i))));
	}
	return NULL;
}

static const char *check_items(const struct place *p, const struct json *schema)
{
	const char *why = NULL;

	if (json_kind(p->value) != JSON_ARRAY)
		return NULL;
	for (size_t i = 0; !why && i < jsonread_len(p->value); i++) {
		struct place item = below(p, strf("%zu", i), schema, jsonread_at(p->value, i));

		why = check(&item);
	}
	return why;
}

/*
 * Sizes
 */

/* The number that minimum and its like compare: the value, its characters or its items. */
static bool size_of(const struct json *value, enum json_kind kind, double *ret)
{
	if (json_kind(value) != kind && !(kind == JSON_DOUBLE && json_kind(value) == JSON_INT))
		return false;
	if (kind == JSON_DOUBLE)
		*ret = jsonread_double(value);
	else if (kind == JSON_STRING)
		*ret = (double)str_chars(jsonread_string(value));
	else
		*ret = (double)jsonread_len(value);
	return true;
}

static const char *at_least(const struct place *p, enum json_kind kind, const struct json *bound)
{
	double size;

	return size_of(p->value, kind, &size) && size < jsonread_double(bound)
		       ? mismatch(p, "too small")
		       : NULL;
}

static const char *at_most(const struct place *p, enum json_kind kind, const struct json *bound)
{
	double size;

	return size_of(p->value, kind, &size) && size > jsonread_double(bound)
		       ? mismatch(p, "too large")
		       : NULL;
}

static const char *check_minimum(const struct place *p, const struct json *bound)
{
	return at_least(p, JSON_DOUBLE, bound);
}

static const char *check_maximum(const struct place *p, const struct json *bound)
{
	return at_most(p, JSON_DOUBLE, bound);
}

static const char *check_min_length(const struct place *p, const struct json *bound)
{
	return at_least(p, JSON_STRING, bound);
}

static const char *check_max_length(const struct place *p, const struct json *bound)
{
	return at_most(p, JSON_STRING, bound);
}

static const char *check_min_items(const struct place *p, const struct json *bound)
{
	return at_least(p, JSON_ARRAY, bound);
}

static const char *check_max_items(const struct place *p, const struct json *bound)
{
	return at_most(p, JSON_ARRAY, bound);
}

/*
 * Strings
 */

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool is_match;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	is_match = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return is_match;
}

static const char *check_pattern(const struct place *p, const struct json *pattern)
{
	if (json_kind(p->value) != JSON_STRING || matches(text_of(pattern), text_of(p->value)))
		return NULL;
	return mismatch(p, strf("does not match %s", text_of(pattern)));
}

/* As replies write them; stricter than RFC 3339 for times. */
static const struct {
	const char *name, *pattern;
} formats[] = {
	{ "uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" },
	{ "date-time", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$" },
	{ "email", "^[^@ ]+@[^@ ]+$" },
	{ "uri", "^[a-z][a-z0-9+.-]*:" },
	{ "hostname", "^[A-Za-z0-9.-]+$" },
	{ "ip", "^[0-9A-Fa-f:.]+$" },
	{ "password", "" },
	{ "int32", "" },
	{ "int64", "" },
	{ "double", "" },
};

static const char *check_format(const struct place *p, const struct json *format)
{
	if (json_kind(p->value) != JSON_STRING)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (strcmp(formats[i].name, text_of(format)) != 0)
			continue;
		return matches(formats[i].pattern, text_of(p->value))
			       ? NULL
			       : mismatch(p, strf("no %s", formats[i].name));
	}
	return mismatch(p, strf("format %s is not known to support/schema.c", text_of(format)));
}

/*
 * The table
 */

static const struct {
	const char *name;
	const char *(*check)(const struct place *p,
			     const struct json *argument); /* NULL: says nothing */
} keywords[] = {
	{ "type", check_type },
	{ "const", check_const },
	{ "enum", check_enum },
	{ "$ref", check_ref },
	{ "anyOf", check_any_of },
	{ "oneOf", check_one_of },
	{ "allOf", check_all_of },
	{ "properties", check_properties },
	{ "additionalProperties", check_additional },
	{ "required", check_required },
	{ "items", check_items },
	{ "minimum", check_minimum },
	{ "maximum", check_maximum },
	{ "minLength", check_min_length },
	{ "maxLength", check_max_length },
	{ "minItems", check_min_items },
	{ "maxItems", check_max_items },
	{ "pattern", check_pattern },
	{ "format", check_format },
	{ "title", NULL },
	{ "description", NULL },
	{ "example", NULL },
	{ "examples", NULL },
	{ "default", NULL },
	{ "deprecated", NULL },
	{ "readOnly", NULL },
	{ "writeOnly", NULL },
};

static const char *check_keyword(const struct place *p, struct str name,
				 const struct json *argument)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (str_is(name, keywords[i].name))
			return keywords[i].check ? keywords[i].check(p, argument) : NULL;
	}
	return mismatch(p, strf("keyword %s is not known to support/schema.c", name.ptr));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the value, which jsonread bounds */
static const char *check(const struct place *p)
{
	const struct json *argument;
	const char *why = NULL;
	struct str name;

	if (json_kind(p->schema) == JSON_BOOL)
		return jsonread_bool(p->schema) ? NULL : mismatch(p, "not allowed here");
	for (size_t i = 0; !why && jsonread_each(p->schema, i, &name, &argument); i++)
		why = check_keyword(p, name, argument);
	return why;
}

const char *schema_mismatch(const struct json *document, const struct json *schema,
			    const struct json *value)
{
	struct place top = { document, schema, value, "" };

	return check(&top);
}
