/*
 * Webhooks' deliveries over HTTP: shapes, handlers, rows.
 */
#include "domains/webhooks/webhooks.h"

#include "base/arena.h"
#include "http/api.h"

#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "waiting", "delayed", "active", "delivered", "failed", "cancelled", NULL };
static const char *const whiches[] = { "failed", "all", "missed", NULL };

static const struct field ping_fields[] = {
	{ "eventType", T_STRING, OPTIONAL, offsetof(struct webhook_ping, event_type), .min = 1, .max = 100, .pattern = "eventType",
	  .about = "Of which type an example is sent; {\"test\":true} as webhook.test if absent", .example = "project.created" },
};
static const struct shape ping = SHAPE("WebhookTest", struct webhook_ping, ping_fields);

static const struct field filter_fields[] = {
	{ "status", T_ENUM, OPTIONAL, offsetof(struct delivery_filter, status), .words = statuses,
	  .about = "Only deliveries with this status", .example = "failed" },
	{ "eventType", T_STRING, OPTIONAL, offsetof(struct delivery_filter, event_type), .min = 1, .max = 100, .pattern = "eventType",
	  .about = "Only of this type", .example = "project.created" },
	{ "since", T_DATETIME, OPTIONAL, offsetof(struct delivery_filter, since_us),
	  .about = "Of events from then on", .example = TIME_EXAMPLE },
	{ "until", T_DATETIME, OPTIONAL, offsetof(struct delivery_filter, until_us),
	  .about = "Of events before then", .example = TIME_EXAMPLE },
	{ "messageId", T_UUID, OPTIONAL, offsetof(struct delivery_filter, message),
	  .about = "Only of this message: an event's id, as webhook-id has it", .example = ID_EXAMPLE },
};
static const struct shape filter = SHAPE("WebhookDeliveryFilter", struct delivery_filter, filter_fields);

static const struct field replay_fields[] = {
	{ "which", T_ENUM, OPTIONAL, offsetof(struct webhook_replay, which), .words = whiches, .fallback = "failed",
	  .about = "What failed: given up, cancelled, or to be tried again later; all of them; or events that no delivery was made for, because "
	  "the webhook was disabled or not there", .example = "failed" },
	{ "since", T_DATETIME, REQUIRED, offsetof(struct webhook_replay, since_us), .about = "Of events from then on", .example = TIME_EXAMPLE },
	{ "until", T_DATETIME, OPTIONAL, offsetof(struct webhook_replay, until_us), .about = "Of events before then; now if absent",
	  .example = "2026-02-01T12:00:00.000Z" },
};
static const struct shape replay_range = SHAPE("WebhookReplay", struct webhook_replay, replay_fields);

static const struct field stats_filter_fields[] = {
	{ "since", T_DATETIME, OPTIONAL, offsetof(struct stats_filter, since_us), .about = "From this hour on; seven days ago if absent",
	  .example = TIME_EXAMPLE },
	{ "until", T_DATETIME, OPTIONAL, offsetof(struct stats_filter, until_us), .about = "Hours before then; now if absent",
	  .example = TIME_EXAMPLE },
};
static const struct shape stats_filter = SHAPE("WebhookStatsFilter", struct stats_filter, stats_filter_fields);

#define DELIVERY_FIELDS \
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE }, \
	{ "webhookId", T_UUID, REQUIRED, .about = "Whose", .example = ID_EXAMPLE }, \
	{ "messageId", T_UUID, REQUIRED, .about = "The event's id, which is sent as webhook-id", .example = ID_EXAMPLE }, \
	{ "eventType", T_STRING, REQUIRED, .about = "What has happened", .example = "project.created" }, \
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "Waiting to be sent, delayed until its next attempt, active, or over", \
	  .example = "delivered" }, \
	{ "attempts", T_INT, REQUIRED, .about = "How often it was tried", .example = "1" }, \
	{ "responseStatus", T_INT, NULLABLE, .about = "What the last attempt was answered with", .example = "200" }, \
	{ "error", T_STRING, NULLABLE, .about = "Why it failed", .example = "There was no whole answer in time" }, \
	{ "nextAttemptAt", T_DATETIME, NULLABLE, .about = "When it is tried next", .example = TIME_EXAMPLE }, \
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When the event happened", .example = TIME_EXAMPLE }, \
	{ "finishedAt", T_DATETIME, NULLABLE, .about = "When it was over", .example = TIME_EXAMPLE }

