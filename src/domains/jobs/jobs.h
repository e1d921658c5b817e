/*
 * Jobs as people see them: a tenant its own, global admins all, and the queues. The queue itself is
 * src/jobs.
 *
 * *ret is the row as sql/queries/jobs_admin.sql names its columns; it lives in c's arena.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "jobs/job.h"

struct buf;
struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct job_filter {
	const char *state; /* "waiting", …; NULL: all */
	const char *kind;  /* NULL: all */
};

struct job_admin_filter {
	struct tenant_id tenant; /* nil: all */
	const char *queue, *state, *kind;
};

extern const struct mount jobs_mount;

extern const char *const job_states[]; /* ends with NULL */

/* Of c's tenant. */
int jobs_list(struct ctx *c, const struct job_filter *f, const struct paging *p,
	      const struct page **ret) MUST_CHECK;
int jobs_get(struct ctx *c, struct job_id id, const struct rows **ret) MUST_CHECK;

/* At once, or, while it runs, when its handler next looks. ERR_RULE_VIOLATED when its kind is not
 * for tenants to cancel; ERR_RESOURCE_CONFLICT when it is over. */
int jobs_cancel(struct ctx *c, struct job_id id, const struct rows **ret) MUST_CHECK;

/* Of all tenants and the platform. */
int jobs_admin_list(struct ctx *c, const struct job_admin_filter *f, const struct paging *p,
		    const struct page **ret) MUST_CHECK;
int jobs_admin_get(struct ctx *c, struct job_id id, const struct rows **ret) MUST_CHECK;
int jobs_admin_cancel(struct ctx *c, struct job_id id, const struct rows **ret) MUST_CHECK;

/* A failed, cancelled or delayed job runs now, with all its attempts before it. */
int jobs_admin_retry(struct ctx *c, struct job_id id, const struct rows **ret) MUST_CHECK;

/* The same for all that have failed, children of other jobs aside; f->state is not looked at. *ret:
 * how many these were. */
int jobs_admin_retry_failed(struct ctx *c, const struct job_admin_filter *f, int64_t *ret)
	MUST_CHECK;

/* Removes one that does not run. */
int jobs_admin_discard(struct ctx *c, struct job_id id) MUST_CHECK;

/* One queue, or all with queue NULL. */
int queues_list(struct ctx *c, const char *queue, const struct rows **ret) MUST_CHECK;

/* A paused queue takes jobs in and gives none out. *ret: the queue as it is then. */
int queues_pause(struct ctx *c, const char *queue, bool is_paused, const struct rows **ret)
	MUST_CHECK;

/* What Prometheus reads of the queues; nothing when the database is away. */
void jobs_metrics(struct ctx *c, struct buf *out);
