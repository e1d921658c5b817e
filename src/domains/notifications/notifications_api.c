/*
 * Notifications over HTTP: shapes, handlers, rows. They are a person's own, so no API key reads
 * them: its scopes do not say what others may be told through it.
 */
#include "domains/notifications/notifications.h"
#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const ways[] = { "instant", "digest", "off", NULL };

#define KIND_EXAMPLE "user.joined"
#define ID_EXAMPLE   "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"
#define TIME_EXAMPLE "2026-01-31T12:00:00.000Z"

static const struct field filter_fields[] = {
	{ "unread", T_BOOL, OPTIONAL, offsetof(struct notification_filter, unread),
	  .about = "Only those that are not read yet", .example = "true" },
	{ "kind", T_STRING, OPTIONAL, offsetof(struct notification_filter, kind), .min = 1, .max = 60,
	  .about = "Only those of this kind", .example = KIND_EXAMPLE },
};
static const struct shape filter = SHAPE("NotificationFilter", struct notification_filter, filter_fields);

static const struct field notification_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = ID_EXAMPLE },
	{ "kind", T_STRING, REQUIRED, .about = "What preferences are kept by", .example = KIND_EXAMPLE },
	{ "title", T_STRING, REQUIRED, .about = "Plain text, one line", .example = "Bob Example has joined Acme" },
	{ "body", T_STRING, REQUIRED, .about = "Plain text", .example = "Bob Example has accepted an invitation to Acme." },
	{ "subjectId", T_UUID, NULLABLE, .about = "What it is about: a user, an API key, …", .example = ID_EXAMPLE },
	{ "eventId", T_UUID, REQUIRED, .about = "The event that caused it", .example = ID_EXAMPLE },
	{ "readAt", T_DATETIME, NULLABLE, .about = "When it was read; null: it is unread", .example = TIME_EXAMPLE },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it came", .example = TIME_EXAMPLE },
};
const struct shape notification_shape = REPLY_SHAPE("Notification", notification_fields);

static const struct field unread_fields[] = {
	{ "unread", T_INT, REQUIRED, .about = "How many are unread", .example = "3" },
};
static const struct shape unread_count = REPLY_SHAPE("UnreadCount", unread_fields);

static const struct field range_fields[] = {
	{ "upTo", T_DATETIME, OPTIONAL, offsetof(struct notification_range, up_to_us),
	  .about = "Only what had come by then: createdAt of the newest that was seen", .example = TIME_EXAMPLE },
};
static const struct shape range = SHAPE("NotificationRange", struct notification_range, range_fields);

static const struct field marked_fields[] = {
	{ "marked", T_INT, REQUIRED, .about = "How many were unread", .example = "3" },
};
static const struct shape marked = REPLY_SHAPE("NotificationsRead", marked_fields);

static const struct field preference_fields[] = {
	{ "kind", T_STRING, REQUIRED, .about = "Never changes", .example = KIND_EXAMPLE },
	{ "about", T_STRING, REQUIRED, .about = "What one is told of", .example = "Somebody has joined the tenant" },
	{ "isSecurity", T_BOOL, REQUIRED, .about = "Always shown and mailed: nothing to choose", .example = "false" },
	{ "inApp", T_BOOL, REQUIRED, .about = "It comes into the list", .example = "true" },
	{ "email", T_ENUM, REQUIRED, .words = ways, .about = "Mailed at once, once a day with others, or not", .example = "digest" },
};
static const struct shape preference = REPLY_SHAPE("NotificationPreference", preference_fields);

static const struct field preference_patch_fields[] = {
	{ "kind", T_STRING, REQUIRED, offsetof(struct notification_preference, kind), .min = 1, .max = 60,
	  .about = "Which", .example = KIND_EXAMPLE },
	{ "inApp", T_BOOL, OPTIONAL, offsetof(struct notification_preference, in_app),
	  .has = offsetof(struct notification_preference, has_in_app),
	  .about = "It comes into the list", .example = "true" },
	{ "email", T_ENUM, OPTIONAL, offsetof(struct notification_preference, email), .words = ways,
	  .about = "Mailed at once, once a day with others, or not", .example = "instant" },
};
static const struct shape preference_patch =
	SHAPE("NotificationPreferencePatch", struct notification_preference, preference_patch_fields);
