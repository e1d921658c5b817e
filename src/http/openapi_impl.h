/* What openapi.c and openapi_operation.c share: the parts of the document that operations point to.
 */
#pragma once

#include "base/base.h"

struct arena;
struct jsonwrite;
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

/* {"$ref": "#/components/<kind>/<key>"} */
void openapi_ref(struct jsonwrite *w, const char *kind, const char *key);

/* One operation object: what a row says, on one tier. */
void openapi_operation(struct jsonwrite *w, struct arena *a, const struct mounted *m);

/* "Projects": the row's tag, or its mount's name with a capital. */
const char *openapi_tag(struct arena *a, const struct mounted *m);
