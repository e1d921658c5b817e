/*
 * The audit over HTTP: a tenant's own at /audit, that of all tenants on the superadmin tier.
 */
#include "domains/audit/audit.h"

#include "domains/audit/audit_export.h"
#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

/* For structs that begin with a struct audit_filter. */
#define FILTER_FIELDS \
	{ "type", T_STRING, OPTIONAL, offsetof(struct audit_filter, type), .min = 1, .max = 100, \
	  .about = "Only events of this type, or of all types that begin with it and a dot", .example = "user.created" }, \
	{ "userId", T_UUID, OPTIONAL, offsetof(struct audit_filter, user), .about = "Only what this user did", .example = ID_EXAMPLE }, \
	{ "subjectId", T_UUID, OPTIONAL, offsetof(struct audit_filter, subject), .about = "Only what happened to this", .example = ID_EXAMPLE }, \
	{ "from", T_DATETIME, OPTIONAL, offsetof(struct audit_filter, from), .about = "Not before", .example = TIME_EXAMPLE }, \
	{ "to", T_DATETIME, OPTIONAL, offsetof(struct audit_filter, to), .about = "Before", .example = "2026-02-28T12:00:00.000Z" }, \
	{ "search", T_STRING, OPTIONAL, offsetof(struct audit_filter, search), .min = 1, .max = 200, \
	  .about = "Text to find in the type, what changed, or the email of who did it", .example = "ann" }

static const struct field filter_fields[] = { FILTER_FIELDS };
static const struct shape filter = SHAPE("AuditFilter", struct audit_filter, filter_fields);

static const struct field filter_of_all_fields[] = {
	FILTER_FIELDS,
	{ "tenantId", T_UUID, OPTIONAL, offsetof(struct audit_filter, tenant), .about = "Only of this tenant", .example = ID_EXAMPLE },
	{ "accountId", T_UUID, OPTIONAL, offsetof(struct audit_filter, account),
	  .about = "Only what this account did, or somebody else in its name", .example = ID_EXAMPLE },
};
static const struct shape filter_of_all = SHAPE("AuditFilterOfAll", struct audit_filter, filter_of_all_fields);

static const char *const formats[] = { "ndjson", "csv", NULL };
static const struct field export_fields[] = {
	FILTER_FIELDS,
	{ "format", T_ENUM, OPTIONAL, offsetof(struct audit_export, format), .words = formats, .fallback = "ndjson",
	  .about = "A JSON object a line, or comma-separated values with a head", .example = "csv" },
};
static const struct shape export_shape = SHAPE("AuditExport", struct audit_export, export_fields);

#define EVENT_FIELDS \
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE }, \
	{ "type", T_STRING, REQUIRED, .about = "What happened", .example = "user.rolesChanged" }, \
	{ "subjectId", T_UUID, NULLABLE, .about = "What it happened to", .example = ID_EXAMPLE }, \
	{ "actorKind", T_STRING, REQUIRED, .about = "How whoever did it was known: session, token, apiKey, system, none", .example = "session" }, \
	{ "accountId", T_UUID, NULLABLE, .about = "Who did it: the account", .example = ID_EXAMPLE }, \
	{ "userId", T_UUID, NULLABLE, .about = "Who did it: the user; null for the platform's people", .example = ID_EXAMPLE }, \
	{ "userEmail", T_STRING, NULLABLE, .about = "The email of who did it, as it is now", .example = "ann@example.com" }, \
	{ "sessionId", T_UUID, NULLABLE, .about = "The log-in that it was done in", .example = ID_EXAMPLE }, \
	{ "apiKeyId", T_UUID, NULLABLE, .about = "The API key that it was done with", .example = ID_EXAMPLE }, \
	{ "impersonatedBy", T_UUID, NULLABLE, .about = "The account of the platform that acted in this user's name", .example = ID_EXAMPLE }, \
	{ "ip", T_STRING, NULLABLE, .about = "From where", .example = "203.0.113.7" }, \
	{ "requestId", T_STRING, NULLABLE, .about = "X-Request-Id of the request", .example = "req_8f2b" }, \
	{ "before", T_JSON, NULLABLE, .about = "What changed, as it was; secrets are redacted", .example = "{\"roles\":[\"viewer\"]}" }, \
	{ "after", T_JSON, NULLABLE, .about = "What changed, as it is since", .example = "{\"roles\":[\"admin\"]}" }, \
	{ "data", T_JSON, REQUIRED, .about = "What the type says beside", .example = "{}" }, \
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it happened", .example = TIME_EXAMPLE }

static const struct field event_fields[] = { EVENT_FIELDS };
static const struct shape event_shape = REPLY_SHAPE("AuditEvent", event_fields);

static const struct field event_of_any_fields[] = {
	{ "tenantId", T_UUID, REQUIRED, .about = "In which tenant", .example = ID_EXAMPLE },
	EVENT_FIELDS,
};
static const struct shape event_of_any = REPLY_SHAPE("AuditEventOfAny", event_of_any_fields);
/* clang-format on */

/*
 * Handlers
 */

static int list(struct request *r, const struct page **ret)
{
	return audit_list(r->ctx, r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return audit_get(r->ctx, request_id_param(r, "id"), ret);
}

static int export(struct request *r)
{
	return audit_export(r, r->query, &event_shape);
}

static int list_all_tenants(struct request *r, const struct page **ret)
{
	return audit_list_all_tenants(r->ctx, r->query, r->paging, ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/audit", TENANT_TIERS, PERM_VIEW_AUDIT_LOGS, RATE_SEARCH,
	  .query = &filter, .reply = &event_shape, .sorts = "createdAt", .flags = ROUTE_REPLICA,
	  .summary = "List what happened", .about = "The newest first", .page = list },

	{ GET, "/audit/export", TENANT_TIERS, PERM_VIEW_AUDIT_LOGS, RATE_SEARCH,
	  .query = &export_shape, .flags = ROUTE_REPLICA | ROUTE_SLOW, .status = 200,
	  .summary = "Export what happened", .about = "A file of application/x-ndjson or text/csv, the oldest event first, of any length: it "
	  "comes in parts while it is read, and a transfer that breaks off is not whole", .handle = export },

	{ GET, "/audit/:id", TENANT_TIERS, PERM_VIEW_AUDIT_LOGS, RATE_READ,
	  .reply = &event_shape,
	  .summary = "Get what happened", .one = get },

	{ GET, "/audit", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_SEARCH,
	  .query = &filter_of_all, .reply = &event_of_any, .sorts = "createdAt",
	  .summary = "List what happened in all tenants", .page = list_all_tenants },

	{ 0 },
};
/* clang-format on */

const struct mount audit_mount = { "audit", routes, NULL, "Who has done what: list and export" };
