/*
 * Hooks: what an admin puts in their place runs, and what fails there is said. Everybody logs in by
 * them, so each of these runs alone ("faults").
 */
#include "base/str.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/websocket.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static void hook(const char *signature, const char *returns, const char *body)
{
	database_run(strf("CREATE OR REPLACE FUNCTION %s RETURNS %s LANGUAGE plpgsql "
			  "AS $hook$ BEGIN %s END $hook$",
			  signature, returns, body),
		     NULL);
}

static void claims_are(const char *body)
{
	hook("hook_custom_claims(p_account uuid, p_tenant uuid)", "jsonb", body);
}

static void after_sign_up(const char *body)
{
	hook("hook_after_sign_up(p_account uuid, p_tenant uuid)", "void", body);
}

static void join_room(const char *body)
{
	hook("hook_join_room(p_account uuid, p_tenant uuid, p_room text)", "boolean", body);
}

static void put_back(void)
{
	join_room("RETURN true;");
	claims_are("RETURN '{}'::jsonb;");
	after_sign_up("NULL;");
}

TestSuite(faults_hooks, .init = put_back, .fini = put_back);

static const char *claims_of(const char *token)
{
	struct str rest = str_of(token), claims;

	str_cut(&rest, '.');
	cr_assert(str_unbase64url(world_arena(), str_cut(&rest, '.'), &claims));
	return str_dup(world_arena(), claims);
}

Test(faults_hooks, claims_are_added_and_ours_stay)
{
	struct person p;
	struct answer a;

	claims_are("RETURN jsonb_build_object('plan', 'gold', 'sub', 'x', 'imp', 'x', "
		   "'seat', p_tenant);");
	p = person_sign_up();
	cr_assert(strstr(claims_of(p.caller.token), "\"plan\":\"gold\""));
	cr_assert(strstr(claims_of(p.caller.token), id_text(p.caller.tenant.u)));
	cr_assert_not(strstr(claims_of(p.caller.token), "\"imp\""));
	answer_is(get(&p.caller, "/me"), 200);
	a = answer_is(try_refresh(p.refresh_token), 200);
	cr_assert(strstr(claims_of(answer_text(a, "accessToken")), "\"plan\":\"gold\""));
}

Test(faults_hooks, a_claims_hook_that_fails_is_named)
{
	struct person p = person_sign_up();
	struct answer a;

	claims_are("RETURN 1 / 0;");
	a = answer_is_error(try_log_in(p.caller.email, p.password, NULL), 503,
			    "SERVICE_UNAVAILABLE", NULL);
	cr_assert(strstr(answer_text(a, "message"), "hook_custom_claims"), "%s",
		  answer_text(a, "message"));
	claims_are("RETURN '[]'::jsonb;");
	answer_is_error(try_log_in(p.caller.email, p.password, NULL), 503, "SERVICE_UNAVAILABLE",
			NULL);
	put_back();
	answer_is(try_log_in(p.caller.email, p.password, NULL), 200);
}

Test(faults_hooks, a_claims_hook_that_is_slow_is_stopped)
{
	struct person p = person_sign_up();
	struct answer a;

	claims_are("PERFORM pg_sleep(60); RETURN '{}'::jsonb;");
	a = answer_is_error(try_log_in(p.caller.email, p.password, NULL), 503,
			    "SERVICE_UNAVAILABLE", NULL);
	cr_assert(strstr(answer_text(a, "message"), "took too long"), "%s",
		  answer_text(a, "message"));
}

Test(faults_hooks, a_sign_up_is_provisioned_in_its_own_transaction)
{
	struct person p;

	after_sign_up("INSERT INTO projects (tenant_id, id, slug, name) "
		      "VALUES (p_tenant, gen_random_uuid(), 'first', 'First');");
	p = person_sign_up();
	cr_assert_eq(database_number("SELECT count(*) FROM projects WHERE tenant_id = $1::uuid",
				     id_text(p.caller.tenant.u), NULL),
		     1);
}

Test(faults_hooks, a_sign_up_may_be_refused)
{
	struct caller visitor = on_tier(caller_nobody(), TIER_AUTH);
	const char *email = strf("%s@example.com", new_word());

	after_sign_up("PERFORM refuse('ZY409', 'Sign-ups are closed', '', 'email');");
	answer_is_error(post(&visitor, "/signup",
			     strf("{\"email\":\"%s\",\"password\":\"a %s\"}", email, new_word())),
			409, "RESOURCE_CONFLICT", "email");
	cr_assert_eq(database_number("SELECT count(*) FROM accounts WHERE email = $1", email, NULL),
		     0);
}

Test(faults_hooks, a_room_is_joined_unless_the_hook_says_no)
{
	cr_assert_str_eq(database_value("SELECT run_join_room('tenant:x')", NULL), "t");
	hook("hook_join_room(p_account uuid, p_tenant uuid, p_room text)", "boolean",
	     "RETURN p_room <> 'tenant:closed';");
	cr_assert_str_eq(database_value("SELECT run_join_room('tenant:closed')", NULL), "f");
	hook("hook_join_room(p_account uuid, p_tenant uuid, p_room text)", "boolean",
	     "RETURN true;");
}

static void hears_of_joining(struct websocket *w, const char *room, const char *key,
			     const char *value)
{
	websocket_ask(w, "subscribe", room, "");
	heard_is(w, key, value);
}

Test(faults_hooks, a_room_is_joined_as_the_hook_says)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *projects = room_of(&ann, "projects"), *roles = room_of(&ann, "roles");
	struct websocket *w = websocket_of(&ann);

	join_room(strf("RETURN p_account = '%s' AND p_tenant = '%s' AND p_room = '%s';",
		       id_text(ann.account.u), id_text(ann.tenant.u), projects));
	hears_of_joining(w, projects, "type", "subscribed");
	hears_of_joining(w, roles, "code", "ACCESS_DENIED");
	join_room("RETURN NULL;");
	hears_of_joining(w, roles, "code", "ACCESS_DENIED");
	join_room("PERFORM refuse('ZY403', 'Not on Sundays'); RETURN true;");
	hears_of_joining(w, roles, "code", "ACCESS_DENIED");
	put_back();
	hears_of_joining(w, roles, "type", "subscribed");
}

Test(faults_hooks, a_room_whose_hook_fails_or_is_slow_is_not_joined)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *roles = room_of(&ann, "roles");
	struct websocket *w = websocket_of(&ann);

	join_room("RETURN 1 / 0 = 1;");
	hears_of_joining(w, roles, "code", "SERVICE_UNAVAILABLE");
	join_room("PERFORM pg_sleep(60); RETURN true;");
	hears_of_joining(w, roles, "code", "SERVICE_UNAVAILABLE");
	put_back();
	hears_of_joining(w, roles, "type", "subscribed");
}
