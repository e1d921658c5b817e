/* Conversations with clients: see conversation.h. */
#include "realtime/conversation.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "base/log.h"
#include "db/batch.h"
#include "gen/sql_realtime.h"
#include "identity/hooks.h"
#include "realtime/admission.h"
#include "realtime/connection.h"
#include "realtime/message.h"
#include "realtime/news.h"
#include "realtime/presence.h"
#include "realtime/roster.h"
#include "realtime/tally.h"

/* A client may say this many at once, and as many a second from then on. */
#define BURST      100
#define PER_SECOND 20

#define TYPE_SHOWN_MAX 64 /* bytes of an unknown type in the log; a longer one is left out */

static struct {
	struct arena *arena;
	struct ctx c;
} own;

void conversation_init(void)
{
	own.arena = arena_new();
}

static struct ctx *work(void)
{
	arena_reset(own.arena);
	ctx_reset(&own.c, own.arena);

	return &own.c;
}

/* ---- saying ---- */

/* {"type":type} with a member beside it; NULL: none. */
static void say(struct connection *c, const char *type, const char *key, const char *value)
{
	struct buf text;
	struct jsonwrite w;

	buf_init(&text, own.arena, KIB(1));
	jsonwrite_init(&w, &text);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "type", type);
	if (key)
		jsonwrite_member_text(&w, key, value);
	jsonwrite_object_end(&w);
	connection_say(c, buf_view(&text));
}

static void say_error(struct connection *c, const char *code, const char *message, struct str room)
{
	connection_say(c, error_text(own.arena, code, message, room));
}

static void deny(struct connection *c, struct str room)
{
	connection_say(c, denial_text(own.arena, room));
}

void conversation_begin(struct connection *c)
{
	char user[UUID_TEXT_SIZE];

	(void)work();
	uuid_format(connection_user(c), user);
	say(c, "connected", "userId", user);
}

/* ---- rooms ---- */

static bool is_for(const struct connection *c, const struct room_name *n)
{
	if (n->kind == ROOM_USER)
		return uuid_eq(n->owner, c->user.u);

	return uuid_eq(n->owner, c->tenant->id.u) && connection_holds(c, n->perm);
}

/* The session is proven again, then the room's own rule and the admin's. */
static int ask_to_join(struct ctx *w, const struct connection *c, const struct client_message *m,
		       const struct room_name *n, struct history *ret, bool *ret_is_let_in)
{
	const struct rows *hook, *resource = NULL;
	struct batch *b;
	int err;

	admission_enter(w, c, n->perm);
	b = batch_new(w, BATCH_READ);
	hooks_add_join_room(b, &hook, m->room.ptr);
	if (n->kind == ROOM_RESOURCE)
		batch_add(b, &resource, &sql_realtime_resource,
			  ARGS(arg_text(n->noun->table), arg_uuid(n->resource)));
	if (m->has_since)
		news_ask_history(b, c, n, m->since, ret);
	err = batch_run(b);
	if (err)
		return err;

	*ret_is_let_in = rows_get_bool(hook, "is_let_in") &&
			 (!resource || rows_get_bool(resource, "is_there"));

	return OK;
}

static void refuse_room(struct connection *c, int err, struct str room)
{
	int status = err_info(err)->status;

	if (status == 401)
		connection_close(c, CLOSE_OVER, "Session expired or revoked");
	else if (status == 403)
		deny(c, room);
	else
		say_error(c, "SERVICE_UNAVAILABLE", "The room could not be joined: try again",
			  room);
}

static void subscribe(struct connection *c, const struct client_message *m)
{
	struct room_name name;
	struct history history = { 0 };
	struct ctx *w = &own.c;
	bool is_let_in = false;
	struct place *p;
	int err;

	if (!m->room.len)
		return;
	if (!room_name_parse(m->room, &name) || !is_for(c, &name)) {
		deny(c, m->room);
		return;
	}
	err = ask_to_join(w, c, m, &name, &history, &is_let_in);
	if (err) {
		refuse_room(c, err, m->room);
		return;
	}
	p = is_let_in ? roster_join(c, &name) : NULL;
	if (!p) {
		if (is_let_in)
			say_error(c, "TOO_MANY_ROOMS", "Leave a room before you join another",
				  m->room);
		else
			deny(c, m->room);
		return;
	}

	log_debug("WebSocket room joined", LOG_S("room", m->room.ptr));
	say(c, "subscribed", "room", m->room.ptr);
	if (m->has_since)
		news_tell_history(w, c, p, &history);
	if (m->wants_presence)
		presence_join(c, p);
}

static void unsubscribe(struct connection *c, const struct client_message *m)
{
	if (!m->room.len)
		return;
	if (m->room.len >= ROOM_NAME_SIZE) {
		deny(c, m->room);
		return;
	}

	roster_leave(c, m->room.ptr);
	log_debug("WebSocket room left", LOG_S("room", m->room.ptr));
	say(c, "unsubscribed", "room", m->room.ptr);
}

static void list_presence(struct connection *c, const struct client_message *m)
{
	const struct place *p = m->room.len ? roster_place(c, m->room.ptr) : NULL;

	if (p)
		presence_list(c, p->room);
	else
		deny(c, m->room);
}

/* ---- hearing ---- */

/*
 * As the "generic cell rate algorithm" counts: allowed_at_us moves on by the time that one message
 * takes; who is a whole burst ahead of it says too much.
 */
static bool is_within_rate(struct connection *c)
{
	int64_t now = clock_monotonic_us(), each = US_PER_S / PER_SECOND;

	if (c->allowed_at_us < now)
		c->allowed_at_us = now;
	c->allowed_at_us += each;

	return c->allowed_at_us - now <= BURST * each;
}

void conversation_hear(struct connection *c, struct str text)
{
	struct ctx *w = work();
	struct client_message m;
	const char *why;

	atomic_fetch_add_explicit(&tally->messages_in, 1, memory_order_relaxed);
	if (!is_within_rate(c)) {
		atomic_fetch_add(&tally->floods, 1);
		connection_close(c, CLOSE_POLICY, "Too many messages");
		return;
	}
	if (!client_message_parse(w->arena, text, &m, &why)) {
		log_warn("Failed to parse WebSocket message", LOG_S("reason", why));
		return;
	}

	switch (m.type) {
	case MESSAGE_SUBSCRIBE: subscribe(c, &m); break;
	case MESSAGE_UNSUBSCRIBE: unsubscribe(c, &m); break;
	case MESSAGE_PRESENCE: list_presence(c, &m); break;
	case MESSAGE_PING: say(c, "pong", NULL, NULL); break;
	case MESSAGE_OTHER:
		log_warn("Unknown WebSocket message type",
			 LOG_S("type", m.type_text.len <= TYPE_SHOWN_MAX ? m.type_text.ptr : NULL));
		say_error(c, "UNKNOWN_TYPE", "Unknown message type", (struct str){ NULL, 0 });
		break;
	}
}
