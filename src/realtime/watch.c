/* Ending what is over: see watch.h. */
#define ZYGO_MAY_ALLOCATE /* a snapshot is as long as transactions are many */

#include "realtime/watch.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "db/batch.h"
#include "db/listen.h"
#include "gen/sql_realtime.h"
#include "realtime/connection.h"
#include "realtime/message.h"
#include "realtime/news.h"
#include "realtime/roster.h"
#include "realtime/tally.h"

#include <inttypes.h>

#define PROVEN_AT_ONCE 1000
#define PROVE_EACH_US  (10 * US_PER_S)

static struct {
	struct arena *arena;
	struct ctx c;
	char *seen; /* pg_snapshot: of which transactions the notices were read; NULL: never asked
		     */
	int64_t prove_at_us; /* monotonic */
	bool is_cut_off;     /* the database */
} own;

void watch_init(void)
{
	own.arena = arena_new();
}

void watch_done(void)
{
	listen_done();
	free(own.seen);
	arena_free(own.arena);
}

static struct ctx *work(void)
{
	arena_reset(own.arena);
	ctx_reset(&own.c, own.arena);
	own.c.actor.kind = ACTOR_SYSTEM;

	return &own.c;
}

int watch_listen(void)
{
	return listen_on(work(), &sql_realtime_listen);
}

/* ---- notices ---- */

static void end(struct connection *c, const char *reason)
{
	if (!c->close_code)
		atomic_fetch_add(&tally->revoked, 1);
	connection_close(c, CLOSE_OVER, reason);
}

/* Rooms whose permission is no longer held are left, and that is said. */
static void leave_forbidden(struct ctx *w, struct connection *c)
{
	for (uint32_t i = c->places_len; i-- > 0;) {
		char name[ROOM_NAME_SIZE];

		if (connection_holds(c, c->places[i].room->is.perm))
			continue;
		memcpy(name, c->places[i].room->name, sizeof(name));
		roster_leave(c, name);
		connection_say(c, denial_text(w->arena, str_of(name)));
	}
}

/* names: what it may do from now on; NULL: nothing any more. */
static void change_seat(struct ctx *w, struct connection *c, const struct str *names, size_t n)
{
	if (!names) {
		end(c, "Access suspended");
		return;
	}

	c->permissions = 0;
	for (size_t i = 0; i < n; i++)
		connection_permit(c, names[i]);
	leave_forbidden(w, c);
}

/* Nil where it is NULL. */
static struct uuid id_at(const struct rows *rows, size_t row, const char *column)
{
	size_t i = (size_t)rows_find(rows, column);

	return rows_is_null(rows, row, i) ? (struct uuid){ { 0 } } : rows_uuid(rows, row, i);
}

static bool is_meant(struct uuid noticed, struct uuid id)
{
	return !uuid_is_nil(noticed) && uuid_eq(noticed, id);
}

static void take_notice(struct ctx *w, const struct rows *rows, size_t row)
{
	struct uuid session = id_at(rows, row, "session_id");
	struct uuid tenant = id_at(rows, row, "closed_tenant_id");
	struct uuid seat = id_at(rows, row, "seat_id");
	size_t permissions_of_seat = (size_t)rows_find(rows, "permissions"), n = 0;
	struct str *names = NULL;
	struct connection *c;

	if (!rows_is_null(rows, row, permissions_of_seat))
		n = rows_array(rows, row, permissions_of_seat, w->arena, &names);
	TAILQ_FOREACH(c, &connections, others)
	{
		if (is_meant(session, c->session.u))
			end(c, "Session expired or revoked");
		else if (is_meant(tenant, c->tenant->id.u) && !c->is_of_platform)
			end(c, "Tenant is suspended");
		else if (is_meant(seat, c->user.u) && !c->is_of_platform)
			change_seat(w, c, names, n);
	}
}

/* ---- asking ---- */

/* Once an outage. */
static void tell_trouble(const struct ctx *w)
{
	if (!own.is_cut_off)
		log_error("PostgreSQL could not be asked", LOG_S("detail", w->fault.detail));
	own.is_cut_off = true;
}

