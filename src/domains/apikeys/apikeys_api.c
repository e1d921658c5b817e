/*
 * API keys over HTTP: shapes, handlers, rows.
 */
#include "domains/apikeys/apikeys.h"

#include "http/api.h"

#define GRACE_MAX_S INT64_C(604800) /* seven days */
#define RATE_MAX    1000000
#define ADDRESS_MAX 50
#define FAR_AWAY    "2099-12-31T00:00:00.000Z" /* an example must lie in the future */

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "active", "expired", "revoked", NULL };
static const struct field scope = { .type = T_STRING, .min = 1, .max = 100, .pattern = "permission",
	.about = "A permission, as GET /permissions names it", .example = "canViewUsers" };
static const struct field network = { .type = T_CIDR, .about = "Addresses, as CIDR", .example = "127.0.0.0/8" };

static const struct field apikey_new_fields[] = {
	{ "name", T_STRING, REQUIRED, offsetof(struct apikey_new, name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Name shown to people", .example = "Nightly report" },
	{ "scopes", T_ARRAY, REQUIRED, offsetof(struct apikey_new, scopes), .of = &scope, .min = 1, .max = 100,
	  .about = "What the key may do, as long as its maker may; not canManageApiKeys", .example = "[\"canViewUsers\"]" },
	{ "allowedIps", T_ARRAY, OPTIONAL, offsetof(struct apikey_new, allowed_ips), .of = &network, .max = ADDRESS_MAX,
	  .about = "From where it may be used; none: from everywhere", .example = "[\"127.0.0.0/8\"]" },
	{ "rateLimit", T_INT, OPTIONAL_NULLABLE, offsetof(struct apikey_new, rate_limit), .min = 1, .max = RATE_MAX,
	  .about = "Requests a minute, beside the limits of its maker", .example = "600" },
	{ "expiresAt", T_DATETIME, OPTIONAL_NULLABLE, offsetof(struct apikey_new, expires_at_us),
	  .about = "Until when it may be used; null: until it is revoked", .example = FAR_AWAY },
};
static const struct shape apikey_new = SHAPE("ApiKeyNew", struct apikey_new, apikey_new_fields);

static const struct field apikey_patch_fields[] = {
	{ "name", T_STRING, OPTIONAL, offsetof(struct apikey_patch, name), .min = 1, .max = 100, .pattern = "line",
	  .has = offsetof(struct apikey_patch, has_name),
	  .about = "Name shown to people", .example = "Nightly report" },
	{ "scopes", T_ARRAY, OPTIONAL, offsetof(struct apikey_patch, scopes), .of = &scope, .min = 1, .max = 100,
	  .has = offsetof(struct apikey_patch, has_scopes),
	  .about = "What the key may do from now on; not canManageApiKeys", .example = "[\"canViewUsers\"]" },
	{ "allowedIps", T_ARRAY, OPTIONAL, offsetof(struct apikey_patch, allowed_ips), .of = &network, .max = ADDRESS_MAX,
	  .has = offsetof(struct apikey_patch, has_allowed_ips),
	  .about = "From where it may be used; none: from everywhere", .example = "[\"127.0.0.0/8\"]" },
	{ "rateLimit", T_INT, OPTIONAL_NULLABLE, offsetof(struct apikey_patch, rate_limit), .min = 1, .max = RATE_MAX,
	  .has = offsetof(struct apikey_patch, has_rate_limit),
	  .about = "Requests a minute, beside the limits of its maker; null: no limit of its own", .example = "600" },
	{ "expiresAt", T_DATETIME, OPTIONAL_NULLABLE, offsetof(struct apikey_patch, expires_at_us),
	  .has = offsetof(struct apikey_patch, has_expires_at),
	  .about = "Until when it may be used; null: until it is revoked", .example = FAR_AWAY },
};
static const struct shape apikey_patch = SHAPE("ApiKeyPatch", struct apikey_patch, apikey_patch_fields);

static const struct field rotation_fields[] = {
	{ "graceSeconds", T_INT, OPTIONAL, offsetof(struct apikey_rotation, grace_s), .min = 0, .max = GRACE_MAX_S,
	  .fallback = "86400", .about = "How long the old key still works; an older one ends now", .example = "3600" },
};
static const struct shape rotation = SHAPE("ApiKeyRotation", struct apikey_rotation, rotation_fields);

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct apikey_filter, search), .min = 1, .max = 100,
	  .about = "Text to find in the name or the hint", .example = "report" },
	{ "status", T_ENUM, OPTIONAL, offsetof(struct apikey_filter, status), .words = statuses,
	  .about = "Only keys with this status", .example = "active" },
	{ "userId", T_UUID, OPTIONAL, offsetof(struct apikey_filter, user),
	  .about = "Only keys that this user made", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e91" },
};
static const struct shape filter = SHAPE("ApiKeyFilter", struct apikey_filter, filter_fields);