static const struct field delivery_fields[] = { DELIVERY_FIELDS };
static const struct shape delivery = REPLY_SHAPE("WebhookDelivery", delivery_fields);

static const struct field attempt_fields[] = {
	{ "number", T_INT, REQUIRED, .about = "Which it was", .example = "1" },
	{ "url", T_STRING, REQUIRED, .about = "Where to", .example = "https://hooks.example.com/zygo" },
	{ "requestHeaders", T_JSON, REQUIRED, .about = "What was sent above the body; without the values of the webhook's own headers",
	  .example = "{\"webhook-id\":\"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f\"}" },
	{ "responseStatus", T_INT, NULLABLE, .about = "What it was answered with; null: with nothing", .example = "200" },
	{ "responseHeaders", T_JSON, NULLABLE, .about = "The headers of the answer", .example = "{\"Content-Type\":\"text/plain\"}" },
	{ "responseBody", T_STRING, NULLABLE, .about = "Its first 4 KiB; null where you may not see such events", .example = "ok" },
	{ "error", T_STRING, NULLABLE, .about = "Why it failed", .example = "The answer was not 2xx" },
	{ "durationMs", T_INT, REQUIRED, .about = "How long it took", .example = "81" },
	{ "startedAt", T_DATETIME, REQUIRED, .about = "When it began", .example = TIME_EXAMPLE },
};
static const struct shape attempt_shape = REPLY_SHAPE("WebhookAttempt", attempt_fields);
static const struct field attempt = { .type = T_OBJECT, .shape = &attempt_shape, .about = "One attempt" };

static const struct field delivery_shown_fields[] = {
	DELIVERY_FIELDS,
	{ "requestBody", T_STRING, NULLABLE, .about = "What is sent, to the byte, each time; null where you may not see such "
	  "events", .example = "{\"type\":\"project.created\"}" },
	{ "attemptList", T_ARRAY, REQUIRED, .of = &attempt, .about = "The last 50 attempts, the oldest first", .example = "[]" },
};
static const struct shape delivery_shown = REPLY_SHAPE("WebhookDeliveryShown", delivery_shown_fields);

static const struct field started_fields[] = {
	{ "jobId", T_UUID, REQUIRED, .about = "The job that does it: GET /jobs/:id", .example = ID_EXAMPLE },
};
static const struct shape started = REPLY_SHAPE("WebhookReplayStarted", started_fields);

static const struct field hour_fields[] = {
	{ "hour", T_DATETIME, REQUIRED, .about = "Its beginning", .example = TIME_EXAMPLE },
	{ "delivered", T_INT, REQUIRED, .about = "Deliveries that succeeded", .example = "120" },
	{ "failed", T_INT, REQUIRED, .about = "Deliveries that were given up", .example = "1" },
	{ "attempts", T_INT, REQUIRED, .about = "Attempts at them", .example = "130" },
	{ "failedAttempts", T_INT, REQUIRED, .about = "Attempts that failed", .example = "9" },
	{ "durationMs", T_INT, REQUIRED, .about = "How long one took, on average", .example = "81" },
};
static const struct shape hour_shape = REPLY_SHAPE("WebhookStatsHour", hour_fields);
static const struct field hour = { .type = T_OBJECT, .shape = &hour_shape, .about = "One hour" };

