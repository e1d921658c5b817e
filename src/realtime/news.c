/* Telling rooms what happens: see news.h. */
#include "realtime/news.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "base/log.h"
#include "cache/subscriber.h"
#include "db/batch.h"
#include "gen/sql_realtime.h"
#include "realtime/connection.h"
#include "realtime/message.h"
#include "realtime/roster.h"
#include "realtime/tally.h"
#include "realtime/turns.h"

#include <inttypes.h>

#define TEXT_MAX       MIB(4)
#define MISSED_AT_ONCE 1000

static struct {
	struct arena *arena; /* of one message */
	uint64_t round;      /* of the connection to Redis that was heard last */
	bool is_away;        /* Redis */
	int64_t head;        /* events were numbered up to here when that was last asked */
	size_t unsettled;    /* tenants */

	/* What was asked for in the batch that runs. */
	const struct rows *missed; /* NULL: nothing */
	bool of_all, settles;
} own;

/* One event, wherever it comes from. */
struct news {
	int64_t position;
	struct str id, type, at; /* id: ptr NULL: it is no event of the log */
	struct uuid subject;
	struct str data; /* JSON */
};

void news_init(void)
{
	own.arena = arena_new();
	subscriber_init();
}

void news_done(void)
{
	subscriber_done();
	arena_free(own.arena);
}

/* ---- tenants ---- */

static const char *channel_of(char text[64], const char *kind, struct tenant_id id)
{
	char tenant[UUID_TEXT_SIZE];

	uuid_format(id.u, tenant);
	(void)snprintf(text, 64, "%s:{%s}", kind, tenant);

	return text;
}

struct tenant *news_enter(struct tenant_id id, int64_t position)
{
	struct tenant *t = roster_tenant_enter(id, position);
	char channel[64];

	if (t->connections == 1) {
		own.unsettled++;
		subscriber_add(channel_of(channel, "events", id));
		subscriber_add(channel_of(channel, "rooms", id));
	}

	return t;
}

void news_leave(struct tenant *t)
{
	char channel[64];

	if (t->connections == 1) {
		own.unsettled -= !t->is_settled;
		subscriber_drop(channel_of(channel, "events", t->id));
		subscriber_drop(channel_of(channel, "rooms", t->id));
	}
	roster_tenant_leave(t);
}

/* ---- telling ---- */

static struct str event_text(struct arena *a, const char *room, const struct news *n)
{
	struct buf text;
	struct jsonwrite w;

	buf_init(&text, a, TEXT_MAX);
	jsonwrite_init(&w, &text);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "type", "event");
	jsonwrite_member_text(&w, "room", room);
	jsonwrite_key(&w, "id");
	if (n->id.ptr)
		jsonwrite_str(&w, n->id);
	else
		jsonwrite_null(&w);
	jsonwrite_key(&w, "event");
	jsonwrite_str(&w, n->type);
	jsonwrite_key(&w, "data");
	jsonwrite_raw(&w, n->data);
	jsonwrite_key(&w, "at");
	jsonwrite_str(&w, n->at);
	jsonwrite_object_end(&w);

	return buf_view(&text);
}

static void tell_room(struct arena *a, const struct room_name *name, const struct news *n)
{
	char text[ROOM_NAME_SIZE];
	struct room *r;

	room_name_write(name, text);
	r = roster_room(text);
	if (r)
		roster_tell(r, event_text(a, r->name, n), n->position);
}

static void tell(struct arena *a, struct tenant *t, const struct news *n)
{
	struct room_name name = { .kind = ROOM_EVENTS, .owner = t->id.u };

	if (n->position <= t->told)
		return;

	t->told = n->position;
	atomic_fetch_add_explicit(&tally->events, 1, memory_order_relaxed);
	tell_room(a, &name, n);
	name.noun = noun_of_type(n->type);
	if (!name.noun)
		return;

	name.kind = ROOM_NOUN;
	tell_room(a, &name, n);
	name.kind = ROOM_RESOURCE;
	name.resource = n->subject;
	if (!uuid_is_nil(n->subject))
		tell_room(a, &name, n);
}

/* ---- from Redis ---- */

static struct str data_of(struct arena *a, const struct json *object)
{
	const struct json *value;

	return jsonread_member(object, "data", &value) ? jsonread_text(a, value) : STR("null");
}

static bool int_of(const struct json *object, const char *key, int64_t *ret)
{
	const struct json *value;

	return jsonread_member(object, key, &value) && json_kind(value) == JSON_INT &&
	       jsonread_i64(value, ret);
}

static void unsettle(struct tenant *t, void *p UNUSED)
{
	own.unsettled += t->is_settled;
	t->is_settled = false;
}

