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
};

/*
 * Makes the reply, in parts: all that the filter names, with the memory of one part. Each page
 * begins as every transaction does, so whoever may not read on is cut off there.
 */
int audit_export(struct request *r, const struct audit_export *in, const struct shape *s)
	MUST_CHECK;