static const struct field one_preference = { .type = T_OBJECT, .shape = &preference_patch, .about = "Of one kind" };

static const struct field preferences_fields[] = {
	{ "preferences", T_ARRAY, REQUIRED, offsetof(struct notification_preferences, preferences), .of = &one_preference,
	  .min = 1, .max = 50, .about = "Those that are to change",
	  .example = "[{\"kind\":\"" KIND_EXAMPLE "\",\"inApp\":true,\"email\":\"instant\"}]" },
};
static const struct shape preferences =
	SHAPE("NotificationPreferences", struct notification_preferences, preferences_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct notification_id id_of(const struct request *r)
{
	return (struct notification_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return notifications_list(r->ctx, r->query, r->paging, ret);
}

static int unread(struct request *r, const struct rows **ret)
{
	return notifications_unread(r->ctx, ret);
}

static int mark_read(struct request *r, const struct rows **ret)
{
	return notifications_mark(r->ctx, id_of(r), true, ret);
}

static int mark_unread(struct request *r, const struct rows **ret)
{
	return notifications_mark(r->ctx, id_of(r), false, ret);
}

static int mark_all(struct request *r, const struct rows **ret)
{
	return notifications_mark_all(r->ctx, r->body, ret);
}

static int archive(struct request *r)
{
	return notifications_archive(r->ctx, id_of(r));
}

static int get_preferences(struct request *r, const struct rows **ret)
{
	return notifications_preferences(r->ctx, ret);
}

static int patch_preferences(struct request *r, const struct rows **ret)
{
	return notifications_prefer(r->ctx, r->body, ret);
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/notifications", TENANT_TIERS, PERM_MEMBER, RATE_SEARCH,
	  .query = &filter, .reply = &notification_shape, .sorts = "createdAt", .flags = ROUTE_PERSON,
	  .summary = "List one's notifications", .about = "The newest first; without those that are archived", .page = list },

	{ GET, "/notifications/unread-count", TENANT_TIERS, PERM_MEMBER, RATE_READ,
	  .reply = &unread_count, .flags = ROUTE_PERSON,
	  .summary = "Count one's unread notifications", .one = unread },

	{ POST, "/notifications/:id/read", TENANT_TIERS, PERM_MEMBER, RATE_WRITE,
	  .reply = &notification_shape, .flags = ROUTE_PERSON,
	  .summary = "Mark a notification as read", .one = mark_read },

	{ POST, "/notifications/:id/unread", TENANT_TIERS, PERM_MEMBER, RATE_WRITE,
	  .reply = &notification_shape, .flags = ROUTE_PERSON,
	  .summary = "Mark a notification as unread", .one = mark_unread },

	{ POST, "/notifications/read-all", TENANT_TIERS, PERM_MEMBER, RATE_WRITE,
	  .body = &range, .reply = &marked, .flags = ROUTE_PERSON,
	  .summary = "Mark all notifications as read", .about = "What comes meanwhile stays unread", .one = mark_all },

	{ DELETE, "/notifications/:id", TENANT_TIERS, PERM_MEMBER, RATE_WRITE, .flags = ROUTE_PERSON,
	  .summary = "Archive a notification", .about = "It leaves the list, for good", .none = archive },

	{ GET, "/notifications/preferences", TENANT_TIERS, PERM_MEMBER, RATE_READ,
	  .reply = &preference, .flags = ROUTE_PERSON,
	  .summary = "List what one is told of, and how", .all = get_preferences },

	{ PATCH, "/notifications/preferences", TENANT_TIERS, PERM_MEMBER, RATE_WRITE,
	  .body = &preferences, .reply = &preference, .flags = ROUTE_PERSON, .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Choose what one is told of, and how", .about = "Kinds that are not named stay as they are",
	  .all = patch_preferences },

	{ 0 },
};
/* clang-format on */

const struct mount notifications_mount = { "notifications", routes, NULL,
					   "What one was told of, and how one wants to be told" };
