/*
 * Jobs over HTTP: shapes, handlers, rows. A tenant's own at /jobs; all of them, and the queues, on
 * the superadmin tier.
 */
#include "domains/jobs/jobs.h"

#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

static const struct field filter_fields[] = {
	{ "state", T_ENUM, OPTIONAL, offsetof(struct job_filter, state), .words = job_states,
	  .about = "Only jobs in this state", .example = "active" },
	{ "kind", T_STRING, OPTIONAL, offsetof(struct job_filter, kind), .min = 1, .max = 100,
	  .about = "Only jobs of this kind", .example = "tenant.delete" },
};
static const struct shape filter = SHAPE("JobFilter", struct job_filter, filter_fields);

static const struct field admin_filter_fields[] = {
	{ "tenantId", T_UUID, OPTIONAL, offsetof(struct job_admin_filter, tenant),
	  .about = "Only jobs of this tenant", .example = ID_EXAMPLE },
	{ "queue", T_STRING, OPTIONAL, offsetof(struct job_admin_filter, queue), .min = 1, .max = 100,
	  .about = "Only jobs of this queue", .example = "email" },
	{ "state", T_ENUM, OPTIONAL, offsetof(struct job_admin_filter, state), .words = job_states,
	  .about = "Only jobs in this state", .example = "failed" },
	{ "kind", T_STRING, OPTIONAL, offsetof(struct job_admin_filter, kind), .min = 1, .max = 100,
	  .about = "Only jobs of this kind", .example = "housekeeping.sweep" },
};
static const struct shape admin_filter = SHAPE("JobAdminFilter", struct job_admin_filter, admin_filter_fields);

/* What every face of a job begins with. */
#define JOB_IDENTITY \
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE }, \
	{ "queue", T_STRING, REQUIRED, .about = "Where it waits its turn", .example = "email" }, \
	{ "kind", T_STRING, REQUIRED, .about = "What it does", .example = "mail.send" }, \
	{ "state", T_ENUM, REQUIRED, .words = job_states, \
	  .about = "completed, failed and cancelled are the ends; failed means after the last attempt", .example = "active" }
#define JOB_PROGRESS \
	{ "progress", T_INT, REQUIRED, .max = 100, .about = "Percent", .example = "40" }, \
	{ "message", T_STRING, NULLABLE, .about = "What it is doing", .example = "Archiving data" }, \
	{ "attempts", T_INT, REQUIRED, .about = "Begun so far", .example = "1" }, \
	{ "maxAttempts", T_INT, REQUIRED, .about = "Then it is failed for good", .example = "3" }
#define JOB_TIMES \
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was added", .example = TIME_EXAMPLE }, \
	{ "runAt", T_DATETIME, REQUIRED, .about = "When it may run, or may again", .example = TIME_EXAMPLE }, \
	{ "startedAt", T_DATETIME, NULLABLE, .about = "When a worker last took it", .example = TIME_EXAMPLE }, \
	{ "finishedAt", T_DATETIME, NULLABLE, .about = "When it came to its end", .example = TIME_EXAMPLE }
#define JOB_ERROR \
	{ "error", T_STRING, NULLABLE, .about = "Why the last attempt that failed did", .example = "The mail server is away" }

static const struct field job_fields[] = {
	JOB_IDENTITY,
	JOB_PROGRESS,
	JOB_ERROR,
	{ "result", T_JSON, NULLABLE, .about = "What it has found or made; depends on its kind", .example = "{\"sent\":true}" },
	{ "isCancellable", T_BOOL, REQUIRED, .about = "It may be cancelled now", .example = "false" },
	{ "parentId", T_UUID, NULLABLE, .about = "The job that waits for it", .example = ID_EXAMPLE },
	JOB_TIMES,
};
static const struct shape job = REPLY_SHAPE("Job", job_fields);

