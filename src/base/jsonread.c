/*
 * The JSON tree, built by json-c of text that jsonscan.c has found to be strict JSON.
 *
 * A struct json is a json-c object under another name, so that no other file sees json-c.
 */
#include "base/jsonread.h"

#include "base/arena.h"
#include "base/jsonscan.h"

#include <assert.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>

/* Doubles hold every integer up to this, and no longer each one after it. */
#define DOUBLE_INTEGER_MAX 9007199254740992.0 /* 2^53 */

/* Where jsonread_each() is; else a walk over n members would be n * n / 2 steps. */
static struct {
	const struct json *object;
	size_t i;
	const struct lh_entry *entry; /* the i-th member */
} walk;

/* json-c's getters take non-const pointers, though those that we call change nothing we see. */
static struct json_object *object_of(const struct json *j)
{
	return (struct json_object *)(uintptr_t)j;
}

static const struct json *json_of(const struct json_object *o)
{
	return (const struct json *)o;
}

static void tokener_freep(struct json_tokener **t)
{
	json_tokener_free(*t);
}

static void drop(void *object)
{
	walk.object = NULL; /* another tree may come to lie where this one was */
	(void)json_object_put(object);
}

static int count_member(json_object *value UNUSED, int flags, json_object *parent UNUSED,
			const char *key, size_t *index UNUSED, void *members)
{
	if (key && flags != JSON_C_VISIT_SECOND)
		++*(size_t *)members;

	return JSON_C_VISIT_RETURN_CONTINUE;
}

/* Members of all objects of the tree; json-c keeps only the last of those with one key. */
static size_t members_of(struct json_object *tree)
{
	size_t members = 0;

	(void)json_c_visit(tree, 0, count_member, &members);

	return members;
}

bool jsonread_parse(struct arena *a, struct str text, const struct json **ret, const char **ret_why,
		    size_t *ret_at)
{
	/* json-c counts the value itself as a level. */
	_cleanup_(tokener_freep) struct json_tokener *t =
		json_tokener_new_ex(JSONREAD_DEPTH_MAX + 1);
	struct json_object *tree;
	size_t members;

	BUG_IF(!t);
	if (text.len > INT32_MAX) { /* what json-c can count */
		*ret_why = "too long";
		*ret_at = 0;
		return false;
	}
	if (!jsonscan(text, &members, ret_why, ret_at))
		return false;

	tree = json_tokener_parse_ex(t, text.ptr, (int)text.len);
	if (json_tokener_get_error(t) == json_tokener_continue) /* a number: is there more of it? */
		tree = json_tokener_parse_ex(t, "", 1);
	BUG_IF(json_tokener_get_error(t) != json_tokener_success);
	if (tree)
		arena_defer(a, drop, tree);

	if (members_of(tree) != members) {
		*ret_why = "duplicate key";
		*ret_at = text.len;
		return false;
	}
	*ret = json_of(tree);

	return true;
}

enum json_kind json_kind(const struct json *j)
{
	switch (json_object_get_type(object_of(j))) {
	case json_type_null: return JSON_NULL;
	case json_type_boolean: return JSON_BOOL;
	case json_type_double: return JSON_DOUBLE;
	case json_type_int: return JSON_INT;
	case json_type_object: return JSON_OBJECT;
	case json_type_array: return JSON_ARRAY;
	case json_type_string: return JSON_STRING;
	}
	BUG("a type that json-c does not have");
}

const char *json_kind_name(enum json_kind k)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",     [JSON_BOOL] = "boolean",  [JSON_INT] = "number",
		[JSON_DOUBLE] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
		[JSON_OBJECT] = "object",
	};
	static_assert(ARRAY_LEN(names) == JSON_OBJECT + 1, "a name for each kind");

	BUG_IF((size_t)k >= ARRAY_LEN(names));

	return names[k];
}

bool jsonread_bool(const struct json *j)
{
	BUG_IF(json_kind(j) != JSON_BOOL);
	return json_object_get_boolean(object_of(j));
}

double jsonread_double(const struct json *j)
{
	BUG_IF(json_kind(j) != JSON_INT && json_kind(j) != JSON_DOUBLE);
	return json_object_get_double(object_of(j));
}

struct str jsonread_string(const struct json *j)
{
	BUG_IF(json_kind(j) != JSON_STRING);
	return (struct str){ json_object_get_string(object_of(j)),
			     (size_t)json_object_get_string_len(object_of(j)) };
}

size_t jsonread_len(const struct json *j)
{
	BUG_IF(json_kind(j) != JSON_ARRAY);
	return json_object_array_length(object_of(j));
}

const struct json *jsonread_at(const struct json *array, size_t i)
{
	BUG_IF(i >= jsonread_len(array));
	return json_of(json_object_array_get_idx(object_of(array), i));
}

bool jsonread_i64(const struct json *j, int64_t *ret)
{
	double v;

	if (json_kind(j) == JSON_INT) {
		*ret = json_object_get_int64(object_of(j));
		return true;
	}

	v = jsonread_double(j);
	if (v < -DOUBLE_INTEGER_MAX || v > DOUBLE_INTEGER_MAX || v != (double)(int64_t)v)
		return false;
	*ret = (int64_t)v;

	return true;
}

bool jsonread_member(const struct json *object, const char *key, const struct json **ret)
{
	struct json_object *value;

	BUG_IF(json_kind(object) != JSON_OBJECT);
	if (!json_object_object_get_ex(object_of(object), key, &value))
		return false;
	*ret = json_of(value);

	return true;
}

struct str jsonread_member_text(const struct json *object, const char *key)
{
	const struct json *value;

	if (!jsonread_member(object, key, &value) || json_kind(value) != JSON_STRING)
		return (struct str){ NULL, 0 };

	return jsonread_string(value);
}

bool jsonread_each(const struct json *object, size_t i, struct str *ret_key,
		   const struct json **ret_value)
{
	BUG_IF(json_kind(object) != JSON_OBJECT);

	if (i == 0 || walk.object != object || walk.i > i) {
		walk.object = object;
		walk.i = 0;
		walk.entry = json_object_get_object(object_of(object))->head;
	}
	for (; walk.entry && walk.i < i; walk.i++)
		walk.entry = walk.entry->next;
	if (!walk.entry)
		return false;

	*ret_key = str_of(walk.entry->k);
	*ret_value = walk.entry->v;

	return true;
}

struct str jsonread_text(struct arena *a, const struct json *j)
{
	const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t len;
	const char *text = json_object_to_json_string_length(object_of(j), flags, &len);

	BUG_IF(!text);

	return (struct str){ arena_strndup(a, text, len), len };
}
