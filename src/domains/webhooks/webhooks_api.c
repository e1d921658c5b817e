/*
 * Webhooks' endpoints over HTTP: shapes, handlers, rows. Deliveries are in
 * webhooks_deliveries_api.c.
 */
#include "domains/webhooks/webhooks.h"

#include "domains/webhooks/webhooks_types.h"
#include "events/types.h"
#include "http/api.h"

#define URL_MAX      2000
#define GRACE_MAX_S  INT64_C(604800) /* seven days */
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

/*
 * Shapes
 */

/* clang-format off */
static const struct field type_name = { .type = T_STRING, .min = 1, .max = 100, .pattern = "eventType",
	.about = "A type of event, as GET /webhooks/event-types names it; \"project.*\" for all of a kind", .example = "project.created" };

static const struct field header_fields[] = {
	{ "name", T_STRING, REQUIRED, offsetof(struct webhook_header, name), .min = 1, .max = 100, .pattern = "token",
	  .about = "Not webhook-…, Content-Type or another that says how the message travels", .example = "X-Team" },
	{ "value", T_STRING, REQUIRED, offsetof(struct webhook_header, value), .min = 1, .max = 1000, .pattern = "printable",
	  .about = "Kept sealed, and never shown", .example = "blue" },
};
static const struct shape header_shape = SHAPE("WebhookHeader", struct webhook_header, header_fields);
static const struct field header = { .type = T_OBJECT, .shape = &header_shape, .about = "One header" };

static const struct field webhook_new_fields[] = {
	{ "url", T_URI, REQUIRED, offsetof(struct webhook_new, url), .max = URL_MAX,
	  .about = "Where to, by https; its host must have a public address", .example = "https://hooks.example.com/zygo" },
	{ "description", T_STRING, OPTIONAL_NULLABLE, offsetof(struct webhook_new, description), .min = 1, .max = 500,
	  .about = "What it is for", .example = "Tells the billing system" },
	{ "eventTypes", T_ARRAY, OPTIONAL, offsetof(struct webhook_new, event_types), .of = &type_name, .max = 100,
	  .about = "What it is told of; none: of everything", .example = "[\"project.created\",\"user.*\"]" },
	{ "headers", T_ARRAY, OPTIONAL, offsetof(struct webhook_new, headers), .of = &header, .max = 20,
	  .about = "What is sent beside", .example = "[{\"name\":\"X-Team\",\"value\":\"blue\"}]" },
	{ "rateLimit", T_INT, OPTIONAL_NULLABLE, offsetof(struct webhook_new, rate_limit), .min = 1, .max = 10000,
	  .about = "Deliveries a second at most; null: as many as there are", .example = "50" },
	{ "ordered", T_BOOL, OPTIONAL, offsetof(struct webhook_new, ordered), .fallback = "false",
	  .about = "One after another: the next only when the former was delivered or given up", .example = "false" },
	{ "enabled", T_BOOL, OPTIONAL, offsetof(struct webhook_new, enabled), .fallback = "true",
	  .about = "Whether anything is sent yet", .example = "true" },
};
static const struct shape webhook_new = SHAPE("WebhookNew", struct webhook_new, webhook_new_fields);

static const struct field webhook_patch_fields[] = {
	{ "url", T_URI, OPTIONAL, offsetof(struct webhook_patch, url), .max = URL_MAX,
	  .has = offsetof(struct webhook_patch, has_url),
	  .about = "Where to, by https; its host must have a public address", .example = "https://hooks.example.com/zygo" },
	{ "description", T_STRING, OPTIONAL_NULLABLE, offsetof(struct webhook_patch, description), .min = 1, .max = 500,
	  .has = offsetof(struct webhook_patch, has_description),
	  .about = "What it is for", .example = "Tells the billing system" },
	{ "eventTypes", T_ARRAY, OPTIONAL, offsetof(struct webhook_patch, event_types), .of = &type_name, .max = 100,
	  .has = offsetof(struct webhook_patch, has_event_types),
	  .about = "What it is told of from now on; none: of everything", .example = "[\"project.created\",\"user.*\"]" },
	{ "headers", T_ARRAY, OPTIONAL, offsetof(struct webhook_patch, headers), .of = &header, .max = 20,
	  .has = offsetof(struct webhook_patch, has_headers),
	  .about = "What is sent beside, in place of what was", .example = "[{\"name\":\"X-Team\",\"value\":\"blue\"}]" },
	{ "rateLimit", T_INT, OPTIONAL_NULLABLE, offsetof(struct webhook_patch, rate_limit), .min = 1, .max = 10000,
	  .has = offsetof(struct webhook_patch, has_rate_limit),
	  .about = "Deliveries a second at most; null: as many as there are", .example = "50" },
	{ "ordered", T_BOOL, OPTIONAL, offsetof(struct webhook_patch, ordered), .has = offsetof(struct webhook_patch, has_ordered),
	  .about = "One after another: the next only when the former was delivered or given up", .example = "false" },
	{ "enabled", T_BOOL, OPTIONAL, offsetof(struct webhook_patch, enabled), .has = offsetof(struct webhook_patch, has_enabled),
	  .about = "Whether anything is sent; false cancels what waits", .example = "true" },
};
static const struct shape webhook_patch = SHAPE("WebhookPatch", struct webhook_patch, webhook_patch_fields);