static void note_seen(const char *snapshot)
{
	free(own.seen);
	own.seen = strdup(snapshot);
	BUG_IF(!own.seen);
}

static void look(bool at_all)
{
	struct ctx *w = work();
	struct batch *b = batch_new(w, BATCH_SYSTEM);
	const struct rows *head, *notices;

	/* The head first: what is committed behind it is read the next time. */
	batch_add(b, &head, &sql_realtime_head, NO_ARGS);
	batch_add(b, &notices, &sql_realtime_notices, ARGS(arg_text(own.seen)));
	news_ask(w, b, at_all);
	if (batch_run(b)) {
		tell_trouble(w);
		return;
	}

	own.is_cut_off = false;
	for (size_t i = 0; i < rows_len(notices); i++)
		take_notice(w, notices, i);
	note_seen(rows_get_text(notices, "seen"));
	news_tell_asked(w, rows_get_int(head, "position"));
}

void watch_hear(void)
{
	bool was_called = false;

	(void)work();
	while (listen_take(own.arena))
		was_called = true;
	if (was_called)
		look(false);
}

void watch_settle(void)
{
	if (news_wants_log())
		look(false);
}

static void end_tokens(void)
{
	int64_t now = clock_now_us();
	struct connection *c;

	TAILQ_FOREACH(c, &connections, others)
	if (c->ends_at_us && c->ends_at_us <= now)
		end(c, "Token expired");
}

static struct connection *by_number(uint64_t number)
{
	struct connection *c;

	TAILQ_FOREACH(c, &connections, others)
	if (c->number == number)
		return c;

	return NULL;
}

/* Those that were not looked at for the longest time; they go to the end of the list. */
static size_t take_for_proof(struct ctx *w, struct str *sessions, struct str *tenants,
			     struct str *numbers, struct str *are_of_platform)
{
	size_t n = connections_len < PROVEN_AT_ONCE ? connections_len : PROVEN_AT_ONCE;

	for (size_t i = 0; i < n; i++) {
		struct connection *c = TAILQ_FIRST(&connections);
		char *session = arena_alloc(w->arena, UUID_TEXT_SIZE);
		char *tenant = arena_alloc(w->arena, UUID_TEXT_SIZE);

		uuid_format(c->session.u, session);
		uuid_format(c->tenant->id.u, tenant);
		sessions[i] = str_of(session);
		tenants[i] = str_of(tenant);
		numbers[i] = str_of(arena_printf(w->arena, "%" PRIu64, c->number));
		are_of_platform[i] = c->is_of_platform ? STR("true") : STR("false");
		TAILQ_REMOVE(&connections, c, others);
		TAILQ_INSERT_TAIL(&connections, c, others);
	}

	return n;
}

static void prove_again(void)
{
	struct ctx *w = work();
	struct str *lists = arena_make_n(w->arena, struct str, 4 * PROVEN_AT_ONCE);
	struct str *sessions = lists, *tenants = lists + PROVEN_AT_ONCE;
	struct str *numbers = lists + 2 * PROVEN_AT_ONCE;
	struct str *are_of_platform = lists + 3 * PROVEN_AT_ONCE;
	const struct rows *over;
	struct batch *b;
	size_t n;

	if (clock_monotonic_us() < own.prove_at_us || !connections_len)
		return;

	own.prove_at_us = clock_monotonic_us() + PROVE_EACH_US;
	n = take_for_proof(w, sessions, tenants, numbers, are_of_platform);
	b = batch_new(w, BATCH_IDENTITY);
	batch_add(b, &over, &sql_realtime_over,
		  ARGS(arg_text_array(sessions, n), arg_text_array(tenants, n),
		       arg_text_array(numbers, n), arg_text_array(are_of_platform, n)));
	if (batch_run(b)) {
		tell_trouble(w);
		return;
	}
	for (size_t i = 0; i < rows_len(over); i++) {
		struct connection *c = by_number((uint64_t)rows_int(over, i, 0));

		if (c)
			end(c, "Session expired or revoked");
	}
}

void watch_tick(void)
{
	end_tokens();
	look(true);
	prove_again();
}
