/*
 * WebSockets: who connects, who joins which room, what is told there. What is only live is in
 * realtime_live.c, what is over in realtime_over.c, who is seen in realtime_presence.c.
 */
#include "base/ctx.h"
#include "cache/redis.h"
#include "events/room.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/websocket.h"
#include "support/wire.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *new_project(const struct caller *c, const char *slug)
{
	struct answer a = answer_is(
		post(c, "/projects", strf("{\"slug\":\"%s\",\"name\":\"%s\"}", slug, slug)), 201);

	return answer_text(a, "id");
}

static const char *ticket_of(const struct caller *c)
{
	struct caller v = on_tier(*c, TIER_AUTH);

	return answer_text(answer_is(post(&v, "/ws-ticket", NULL), 201), "ticket");
}

static void is_refused(const char *target, const char *headers, int code, const char *reason)
{
	struct farewell f = websocket_end(websocket_open(target, headers));

	cr_assert_eq(f.code, code, "%s: %d %s", target, f.code, f.reason);
	cr_assert_str_eq(f.reason, reason);
}

/*
 * Connecting
 */

static void is_let_in(const struct caller *c, const char *target, const char *headers)
{
	struct websocket *w = websocket_open(target, headers);

	cr_assert_str_eq(said(heard_is(w, "type", "connected"), "userId"), id_text(c->user.u));
}

Test(realtime, token_ticket_and_cookie_connect)
{
	struct caller ann = caller(ROLE_VIEWER);

	is_let_in(&ann, strf("/ws?token=%s", ann.token), NULL);
	is_let_in(&ann, "/ws", strf("Authorization: Bearer %s\r\n", ann.token));
	is_let_in(&ann, strf("/ws?token=%s", ticket_of(&ann)), NULL);
	is_let_in(&ann, "/ws",
		  strf("Cookie: a=b; __Host-zygo_session=%s\r\nOrigin: %s\r\n", ann.cookie,
		       on_tier(ann, TIER_ADMIN).origin));
}

Test(realtime, a_ticket_is_good_once_and_for_seconds)
{
	struct caller ann = caller(ROLE_VIEWER);
	const char *used = ticket_of(&ann), *late = ticket_of(&ann);

	is_let_in(&ann, strf("/ws?token=%s", used), NULL);
	is_refused(strf("/ws?token=%s", used), NULL, 4002, "Invalid authentication token");

	database_run("UPDATE ws_tickets SET expires_at = now() WHERE session_id = $1::uuid",
		     id_text(ann.session.u), NULL);
	is_refused(strf("/ws?token=%s", late), NULL, 4002, "Invalid authentication token");
}

Test(realtime, a_ticket_of_a_session_that_has_ended_is_nothing)
{
	struct caller ann = caller(ROLE_VIEWER);
	const char *ticket = ticket_of(&ann);

	caller_revoke(&ann);
	is_refused(strf("/ws?token=%s", ticket), NULL, 4002, "Invalid authentication token");
}

Test(realtime, what_proves_nothing_is_refused)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *key = api_key_make(ann.tenant, ann.user, "canViewProjects");
	const char *foreign = strf("Cookie: __Host-zygo_session=%s\r\nOrigin: "
				   "https://evil.example\r\n",
				   ann.cookie);

	is_refused("/ws", NULL, 4001, "Missing authentication token");
	is_refused("/ws?token=", NULL, 4001, "Missing authentication token");
	is_refused("/ws", foreign, 4001, "Missing authentication token");
	is_refused("/ws?token=abc", NULL, 4002, "Invalid authentication token");
	is_refused("/ws?token=a.b.c", NULL, 4002, "Invalid authentication token");
	is_refused(strf("/ws?token=%s", key), NULL, 4002, "Invalid authentication token");
	is_refused("/ws", strf("Authorization: Bearer %s\r\n", key), 4002,
		   "Invalid authentication token");
	caller_revoke(&ann);
	is_refused(strf("/ws?token=%s", ann.token), NULL, 4002, "Invalid authentication token");
}