static const struct field rotation_fields[] = {
	{ "graceSeconds", T_INT, OPTIONAL, offsetof(struct webhook_rotation, grace_s), .min = 0, .max = GRACE_MAX_S,
	  .fallback = "86400", .about = "How long the old secret signs too", .example = "3600" },
};
static const struct shape rotation = SHAPE("WebhookRotation", struct webhook_rotation, rotation_fields);

static const struct field filter_fields[] = {
	{ "search", T_STRING, OPTIONAL, offsetof(struct webhook_filter, search), .min = 1, .max = 200,
	  .about = "Text to find in the URL or the description", .example = "billing" },
	{ "enabled", T_BOOL, OPTIONAL, offsetof(struct webhook_filter, enabled), .has = offsetof(struct webhook_filter, has_enabled),
	  .about = "Only those that are, or are not", .example = "true" },
	{ "eventType", T_STRING, OPTIONAL, offsetof(struct webhook_filter, event_type), .min = 1, .max = 100, .pattern = "eventType",
	  .about = "Only those that are told of it", .example = "project.created" },
};
static const struct shape filter = SHAPE("WebhookFilter", struct webhook_filter, filter_fields);

static const char *const reasons[] = { "request", "gone", "failing", NULL };
static const struct field header_name = { .type = T_STRING, .about = "A header's name", .example = "X-Team" };

#define WEBHOOK_FIELDS \
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE }, \
	{ "url", T_STRING, REQUIRED, .max = URL_MAX, .about = "Where to", .example = "https://hooks.example.com/zygo" }, \
	{ "description", T_STRING, NULLABLE, .max = 500, .about = "What it is for", .example = "Tells the billing system" }, \
	{ "eventTypes", T_ARRAY, REQUIRED, .of = &type_name, .about = "What it is told of; none: of everything", \
	  .example = "[\"project.created\",\"user.*\"]" }, \
	{ "headerNames", T_ARRAY, REQUIRED, .of = &header_name, .about = "The headers that are sent beside, without their values", \
	  .example = "[\"X-Team\"]" }, \
	{ "rateLimit", T_INT, NULLABLE, .about = "Deliveries a second at most", .example = "50" }, \
	{ "ordered", T_BOOL, REQUIRED, .about = "One after another", .example = "false" }, \
	{ "enabled", T_BOOL, REQUIRED, .about = "Whether anything is sent", .example = "true" }, \
	{ "disabledReason", T_ENUM, NULLABLE, .words = reasons, .about = "Why not: by a request, because it said 410 Gone, or because it " \
	  "failed for five days", .example = "failing" }, \
	{ "disabledAt", T_DATETIME, NULLABLE, .about = "Since when not", .example = TIME_EXAMPLE }, \
	{ "failingSince", T_DATETIME, NULLABLE, .about = "The first of its failures without a success since", .example = TIME_EXAMPLE }, \
	{ "lastSuccessAt", T_DATETIME, NULLABLE, .about = "When something was last delivered", .example = TIME_EXAMPLE }, \
	{ "lastFailureAt", T_DATETIME, NULLABLE, .about = "When an attempt last failed", .example = TIME_EXAMPLE }, \
	{ "oldSecretExpiresAt", T_DATETIME, NULLABLE, .about = "Until when the secret before this one signs too", .example = TIME_EXAMPLE }, \
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was created", .example = TIME_EXAMPLE }, \
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = TIME_EXAMPLE }

static const struct field webhook_fields[] = { WEBHOOK_FIELDS };
static const struct shape webhook = REPLY_SHAPE("Webhook", webhook_fields);

static const struct field webhook_shown_fields[] = {
	WEBHOOK_FIELDS,
	{ "secret", T_STRING, REQUIRED, .secret = true, .about = "What its signatures are verified with; never shown again" },
};
static const struct shape webhook_shown = REPLY_SHAPE("WebhookShown", webhook_shown_fields);

