/* Presence: see presence.h. Each process keeps "<user>/<process>" in Redis for whom it holds. */
#include "realtime/presence.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "cache/attendance.h"
#include "cache/publish.h"
#include "cache/subscriber.h"
#include "realtime/connection.h"
#include "realtime/roster.h"

#define USER_LEN        (UUID_TEXT_SIZE - 1)
#define RENEWED_AT_ONCE 500

static struct {
	struct arena *arena;
	struct ctx c;
	char process[UUID_TEXT_SIZE];
	int64_t again_at_us; /* monotonic */
	uint64_t round;      /* of the connection to Redis in which it was said (subscriber.h) */
} own;

void presence_init(void)
{
	own.arena = arena_new();
	uuid_format(uuid_v7(), own.process);
	own.again_at_us = clock_monotonic_us() + ATTENDANCE_AGAIN_S * US_PER_S;
}

static struct ctx *work(void)
{
	arena_reset(own.arena);
	ctx_reset(&own.c, own.arena);

	return &own.c;
}

static const char *key_of(struct ctx *w, const struct connection *c, const struct room *r)
{
	char tenant[UUID_TEXT_SIZE];

	uuid_format(c->tenant->id.u, tenant);

	return arena_printf(w->arena, "present:{%s}:%s", tenant, r->name);
}

static struct str member_of(struct ctx *w, const struct connection *c)
{
	char user[UUID_TEXT_SIZE];

	uuid_format(connection_user(c), user);

	return str_of(arena_printf(w->arena, "%s/%s", user, own.process));
}

/* Another connection of the same user here is seen in the room. */
static bool is_seen_otherwise(const struct connection *c, const struct room *r)
{
	for (uint32_t i = 0; i < r->len; i++) {
		const struct connection *other = r->occupants[i].connection;

		if (other != c && other->places[r->occupants[i].place].is_present &&
		    uuid_eq(connection_user(other), connection_user(c)))
			return true;
	}

	return false;
}

/* Another process holds the user there. */
static bool is_elsewhere(const struct str *members, size_t n, struct str ours)
{
	for (size_t i = 0; i < n; i++)
		if (members[i].len == ours.len && memcmp(members[i].ptr, ours.ptr, USER_LEN) == 0 &&
		    !str_eq(members[i], ours))
			return true;

	return false;
}

/* ---- telling ---- */

static void begin(struct jsonwrite *w, struct buf *text, const char *room, const char *event)
{
	jsonwrite_init(w, text);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "presence");
	jsonwrite_member_text(w, "room", room);
	jsonwrite_member_text(w, "event", event);
}

/* All processes tell their own, this one too; without Redis this one alone. */
static void announce(struct ctx *work, const struct connection *c, struct room *r,
		     const char *event)
{
	char user[UUID_TEXT_SIZE], tenant[UUID_TEXT_SIZE];
	struct message m;
	struct jsonwrite w;
	struct buf text;

	uuid_format(connection_user(c), user);
	uuid_format(c->tenant->id.u, tenant);
	buf_init(&text, work->arena, KIB(1));
	begin(&w, &text, r->name, event);
	jsonwrite_member_text(&w, "userId", user);
	jsonwrite_object_end(&w);

	m = (struct message){ str_of(arena_printf(work->arena, "rooms:{%s}", tenant)),
			      buf_view(&text) };
	if (!publish(work, &m, 1))
		roster_tell(r, m.text, NO_POSITION);
}

static void change(struct connection *c, struct place *p, bool is_there)
{
	struct room *r = p->room;
	struct ctx *w = work();
	struct str ours = member_of(w, c), *members = NULL;
	size_t n = 0;

	p->is_present = is_there;
	if (is_seen_otherwise(c, r))
		return;

	(void)attendance_note(w, key_of(w, c, r), ours, is_there, &members, &n);
	if (!is_elsewhere(members, n, ours))
		announce(w, c, r, is_there ? "join" : "leave");
}

void presence_join(struct connection *c, struct place *p)
{
	if (!p->is_present)
		change(c, p, true);
}

void presence_leave(struct connection *c, struct place *p)
{
	change(c, p, false);
}

/* ---- listing ---- */

static void write_user(struct jsonwrite *w, struct str *last, struct str user)
{
	if (str_eq(*last, user))
		return;

	jsonwrite_str(w, user);
	*last = user;
}

static int compare(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return memcmp(x->ptr, y->ptr, USER_LEN);
}

/* Without Redis: whom this process holds. */
static size_t list_here(struct ctx *w, const struct room *r, struct str *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->len && n < ATTENDANCE_MAX; i++) {
		const struct connection *c = r->occupants[i].connection;

		if (c->places[r->occupants[i].place].is_present)
			ret[n++] = member_of(w, c);
	}

	return n;
}

void presence_list(struct connection *c, const struct room *r)
{
	struct ctx *work_ctx = work();
	struct str *members, last = { NULL, 0 };
	struct jsonwrite w;
	struct buf text;
	size_t n;

	if (!attendance_list(work_ctx, key_of(work_ctx, c, r), &members, &n)) {
		members = arena_make_n(work_ctx->arena, struct str, ATTENDANCE_MAX);
		n = list_here(work_ctx, r, members);
	}
	qsort(members, n, sizeof(*members), compare);

	buf_init(&text, work_ctx->arena, KIB(64));
	begin(&w, &text, r->name, "list");
	jsonwrite_key(&w, "users");
	jsonwrite_array(&w);
	for (size_t i = 0; i < n; i++)
		if (members[i].len > USER_LEN)
			write_user(&w, &last, (struct str){ members[i].ptr, USER_LEN });
	jsonwrite_array_end(&w);
	jsonwrite_object_end(&w);
	connection_say(c, buf_view(&text));
}

/* False: Redis did not say that it knows. */
static bool renew(const struct attendance *held, size_t n)
{
	bool is_known = !n || attendance_renew(&own.c, held, n);

	(void)work();

	return is_known;
}

static bool renew_all(void)
{
	struct attendance held[RENEWED_AT_ONCE];
	const struct connection *c;
	size_t n = 0;

	(void)work();
	TAILQ_FOREACH(c, &connections, others)
	for (uint32_t i = 0; i < c->places_len; i++) {
		if (!c->places[i].is_present)
			continue;
		held[n++] = (struct attendance){ key_of(&own.c, c, c->places[i].room),
						 member_of(&own.c, c) };
		if (n == ARRAY_LEN(held)) {
			if (!renew(held, n))
				return false;
			n = 0;
		}
	}

	return renew(held, n);
}

/* A Redis that was away may have begun anew, and knows of nobody. */
void presence_tick(void)
{
	uint64_t round = subscriber_round();

	if (clock_monotonic_us() < own.again_at_us && own.round == round)
		return;

	own.again_at_us = clock_monotonic_us() + ATTENDANCE_AGAIN_S * US_PER_S;
	if (renew_all())
		own.round = round;
}
