/* The readers of events over HTTP, on the superadmin tier alone. */
#include "domains/events/events.h"

#include "events/lag.h"
#include "http/api.h"

/* clang-format off */
static const struct field reader_fields[] = {
	{ "name", T_STRING, REQUIRED, .about = "Never changes; spine: who gives events their positions", .example = "webhooks" },
	{ "lag", T_INT, REQUIRED, .about = "Events that it has not read; of the spine: that have no position", .example = "0" },
	{ "lagSeconds", T_INT, REQUIRED, .about = "Since the oldest of them", .example = "0" },
	{ "failedAt", T_DATETIME, NULLABLE, .about = "Since when it cannot go on; null: it can", .example = "2026-01-31T12:00:00.000Z" },
	{ "failure", T_STRING, NULLABLE, .about = "Why it cannot", .example = "division by zero" },
};
static const struct shape reader = REPLY_SHAPE("EventReader", reader_fields);

static int list(struct request *r, const struct rows **ret)
{
	return lag_list(r->ctx, ret);
}

static const struct route routes[] = {
	{ GET, "/event-readers", TIER_SUPER, PERM_GLOBAL_ADMIN, RATE_READ,
	  .reply = &reader,
	  .summary = "List who reads events, and how far each is behind", .all = list },
	{ 0 },
};
/* clang-format on */

const struct mount events_mount = {
	"events", routes, NULL, "Who follows the log of events, for the platform's own people"
};
