/* What the jobs that delete a tenant share. */
#pragma once

#include "base/base.h"
#include "base/clock.h"
#include "base/id.h"

struct ctx;

#define ARCHIVE_BEGINS 40 /* percent of the deletion; it goes to 90: 40 + p / 2 */

/* J5 and J9 of the specification. An attempt that takes longer than an hour is of a tenant with
 * some ten million rows: docs/benchmarks.md. */
#define DELETION_JOB .attempts = 5, .backoff_us = 30 * US_PER_S, .limit_us = 60 * US_PER_MINUTE

/* JOB_DEFAULTS but for the limit: an erasure looks through all events of a tenant. */
#define ERASURE_JOB .attempts = 3, .backoff_us = 5 * US_PER_S, .limit_us = 60 * US_PER_MINUTE

/* What is recorded of a deletion. */
struct deletion_record {
	const char *state, *step, *slug;
	struct uuid requested_by;
	int64_t deletes_at, now;
	const char *digests;
	int64_t failures; /* attempts of its job that failed, those before an admin's retry included
			   */
};

/* In c's tenant; its id is its job's. Lives in c's arena. */
int deletion_find(struct ctx *c, struct uuid id, struct deletion_record *ret) MUST_CHECK;
