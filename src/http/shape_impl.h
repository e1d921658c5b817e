/*
 * What the files of shape share: where a value stands, how its type is stored and checked, how an
 * issue is said. Private to shape*.c.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"
#include "http/shape.h"

/*
 * Where a value stands. Made on the stack on the way down, and put into words only when something
 * is wrong. A name wins over an index.
 */
struct place {
	const struct place *up;
	const char *name; /* NULL: an element */
	size_t index;
};

/* How the values of a type stand in JSON. */
enum value_kind {
	VALUE_NONE,
	VALUE_TEXT,
	VALUE_INT,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_ARRAY,
	VALUE_OBJECT, /* of a shape */
	VALUE_JSON,   /* any object */
};

/* One row a type, by enum field_type. */
struct type {
	enum value_kind kind;
	const char *json; /* "string": Zod's word for what is expected */
	size_t size;      /* of the C type */
	int64_t min, max; /* when the field says nothing; characters, items, bytes or the number */
	bool (*is_valid)(struct str s); /* text types with a form of their own */
	const char *message;            /* said when it is not: "Invalid email" */
	const char *format;             /* of JSON Schema; NULL: none */
	const char *regex;              /* of JSON Schema, where no format says it */
	const char *example;            /* as it would stand in a query */
};
extern const struct type shape_types[];

struct bounds {
	int64_t min, max;
};
struct bounds field_bounds(const struct field *f);

/*
 * Regular expressions for .pattern of T_STRING fields: POSIX extended, and good for ECMA 262 too,
 * because the document shows them. To add one: a row in shape_formats.c.
 */
struct shape_pattern {
	const char *name;
	const char *regex;
	const char *message; /* "Invalid phone number" */
	const char *example;
};
extern const struct shape_pattern shape_patterns[];               /* ends with a NULL name */
const struct shape_pattern *shape_pattern_find(const char *name); /* NULL: there is none */
bool shape_pattern_matches(const struct shape_pattern *p, const char *s);

/* Adds an issue at a place. */
void shape_issue(struct ctx *c, const struct place *at, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* "Expected X, received Y", or "Required". */
void shape_issue_type(struct ctx *c, const struct field *f, const struct place *at,
		      const char *received);
void shape_issue_required(struct ctx *c, const struct place *at);

/* Check a value against its field and store it; what is wrong becomes an issue. */
void shape_store_text(struct ctx *c, const struct field *f, const struct place *at, struct str text,
		      void *dest);
void shape_store_int(struct ctx *c, const struct field *f, const struct place *at, int64_t v,
		     void *dest);
void shape_store_number(struct ctx *c, const struct field *f, const struct place *at, double v,
			void *dest);
bool shape_count_fits(struct ctx *c, const struct field *f, const struct place *at, size_t items);

/* What stands in for an absent field: its .fallback, else nothing. */
void shape_store_absent(struct ctx *c, const struct field *f, const struct place *at, void *dest);

/* A member of the struct being filled. */
static inline void *shape_member(void *base, size_t offset)
{
	return (char *)base + offset;
}
