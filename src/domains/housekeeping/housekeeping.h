/* What nobody needs any more is removed, every hour: a job of the platform's own. */
#pragma once

struct job_kind;

extern const struct job_kind housekeeping_kind;
extern const struct job_kind housekeeping_events_kind; /* partitions of events */