static const struct field stats_fields[] = {
	{ "delivered", T_INT, REQUIRED, .about = "Deliveries that succeeded", .example = "120" },
	{ "failed", T_INT, REQUIRED, .about = "Deliveries that were given up", .example = "1" },
	{ "attempts", T_INT, REQUIRED, .about = "Attempts at them", .example = "130" },
	{ "failedAttempts", T_INT, REQUIRED, .about = "Attempts that failed", .example = "9" },
	{ "durationMs", T_INT, NULLABLE, .about = "How long one took, on average", .example = "81" },
	{ "durationMaxMs", T_INT, NULLABLE, .about = "The longest", .example = "902" },
	{ "waiting", T_INT, REQUIRED, .about = "Deliveries that wait to be sent now; up to 100,000", .example = "0" },
	{ "delayed", T_INT, REQUIRED, .about = "Deliveries that wait for their next attempt; up to 100,000", .example = "2" },
	{ "active", T_INT, REQUIRED, .about = "Deliveries that are on their way", .example = "0" },
	{ "hours", T_ARRAY, REQUIRED, .of = &hour, .about = "The hours in which something was sent", .example = "[]" },
};
static const struct shape stats = REPLY_SHAPE("WebhookStats", stats_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct webhook_id webhook_of(const struct request *r)
{
	return (struct webhook_id){ request_id_param(r, "id") };
}

static struct delivery_id delivery_of(const struct request *r)
{
	return (struct delivery_id){ request_id_param(r, "id") };
}

/* Where what was begun can be watched. */
static void say_where(struct request *r, const char *collection, struct uuid id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	reply_header(
		r, "Location",
		arena_printf(r->ctx->arena, "%s%s/%s", tier_prefix(r->tier), collection, text));
}

static int test(struct request *r)
{
	const struct rows *row;
	struct delivery_id made;
	int err;

	err = webhooks_test(r->ctx, webhook_of(r), r->body, &made, &row);
	if (err)
		return err;

	say_where(r, "/webhooks/deliveries", made.u);

	return reply_row(r, row);
}

static int list(struct request *r, const struct page **ret)
{
	return webhooks_deliveries(r->ctx, (struct webhook_id){ 0 }, r->query, r->paging, ret);
}

static int list_of_one(struct request *r, const struct page **ret)
{
	return webhooks_deliveries(r->ctx, webhook_of(r), r->query, r->paging, ret);
}

static int get(struct request *r, const struct rows **ret)
{
	return webhooks_delivery(r->ctx, delivery_of(r), ret);
}

static int replay(struct request *r)
{
	const struct rows *row;
	int err;

	err = webhooks_replay(r->ctx, delivery_of(r), &row);
	if (err)
		return err;

	say_where(r, "/webhooks/deliveries", delivery_of(r).u);

	return reply_row(r, row);
}

static int replay_many(struct request *r)
{
	struct jsonwrite w;
	struct job_id job;
	int err;

	err = webhooks_replay_many(r->ctx, webhook_of(r), r->body, &job);
	if (err)
		return err;

	say_where(r, "/jobs", job.u);
	reply_begin(r, &w);
	jsonwrite_key(&w, "jobId");
	jsonwrite_uuid(&w, &job.u);

	return reply_end(r, &w);
}

static int get_stats(struct request *r, const struct rows **ret)
{
	return webhooks_stats(r->ctx, webhook_of(r), r->query, ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ POST, "/webhooks/:id/test", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .body = &ping, .reply = &delivery_shown, .status = 202, .flags = ROUTE_IDEMPOTENT, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Send a test to a webhook", .about = "An example of an event, of nobody and with no subject. Location: the delivery, which says how it went",
	  .handle = test },

	{ GET, "/webhooks/:id/deliveries", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_SEARCH,
	  .query = &filter, .reply = &delivery, .sorts = "createdAt", .flags = ROUTE_REPLICA,
	  .summary = "List a webhook's deliveries", .about = "They are kept for 30 days", .page = list_of_one },

	{ GET, "/webhooks/:id/stats", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_SEARCH,
	  .query = &stats_filter, .reply = &stats,
	  .summary = "Count what was sent to a webhook", .one = get_stats },

	{ POST, "/webhooks/:id/replay", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .body = &replay_range, .reply = &started, .status = 202, .flags = ROUTE_IDEMPOTENT,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Send a webhook's deliveries of a time again", .about = "A job does it. Location: the job. What was missed is sent of the last 28 days", .handle = replay_many },

	{ GET, "/webhooks/deliveries", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_SEARCH,
	  .query = &filter, .reply = &delivery, .sorts = "createdAt", .flags = ROUTE_REPLICA,
	  .summary = "List the deliveries of all webhooks", .about = "They are kept for 30 days", .page = list },

	{ GET, "/webhooks/deliveries/:id", TENANT_TIERS, PERM_VIEW_WEBHOOKS, RATE_READ,
	  .reply = &delivery_shown,
	  .summary = "Get a delivery, with what was sent and what each attempt heard", .one = get },

	{ POST, "/webhooks/deliveries/:id/replay", TENANT_TIERS, PERM_MANAGE_WEBHOOKS, RATE_WRITE,
	  .reply = &delivery, .status = 202, .flags = ROUTE_IDEMPOTENT, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Send a delivery again", .about = "With the same webhook-id, and all its attempts before it", .handle = replay },

	{ 0 },
};
/* clang-format on */

const struct mount webhook_deliveries_mount = { "webhooks", routes, NULL, NULL };