static void hear_event(struct arena *a, struct tenant *t, const struct json *event)
{
	struct news n = {
		.id = jsonread_member_text(event, "id"),
		.type = jsonread_member_text(event, "type"),
		.at = jsonread_member_text(event, "at"),
		.data = data_of(a, event),
	};
	int64_t after;

	if (!int_of(event, "position", &n.position) || !int_of(event, "after", &after) ||
	    !n.type.ptr || !n.id.ptr || !n.at.ptr)
		return;
	if (!uuid_parse(jsonread_member_text(event, "subjectId"), &n.subject))
		n.subject = (struct uuid){ { 0 } };

	if (after > t->told)
		unsettle(t, NULL); /* the one before it did not come: Redis did not take it */
	if (t->is_settled)
		tell(a, t, &n);
}

/* As it is. A client that comes and goes has it told to thousands: that is its tenant's time. */
static void hear_presence(struct tenant *t, struct str room, struct str text)
{
	int64_t began_us = clock_monotonic_us();
	struct room *r = roster_room(room.ptr);

	if (r)
		roster_tell(r, text, NO_POSITION);
	turns_charge(t, began_us, TURNS_HALF);
}

/* Presence, or an event without an id. */
static void hear_room(struct arena *a, struct tenant *t, const struct json *message,
		      struct str text)
{
	struct str room = jsonread_member_text(message, "room");
	struct news n = { .position = NO_POSITION, .type = jsonread_member_text(message, "event") };
	struct room_name name;
	char at[RFC3339_SIZE];

	if (!n.type.ptr || !room.ptr || !room_name_parse(room, &name))
		return;
	if (str_is(jsonread_member_text(message, "type"), "presence")) {
		hear_presence(t, room, text);
		return;
	}

	clock_rfc3339(clock_now_us(), at);
	n.at = str_of(at);
	n.data = data_of(a, message);
	tell_room(a, &name, &n);
	if (name.kind == ROOM_RESOURCE) {
		name.kind = ROOM_NOUN;
		tell_room(a, &name, &n);
	}
}

/* channel: "events:{<tenant>}" or "rooms:{<tenant>}". */
static void hear(struct arena *a, struct str channel, struct str text)
{
	struct str tenant = channel, kind = str_cut(&tenant, ':');
	const struct json *message;
	struct tenant_id id;
	const char *why;
	struct tenant *t;
	size_t at;

	if (tenant.len < 2 || !uuid_parse((struct str){ tenant.ptr + 1, tenant.len - 2 }, &id.u))
		return;
	t = roster_tenant(id);
	if (!t || !jsonread_parse(a, text, &message, &why, &at) ||
	    json_kind(message) != JSON_OBJECT)
		return;

	if (str_is(kind, "events"))
		hear_event(a, t, message);
	else
		hear_room(a, t, message, text);
}

static void note_away(void)
{
	own.is_away = true;
	atomic_fetch_add(&tally->redis_failures, 1);
	log_warn("Redis is away: events are read from PostgreSQL, each second");
}

int news_connect(void)
{
	int fd = subscriber_connect();

	if (fd < 0 && !own.is_away) {
		note_away();
	} else if (fd >= 0 && own.is_away) {
		own.is_away = false;
		log_info("Redis is back");
	}
	if (fd < 0 || subscriber_round() != own.round)
		roster_each_tenant(unsettle, NULL);
	own.round = subscriber_round();

	return fd;
}

bool news_wants_log(void)
{
	return own.unsettled && subscriber_is_settled();
}

void news_hear(void)
{
	struct str channel, text;

	arena_reset(own.arena);
	while (subscriber_take(own.arena, &channel, &text)) {
		hear(own.arena, channel, text);
		arena_reset(own.arena);
	}
}

/* ---- from the log ---- */

/* As Redis brings it: without PostgreSQL's blanks. */
static struct str compact(struct arena *a, struct str data)
{
	const struct json *json;
	const char *why;
	size_t at;

	return jsonread_parse(a, data, &json, &why, &at) ? jsonread_text(a, json) : data;
}

static struct news news_of(struct arena *a, const struct rows *rows, size_t row)
{
	char *id = arena_alloc(a, UUID_TEXT_SIZE), *at = arena_alloc(a, RFC3339_SIZE);
	size_t subject = (size_t)rows_find(rows, "subject_id");

	uuid_format(rows_uuid(rows, row, (size_t)rows_find(rows, "id")), id);
	clock_rfc3339(rows_time(rows, row, (size_t)rows_find(rows, "created_at")), at);

	return (struct news){
		.position = rows_int(rows, row, (size_t)rows_find(rows, "position")),
		.id = str_of(id),
		.type = rows_str(rows, row, (size_t)rows_find(rows, "type")),
		.subject = rows_is_null(rows, row, subject) ? (struct uuid){ { 0 } }
							    : rows_uuid(rows, row, subject),
		.data = compact(a, rows_str(rows, row, (size_t)rows_find(rows, "data"))),
		.at = str_of(at),
	};
}

