/* Tenants' turns: see turns.h. */
#define ZYGO_MAY_ALLOCATE /* messages in pieces wait on the heap */

#include "realtime/turns.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/str.h"
#include "realtime/connection.h"
#include "realtime/conversation.h"
#include "realtime/roster.h"

#include <libwebsockets.h>

/* A tenant's messages may take half a second of the loop's time, and half of it from then on; and
 * so much in one turn of the loop, for which all others wait. */
#define TENANT_AHEAD_US US_PER_S
#define TENANT_TURN_US  (10 * US_PER_MS)

/* It rests so much longer than it has to, and then has as much time at once: timers are no finer
 * than a millisecond, and each turn of the loop looks at all connections. */
#define REST_US (5 * US_PER_MS)

/* ---- shares ---- */

void turns_charge(struct tenant *t, int64_t began_us, enum turns_price times)
{
	int64_t us = clock_monotonic_us() - began_us;

	if (t->rested_at_us < began_us)
		t->rested_at_us = began_us;
	t->rested_at_us += times * us;
	t->turn_us += us;
}

/* How long no message of the tenant's is answered yet, µs; 0: the next may be, in this turn or the
 * next. */
static int64_t rest_us(const struct tenant *t)
{
	int64_t us = t->rested_at_us - TENANT_AHEAD_US - clock_monotonic_us();

	return us > 0 ? us : 0;
}

static bool has_turn(const struct tenant *t)
{
	return t->turn_us < TENANT_TURN_US && !rest_us(t);
}

/* A join asks PostgreSQL, and everybody waits meanwhile. */
static void hear(struct connection *conn, struct str text)
{
	int64_t began_us = clock_monotonic_us();

	conversation_hear(conn, text);
	turns_charge(conn->tenant, began_us, TURNS_HALF);
}

/* ---- parts ---- */

static void part_drop(struct connection *conn)
{
	free(conn->part);
	conn->part = NULL;
	conn->part_len = 0;
}

static bool part_add(struct connection *conn, const void *p, size_t len)
{
	size_t total = size_add(conn->part_len, len);

	if (total > (size_t)config()->realtime_message_max) {
		part_drop(conn);
		connection_close(conn, CLOSE_TOO_LARGE, "Message too large");
		return false;
	}
	conn->part = realloc(conn->part, total);
	BUG_IF(!conn->part && total);
	memcpy(conn->part + conn->part_len, p, len);
	conn->part_len = total;

	return true;
}

/* ---- the queue of a tenant ---- */

/* The first alone has a timer: setting one goes through all that there are. */
static void set_timer(const struct tenant *t)
{
	const struct connection *first = TAILQ_FIRST(&t->waiting);
	int64_t us = rest_us(t);

	if (first)
		lws_set_timer_usecs(first->wsi, us ? us + REST_US : 1);
}

/* Its answers to pings are not read. */
static void keep_alive(struct connection *conn)
{
	conn->alive_at_us = clock_monotonic_us();
	lws_validity_confirmed(conn->wsi);
}

/* Its message is a part to which nothing is added: no more is read from its client. */
static void wait_for_turn(struct connection *conn)
{
	struct tenant *t = conn->tenant;
	bool is_first = TAILQ_EMPTY(&t->waiting);

	(void)lws_rx_flow_control(conn->wsi, 0);
	keep_alive(conn);
	conn->is_waiting = true;
	TAILQ_INSERT_TAIL(&t->waiting, conn, turn);
	if (is_first)
		set_timer(t);
}

static void wait_no_more(struct connection *conn)
{
	conn->is_waiting = false;
	TAILQ_REMOVE(&conn->tenant->waiting, conn, turn);
}

static void hear_part(struct connection *conn)
{
	if (conn->close_code || conn->is_dead)
		return;

	hear(conn, (struct str){ conn->part, conn->part_len });
	part_drop(conn);
	(void)lws_rx_flow_control(conn->wsi, 1);
}

void turns_wake(struct tenant *t)
{
	struct connection *conn;

	t->turn_us = 0;
	while ((conn = TAILQ_FIRST(&t->waiting)) && has_turn(t)) {
		wait_no_more(conn);
		hear_part(conn);
	}
	set_timer(t);
}

void turns_leave(struct connection *conn)
{
	if (!conn->is_waiting)
		return;

	wait_no_more(conn);
	set_timer(conn->tenant);
}

void turns_take(struct connection *conn, const void *p, size_t len, bool is_end)
{
	bool must_wait = !TAILQ_EMPTY(&conn->tenant->waiting) || !has_turn(conn->tenant);

	if (is_end && !conn->part_len && !must_wait)
		hear(conn, (struct str){ p, len });
	else if (part_add(conn, p, len) && is_end)
		must_wait ? wait_for_turn(conn) : hear_part(conn);
}

void turns_tick(void)
{
	int64_t before_us = clock_monotonic_us() - config()->realtime_ping_us;
	struct connection *conn;

	TAILQ_FOREACH(conn, &connections, others)
	if (conn->is_waiting && conn->alive_at_us < before_us)
		keep_alive(conn);
}
