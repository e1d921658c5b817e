/*
 * WebSockets of whom is over: token, session, seat, tenant or role.
 */
#include "base/clock.h"
#include "base/config.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/credential.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/websocket.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <string.h>

/* An access token that is good for so long from now on. */
static const char *token_for(const struct caller *c, int64_t us)
{
	const struct config *kept = config();
	struct config hasty = *kept;
	const char *token;

	hasty.jwt_expires_us = us;
	config_set(&hasty);
	token = credential_sign(c);
	config_set(kept);

	return token;
}

Test(realtime_over, an_access_token_that_runs_out_closes_its_socket)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w, *stays = websocket_of(&ann);
	struct farewell f;

	/* As long as it takes to connect on a machine that is busy. */
	for (int64_t us = 2 * US_PER_S;; us *= 2) {
		w = websocket_open(strf("/ws?token=%s", token_for(&ann, us)), NULL);
		f = websocket_end(w);
		if (f.code != 4002)
			break;
	}
	cr_assert_eq(f.code, 4003);
	cr_assert_str_eq(f.reason, "Token expired");
	hears_nothing(stays);
}

/* Nobody writes that a session was idle for too long, or takes a right from one of the platform's
 * people by a route: whoever is connected is proven again. */
Test(realtime_over, what_nobody_tells_is_found_out)
{
	struct caller ann = caller(ROLE_OWNER), guest = caller_global_admin();
	struct caller bob = caller_in(ann.tenant, ROLE_VIEWER);
	const char *target = strf("/ws?token=%s&tenant=%s", guest.token, id_text(ann.tenant.u));
	struct websocket *idle = websocket_of(&ann), *stays = websocket_of(&bob);
	struct websocket *demoted;

	(void)user_make_of(ann.tenant, ROLE_VIEWER, guest.account);
	demoted = websocket_open(target, NULL);
	heard_is(demoted, "type", "connected");
	websocket_joins(demoted, room_of(&ann, "events"));

	caller_expire(&ann);
	database_run("UPDATE accounts SET is_global_admin = false WHERE id = $1::uuid",
		     id_text(guest.account.u), NULL);
	websocket_ends(idle, 4003);
	websocket_ends(demoted, 4003);
	hears_nothing(stays);
}

/* To see how far its archive is. When those who were idle are gone, all have been proven again. */
Test(realtime_over, the_platforms_people_stay_with_a_tenant_until_it_is_gone)
{
	struct caller ann = caller(ROLE_OWNER), root = caller_global_admin();
	struct tenant_id ending = tenant_make();
	struct websocket *idle[6], *watching;

	watching =
		websocket_open(strf("/ws?token=%s&tenant=%s", root.token, id_text(ending.u)), NULL);
	heard_is(watching, "type", "connected");
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		idle[i] = websocket_of(&ann);
	database_run("UPDATE tenants SET deleted_at = now() WHERE id = $1::uuid", id_text(ending.u),
		     NULL);
	caller_expire(&ann);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		websocket_ends(idle[i], 4003);
	hears_nothing(watching);

	database_run("DELETE FROM tenants WHERE id = $1::uuid", id_text(ending.u), NULL);
	websocket_ends(watching, 4003);
}

Test(realtime_over, a_session_that_ends_closes_its_sockets)
{
	struct caller ann = caller(ROLE_OWNER), v = on_tier(ann, TIER_AUTH);
	struct caller elsewhere = caller_of(ann.tenant, ann.user);
	struct websocket *w = websocket_of(&ann), *second = websocket_of(&ann);
	struct websocket *stays = websocket_of(&elsewhere);

	answer_is(post(&v, "/logout", NULL), 204);
	websocket_ends(w, 4003);
	websocket_ends(second, 4003);
	hears_nothing(stays);
}

Test(realtime_over, a_seat_that_is_suspended_closes_its_sockets)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_MEMBER);
	struct websocket *w = websocket_of(&bob), *stays = websocket_of(&ann);

	answer_is(post(&ann, strf("/users/%s/suspend", id_text(bob.user.u)), NULL), 200);
	websocket_ends(w, 4003);
	hears_nothing(stays);
}

Test(realtime_over, a_tenant_that_is_suspended_closes_its_sockets)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann), *stays = websocket_of(&bob);

	tenant_suspend(ann.tenant);
	websocket_ends(w, 4003);
	hears_nothing(stays);
}

Test(realtime_over, a_tenant_that_is_to_be_deleted_closes_its_sockets)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann), *stays = websocket_of(&bob);

	database_run("UPDATE tenants SET deletion_at = now() + interval '1 day' WHERE id = "
		     "$1::uuid",
		     id_text(ann.tenant.u), NULL);
	websocket_ends(w, 4003);
	hears_nothing(stays);
}

/* While a transaction is open that began before, what was over then and is not any more stays so.
 */
Test(realtime_over, what_was_over_once_is_not_over_again)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	PGconn *open = PQconnectdb(world()->super_url);
	struct websocket *w = websocket_of(&bob), *ends_too;

	cr_assert_eq(PQstatus(open), CONNECTION_OK, "%s", PQerrorMessage(open));
	PQclear(PQexec(open, "BEGIN"));
	PQclear(PQexec(open, "SELECT pg_current_xact_id()"));
	answer_is(post(&ann, strf("/users/%s/suspend", id_text(bob.user.u)), NULL), 200);
	websocket_ends(w, 4003);
	answer_is(post(&ann, strf("/users/%s/reactivate", id_text(bob.user.u)), NULL), 200);

	w = websocket_of(&bob);
	for (int i = 0; i < 2; i++) { /* all notices are read when one more comes */
		struct caller other = caller(ROLE_VIEWER);

		ends_too = websocket_of(&other);
		caller_revoke(&other);
		websocket_ends(ends_too, 4003);
	}
	hears_nothing(w);
	PQfinish(open);
}

Test(realtime_over, a_role_that_is_taken_away_ends_its_rooms)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	struct websocket *w = websocket_of(&bob);
	const char *message;

	websocket_joins(w, room_of(&ann, "events"));
	websocket_joins(w, room_of(&ann, "projects"));
	answer_is(
		put(&ann, strf("/users/%s/roles", id_text(bob.user.u)), "{\"roles\":[\"viewer\"]}"),
		200);
	message = hears_in_the_end(w, "code", "ACCESS_DENIED");
	cr_assert_str_eq(said(message, "room"), room_of(&ann, "events"));
	answer_is(post(&ann, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 201);
	cr_assert_str_eq(said(heard_is(w, "event", "project.created"), "room"),
			 room_of(&ann, "projects"));
	websocket_ask(w, "subscribe", room_of(&ann, "events"), "");
	heard_is(w, "code", "ACCESS_DENIED");
}
