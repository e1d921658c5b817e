/*
 * Shapes: what goes in and what comes out, as tables of fields.
 *
 * An input shape fills a typed C struct by offsetof, reports every issue at once and prints itself
 * as JSON Schema; a reply shape names the columns that a reply is written from. The two are
 * different on purpose: a column that is not in the reply shape cannot leak.
 *
 * To add a field: a member in the struct, a row here. tests/closure/fields.c breaks each one in
 * turn.
 */
#pragma once

#include "base/base.h"
#include "base/list.h"
#include "base/str.h"

struct arena;
struct ctx;
struct json;
struct jsonwrite;

/* What the value is; beside it the C type that an input is stored as. */
enum field_type {
	T_UNSTATED,
	T_STRING,   /* const char *: min…max characters; .pattern a name of shape_patterns
		       (shape_formats.c) */
	T_EMAIL,    /* const char *: lower-cased, at most 254 bytes */
	T_PASSWORD, /* const char *: 8…128 characters; never echoed, wipes the arena */
	T_UUID,     /* struct uuid */
	T_URI,      /* const char *: http or https, absolute */
	T_SLUG,     /* const char *: a-z 0-9 and single '-' inside; at most 63 */
	T_DATETIME, /* int64_t: microseconds since 1970 */
	T_IP,       /* const char *: IPv4 or IPv6 */
	T_CIDR,     /* const char * */
	T_CRON,     /* const char *: five fields */
	T_HOSTNAME, /* const char *: RFC 1123 */
	T_INT,      /* int64_t: min…max */
	T_NUMBER,   /* double: min…max */
	T_BOOL,     /* bool */
	T_ENUM,     /* const char *: one of .words, the pointer of the table */
	T_ARRAY,    /* struct list of .of: min…max items */
	T_OBJECT,   /* const struct X *: .shape */
	T_JSON,     /* struct str: any object, as compact text of at most .max bytes */
};

enum need {
	OPTIONAL,          /* may be absent; stored as zero, or as .fallback */
	REQUIRED,          /* must be there */
	OPTIONAL_NULLABLE, /* may be absent, may be null (stored as zero): PATCH tells them apart by
			      .has */
	NULLABLE,          /* in replies: always there, may be null */
};

struct field {
	const char *name;
	enum field_type type;
	enum need need;
	size_t offset;    /* in the struct */
	size_t has;       /* offset of a bool that says the field was present; 0: nobody asks */
	int64_t min, max; /* 0, 0: the type's own */
	const char *const *words;  /* T_ENUM: ends with NULL */
	const char *pattern;       /* T_STRING: a name in shape_patterns */
	const struct shape *shape; /* T_OBJECT */
	const struct field *of;    /* T_ARRAY: the element; its name and offset are not looked at */
	const char *fallback;      /* for an absent optional field, as it would stand in a query */
	const char *about;
	const char *example; /* as JSON for objects and arrays, else as text */
	bool secret;         /* never echoed in an issue or example */
};

struct shape {
	const char *name; /* "ProjectNew": the schema's name in OpenAPI */
	size_t size;      /* of the struct; 0 in reply shapes */
	const struct field *fields;
	size_t fields_len;
	const char *about;
	const struct shape *instead; /* in replies: what may come in its place; NULL: nothing */
};

/* clang-format off */
#define SHAPE(name_, type_, fields_) { .name = (name_), .size = sizeof(type_), .fields = (fields_), .fields_len = ARRAY_LEN(fields_) }
#define REPLY_SHAPE(name_, fields_) { .name = (name_), .fields = (fields_), .fields_len = ARRAY_LEN(fields_) }
/* clang-format on */

/*
 * Validates a body's JSON into a new struct of the shape. ERR_VALIDATION_ERROR with all issues in
 * c's fault; codes are Zod's: invalid_type, too_small, too_big, invalid_string, invalid_enum_value,
 * unrecognized_keys, required as invalid_type with "Required". Paths are dot-joined below prefix
 * ("" for the body).
 */
int shape_read(struct ctx *c, const struct shape *s, const struct json *value, const char *prefix,
	       void **ret) MUST_CHECK;

/* The same from a query string: values are coerced from text; a repeated key is an issue unless it
 * is an array. */
int shape_read_query(struct ctx *c, const struct shape *s, struct str query, void **ret) MUST_CHECK;

/* A value that would be accepted, for documents: .example, or one of the type. */
void field_write_example(struct jsonwrite *w, const struct field *f);
void shape_write_example(struct jsonwrite *w, const struct shape *s);

/* What is wrong with a shape's own table, or NULL: for the check at start. */
const char *shape_mistake(struct arena *a, const struct shape *s, bool input);

/* JSON Schema (2020-12) of a shape, a field. input: what may be sent; else what comes back. */
void shape_write_schema(struct jsonwrite *w, const struct shape *s, bool input);
void field_write_schema(struct jsonwrite *w, const struct field *f, bool input);