static const struct field type_fields[] = {
	{ "name", T_STRING, REQUIRED, .about = "Never changes", .example = "project.created" },
	{ "summary", T_STRING, REQUIRED, .about = "What has happened", .example = "A project was created" },
	{ "permission", T_STRING, NULLABLE, .about = "What it takes to have a webhook told of it, and to see what was sent; null: nothing",
	  .example = "canViewProjects" },
	{ "example", T_JSON, REQUIRED, .about = "What is sent of one; its schema stands under webhooks in the OpenAPI document",
	  .example = "{\"type\":\"project.created\"}" },
};
static const struct shape type_shape = REPLY_SHAPE("WebhookEventType", type_fields);
static const struct field type = { .type = T_OBJECT, .shape = &type_shape, .about = "A type of event" };
static const struct field types_fields[] = {
	{ "data", T_ARRAY, REQUIRED, .of = &type, .about = "All there are; only a new release adds one",
	  .example = "[{\"name\":\"project.created\",\"summary\":\"A project was created\",\"permission\":\"canViewProjects\","
	  "\"example\":{\"type\":\"project.created\"}}]" },
};
static const struct shape types = REPLY_SHAPE("WebhookEventTypeList", types_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct webhook_id id_of(const struct request *r)
{
	return (struct webhook_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return webhooks_list(r->ctx, r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return webhooks_get(r->ctx, id_of(r), ret);
}

static int create(struct request *r)
{
	const struct rows *row;
	const char *secret;
	int err;

	err = webhooks_create(r->ctx, r->body, &secret, &row);
	if (err)
		return err;

	return reply_row_and(r, &webhook, row, "secret", secret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return webhooks_update(r->ctx, id_of(r), r->body, ret);
}

static int rotate_secret(struct request *r)
{
	const struct rows *row;
	const char *secret;
	int err;

	err = webhooks_rotate_secret(r->ctx, id_of(r), r->body, &secret, &row);
	if (err)
		return err;

	return reply_row_and(r, &webhook, row, "secret", secret);
}

static int remove_one(struct request *r)
{
	return webhooks_delete(r->ctx, id_of(r));
}

/* The table is the program's, so the database is asked for nothing but who the caller is. */
static int list_types(struct request *r)
{
	const struct event_type *t;
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_key(&w, "data");
	jsonwrite_array(&w);
	for (size_t i = 0; (t = webhook_type(i)); i++) {
		jsonwrite_object(&w);
		jsonwrite_member_text(&w, "name", t->name);
		jsonwrite_member_text(&w, "summary", t->summary);
		jsonwrite_member_text(&w, "permission", permissions[t->perm].name);
		jsonwrite_key(&w, "example");
		event_write_example(&w, t);
		jsonwrite_object_end(&w);
	}
	jsonwrite_array_end(&w);

	return reply_end(r, &w);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/webhooks/event-types", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_READ,
	  .reply = &types,
	  .summary = "List the types of events that webhooks may be told of", .handle = list_types },

	{ GET, "/webhooks", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_SEARCH,
	  .query = &filter, .reply = &webhook, .sorts = "createdAt url", .flags = ROUTE_REPLICA,
	  .summary = "List webhooks", .page = list },

	{ POST, "/webhooks", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .body = &webhook_new, .reply = &webhook_shown, .status = 201, .flags = ROUTE_IDEMPOTENT | ROUTE_NO_STORE | ROUTE_SLOW,
	  .errors = ERRORS(ERR_PLAN_LIMIT_EXCEEDED),
	  .summary = "Create a webhook", .about = "Its secret is shown this once. Nobody has others told of events that they may not see "
	  "themselves", .handle = create },

	{ GET, "/webhooks/:id", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_READ,
	  .reply = &webhook,
	  .summary = "Get a webhook", .one = get },

	{ PATCH, "/webhooks/:id", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .body = &webhook_patch, .reply = &webhook, .flags = ROUTE_SLOW,
	  .summary = "Change, enable or disable a webhook", .one = patch },

	{ DELETE, "/webhooks/:id", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .summary = "Delete a webhook", .about = "What waits for it is cancelled", .none = remove_one },

	{ POST, "/webhooks/:id/rotate-secret", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .body = &rotation, .reply = &webhook_shown, .flags = ROUTE_IDEMPOTENT | ROUTE_NO_STORE,
	  .summary = "Rotate a webhook's secret", .about = "The new one is shown this once. The old one signs too for a while, so that "
	  "whoever verifies may change over; one before that does not any more", .handle = rotate_secret },

	{ 0 },
};
/* clang-format on */

const struct mount webhooks_mount = { "webhooks", routes, NULL,
				      "Who is told by POST what happens, and what was sent" };
