/*
 * What of jobs is told live, to whoever is in the room of the job or of the tenant's jobs
 * (docs/realtime.md): how far one is, and that it is completed. What failed for good or was
 * cancelled is an event (sql/migrations/0020).
 *
 * The platform's own jobs and private ones are told to nobody.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"
#include "jobs/job.h"

struct ctx;
struct haul;

/* message: ptr NULL: none. */
void tell_progress(struct ctx *c, const struct job_kind *kind, struct tenant_id tenant,
		   struct job_id id, int percent, struct str message);

/* Those of the haul that are completed, all in one round trip; none of a queue that only tells
 * something itself. After the commit of what settle() has added. */
void tell_completed(struct ctx *c, const struct haul *h);
