/*
 * WebSockets of a server with settings of its own: limits, compression, PgBouncer in front; and how
 * many nginx lets one address have.
 */
#include "base/buf.h"
#include "base/ctx.h"
#include "cache/redis.h"
#include "events/room.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/site.h"
#include "support/websocket.h"
#include "support/wire.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static void stop(void)
{
	site_stop("live");
}

TestSuite(realtime_sites, .fini = stop);

static const char *start(const char *setting, const char *other)
{
	return site_start_realtime("live",
				   (const char *[]){ "WORKERS_REALTIME=1", setting, other, NULL });
}

static const char *target_of(const struct caller *c)
{
	return strf("/ws?token=%s", c->token);
}

static struct websocket *let_in(const char *socket, const struct caller *c, const char *headers)
{
	struct websocket *w = websocket_open_at(socket, target_of(c), headers);

	heard_is(w, "type", "connected");

	return w;
}

static void make_project(const struct caller *c, const char *slug)
{
	answer_is(post(c, "/projects", strf("{\"slug\":\"%s\",\"name\":\"x\"}", slug)), 201);
}

Test(realtime_sites, a_tenant_holds_so_many_and_no_more)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	const char *socket = start("REALTIME_TENANT_MAX=2", NULL);
	struct websocket *first = let_in(socket, &ann, NULL);
	struct farewell f;

	(void)let_in(socket, &ann, NULL);
	f = websocket_end(websocket_open_at(socket, target_of(&ann), NULL));
	cr_assert_eq(f.code, 1013);
	cr_assert_str_eq(f.reason, "Too many connections of this tenant");
	(void)let_in(socket, &bob, NULL);

	websocket_say(first, "{");
	websocket_frame(first, FRAME_FIN | FRAME_CLOSE, STR("\x03\xe8"), true);
	websocket_ends(first, 1000);
	(void)let_in(socket, &ann, NULL);
}

Test(realtime_sites, a_process_holds_so_many_and_no_more)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	const char *socket = start("REALTIME_CONNECTIONS_MAX=1", NULL);

	(void)let_in(socket, &ann, NULL);
	websocket_ends(websocket_open_at(socket, target_of(&bob), NULL), 1013);
}

Test(realtime_sites, a_connection_is_in_so_many_rooms_and_no_more)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = let_in(start("REALTIME_ROOMS_MAX=1", NULL), &ann, NULL);

	websocket_joins(w, room_of(&ann, "projects"));
	websocket_joins(w, room_of(&ann, "projects")); /* again is no other */
	websocket_ask(w, "subscribe", room_of(&ann, "roles"), "");
	heard_is(w, "code", "TOO_MANY_ROOMS");
	websocket_ask(w, "unsubscribe", room_of(&ann, "projects"), "");
	heard_is(w, "type", "unsubscribed");
	websocket_joins(w, room_of(&ann, "roles"));
}

static void shout(const struct caller *c, const char *text)
{
	struct ctx ctx;

	ctx_reset(&ctx, world_arena());
	room_publish(&ctx, c->tenant, room_of(c, "projects"), "shout",
		     str_of(strf("\"%s\"", text)));
}

/* Of one process: each that leaves has the last one take its place. */
Test(realtime_sites, who_leaves_a_room_is_told_no_more_and_who_stays_is)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *socket = start(NULL, NULL), *room = room_of(&ann, "projects");
	struct websocket *w[3];

	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		w[i] = let_in(socket, &ann, NULL);
		websocket_joins(w[i], room);
	}
	websocket_leaves(w[0], room);
	websocket_leaves(w[2], room);
	make_project(&ann, "blue");
	heard_is(w[1], "event", "project.created");
	hears_nothing(w[0]);
	hears_nothing(w[2]);
}