Test(realtime, a_member_of_several_tenants_names_one)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	struct user_id seat = user_make_of(bob.tenant, ROLE_VIEWER, ann.account);
	const char *tenant = id_text(bob.tenant.u);
	struct websocket *w =
		websocket_open(strf("/ws?token=%s&tenant=%s", ann.token, tenant), NULL);

	cr_assert_str_eq(said(heard_is(w, "type", "connected"), "userId"), id_text(seat.u));
	websocket_joins(w, room_of(&bob, "projects"));
	is_refused(strf("/ws?token=%s&tenant=%s", bob.token, id_text(ann.tenant.u)), NULL, 4002,
		   "Invalid authentication token");
}

/* Each was counted as a connection that ended, though none had begun: after one, nobody was let in
 * any more. The last named what is no protocol for clients, and stayed without having proven
 * anything. */
Test(realtime, a_handshake_that_is_refused_harms_nobody)
{
	static const char *const headers[] = {
		"",
		"Sec-WebSocket-Version: 13\r\n",
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Protocol: chat\r\n",
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Protocol: attendant\r\n",
	};
	struct caller ann = caller(ROLE_VIEWER);

	for (size_t i = 0; i < 3 * ARRAY_LEN(headers); i++) { /* each of the processes */
		websocket_is_refused(headers[i % ARRAY_LEN(headers)]);
		is_let_in(&ann, strf("/ws?token=%s", ann.token), NULL);
	}
}

/* nginx writes its log a second late; what is looked for may begin with a '-'. */
static bool is_logged(void *text)
{
	const char *logs = strf("%s/log", world()->dir);
	const char *argv[] = { "grep", "-rqF", "-e", text, logs, NULL };
	int status;

	(void)world_run(argv, &status);
	cr_assert(status == 0 || status == 1, "grep: %d", status);

	return status == 0;
}

Test(realtime, nginx_passes_websockets_alone_and_logs_no_token)
{
	struct caller ann = caller(ROLE_VIEWER), nobody = caller_nobody();
	char *ticket = arena_strdup(world_arena(), ticket_of(&ann));
	char *agent = arena_strdup(world_arena(), new_word());
	struct wire *w = wire_open();
	struct ask plain = { .method = "GET", .path = "/ws?token=x", .caller = &nobody };

	wire_send(w, str_of(websocket_handshake(strf("/ws?token=%s", ticket),
						strf("User-Agent: %s\r\n", agent))));
	cr_assert(strstr(wire_read(w).ptr, "HTTP/1.1 101 "));
	wire_close(w);
	answer_is_error(answer_to(&plain), 404, "ROUTE_NOT_FOUND", NULL);

	wait_until(is_logged, agent, "the handshake is in the log");
	cr_assert_not(is_logged(ticket), "a log holds the ticket");
}

Test(realtime, nginx_passes_what_a_handshake_needs_and_no_more)
{
	static const char broken[] = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
				     "Connection: Upgrade\r\n\r\n";
	struct caller ann = caller(ROLE_VIEWER);
	struct wire *w = wire_open();
	const char *head;

	answer_is_error(wire_answer(STR(broken)), 400, "VALIDATION_ERROR", NULL);

	wire_send(w, str_of(websocket_handshake(
			     strf("/ws?token=%s&x=%07000d", ann.token, 0),
			     strf("Sec-WebSocket-Protocol: chat\r\nX-Much: %08000d\r\n"
				  "Cookie: a=%08000d\r\n",
				  0, 0))));
	head = wire_read(w).ptr;
	cr_assert(strstr(head, "HTTP/1.1 101 "), "%s", head);
	cr_assert_not(strstr(head, "Sec-WebSocket-Protocol"), "%s", head);
	wire_close(w);
}

/*
 * Talking
 */

