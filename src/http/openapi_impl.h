/* What openapi.c and openapi_operation.c share: the parts of the document that operations point to.
 */
#pragma once

#include "base/base.h"

struct arena;
struct field;
struct jsonwrite;
struct mount;
struct mounted;

/* Header parameters that many operations take: their name in components.parameters, and who takes
 * them. */
struct common_parameter {
	const char *key;  /* "IfMatch" */
	const char *name; /* "If-Match" */
	const char *about, *example;
	const char *format; /* of its string; NULL: none */
	int64_t length_max;
	bool (*is_taken_by)(const struct mounted *m);
};
extern const struct common_parameter openapi_parameters[]; /* ends with a NULL key */

/* Headers of replies, likewise: components.headers. */
struct common_header {
	const char *key; /* "ETag", and the header's own name */
	const char *about, *example;
	bool (*is_given_by)(const struct mounted *m, int status);
};
extern const struct common_header openapi_headers[]; /* ends with a NULL key */

/* One parameter object, of a query. */
void openapi_query_parameter(struct jsonwrite *w, const struct field *f);

/* The member "headers" of this operation's reply with this status. */
void openapi_headers_of(struct jsonwrite *w, const struct mounted *m, int status);

/*
 * Refusals: one of components.responses says all errors of one status that an operation may give,
 * and most operations share it. Its name is their codes: "AUTH_FORBIDDEN.AUTH_CSRF".
 * openapi_failure.c.
 */
const char *openapi_failure_name(struct arena *a, const struct mounted *m, int status);
void openapi_failures(struct jsonwrite *w, struct arena *a, const struct mounted *rows, size_t n);

/* {"$ref": "#/components/<kind>/<key>"} */
void openapi_ref(struct jsonwrite *w, const char *kind, const char *key);

/* One operation object: what a row says, on one tier. */
void openapi_operation(struct jsonwrite *w, struct arena *a, const struct mounted *m);

/* "Projects": a mount's name with a capital; and the row's own tag, or else that. */
const char *openapi_tag_of(struct arena *a, const struct mount *m);
const char *openapi_tag(struct arena *a, const struct mounted *m);