Test(realtime_sites, compression_is_negotiated_and_what_is_large_comes_small)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *socket = start("REALTIME_COMPRESSION=true", NULL);
	struct websocket *small = let_in(socket, &ann, WEBSOCKET_DEFLATE);
	struct websocket *plain = let_in(socket, &ann, NULL);
	const char *large = strf("%100000s", "x"), *message;
	size_t before;

	cr_assert(strstr(websocket_head(small), "permessage-deflate"));
	cr_assert_not(strstr(websocket_head(plain), "permessage-deflate"));
	websocket_joins(small, room_of(&ann, "projects"));
	websocket_joins(plain, room_of(&ann, "projects"));

	cr_assert_null(redis_init());
	before = websocket_payload_bytes(small);
	shout(&ann, large);
	message = heard_is(small, "event", "shout");
	cr_assert(strstr(message, large));
	cr_assert_lt(websocket_payload_bytes(small) - before, 2000);
	cr_assert_str_eq(heard_is(plain, "event", "shout"), message);

	websocket_frame(small, FRAME_FIN | FRAME_COMPRESSED | FRAME_TEXT,
			websocket_deflated(STR("{\"type\":\"ping\"}")), true);
	heard_is(small, "type", "pong");
}

Test(realtime_sites, a_message_that_inflates_beyond_the_limit_is_refused)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *socket = start("REALTIME_COMPRESSION=true", NULL);
	struct websocket *stays = let_in(socket, &ann, WEBSOCKET_DEFLATE);
	struct websocket *w = let_in(socket, &ann, WEBSOCKET_DEFLATE);
	struct str bomb = websocket_deflated(str_of(strf("%5000000s", "x")));

	cr_assert_lt(bomb.len, 16384, "as it is sent it is within the limit");
	websocket_frame(w, FRAME_FIN | FRAME_COMPRESSED | FRAME_TEXT, bomb, true);
	websocket_ends(w, 1009);
	hears_nothing(stays);
}

Test(realtime_sites, without_compression_none_is_negotiated)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_open(target_of(&ann), WEBSOCKET_DEFLATE);

	cr_assert_not(strstr(websocket_head(w), "permessage-deflate"));
	heard_is(w, "type", "connected");
	websocket_frame(w, FRAME_FIN | FRAME_COMPRESSED | FRAME_TEXT,
			websocket_deflated(STR("{\"type\":\"ping\"}")), true);
	websocket_ends(w, 1002);
}

/* Notifications do not come through a pool: whoever is over is found in the notices, each second.
 */
Test(realtime_sites, everything_is_told_and_ended_behind_pgbouncer)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	const char *socket =
		start(strf("DATABASE_URL=%s", world()->pool_url), "DATABASE_PREPARE=false");
	struct websocket *w = let_in(socket, &ann, NULL), *theirs = let_in(socket, &bob, NULL);
	const char *seen;

	websocket_joins(w, room_of(&ann, "projects"));
	websocket_joins(theirs, room_of(&ann, "projects"));
	make_project(&ann, "blue");
	seen = said(heard_is(w, "event", "project.created"), "id");
	heard_is(theirs, "event", "project.created");

	make_project(&ann, "green");
	heard_is(w, "event", "project.created");
	w = let_in(socket, &ann, NULL);
	websocket_ask(w, "subscribe", room_of(&ann, "projects"), strf(",\"since\":\"%s\"", seen));
	heard_is(w, "type", "subscribed");
	cr_assert(strstr(heard_is(w, "event", "project.created"), "\"slug\":\"green\""));

	caller_revoke(&bob);
	(void)hears_in_the_end(theirs, "event", "project.created");
	websocket_ends(theirs, 4003);
	hears_nothing(w);
}

#define HANDSHAKES 600

/* A site whose realtime server does not run: what nginx lets through is a 502. */
Test(realtime_sites, one_address_begins_so_many_a_second)
{
	struct wire *w = wire_open_to(site_start("live", (const char *[]){ NULL }));
	struct buf sent, got;
	struct str piece;
	const char *refused;

	buf_init(&sent, world_arena(), KIB(128));
	for (int i = 0; i < HANDSHAKES; i++)
		buf_str(&sent, websocket_handshake("/ws", NULL));
	wire_send(w, buf_view(&sent));
	buf_init(&got, world_arena(), MIB(4));
	do {
		piece = wire_read(w);
		cr_assert(piece.len, "all were let through");
		buf_add(&got, piece.ptr, piece.len);
		refused = strstr(got.data, "HTTP/1.1 429 ");
	} while (!refused || !strstr(refused, "\"retryAfter\":1"));
	cr_assert(strstr(refused, "\r\nRetry-After: 1\r\n"));
	cr_assert(strstr(refused, "{\"error\":\"RATE_LIMIT_EXCEEDED\""));
	cr_assert(strstr(got.data, "HTTP/1.1 502 "), "none was let through");
	wire_close(w);
}