Test(realtime, what_is_no_message_does_no_harm)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct websocket *w = websocket_of(&ann);

	websocket_say(w, "not json");
	websocket_say(w, "[]");
	websocket_say(w, "{}");
	websocket_say(w, "");
	websocket_say(w, "{\"type\":\"subscribe\"}");
	websocket_say(w, "{\"type\":\"unsubscribe\",\"room\":7}");
	hears_nothing(w);
	websocket_say(w, "{\"type\":\"dance\"}");
	heard_is(w, "message", "Unknown message type");
	hears_nothing(w);
}

Test(realtime, who_says_too_much_is_closed)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct websocket *w = websocket_of(&ann);

	for (int i = 0; i < 5000; i++)
		websocket_say(w, "no json");
	websocket_ends(w, 1008);
}

Test(realtime, a_message_comes_in_pieces)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct websocket *w = websocket_of(&ann);

	websocket_frame(w, FRAME_TEXT, STR("{\"ty"), true);
	websocket_frame(w, FRAME_FIN | FRAME_PING, STR("still there?"), true);
	websocket_frame(w, FRAME_CONTINUATION, STR("pe\":"), true);
	websocket_frame(w, FRAME_FIN | FRAME_CONTINUATION, STR("\"ping\"}"), true);
	heard_is(w, "type", "pong");
}

Test(realtime, a_long_message_is_whole)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct websocket *w = websocket_of(&ann);
	char blanks[12001];

	memset(blanks, ' ', sizeof(blanks) - 1);
	blanks[sizeof(blanks) - 1] = '\0';
	websocket_say(w, strf("{\"type\":%s\"ping\"}", blanks));
	heard_is(w, "type", "pong");
}

Test(realtime, what_breaks_the_protocol_is_closed_with_its_code)
{
	static const struct {
		const char *what;
		unsigned first;
		struct str payload;
		int code;
	} cases[] = {
		{ "binary", FRAME_FIN | FRAME_BINARY, { "x", 1 }, 1003 },
		{ "bad UTF-8", FRAME_FIN | FRAME_TEXT, { "\xff\xfe", 2 }, 1007 },
		{ "a reserved opcode", FRAME_FIN | 0x3, { "x", 1 }, 1002 },
		{ "a reserved bit", FRAME_FIN | 0x40 | FRAME_TEXT, { "x", 1 }, 1002 },
		{ "nothing continued", FRAME_FIN | FRAME_CONTINUATION, { "x", 1 }, 1002 },
		{ "a ping in pieces", FRAME_PING, { "x", 1 }, 1002 },
	};
	struct caller ann = caller(ROLE_VIEWER);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct websocket *w = websocket_of(&ann);
		struct farewell f;

		websocket_frame(w, cases[i].first, cases[i].payload, true);
		f = websocket_end(w);
		cr_assert_eq(f.code, cases[i].code, "%s: %d %s", cases[i].what, f.code, f.reason);
	}
}

/* U+1F600, cut in the middle; then one whose second half is none. */
Test(realtime, a_letter_may_be_cut_and_must_be_one)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct websocket *w = websocket_of(&ann);

	websocket_frame(w, FRAME_TEXT, STR("{\"type\":\"ping\",\"x\":\"\xf0\x9f"), true);
	websocket_frame(w, FRAME_FIN | FRAME_CONTINUATION, STR("\x98\x80\"}"), true);
	heard_is(w, "type", "pong");
	websocket_frame(w, FRAME_TEXT, STR("\"\xf0\x9f"), true);
	websocket_frame(w, FRAME_FIN | FRAME_CONTINUATION, STR("(\""), true);
	websocket_ends(w, 1007);
}

Test(realtime, a_message_has_a_greatest_size)
{
	struct caller ann = caller(ROLE_VIEWER);
	struct websocket *w = websocket_of(&ann);

	websocket_say(w, strf("%40000s", "x"));
	websocket_ends(w, 1009);
}

