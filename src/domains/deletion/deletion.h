/*
 * Ends: a tenant that is deleted after a grace period, a user who is erased from a tenant, an
 * account that is erased everywhere. Each is a job (deletion_jobs.c, erasure_jobs.c); here is how
 * one is asked for. README.md has the steps and what a death between two of them leaves.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"
#include "jobs/job.h"

struct ctx;
struct mount;
struct rows;

struct deletion_request {
	const char *confirm; /* the tenant's slug, typed again; NULL: not asked for */
	const char *reason;  /* NULL: none given */
};

struct erasure_request {
	const char *reason; /* for the audit; NULL: none given */
};

struct account_deletion {
	const char *password; /* the present one; NULL where the account has none */
};

extern const struct mount deletion_mount;
extern const struct conflict deletion_conflicts[];

/* For the book of jobs. */
extern const struct job_kind tenant_delete_job, tenant_archive_job;
extern const struct job_kind user_erase_job, account_erase_job;

/* The payloads of these jobs: shapes of the same names. */
struct tenant_deletion {
	struct tenant_id tenant;
	struct account_id requested_by; /* nil: the platform itself */
	const char *reason;
};
struct user_erasure {
	struct user_id user;
	struct account_id requested_by;
	const char *reason;
};
struct account_erasure {
	struct account_id account;
	struct account_id requested_by; /* the same */
};

/*
 * tenant nil: the one that the caller works in; else the platform's own people ask. With the event
 * tenant.deletionScheduled. ERR_RESOURCE_CONFLICT when it was asked for already,
 * ERR_RULE_VIOLATED (path "confirm") when the slug is another. *ret as deletion_get names it.
 */
int deletion_request(struct ctx *c, struct tenant_id tenant, const struct deletion_request *in,
		     struct job_id *ret_job, const struct rows **ret) MUST_CHECK;

/* The newest of the tenant; only_pending: one that is under way. ERR_RESOURCE_NOT_FOUND. */
int deletion_get(struct ctx *c, struct tenant_id tenant, bool only_pending, const struct rows **ret)
	MUST_CHECK;

/* With the event tenant.deletionCancelled. ERR_RESOURCE_NOT_FOUND when none is under way,
 * ERR_RESOURCE_CONFLICT when the grace period is over. */
int deletion_cancel(struct ctx *c, struct tenant_id tenant) MUST_CHECK;

/* The seat ends at once; the job then forgets whose it was. ERR_RULE_VIOLATED for one's own and for
 * the last owner's. */
int erasure_of_user(struct ctx *c, struct user_id user, const struct erasure_request *in,
		    struct job_id *ret) MUST_CHECK;

/* All sessions end; a log-in within ACCOUNT_DELETION_GRACE takes it back. *ret: deletionAt.
 * ERR_RULE_VIOLATED for the last owner of a tenant. */
int erasure_of_account(struct ctx *c, const struct account_deletion *in, const struct rows **ret)
	MUST_CHECK;