#define APIKEY_FIELDS \
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" }, \
	{ "name", T_STRING, REQUIRED, .max = 100, .about = "Name shown to people", .example = "Nightly report" }, \
	{ "hint", T_STRING, REQUIRED, .about = "How the key begins", .example = "zk_live_4fGh" }, \
	{ "userId", T_UUID, REQUIRED, .about = "Who made it, and in whose name it acts", \
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e91" }, \
	{ "scopes", T_ARRAY, REQUIRED, .of = &scope, .about = "What it may do, as long as its maker may", \
	  .example = "[\"canViewUsers\"]" }, \
	{ "allowedIps", T_ARRAY, REQUIRED, .of = &network, .about = "From where it may be used; none: from everywhere", \
	  .example = "[\"127.0.0.0/8\"]" }, \
	{ "rateLimit", T_INT, NULLABLE, .about = "Requests a minute, beside the limits of its maker", .example = "600" }, \
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "Only an active key is believed", .example = "active" }, \
	{ "expiresAt", T_DATETIME, NULLABLE, .about = "Until when it may be used", .example = FAR_AWAY }, \
	{ "revokedAt", T_DATETIME, NULLABLE, .about = "When it was revoked, or its maker left", .example = "2026-01-31T12:00:00.000Z" }, \
	{ "lastUsedAt", T_DATETIME, NULLABLE, .about = "When it was last used, to the minute; no change of the key", \
	  .example = "2026-01-31T12:00:00.000Z" }, \
	{ "lastUsedIp", T_IP, NULLABLE, .about = "From where", .example = "192.0.2.1" }, \
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was made", .example = "2026-01-31T12:00:00.000Z" }, \
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = "2026-01-31T12:00:00.000Z" }

static const struct field apikey_fields[] = { APIKEY_FIELDS };
static const struct shape apikey = REPLY_SHAPE("ApiKey", apikey_fields);

static const struct field apikey_shown_fields[] = {
	APIKEY_FIELDS,
	{ "key", T_STRING, REQUIRED, .secret = true, .about = "The key, which is never shown again" },
};
static const struct shape apikey_shown = REPLY_SHAPE("ApiKeyShown", apikey_shown_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct api_key_id id_of(const struct request *r)
{
	return (struct api_key_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return apikeys_list(r->ctx, r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return apikeys_get(r->ctx, id_of(r), ret);
}

static int create(struct request *r)
{
	const struct rows *row;
	const char *key;
	int err;

	err = apikeys_create(r->ctx, r->body, &key, &row);
	if (err)
		return err;

	return reply_row_and(r, &apikey, row, "key", key);
}

static int patch(struct request *r, const struct rows **ret)
{
	return apikeys_update(r->ctx, id_of(r), r->body, ret);
}

static int rotate(struct request *r)
{
	const struct rows *row;
	const char *key;
	int err;

	err = apikeys_rotate(r->ctx, id_of(r), r->body, &key, &row);
	if (err)
		return err;

	return reply_row_and(r, &apikey, row, "key", key);
}

static int revoke(struct request *r, const struct rows **ret)
{
	return apikeys_revoke(r->ctx, id_of(r), ret);
}

static int remove_one(struct request *r)
{
	return apikeys_delete(r->ctx, id_of(r));
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/api-keys", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_SEARCH,
	  .query = &filter, .reply = &apikey, .sorts = "createdAt name", .flags = ROUTE_REPLICA,
	  .summary = "List API keys", .about = "Everybody's in the tenant", .page = list },

	{ POST, "/api-keys", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_WRITE,
	  .body = &apikey_new, .reply = &apikey_shown, .status = 201, .flags = ROUTE_IDEMPOTENT | ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_VERSIONED,
	  .errors = ERRORS(ERR_RULE_VIOLATED, ERR_PLAN_LIMIT_EXCEEDED),
	  .summary = "Create an API key", .about = "It acts for who makes it, with no more than its scopes. The key is shown "
	  "this once", .handle = create },

	{ GET, "/api-keys/:id", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_READ,
	  .reply = &apikey,
	  .summary = "Get an API key", .one = get },

	{ PATCH, "/api-keys/:id", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_WRITE,
	  .body = &apikey_patch, .reply = &apikey, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Change an API key", .about = "One's own", .one = patch },

	{ DELETE, "/api-keys/:id", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_WRITE,
	  .summary = "Delete an API key", .about = "It works no more from now on", .none = remove_one },

	{ POST, "/api-keys/:id/rotate", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_WRITE,
	  .body = &rotation, .reply = &apikey_shown, .flags = ROUTE_IDEMPOTENT | ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_VERSIONED,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Rotate an API key", .about = "One's own. A new key in place of the old, which works for a while still. The "
	  "new one is shown this once", .handle = rotate },

	{ POST, "/api-keys/:id/revoke", TENANT_TIERS, PERM_MANAGE_API_KEYS, RATE_WRITE,
	  .reply = &apikey, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Revoke an API key", .about = "Anybody's. It works no more from now on, and stays in the list", .one = revoke },

	{ 0 },
};
/* clang-format on */

const struct mount apikeys_mount = { "API keys", routes, NULL,
				     "Credentials of programs, each with its scopes" };