/*
 * Rooms
 */

static void is_denied(struct websocket *w, const char *room)
{
	websocket_ask(w, "subscribe", room, "");
	heard_is(w, "message", "Access denied to room");
}

Test(realtime, rooms_are_of_ones_own_tenant)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	const char *ours = id_text(project_make(ann.tenant, NULL));
	const char *theirs = id_text(project_make(bob.tenant, NULL));
	struct websocket *w = websocket_of(&ann);

	websocket_joins(w, room_of(&ann, "events"));
	websocket_joins(w, room_of(&ann, "projects"));
	websocket_joins(w, room_of(&ann, strf("project:%s", ours)));
	websocket_joins(w, strf("user:%s", id_text(ann.user.u)));

	is_denied(w, room_of(&bob, "events"));
	is_denied(w, room_of(&bob, strf("project:%s", theirs)));
	is_denied(w, room_of(&ann, strf("project:%s", theirs)));
	is_denied(w, room_of(&ann, "project:x"));
	is_denied(w, room_of(&ann, "dreams"));
	is_denied(w, strf("user:%s", id_text(bob.user.u)));
	is_denied(w, "tenant:");
	is_denied(w, "x");
}

Test(realtime, a_room_wants_its_permission)
{
	struct caller ann = caller(ROLE_OWNER), eve = caller_in(ann.tenant, ROLE_VIEWER);
	struct websocket *w = websocket_of(&eve);

	websocket_joins(w, room_of(&ann, "projects"));
	is_denied(w, room_of(&ann, "events"));
	is_denied(w, room_of(&ann, "apiKeys"));
	is_denied(w, strf("user:%s", id_text(ann.user.u)));
}

Test(realtime, whoever_is_in_the_room_is_told)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	struct websocket *in = websocket_of(&ann), *out = websocket_of(&ann);
	struct websocket *elsewhere = websocket_of(&bob);
	const char *message;

	websocket_joins(in, room_of(&ann, "projects"));
	websocket_joins(out, room_of(&ann, "roles"));
	websocket_joins(elsewhere, room_of(&bob, "projects"));
	(void)new_project(&ann, "blue");

	message = heard_is(in, "event", "project.created");
	cr_assert_str_eq(said(message, "type"), "event");
	cr_assert_str_eq(said(message, "room"), room_of(&ann, "projects"));
	cr_assert(strstr(message, "\"slug\":\"blue\""), "%s", message);
	hears_nothing(in);
	hears_nothing(out);
	hears_nothing(elsewhere);

	websocket_ask(in, "unsubscribe", room_of(&ann, "projects"), "");
	heard_is(in, "type", "unsubscribed");
	websocket_joins(out, room_of(&ann, "projects"));
	(void)new_project(&ann, "green");
	heard_is(out, "event", "project.created");
	hears_nothing(in);
}

Test(realtime, every_member_may_hear_what_happens_to_the_tenant)
{
	struct caller ann = caller(ROLE_OWNER), eve = caller_in(ann.tenant, ROLE_VIEWER);
	struct websocket *w = websocket_of(&eve);

	websocket_joins(w, room_of(&ann, "tenant"));
	(void)new_project(&ann, "blue");
	answer_is(patch(&ann, "/tenant", "{\"name\":\"Bluer\"}"), 200);
	cr_assert(strstr(heard_is(w, "event", "tenant.updated"), "Bluer"));
}

Test(realtime, one_resources_room_is_told_of_that_one_alone)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *blue = id_text(project_make(ann.tenant, "blue"));
	const char *green = id_text(project_make(ann.tenant, "green"));
	struct websocket *w = websocket_of(&ann);

	websocket_joins(w, room_of(&ann, strf("project:%s", green)));
	answer_is(patch(&ann, strf("/projects/%s", blue), "{\"name\":\"Bluer\"}"), 200);
	answer_is(patch(&ann, strf("/projects/%s", green), "{\"name\":\"Greener\"}"), 200);
	cr_assert(strstr(heard_is(w, "event", "project.updated"), "Greener"));
	hears_nothing(w);
}