#define JOB_OF_ANY \
	{ "tenantId", T_UUID, NULLABLE, .about = "Whose it is; null: the platform's own", .example = ID_EXAMPLE }, \
	JOB_IDENTITY, \
	{ "priority", T_INT, REQUIRED, .about = "Higher first, among its tenant's jobs", .example = "0" }, \
	JOB_PROGRESS, \
	{ "worker", T_STRING, NULLABLE, .about = "Who took it last: host, master, process", .example = "app1/712.4822/714.4823" }, \
	JOB_ERROR, \
	JOB_TIMES

static const struct field job_of_any_fields[] = { JOB_OF_ANY };
static const struct shape job_of_any = REPLY_SHAPE("JobOfAny", job_of_any_fields);

static const struct field failure_fields[] = {
	{ "attempt", T_INT, REQUIRED, .about = "Which attempt it was", .example = "1" },
	{ "at", T_DATETIME, REQUIRED, .about = "When it failed", .example = TIME_EXAMPLE },
	{ "code", T_STRING, REQUIRED, .about = "An error's code, or WORKER_LOST", .example = "BAD_GATEWAY" },
	{ "message", T_STRING, REQUIRED, .about = "Why", .example = "The mail server is away" },
	{ "path", T_STRING, OPTIONAL, .about = "The field that it concerns", .example = "email" },
	{ "detail", T_STRING, OPTIONAL, .about = "What only admins may see", .example = "connection refused" },
};
static const struct shape failure = REPLY_SHAPE("JobFailure", failure_fields);
static const struct field failure_item = { .type = T_OBJECT, .shape = &failure };

static const struct field job_inspected_fields[] = {
	JOB_OF_ANY,
	{ "payload", T_JSON, NULLABLE, .about = "What it was given; null where it holds a secret", .example = "{}" },
	{ "result", T_JSON, NULLABLE, .about = "What it has found or made", .example = "{}" },
	{ "failures", T_ARRAY, REQUIRED, .of = &failure_item, .about = "Each attempt that failed, the oldest first",
	  .example = "[]" },
	{ "uniqueKey", T_STRING, NULLABLE, .about = "Keeps others like it out", .example = "daily-report" },
	{ "parentId", T_UUID, NULLABLE, .about = "The job that waits for it", .example = ID_EXAMPLE },
	{ "cancelRequestedAt", T_DATETIME, NULLABLE, .about = "When it was told to stop", .example = TIME_EXAMPLE },
	{ "backoffMs", T_INT, NULLABLE, .about = "Before its second attempt, twice as long before each other; null: as its kind says",
	  .example = "5000" },
};
static const struct shape job_inspected = REPLY_SHAPE("JobInspected", job_inspected_fields);

