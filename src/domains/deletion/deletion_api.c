/*
 * Ends over HTTP: shapes, handlers, rows.
 */
#include "domains/deletion/deletion.h"

#include "base/arena.h"
#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

static const struct field request_fields[] = {
	{ "confirm", T_SLUG, REQUIRED, offsetof(struct deletion_request, confirm), .min = 1, .max = 63,
	  .about = "The tenant's slug, typed again", .example = "acme" },
	{ "reason", T_STRING, OPTIONAL, offsetof(struct deletion_request, reason), .min = 1, .max = 500,
	  .about = "Why, for the record", .example = "We have moved" },
};
static const struct shape request_shape = SHAPE("TenantDeletionRequest", struct deletion_request, request_fields);

static const char *const states[] = { "pending", "cancelled", "completed", NULL };
static const char *const steps[] = { "requested", "verified", "notified", "ended", "revoked", "closed", "archived", "completed", NULL };

#define DELETION_FIELDS \
	{ "id", T_UUID, REQUIRED, .about = "Also its job's", .example = ID_EXAMPLE }, \
	{ "tenantId", T_UUID, REQUIRED, .about = "The tenant", .example = ID_EXAMPLE }, \
	{ "state", T_ENUM, REQUIRED, .words = states, .about = "pending until the tenant is gone", .example = "pending" }, \
	{ "step", T_ENUM, REQUIRED, .words = steps, .about = "The last that is done; it can be cancelled up to revoked", .example = "revoked" }, \
	{ "progress", T_INT, REQUIRED, .min = 0, .max = 100, .about = "Percent", .example = "30" }, \
	{ "reason", T_STRING, NULLABLE, .about = "Why", .example = "We have moved" }, \
	{ "requestedBy", T_UUID, NULLABLE, .about = "The account that asked for it", .example = ID_EXAMPLE }, \
	{ "deletesAt", T_DATETIME, REQUIRED, .about = "When the grace period ends", .example = TIME_EXAMPLE }, \
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was asked for", .example = TIME_EXAMPLE }, \
	{ "finishedAt", T_DATETIME, NULLABLE, .about = "When it was done, or cancelled", .example = TIME_EXAMPLE }

static const struct field deletion_fields[] = { DELETION_FIELDS };
static const struct shape deletion = REPLY_SHAPE("TenantDeletion", deletion_fields);

static const struct field record_fields[] = {
	DELETION_FIELDS,
	{ "archive", T_STRING, NULLABLE, .about = "Where the tenant's archive is", .example = "file:///var/lib/zygo/archive/acme_" ID_EXAMPLE ".zygo" },
	{ "archiveBytes", T_INT, NULLABLE, .about = "How long it is", .example = "1048576" },
	{ "archiveSha256", T_STRING, NULLABLE, .about = "Its checksum",
	  .example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
};
static const struct shape record = REPLY_SHAPE("TenantDeletionRecord", record_fields);

static const struct field erasure_fields[] = {
	{ "reason", T_STRING, OPTIONAL, offsetof(struct erasure_request, reason), .min = 1, .max = 500,
	  .about = "Why, for the record", .example = "Asked for by the person" },
};
static const struct shape erasure_shape = SHAPE("UserErasure", struct erasure_request, erasure_fields);

static const struct field accepted_fields[] = {
	{ "jobId", T_UUID, REQUIRED, .about = "The job that does it; its result counts what went", .example = ID_EXAMPLE },
};
static const struct shape accepted = REPLY_SHAPE("UserErasureAccepted", accepted_fields);

static const struct field account_fields[] = {
	{ "password", T_STRING, OPTIONAL, offsetof(struct account_deletion, password), .min = 1, .max = 128, .secret = true,
	  .about = "The present password; required where the account has one" },
};
static const struct shape account_shape = SHAPE("AccountDeletion", struct account_deletion, account_fields);

static const struct field account_reply_fields[] = {
	{ "deletionAt", T_DATETIME, REQUIRED, .about = "When the account is erased; a log-in before that keeps it", .example = TIME_EXAMPLE },
};
static const struct shape account_reply = REPLY_SHAPE("AccountDeletionAccepted", account_reply_fields);
/* clang-format on */

/*
 * Handlers
 */

static const struct tenant_id own = { { { 0 } } };

static struct tenant_id tenant_of(const struct request *r)
{
	return (struct tenant_id){ request_id_param(r, "id") };
}

/* "<tier>/<path>/<id>"; id NULL: without. */
static void locate(struct request *r, const char *path, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE] = "";

	if (id)
		uuid_format(*id, text);
	reply_header(r, "Location",
		     arena_printf(r->ctx->arena, "%s%s%s", tier_prefix(r->tier), path, text));
}

