/*
 * The audit as a file: NDJSON or CSV, the oldest event first.
 */
#pragma once

#include "domains/audit/audit.h"

struct request;
struct shape;

struct audit_export {
	struct audit_filter filter;
	const char *format; /* "ndjson", "csv" */
	const char *cursor; /* goes on where an export ended; NULL: from the start */
};

/*
 * Makes the reply. A reply is held in memory until it is whole, so that it is one or an error: it
 * has EXPORT_ROWS_MAX events at most, and fewer when they are long. What comes next is in its Link
 * header (rel="next").
 */
#define EXPORT_ROWS_MAX 10000

int audit_export(struct request *r, const struct audit_export *in, const struct shape *s)
	MUST_CHECK;