Test(realtime, what_was_missed_is_replayed_once_and_in_order)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *room = room_of(&ann, "projects"), *seen;
	struct websocket *w = websocket_of(&ann);

	websocket_joins(w, room);
	(void)new_project(&ann, "p0");
	seen = said(heard_is(w, "event", "project.created"), "id");
	websocket_close(w);
	for (int i = 1; i <= 5; i++)
		(void)new_project(&ann, strf("p%d", i));

	w = websocket_of(&ann);
	websocket_ask(w, "subscribe", room, strf(",\"since\":\"%s\"", seen));
	heard_is(w, "type", "subscribed");
	(void)new_project(&ann, "p6");
	for (int i = 1; i <= 6; i++) {
		const char *message = heard_is(w, "event", "project.created");

		cr_assert(strstr(message, strf("\"slug\":\"p%d\"", i)), "%d: %s", i, message);
	}
	hears_nothing(w);
}

Test(realtime, what_cannot_be_replayed_is_said)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann), *other = websocket_of(&bob);
	const char *theirs;

	websocket_joins(other, room_of(&bob, "projects"));
	(void)new_project(&bob, "blue");
	theirs = said(heard_is(other, "event", "project.created"), "id");

	for (int i = 0; i < 3; i++) {
		const char *since[] = { "not-an-id", "01900000-0000-7000-8000-000000000000",
					theirs };

		websocket_ask(w, "subscribe", room_of(&ann, "projects"),
			      strf(",\"since\":\"%s\"", since[i]));
		heard_is(w, "type", "subscribed");
		heard_is(w, "code", "HISTORY_LOST");
	}
	hears_nothing(w);
}

/* As many events of the tenant as are looked through, and nothing for the room among them. */
Test(realtime, what_would_be_long_to_look_for_is_not_replayed)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *room = room_of(&ann, "projects"), *early, *late;
	struct websocket *w = websocket_of(&ann);

	websocket_joins(w, room);
	(void)new_project(&ann, "early");
	early = said(heard_is(w, "event", "project.created"), "id");
	database_run("INSERT INTO events (tenant_id, id, type, actor_kind) SELECT $1::uuid, "
		     "uuid_v7(), 'test.written', 'system' FROM generate_series(1, 5000)",
		     id_text(ann.tenant.u), NULL);
	(void)new_project(&ann, "late");
	late = said(heard_is(w, "event", "project.created"), "id");
	(void)new_project(&ann, "last");
	heard_is(w, "event", "project.created");

	websocket_ask(w, "subscribe", room, strf(",\"since\":\"%s\"", early));
	heard_is(w, "type", "subscribed");
	heard_is(w, "code", "HISTORY_LOST");
	websocket_ask(w, "subscribe", room, strf(",\"since\":\"%s\"", late));
	heard_is(w, "type", "subscribed");
	cr_assert(strstr(heard_is(w, "event", "project.created"), "\"slug\":\"last\""));
}

/*
 * Who reads slowly
 */

#define SLUGGARDS 20
#define READERS   80
#define SHOUTS    80 /* far more than the kernel takes for a socket and the server keeps for one */

/* A message of 8 KiB to a room, past the log. */
static void shout(const struct caller *c, const char *room, int number)
{
	struct ctx ctx;

	ctx_reset(&ctx, world_arena());
	room_publish(&ctx, c->tenant, room, "shout",
		     str_of(strf("{\"number\":%d,\"text\":\"%8000s\"}", number, "x")));
}

static void hears_shout(struct websocket *w, int number)
{
	const char *message = websocket_hear(w);

	cr_assert(message && strstr(message, strf("\"number\":%d,", number)), "%d: %s", number,
		  message ? message : "closed");
}