/* The tenant's jobs are out of reach while it ends, so its own deletion is what can be watched. */
static int request_own(struct request *r)
{
	const struct rows *row;
	struct job_id job;
	int err;

	err = deletion_request(r->ctx, own, r->body, &job, &row);
	if (err)
		return err;
	locate(r, "/tenant/deletion", NULL);

	return reply_row(r, row);
}

static int get_own(struct request *r, const struct rows **ret)
{
	return deletion_get(r->ctx, own, true, ret);
}

static int cancel_own(struct request *r)
{
	return deletion_cancel(r->ctx, own);
}

static int request_any(struct request *r)
{
	const struct rows *row;
	struct job_id job;
	int err;

	err = deletion_request(r->ctx, tenant_of(r), r->body, &job, &row);
	if (err)
		return err;
	locate(r, "/jobs/", &job.u);

	return reply_row(r, row);
}

static int get_any(struct request *r, const struct rows **ret)
{
	return deletion_get(r->ctx, tenant_of(r), false, ret);
}

static int cancel_any(struct request *r)
{
	return deletion_cancel(r->ctx, tenant_of(r));
}

static int erase_user(struct request *r)
{
	struct user_id user = { request_id_param(r, "id") };
	struct jsonwrite w;
	struct job_id job;
	int err;

	err = erasure_of_user(r->ctx, user, r->body, &job);
	if (err)
		return err;
	locate(r, "/jobs/", &job.u);
	reply_begin(r, &w);
	jsonwrite_key(&w, "jobId");
	jsonwrite_uuid(&w, &job.u);

	return reply_end(r, &w);
}

static int delete_account(struct request *r)
{
	const struct rows *row;
	int err;

	err = erasure_of_account(r->ctx, r->body, &row);

	return err ? err : reply_row(r, row);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ DELETE, "/tenant", TENANT_TIERS, PERM_DELETE_TENANT, RATE_WRITE,
	  .body = &request_shape, .reply = &deletion, .status = 202, .flags = ROUTE_STEP_UP, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .tag = "Tenant", .summary = "Delete the current tenant",
	  .about = "From now on nobody gets in; until the grace period ends this can be cancelled, then the tenant is archived and removed",
	  .handle = request_own },

	{ GET, "/tenant/deletion", TENANT_TIERS, PERM_DELETE_TENANT, RATE_READ,
	  .reply = &deletion, .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .tag = "Tenant", .summary = "See how far the current tenant's deletion is", .one = get_own },

	{ POST, "/tenant/deletion/cancel", TENANT_TIERS, PERM_DELETE_TENANT, RATE_WRITE,
	  .flags = ROUTE_STEP_UP, .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_RESOURCE_CONFLICT),
	  .tag = "Tenant", .summary = "Keep the current tenant", .about = "Whoever had a seat or an API key has it as before; sessions have ended", .none = cancel_own },

	{ DELETE, "/tenants/:id", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .body = &request_shape, .reply = &record, .status = 202, .flags = ROUTE_STEP_UP, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .tag = "Platform", .summary = "Delete a tenant", .about = "As its owner would: with the grace period", .handle = request_any },

	{ GET, "/tenants/:id/deletion", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_READ,
	  .reply = &record,
	  .tag = "Platform", .summary = "See the last deletion of a tenant", .about = "Also of one that is gone, with its archive", .one = get_any },

	{ POST, "/tenants/:id/deletion/cancel", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_WRITE,
	  .flags = ROUTE_STEP_UP, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .tag = "Platform", .summary = "Keep a tenant", .none = cancel_any },

	{ POST, "/users/:id/erase", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .body = &erasure_shape, .reply = &accepted, .status = 202, .flags = ROUTE_STEP_UP, .errors = ERRORS(ERR_RULE_VIOLATED),
	  .tag = "Users", .summary = "Erase a user",
	  .about = "The seat ends, also one that was deleted before; then nothing says any more who it was. The person's account stays", .handle = erase_user },

	{ POST, "/account/delete", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &account_shape, .reply = &account_reply, .status = 202, .flags = ROUTE_SLOW | ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_AUTH_INVALID_CREDENTIALS, ERR_RULE_VIOLATED),
	  .tag = "Account", .summary = "Delete my account", .about = "All sessions end; who logs in again within the grace period keeps it", .handle = delete_account },

	{ 0 },
};
/* clang-format on */

const struct mount deletion_mount = { "deletion", routes, deletion_conflicts, NULL };
