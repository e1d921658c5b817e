/* Who is in a room, as others there see it. */
#include "support/caller.h"
#include "support/database.h"
#include "support/websocket.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *presence(struct websocket *w, const char *event, const struct caller *who)
{
	const char *message = heard_is(w, "type", "presence");

	cr_assert_str_eq(said(message, "event"), event, "%s", message);
	if (who)
		cr_assert_str_eq(said(message, "userId"), id_text(who->user.u));

	return message;
}

static void is_seen(struct websocket *w, const char *room)
{
	websocket_ask(w, "subscribe", room, ",\"presence\":true");
	heard_is(w, "type", "subscribed");
}

Test(realtime_presence, who_is_in_a_room_can_be_seen)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_MEMBER);
	const char *room = room_of(&ann, "projects"), *list;
	struct websocket *w = websocket_of(&ann), *other = websocket_of(&bob);

	is_seen(w, room);
	presence(w, "join", &ann);
	is_seen(other, room);
	presence(w, "join", &bob);
	websocket_ask(w, "presence", room, "");
	list = presence(w, "list", NULL);
	cr_assert(strstr(list, id_text(ann.user.u)) && strstr(list, id_text(bob.user.u)), "%s",
		  list);

	websocket_close(other);
	presence(w, "leave", &bob);
	websocket_ask(w, "subscribe", room_of(&ann, "roles:x"), "");
	heard_is(w, "message", "Access denied to room");
	websocket_ask(w, "presence", room_of(&ann, "roles"), "");
	heard_is(w, "message", "Access denied to room");
}

/* Behind each step of Bob's that is not to be told stands one of Carol's that is. */
Test(realtime_presence, who_is_in_a_room_twice_joins_and_leaves_it_once)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_MEMBER),
		      carol = caller_in(ann.tenant, ROLE_MEMBER);
	const char *room = room_of(&ann, "projects");
	struct websocket *w = websocket_of(&ann), *first = websocket_of(&bob),
			 *second = websocket_of(&bob), *other = websocket_of(&carol);

	is_seen(w, room);
	presence(w, "join", &ann);
	is_seen(first, room);
	presence(w, "join", &bob);
	is_seen(second, room);
	is_seen(other, room);
	presence(w, "join", &carol);

	websocket_leaves(first, room);
	websocket_leaves(other, room);
	presence(w, "leave", &carol);
	websocket_leaves(second, room);
	presence(w, "leave", &bob);
}
