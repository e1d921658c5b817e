/*
 * Reads JSON text into a tree, strictly; the only place that includes json-c.
 *
 * Refused: whatever RFC 8259 does not allow, NaN and comments among it; invalid UTF-8, unpaired
 * surrogates and NUL in a string (PostgreSQL cannot hold them); a key that appears twice in one
 * object; numbers that a double, or without fraction and exponent an int64_t, cannot hold; nesting
 * past JSONREAD_DEPTH_MAX; more than JSONREAD_CONTAINERS_MAX objects and arrays. The tree lives in
 * the arena's care and ends with it.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;
struct json; /* one value; NULL is JSON null wherever a value is meant */

#define JSONREAD_DEPTH_MAX 32
/* An empty object is two bytes of text and 800 of json-c's tree: a body of a MiB would be 280. Our
 * own OpenAPI document, the largest text there is, has some 12,000. */
#define JSONREAD_CONTAINERS_MAX 30000

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_DOUBLE,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/*
 * False when text is refused; then *ret_why says why ("duplicate key", "invalid UTF-8", …) and
 * *ret_at the byte where it was seen: for a duplicate key, the end.
 */
bool jsonread_parse(struct arena *a, struct str text, const struct json **ret, const char **ret_why,
		    size_t *ret_at) MUST_CHECK;

enum json_kind json_kind(const struct json *j);

/* Zod's words: "null", "boolean", "number", "string", "array", "object". */
const char *json_kind_name(enum json_kind k);

/* Each wants a value of its kind; another kind is a BUG(). */
bool jsonread_bool(const struct json *j);
double jsonread_double(const struct json *j);     /* of an int too */
struct str jsonread_string(const struct json *j); /* NUL-terminated as well */
size_t jsonread_len(const struct json *j);        /* of an array */
const struct json *jsonread_at(const struct json *array, size_t i);

/* False when the number has a fraction or does not fit. 3.0 is the integer 3, up to 2^53. */
bool jsonread_i64(const struct json *j, int64_t *ret) MUST_CHECK;

/* A member of an object; false when there is none. *ret is NULL when it is null. */
bool jsonread_member(const struct json *object, const char *key, const struct json **ret);

/* A member that is text; ptr NULL when there is none, or it is something else. */
struct str jsonread_member_text(const struct json *object, const char *key);

/* Walks an object's members in their order; i counts from 0, false at the end. */
bool jsonread_each(const struct json *object, size_t i, struct str *ret_key,
		   const struct json **ret_value);

/* The value as compact JSON text, in the arena. */
struct str jsonread_text(struct arena *a, const struct json *j);