struct asked {
	struct ctx *c;
	struct str *ids, *after, *up_to;
	size_t len;
};

static struct str number(struct ctx *c, int64_t n)
{
	return str_of(arena_printf(c->arena, "%" PRId64, n));
}

/*
 * While Redis brings them, what was numbered before the last look ought to have come since; else
 * all there is.
 */
static void ask_for(struct tenant *t, void *p)
{
	struct asked *l = p;
	char *id;

	if (!own.of_all && t->is_settled)
		return;

	id = arena_alloc(l->c->arena, UUID_TEXT_SIZE);
	uuid_format(t->id.u, id);
	l->ids[l->len] = str_of(id);
	l->after[l->len] = number(l->c, t->told);
	l->up_to[l->len++] = number(l->c, t->is_settled ? own.head : INT64_MAX);
}

void news_ask(struct ctx *c, struct batch *b, bool of_all)
{
	size_t n = roster_tenants_len();
	struct asked l = {
		.c = c,
		.ids = arena_make_n(c->arena, struct str, n),
		.after = arena_make_n(c->arena, struct str, n),
		.up_to = arena_make_n(c->arena, struct str, n),
	};

	own.missed = NULL;
	own.of_all = of_all;
	own.settles = subscriber_is_settled();
	roster_each_tenant(ask_for, &l);
	if (l.len)
		batch_add(b, &own.missed, &sql_realtime_missed,
			  ARGS(arg_text_array(l.ids, l.len), arg_text_array(l.after, l.len),
			       arg_text_array(l.up_to, l.len), arg_int(MISSED_AT_ONCE)));
}

static void tell_missed(struct ctx *c, const struct rows *rows)
{
	size_t tenant = (size_t)rows_find(rows, "tenant_id");

	for (size_t i = 0; i < rows_len(rows); i++) {
		struct tenant *t = roster_tenant((struct tenant_id){ rows_uuid(rows, i, tenant) });
		struct news n = news_of(c->arena, rows, i);

		if (!t || n.position <= t->told)
			continue;
		atomic_fetch_add_explicit(&tally->events_late, 1, memory_order_relaxed);
		tell(c->arena, t, &n);
	}
}

/* It was told of all that was asked for. */
static void have_told(struct tenant *t, void *p)
{
	const int64_t *head = p;
	int64_t up_to = t->is_settled ? own.head : *head;

	if (!own.of_all && t->is_settled)
		return;
	if (t->told < up_to)
		t->told = up_to;
	if (own.settles && !t->is_settled) {
		t->is_settled = true;
		own.unsettled--;
	}
}

void news_tell_asked(struct ctx *c, int64_t head)
{
	if (own.missed) {
		tell_missed(c, own.missed);
		if (rows_len(own.missed) < MISSED_AT_ONCE)
			roster_each_tenant(have_told, &head);
	}
	if (own.of_all)
		own.head = head;
}

/* ---- history ---- */

void news_ask_history(struct batch *b, const struct connection *who, const struct room_name *n,
		      struct uuid since, struct history *ret)
{
	*ret = (struct history){ 0 };
	if (n->kind == ROOM_USER || uuid_is_nil(since))
		return;

	batch_add(b, &ret->since, &sql_realtime_since,
		  ARGS(arg_uuid(since), arg_int(who->tenant->told), arg_int(HISTORY_SPAN)));
	batch_add(b, &ret->events, &sql_realtime_history,
		  ARGS(arg_uuid(since), arg_int(who->tenant->told),
		       arg_text(n->noun ? n->noun->name : NULL), arg_uuid(n->resource),
		       arg_int(HISTORY_MAX + 1), arg_int(HISTORY_SPAN)));
}

static size_t bytes_of(const struct rows *events)
{
	size_t data = (size_t)rows_find(events, "data"), bytes = 0;

	for (size_t i = 0; i < rows_len(events); i++)
		bytes += rows_str(events, i, data).len;

	return bytes;
}

static bool can_replay(const struct connection *to, const struct history *h)
{
	return h->since && rows_len(h->since) && !rows_get_bool(h->since, "is_long_ago") &&
	       rows_len(h->events) <= HISTORY_MAX &&
	       to->queue_asked + bytes_of(h->events) <= HISTORY_BYTES_MAX;
}

void news_tell_history(struct ctx *c, struct connection *to, struct place *p,
		       const struct history *h)
{
	const struct room *in = p->room;

	if (!can_replay(to, h)) {
		connection_say(to, error_text(c->arena, "HISTORY_LOST",
					      "What was missed cannot be replayed: read it anew by "
					      "the API",
					      str_of(in->name)));
		return;
	}

	in->occupants[p->at].after = rows_get_int(h->since, "position");
	for (size_t i = 0; i < rows_len(h->events); i++) {
		struct news one = news_of(c->arena, h->events, i);

		connection_answer(to, event_text(c->arena, in->name, &one));
	}
}
