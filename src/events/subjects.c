/*
 * What the before and after of an event show: a row of the subject's table, as far as it changed,
 * with the columns' names in camelCase. A field for each column that is audited (record_change() in
 * sql/migrations/0009): tests/closure/events.c compares the two. Those with an example stand in the
 * examples of events.
 */
#include "events/subjects.h"

#include "http/shape.h"

static const struct field text = { .name = "text", .type = T_STRING };

/* clang-format off */
static const struct field tenant_fields[] = {
	{ "slug", T_SLUG, .need = OPTIONAL_NULLABLE, .example = "acme" },
	{ "name", T_STRING, .need = OPTIONAL_NULLABLE, .example = "Acme" },
	{ "realmId", T_UUID, .need = OPTIONAL_NULLABLE },
	{ "plan", T_STRING, .need = OPTIONAL_NULLABLE, .example = "team" },
	{ "settings", T_JSON, .need = OPTIONAL_NULLABLE },
	{ "limits", T_JSON, .need = OPTIONAL_NULLABLE },
	{ "status", T_STRING, .need = OPTIONAL_NULLABLE, .example = "active" },
	{ "suspendedReason", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "host", T_HOSTNAME, .need = OPTIONAL_NULLABLE },
	{ "mfaRequiredAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
	{ "deletionAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
	{ "deletedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
};
const struct shape tenant_state = REPLY_SHAPE("TenantState", tenant_fields);

static const struct field user_fields[] = {
	{ "accountId", T_UUID, .need = OPTIONAL_NULLABLE },
	{ "email", T_EMAIL, .need = OPTIONAL_NULLABLE, .example = "ann@example.com" },
	{ "firstName", T_STRING, .need = OPTIONAL_NULLABLE, .example = "Ann" },
	{ "lastName", T_STRING, .need = OPTIONAL_NULLABLE, .example = "Example" },
	{ "displayName", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "avatar", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "phone", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "status", T_STRING, .need = OPTIONAL_NULLABLE, .example = "active" },
	{ "roleKeys", T_ARRAY, .need = OPTIONAL_NULLABLE, .of = &text, .example = "[\"member\"]" },
	{ "emailVerified", T_BOOL, .need = OPTIONAL_NULLABLE, .example = "true" },
	{ "phoneVerified", T_BOOL, .need = OPTIONAL_NULLABLE },
	{ "mfaEnabled", T_BOOL, .need = OPTIONAL_NULLABLE },
	{ "isGuest", T_BOOL, .need = OPTIONAL_NULLABLE },
	{ "deletedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
	{ "erasedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
};
const struct shape user_state = REPLY_SHAPE("UserState", user_fields);

static const struct field invitation_fields[] = {
	{ "userId", T_UUID, .need = OPTIONAL_NULLABLE, .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "invitedBy", T_UUID, .need = OPTIONAL_NULLABLE, .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "sends", T_INT, .need = OPTIONAL_NULLABLE, .example = "1" },
	{ "sentAt", T_DATETIME, .need = OPTIONAL_NULLABLE, .example = "2026-01-31T12:00:00.000Z" },
	{ "expiresAt", T_DATETIME, .need = OPTIONAL_NULLABLE, .example = "2026-02-07T12:00:00.000Z" },
	{ "acceptedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
	{ "revokedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
};
const struct shape invitation_state = REPLY_SHAPE("InvitationState", invitation_fields);

static const struct field role_fields[] = {
	{ "key", T_STRING, .need = OPTIONAL_NULLABLE, .example = "support" },
	{ "name", T_STRING, .need = OPTIONAL_NULLABLE, .example = "Support" },
	{ "description", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "builtinKey", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "permissions", T_ARRAY, .need = OPTIONAL_NULLABLE, .of = &text, .example = "[\"canViewUsers\"]" },
};
const struct shape role_state = REPLY_SHAPE("RoleState", role_fields);

static const struct field api_key_fields[] = {
	{ "userId", T_UUID, .need = OPTIONAL_NULLABLE, .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "name", T_STRING, .need = OPTIONAL_NULLABLE, .example = "Deployments" },
	{ "hint", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "scopes", T_ARRAY, .need = OPTIONAL_NULLABLE, .of = &text, .example = "[\"canViewProjects\"]" },
	{ "allowedIps", T_ARRAY, .need = OPTIONAL_NULLABLE, .of = &text },
	{ "rateLimit", T_INT, .need = OPTIONAL_NULLABLE },
	{ "expiresAt", T_DATETIME, .need = OPTIONAL_NULLABLE, .example = "2026-12-31T12:00:00.000Z" },
	{ "revokedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
};
const struct shape api_key_state = REPLY_SHAPE("ApiKeyState", api_key_fields);

static const struct field project_fields[] = {
	{ "slug", T_SLUG, .need = OPTIONAL_NULLABLE, .example = "blue" },
	{ "name", T_STRING, .need = OPTIONAL_NULLABLE, .example = "Blue team" },
	{ "description", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "status", T_STRING, .need = OPTIONAL_NULLABLE, .example = "active" },
	{ "deletedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
};
const struct shape project_state = REPLY_SHAPE("ProjectState", project_fields);

/* What is named like a secret is redacted, and so no time or object any more. */
static const struct field webhook_fields[] = {
	{ "url", T_STRING, .need = OPTIONAL_NULLABLE, .example = "https://hooks.example.com/zygo" },
	{ "description", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "eventTypes", T_ARRAY, .need = OPTIONAL_NULLABLE, .of = &text, .example = "[\"project.*\"]" },
	{ "headerNames", T_ARRAY, .need = OPTIONAL_NULLABLE, .of = &text },
	{ "headersSealed", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "rateLimit", T_INT, .need = OPTIONAL_NULLABLE },
	{ "isOrdered", T_BOOL, .need = OPTIONAL_NULLABLE, .example = "false" },
	{ "secretSealed", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "oldSecretSealed", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "oldSecretExpiresAt", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "enabledAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
	{ "disabledAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
	{ "disabledReason", T_STRING, .need = OPTIONAL_NULLABLE },
	{ "deletedAt", T_DATETIME, .need = OPTIONAL_NULLABLE },
};
const struct shape webhook_state = REPLY_SHAPE("WebhookState", webhook_fields);

static const struct field refusal_fields[] = {
	{ "route", T_STRING, REQUIRED, .about = "What was asked for", .example = "DELETE /api/v1/users/:id" },
	{ "required", T_STRING, OPTIONAL_NULLABLE, .about = "The permission that was missing", .example = "canManageUsers" },
};
const struct shape refusal_extra = REPLY_SHAPE("RefusalData", refusal_fields);

static const struct field impersonation_fields[] = {
	{ "reason", T_STRING, REQUIRED, .about = "Why", .example = "Ticket 4711" },
	{ "minutes", T_INT, REQUIRED, .about = "How long at most", .example = "30" },
};
const struct shape impersonation_extra = REPLY_SHAPE("ImpersonationData", impersonation_fields);

static const struct field expiry_fields[] = {
	{ "expiresAt", T_DATETIME, REQUIRED, .about = "When it runs out", .example = "2026-12-31T12:00:00.000Z" },
};
const struct shape expiry_extra = REPLY_SHAPE("ExpiryData", expiry_fields);

static const struct field job_end_fields[] = {
	{ "kind", T_STRING, REQUIRED, .about = "What it was to do", .example = "tenant.delete" },
	{ "queue", T_STRING, REQUIRED, .about = "Where it waited its turn", .example = "tenant-deletion" },
	{ "error", T_STRING, OPTIONAL_NULLABLE, .about = "Why its last attempt failed", .example = "The storage is away" },
};
const struct shape job_end_extra = REPLY_SHAPE("JobEndData", job_end_fields);

static const struct field erasure_fields[] = {
	{ "tables", T_JSON, REQUIRED, .about = "How many rows of which table went, or say no more who it was", .example = "{\"users\":1,\"events\":12}" },
};
const struct shape erasure_extra = REPLY_SHAPE("ErasureData", erasure_fields);

static const struct field webhook_extra_fields[] = {
	{ "url", T_STRING, REQUIRED, .about = "Where to it sent", .example = "https://hooks.example.com/zygo" },
	{ "reason", T_STRING, REQUIRED, .about = "gone: it was answered 410; failing: for five days", .example = "failing" },
};
const struct shape webhook_extra = REPLY_SHAPE("WebhookDisabledData", webhook_extra_fields);
/* clang-format on */
