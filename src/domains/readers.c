/*
 * Who reads events: one row each. What a reader is, and how one is added, stands in
 * events/reader.h; tests/integration/events.c looks. Those whose events people wait for come first.
 */
#include "events/reader.h"

#include "domains/notifications/notifications.h"
#include "domains/webhooks/webhooks_types.h"
#include "events/live.h"
#include "gen/sql_spine.h"

/* clang-format off */
const struct event_reader event_readers[] = {
	{ .name = "realtime", .look = &sql_spine_live, .tell = live_tell },
	{ .name = "notifications", .read = notifications_read },
	{ .name = "webhooks", .read = webhooks_fan_out },
	{ 0 },
};
/* clang-format on */