/* What was kept for it, from the first on, and then the end without a word, since none gets there.
 */
static void was_dropped(struct websocket *w)
{
	struct farewell f;
	int heard = 0;

	while (websocket_hear(w))
		heard++;
	f = websocket_end(w);
	cr_assert_eq(f.code, 0, "%d %s", f.code, f.reason);
	cr_assert(heard > 0 && heard < SHOUTS, "%d", heard);
}

Test(realtime, who_does_not_read_is_dropped_and_harms_nobody)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *room = room_of(&ann, "projects");
	struct websocket *sluggards[SLUGGARDS], *readers[READERS];

	cr_assert_null(redis_init());
	for (int i = 0; i < SLUGGARDS; i++) {
		sluggards[i] = websocket_of(&ann);
		websocket_joins(sluggards[i], room);
	}
	for (int i = 0; i < READERS; i++) {
		readers[i] = websocket_of(&ann);
		websocket_joins(readers[i], room);
	}

	for (int n = 0; n < SHOUTS; n++) {
		shout(&ann, room, n);
		for (int i = 0; i < READERS; i++)
			hears_shout(readers[i], n);
	}
	for (int i = 0; i < SLUGGARDS; i++)
		was_dropped(sluggards[i]);
	for (int i = 0; i < READERS; i++)
		websocket_close(readers[i]);
}

#define CROWD 20
#define JOINS 45

/* More at once than a tenant's share: each waits for its turn, and some leave before it comes. */
Test(realtime, whoever_waits_is_heard_in_the_end)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *crowd[CROWD];
	const char *room = room_of(&ann, "projects");

	for (int i = 0; i < CROWD; i++)
		crowd[i] = websocket_of(&ann);
	for (int n = 0; n < JOINS; n++)
		for (int i = 0; i < CROWD; i++) {
			websocket_ask(crowd[i], "subscribe", room, "");
			websocket_ask(crowd[i], "unsubscribe", room, "");
		}

	for (int i = 0; i < CROWD; i += 4)
		websocket_close(crowd[i]);
	for (int i = 0; i < CROWD; i++)
		for (int n = 0; n < JOINS && i % 4; n++) {
			heard_is(crowd[i], "type", "subscribed");
			heard_is(crowd[i], "type", "unsubscribed");
		}
}

#define ASKERS 20
#define OTHERS 6
#define SAID   90 /* within what a client may say at once */

/* What is long to look for is asked for by many of one tenant's: everybody else would wait for all
 * of it. */
Test(realtime, who_asks_for_much_waits_alone)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	struct websocket *askers[ASKERS];
	const char *room = room_of(&ann, "projects"), *seen, *ask;
	size_t answered = 0;

	for (int i = 0; i < ASKERS; i++)
		askers[i] = websocket_of(&ann);
	websocket_joins(askers[0], room);
	(void)new_project(&ann, "seen");
	seen = said(heard_is(askers[0], "event", "project.created"), "id");
	database_run("INSERT INTO events (tenant_id, id, type, actor_kind) SELECT $1::uuid, "
		     "uuid_v7(), 'test.written', 'system' FROM generate_series(1, 4990)",
		     id_text(ann.tenant.u), NULL);
	(void)new_project(&ann, "last");
	heard_is(askers[0], "event", "project.created");

	ask = strf("{\"type\":\"subscribe\",\"room\":\"%s\",\"since\":\"%s\"}", room, seen);
	for (int i = 0; i < ASKERS; i++)
		for (int k = 0; k < SAID; k++)
			websocket_say(askers[i], ask);
	for (int i = 0; i < OTHERS; i++) {
		struct websocket *other = websocket_of(&bob);

		for (int k = 0; k < SAID; k++)
			hears_nothing(other);
	}
	for (int i = 0; i < ASKERS; i++)
		answered += websocket_count(askers[i], "\"subscribed\"");
	cr_assert_lt(answered, ASKERS * SAID);
}
