/* Tenants and rooms of this process: see roster.h. Two trees (tsearch(3)) and a list a room. */
#define ZYGO_MAY_ALLOCATE /* rooms last as long as somebody is in them */

#include "realtime/roster.h"

#include "base/config.h"
#include "prefork/scoreboard.h"
#include "realtime/connection.h"
#include "realtime/frame.h"
#include "realtime/presence.h"

#include <search.h>

static void *tenants, *rooms;
static size_t tenants_len;
static struct slot *slot;

void roster_init(struct slot *of_this_process)
{
	slot = of_this_process;
}

/* ---- tenants ---- */

static int compare_tenants(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tenant_id));
}

struct tenant *roster_tenant(struct tenant_id id)
{
	struct tenant *const *node = tfind(&id, &tenants, compare_tenants);

	return node ? *node : NULL;
}

struct tenant *roster_tenant_enter(struct tenant_id id, int64_t told)
{
	struct tenant *t = roster_tenant(id);

	if (!t) {
		t = malloc(sizeof(*t));
		BUG_IF(!t);
		*t = (struct tenant){ .id = id, .told = told };
		TAILQ_INIT(&t->waiting);
		BUG_IF(!tsearch(t, &tenants, compare_tenants));
		tenants_len++;
	}
	t->connections++;

	return t;
}

void roster_tenant_leave(struct tenant *t)
{
	if (--t->connections)
		return;

	(void)tdelete(t, &tenants, compare_tenants);
	tenants_len--;
	free(t);
}

size_t roster_tenants_len(void)
{
	return tenants_len;
}

/* What twalk(3) has no argument for. */
static struct {
	void (*visit)(struct tenant *t, void *p);
	void *p;
} walk;

static void walk_one(const void *node, VISIT visit, int depth UNUSED)
{
	if (visit == postorder || visit == leaf)
		walk.visit(*(struct tenant *const *)node, walk.p);
}

void roster_each_tenant(void (*visit)(struct tenant *t, void *p), void *p)
{
	walk.visit = visit;
	walk.p = p;
	twalk(tenants, walk_one);
}

/* ---- rooms ---- */

static int compare_rooms(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct room *roster_room(const char *name)
{
	struct room *const *node = tfind(name, &rooms, compare_rooms);

	return node ? *node : NULL;
}

static struct room *room_of(const struct room_name *name)
{
	char text[ROOM_NAME_SIZE];
	struct room *r;

	room_name_write(name, text);
	r = roster_room(text);
	if (r)
		return r;

	r = calloc(1, sizeof(*r));
	BUG_IF(!r);
	memcpy(r->name, text, sizeof(text));
	r->is = *name;
	BUG_IF(!tsearch(r, &rooms, compare_rooms));
	slot->rooms++;

	return r;
}

static void room_free(struct room *r)
{
	(void)tdelete(r, &rooms, compare_rooms);
	free(r->occupants);
	free(r);
	slot->rooms--;
}

/* ---- places ---- */

struct place *roster_place(struct connection *c, const char *name)
{
	for (uint32_t i = 0; i < c->places_len; i++)
		if (strcmp(c->places[i].room->name, name) == 0)
			return &c->places[i];

	return NULL;
}

/* Makes room for one more of size bytes. */
static void *grow(void *list, uint32_t len, uint32_t *cap, size_t size)
{
	if (len < *cap)
		return list;

	*cap = *cap ? 2 * *cap : 2;
	list = realloc(list, size_mul(*cap, size));
	BUG_IF(!list);

	return list;
}

struct place *roster_join(struct connection *c, const struct room_name *name)
{
	char text[ROOM_NAME_SIZE];
	struct place *p;
	struct room *r;

	room_name_write(name, text);
	p = roster_place(c, text);
	if (p)
		return p;
	if (c->places_len == (uint32_t)config()->realtime_rooms_max)
		return NULL;

	r = room_of(name);
	r->occupants = grow(r->occupants, r->len, &r->cap, sizeof(struct occupant));
	c->places = grow(c->places, c->places_len, &c->places_cap, sizeof(struct place));
	r->occupants[r->len] = (struct occupant){ .connection = c, .place = c->places_len };
	p = &c->places[c->places_len++];
	*p = (struct place){ .room = r, .at = r->len++ };

	return p;
}

/* The last of each list takes the place that becomes free, and is told where it is. */
static void leave(struct connection *c, uint32_t place)
{
	struct place gone = c->places[place];
	struct room *r = gone.room;

	if (gone.is_present)
		presence_leave(c, &c->places[place]);

	r->occupants[gone.at] = r->occupants[--r->len];
	if (gone.at < r->len) {
		const struct occupant *moved = &r->occupants[gone.at];

		moved->connection->places[moved->place].at = gone.at;
	}
	c->places[place] = c->places[--c->places_len];
	if (place < c->places_len) {
		const struct place *moved = &c->places[place];

		moved->room->occupants[moved->at].place = place;
	}

	if (r->len == 0)
		room_free(r);
}

void roster_leave(struct connection *c, const char *name)
{
	const struct place *p = roster_place(c, name);

	if (p)
		leave(c, (uint32_t)(p - c->places));
}

void roster_leave_all(struct connection *c)
{
	while (c->places_len)
		leave(c, c->places_len - 1);
}

void roster_tell(struct room *r, struct str text, int64_t position)
{
	struct frame *f = frame_new(text);

	for (uint32_t i = 0; i < r->len; i++)
		if (position > r->occupants[i].after)
			connection_send(r->occupants[i].connection, f);
	frame_drop(f);
}
