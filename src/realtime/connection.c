/* Sending to one client, and closing: see connection.h. */
#define ZYGO_MAY_ALLOCATE /* queues last as long as their connection is slow */

#include "realtime/connection.h"

#include "base/config.h"
#include "base/log.h"
#include "realtime/frame.h"
#include "realtime/roster.h"
#include "realtime/tally.h"

#include <assert.h>
#include <libwebsockets.h>

#define CLOSE_WAIT_S 5

static_assert(PERM_COUNT <= 64, "a bit for each permission");

struct connections connections = TAILQ_HEAD_INITIALIZER(connections);
size_t connections_len;

struct uuid connection_user(const struct connection *c)
{
	return uuid_is_nil(c->user.u) ? c->account.u : c->user.u;
}

bool connection_holds(const struct connection *c, enum perm p)
{
	return p == PERM_MEMBER || c->is_of_platform || (c->permissions & UINT64_C(1) << p);
}

void connection_permit(struct connection *c, struct str name)
{
	for (unsigned p = 0; p < PERM_COUNT; p++)
		if (permissions[p].name && str_is(name, permissions[p].name))
			c->permissions |= UINT64_C(1) << p;
}

/* ---- sending ---- */

/* Nothing can be sent any more; the loop frees it, and then it leaves its rooms: not here, where
 * one of them may be told something. */
static void give_up(struct connection *c)
{
	if (c->is_dead)
		return;

	c->is_dead = true;
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static bool write_frame(struct connection *c, struct frame *f)
{
	int n = lws_write(c->wsi, frame_text(f), f->len, LWS_WRITE_TEXT);

	if (n < 0)
		return false;
	atomic_fetch_add_explicit(&tally->messages_out, 1, memory_order_relaxed);

	return true;
}

static void queue_grow(struct connection *c)
{
	c->queue_cap = c->queue_cap ? 2 * c->queue_cap : 8;
	c->queue = realloc(c->queue, size_mul(c->queue_cap, sizeof(struct frame *)));
	BUG_IF(!c->queue);
}

static void queue_push(struct connection *c, struct frame *f)
{
	if (c->queue_bytes + f->len > (size_t)config()->realtime_queue_max + c->queue_asked) {
		log_info("WebSocket client dropped: it does not read",
			 LOG_I("waiting", c->queue_bytes));
		atomic_fetch_add(&tally->slow, 1);
		give_up(c);
		return;
	}

	if (c->queue_len == c->queue_cap)
		queue_grow(c);
	c->queue[c->queue_len++] = frame_keep(f);
	c->queue_bytes += f->len;
	lws_callback_on_writable(c->wsi);
}

/*
 * libwebsockets takes a message outside of its "writable" as well, and keeps what the socket did
 * not take; so the ordinary case needs no turn of the loop. An extension may need several turns for
 * one message, and waits for each.
 */
void connection_send(struct connection *c, struct frame *f)
{
	if (c->close_code || c->is_dead)
		return;

	if (c->queue_len || c->is_compressed || lws_partial_buffered(c->wsi))
		queue_push(c, f);
	else if (!write_frame(c, f))
		give_up(c);
}

void connection_say(struct connection *c, struct str text)
{
	struct frame *f = frame_new(text);

	connection_send(c, f);
	frame_drop(f);
}

void connection_answer(struct connection *c, struct str text)
{
	uint32_t waiting = c->queue_len;

	c->queue_asked += text.len;
	connection_say(c, text);
	if (c->queue_len == waiting)
		c->queue_asked -= text.len; /* it did not have to wait */
}

static void queue_done(struct connection *c)
{
	for (uint32_t i = 0; i < c->queue_len; i++)
		frame_drop(c->queue[i]);
	free(c->queue);
	c->queue = NULL;
	c->queue_len = c->queue_cap = 0;
	c->queue_bytes = c->queue_asked = 0;
}

/* As many as the socket takes at once; with an extension, one a turn. */
bool connection_flush(struct connection *c)
{
	uint32_t sent = 0;

	while (sent < c->queue_len && !c->is_dead && !lws_partial_buffered(c->wsi)) {
		struct frame *f = c->queue[sent++];

		c->is_dead = !write_frame(c, f);
		c->queue_bytes -= f->len;
		frame_drop(f);
		if (c->is_compressed)
			break;
	}
	if (sent)
		memmove(c->queue, c->queue + sent, (c->queue_len - sent) * sizeof(struct frame *));
	c->queue_len -= sent;

	if (c->queue_len)
		lws_callback_on_writable(c->wsi);
	else
		queue_done(c);

	return !c->is_dead;
}

/* ---- closing ---- */

void connection_close(struct connection *c, enum close_code code, const char *reason)
{
	if (c->close_code || c->is_dead)
		return;

	c->close_code = (uint16_t)code;
	c->close_reason = reason;
	roster_leave_all(c);
	queue_done(c);
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_WAIT_S);
	lws_callback_on_writable(c->wsi);
}

void connection_done(struct connection *c)
{
	queue_done(c);
	free(c->places);
	free(c->part);
	c->places = NULL;
	c->part = NULL;
}