static const struct field queue_fields[] = {
	{ "name", T_STRING, REQUIRED, .about = "Never changes", .example = "email" },
	{ "pausedAt", T_DATETIME, NULLABLE, .about = "Since when it gives no jobs out", .example = TIME_EXAMPLE },
	{ "waiting", T_INT, REQUIRED, .about = "Jobs that may run; this and the others are counted up to 100,000", .example = "12" },
	{ "delayed", T_INT, REQUIRED, .about = "Jobs whose time is yet to come", .example = "3" },
	{ "active", T_INT, REQUIRED, .about = "Jobs that a worker has taken", .example = "2" },
	{ "waitingChildren", T_INT, REQUIRED, .about = "Jobs that wait for others", .example = "0" },
	{ "completed", T_INT, REQUIRED, .about = "Completed jobs that are kept", .example = "1000" },
	{ "failed", T_INT, REQUIRED, .about = "Dead letters", .example = "0" },
	{ "cancelled", T_INT, REQUIRED, .about = "Cancelled jobs that are kept", .example = "0" },
	{ "completedLately", T_INT, REQUIRED, .about = "Completed within five minutes", .example = "480" },
	{ "failedLately", T_INT, REQUIRED, .about = "Attempts that failed within five minutes", .example = "1" },
	{ "waitMs", T_INT, NULLABLE, .about = "From when one could run to when it did; average of five minutes", .example = "4" },
	{ "waitMaxMs", T_INT, NULLABLE, .about = "The longest of them", .example = "31" },
	{ "runMs", T_INT, NULLABLE, .about = "How long one ran; average of five minutes", .example = "85" },
	{ "runMaxMs", T_INT, NULLABLE, .about = "The longest of them", .example = "410" },
};
static const struct shape queue = REPLY_SHAPE("Queue", queue_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct job_id id_of(const struct request *r)
{
	return (struct job_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return jobs_list(r->ctx, r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return jobs_get(r->ctx, id_of(r), ret);
}

static int cancel(struct request *r, const struct rows **ret)
{
	return jobs_cancel(r->ctx, id_of(r), ret);
}

static int admin_list(struct request *r, const struct page **ret)
{
	return jobs_admin_list(r->ctx, r->query, r->paging, ret);
}

static int admin_get(struct request *r, const struct rows **ret)
{
	return jobs_admin_get(r->ctx, id_of(r), ret);
}

static int admin_cancel(struct request *r, const struct rows **ret)
{
	return jobs_admin_cancel(r->ctx, id_of(r), ret);
}

static int admin_retry(struct request *r, const struct rows **ret)
{
	return jobs_admin_retry(r->ctx, id_of(r), ret);
}

static int admin_discard(struct request *r)
{
	return jobs_admin_discard(r->ctx, id_of(r));
}

static int list_queues(struct request *r, const struct rows **ret)
{
	return queues_list(r->ctx, NULL, ret);
}

static int pause_queue(struct request *r, const struct rows **ret)
{
	return queues_pause(r->ctx, request_param(r, "queue"), true, ret);
}

static int resume_queue(struct request *r, const struct rows **ret)
{
	return queues_pause(r->ctx, request_param(r, "queue"), false, ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/jobs", TENANT_TIERS, PERM_VIEW_JOBS, RATE_SEARCH,
	  .query = &filter, .reply = &job, .sorts = "createdAt", .flags = ROUTE_REPLICA,
	  .summary = "List the tenant's jobs", .page = list },

	{ GET, "/jobs/:id", TENANT_TIERS, PERM_VIEW_JOBS, RATE_READ,
	  .reply = &job,
	  .summary = "Get a job, with its progress", .one = get },

	{ POST, "/jobs/:id/cancel", TENANT_TIERS, PERM_MANAGE_JOBS, RATE_WRITE,
	  .reply = &job, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Cancel a job", .about = "One that is running stops when it next looks, or not at all",
	  .one = cancel },

	{ GET, "/jobs", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .query = &admin_filter, .reply = &job_of_any, .sorts = "createdAt",
	  .summary = "List all jobs", .page = admin_list },

	{ GET, "/jobs/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_READ,
	  .reply = &job_inspected,
	  .summary = "Inspect a job", .one = admin_get },

	{ DELETE, "/jobs/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Discard a job", .none = admin_discard },

	{ POST, "/jobs/:id/cancel", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &job_of_any, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Cancel any job", .one = admin_cancel },

	{ POST, "/jobs/:id/retry", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &job_of_any, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Run a failed, cancelled or delayed job now", .one = admin_retry },

	{ GET, "/queues", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .reply = &queue,
	  .summary = "List the queues, their jobs by state, throughput and latency", .all = list_queues },

	{ POST, "/queues/:queue/pause", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &queue,
	  .summary = "Pause a queue", .about = "What runs goes on; nothing else begins", .one = pause_queue },

	{ POST, "/queues/:queue/resume", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .reply = &queue,
	  .summary = "Resume a queue", .one = resume_queue },

	{ 0 },
};
/* clang-format on */

const struct mount jobs_mount = { "jobs", routes, NULL,
				  "Work that outlives its request, and how far it is" };
