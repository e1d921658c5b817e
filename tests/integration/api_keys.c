/*
 * API keys: shown once, no more than their scopes and their maker, ended at once, counted for
 * themselves. tests/closure/access.c tries them on every route.
 */
#include "crypto/apikey.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const enum tier tiers[] = { TIER_API, TIER_ADMIN };

/* A key as the API makes it. */
struct made {
	const char *path;
	const char *key;
	struct caller program; /* who calls with it */
};

static struct made made_of(struct answer a, const struct caller *maker)
{
	struct made m = { .path = strf("/api-keys/%s", answer_text(a, "id")),
			  .key = strf("%s", answer_text(a, "key")) };

	m.program = on_tier(with_api_key(*maker, m.key), TIER_API);
	return m;
}

/* rest: more members of the body, ',"rateLimit":3'. */
static struct made make(const struct caller *c, const char *scopes, const char *rest)
{
	const char *body = strf("{\"name\":\"Report\",\"scopes\":[%s]%s}", scopes, rest);

	return made_of(answer_is(post(c, "/api-keys", body), 201), c);
}

static const char *project(void)
{
	return strf("{\"slug\":\"%s\",\"name\":\"x\"}", new_word());
}

Test(api_keys, live_from_making_to_deleting)
{
	struct caller ann = caller(ROLE_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		struct caller c = on_tier(ann, tiers[i]);
		struct made m = make(&c, "\"canViewUsers\",\"canViewUsers\"",
				     ",\"allowedIps\":[\"127.0.0.0/8\"],\"rateLimit\":1000,"
				     "\"expiresAt\":\"2099-12-31T00:00:00.000Z\"");
		struct answer a = answer_is(get(&c, m.path), 200);

		cr_assert(apikey_is_whole(str_of(m.key)));
		cr_assert_str_eq(answer_text(a, "hint"), strf("%.12s", m.key));
		cr_assert_eq(answer_len(a, "scopes"), 1);
		cr_assert_str_eq(answer_text(a, "allowedIps.0"), "127.0.0.0/8");
		cr_assert_str_eq(answer_text(a, "status"), "active");
		cr_assert_str_eq(answer_text(a, "userId"), id_text(ann.user.u));
		answer_is(get(&m.program, "/users"), 200);

		a = answer_is(patch(&c, m.path, "{\"name\":\"Audit\",\"expiresAt\":null}"), 200);
		cr_assert_str_eq(answer_text(a, "name"), "Audit");
		cr_assert_eq(answer_int(a, "rateLimit"), 1000);
		a = answer_is(get(&c, "/api-keys?status=active&search=audit&sort=name"), 200);
		cr_assert_eq(answer_int(a, "pagination.total"), 1);

		m = made_of(answer_is(post(&c, strf("%s/rotate", m.path), NULL), 200), &c);
		answer_is(get(&m.program, "/users"), 200);
		a = answer_is(post(&c, strf("%s/revoke", m.path), NULL), 200);
		cr_assert_str_eq(answer_text(a, "status"), "revoked");
		answer_is_error(post(&c, strf("%s/revoke", m.path), NULL), 409, "RESOURCE_CONFLICT",
				NULL);
		answer_is_error(post(&c, strf("%s/rotate", m.path), NULL), 409, "RESOURCE_CONFLICT",
				NULL);
		answer_is(del(&c, m.path), 204);
		answer_is(get(&c, m.path), 404);
	}
}

/* Nothing that the database holds, and nothing that is answered later, opens anything. */
Test(api_keys, are_shown_once)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct made m = make(&ann, "\"canViewUsers\"", "");
	struct answer a;

	a = answer_is(get(&ann, m.path), 200);
	cr_assert_not(answer_find(&a, "key", &(const struct json *){ NULL }));
	a = answer_is(get(&ann, "/api-keys"), 200);
	cr_assert_not(memmem(a.body.ptr, a.body.len, m.key, strlen(m.key)));
	cr_assert_eq(database_number("SELECT count(*) FROM api_keys k WHERE k::text LIKE $1",
				     strf("%%%s%%", m.key + APIKEY_HINT_LEN), NULL),
		     0);
	cr_assert_eq(
		database_number("SELECT count(*) FROM idempotency_keys k WHERE k::text LIKE $1",
				strf("%%%s%%", m.key + APIKEY_HINT_LEN), NULL),
		0);
}

Test(api_keys, are_scoped_to_nothing_beyond_their_maker)
{
	struct caller ann = caller(ROLE_ADMIN), root = naming(caller_global_admin(), ann.tenant);
	struct answer a;

	a = answer_is_error(
		post(&ann, "/api-keys", "{\"name\":\"x\",\"scopes\":[\"canManageTenant\"]}"), 403,
		"AUTH_FORBIDDEN", NULL);
	cr_assert_str_eq(answer_text(a, "details.required"), "canManageTenant");
	answer_is_error(post(&ann, "/api-keys", "{\"name\":\"x\",\"scopes\":[\"canFly\"]}"), 400,
			"VALIDATION_ERROR", "scopes");
	answer_is_error(
		post(&ann, "/api-keys", "{\"name\":\"x\",\"scopes\":[\"canManageApiKeys\"]}"), 400,
		"VALIDATION_ERROR", "scopes");
	answer_is_error(post(&root, "/api-keys", "{\"name\":\"x\",\"scopes\":[\"canViewUsers\"]}"),
			422, "RULE_VIOLATED", NULL);
	answer_is_error(post(&ann, "/api-keys",
			     "{\"name\":\"x\",\"scopes\":[\"canViewUsers\"],"
			     "\"expiresAt\":\"2020-01-01T00:00:00.000Z\"}"),
			400, "VALIDATION_ERROR", "expiresAt");
}

Test(api_keys, do_what_their_scopes_say_and_no_more)
{
	struct caller ann = caller(ROLE_OWNER);
	struct made m = make(&ann, "\"canViewProjects\",\"canManageProjects\"", "");
	struct answer a;

	answer_is(post(&m.program, "/projects", project()), 201);
	answer_is(get(&m.program, "/tenant"), 200);
	a = answer_is_error(get(&m.program, "/users"), 403, "AUTH_FORBIDDEN", NULL);
	cr_assert_str_eq(answer_text(a, "details.required"), "canViewUsers");
	answer_is_error(
		post(&m.program, "/api-keys", "{\"name\":\"x\",\"scopes\":[\"canViewProjects\"]}"),
		403, "AUTH_FORBIDDEN", NULL);
	cr_assert_eq(database_number("SELECT count(*) FROM events e WHERE tenant_id = $1::uuid "
				     "AND type = 'project.created' AND actor_kind = 'apiKey' "
				     "AND api_key_id::text = $2 AND user_id = $3::uuid",
				     id_text(ann.tenant.u), m.path + strlen("/api-keys/"),
				     id_text(ann.user.u), NULL),
		     1);
}

/* An owner's key that may manage users and roles, but not more, makes nobody more than that. */
Test(api_keys, grant_no_more_than_their_scopes)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	struct made m = make(&ann, "\"canManageUsers\",\"canManageRoles\"", "");
	const char *roles = strf("/users/%s/roles", id_text(bob.user.u));

	answer_is_error(put(&m.program, roles, "{\"roles\":[\"owner\"]}"), 403, "AUTH_FORBIDDEN",
			NULL);
	answer_is_error(
		post(&m.program, "/roles",
		     "{\"key\":\"x\",\"name\":\"x\",\"permissions\":[\"canManageTenant\"]}"),
		403, "AUTH_FORBIDDEN", NULL);
	answer_is(post(&m.program, "/roles",
		       "{\"key\":\"hr\",\"name\":\"x\",\"permissions\":[\"canManageUsers\"]}"),
		  201);
	/* Nor does it touch its own maker, who holds more. */
	answer_is_error(put(&m.program, strf("/users/%s/roles", id_text(ann.user.u)),
			    "{\"roles\":[\"hr\"]}"),
			403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(put(&m.program, roles, "{\"roles\":[\"hr\"]}"), 403, "AUTH_FORBIDDEN",
			NULL); /* a viewer holds more, too */
}

Test(api_keys, lose_what_their_maker_loses)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	struct made m = make(&bob, "\"canManageProjects\",\"canViewProjects\"", "");
	const char *user = strf("/users/%s", id_text(bob.user.u));

	answer_is(post(&m.program, "/projects", project()), 201);
	answer_is(put(&ann, strf("%s/roles", user), "{\"roles\":[\"viewer\"]}"), 200);
	answer_is_error(post(&m.program, "/projects", project()), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(get(&m.program, "/projects"), 200);
	answer_is(post(&ann, strf("%s/suspend", user), NULL), 200);
	answer_is_error(get(&m.program, "/projects"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(post(&ann, strf("%s/reactivate", user), NULL), 200);
	answer_is(get(&m.program, "/projects"), 200);
	answer_is(del(&ann, user), 204);
	answer_is_error(get(&m.program, "/projects"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	cr_assert_str_eq(answer_text(answer_is(get(&ann, m.path), 200), "status"), "revoked");
}

/* Somebody else could act in the maker's name with a secret of the key, or with more scopes. */
Test(api_keys, are_changed_by_their_maker_and_revoked_by_anybody)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	struct made m = make(&ann, "\"canManageTenant\"", "");

	answer_is_error(post(&bob, strf("%s/rotate", m.path), NULL), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(patch(&bob, m.path, "{\"allowedIps\":[]}"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(get(&m.program, "/tenant"), 200);
	answer_is(post(&bob, strf("%s/revoke", m.path), NULL), 200);
	answer_is_error(get(&m.program, "/tenant"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	m = make(&ann, "\"canManageTenant\"", "");
	answer_is(get(&m.program, "/tenant"), 200);
	answer_is(del(&bob, m.path), 204);
	answer_is_error(get(&m.program, "/tenant"), 401, "AUTH_TOKEN_EXPIRED", NULL);
}

Test(api_keys, that_are_rotated_work_twice_for_a_while)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct made old = make(&ann, "\"canViewUsers\"", ""), new, newest;
	const char *rotate = strf("%s/rotate", old.path);

	new = made_of(answer_is(post(&ann, rotate, "{\"graceSeconds\":600}"), 200), &ann);
	cr_assert_str_neq(new.key, old.key);
	answer_is(get(&old.program, "/users"), 200);
	answer_is(get(&new.program, "/users"), 200);
	database_run("UPDATE api_key_secrets SET expires_at = now() "
		     "WHERE tenant_id = $1::uuid AND expires_at IS NOT NULL",
		     id_text(ann.tenant.u), NULL);
	answer_is_error(get(&old.program, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);

	newest = made_of(answer_is(post(&ann, rotate, "{\"graceSeconds\":0}"), 200), &ann);
	answer_is_error(get(&new.program, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is(get(&newest.program, "/users"), 200);
	cr_assert_leq(database_number("SELECT count(*) FROM api_key_secrets "
				      "WHERE tenant_id = $1::uuid",
				      id_text(ann.tenant.u), NULL),
		      2);
}

/* The reply that was lost comes again, and the key is not rotated twice. */
Test(api_keys, are_made_and_rotated_once_for_an_idempotency_key)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *once = "Idempotency-Key: rotation-1";
	struct made m = make(&ann, "\"canViewUsers\"", "");
	const char *rotate = strf("%s/rotate", m.path);
	struct answer first = answer_is(ask_with(&ann, "POST", rotate, "{}", once), 200);
	struct answer again = answer_is(ask_with(&ann, "POST", rotate, "{}", once), 200);

	cr_assert_str_eq(answer_text(first, "key"), answer_text(again, "key"));
	m = made_of(again, &ann);
	answer_is(get(&m.program, "/users"), 200);
}

Test(api_keys, come_from_the_addresses_that_they_are_for)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct made m = make(&ann, "\"canViewUsers\"", ",\"allowedIps\":[\"127.1.0.0/16\"]");

	m.program.from = "127.1.2.3";
	answer_is(get(&m.program, "/users"), 200);
	m.program.from = "127.2.2.3";
	answer_is_error(get(&m.program, "/users"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(patch(&ann, m.path, "{\"allowedIps\":[\"127.1.0.0/16\",\"127.2.2.3/32\"]}"), 200);
	answer_is(get(&m.program, "/users"), 200);
	answer_is(patch(&ann, m.path, "{\"allowedIps\":[]}"), 200);
	m.program.from = "127.3.2.3";
	answer_is(get(&m.program, "/users"), 200);
}

static struct answer ask_by_way_of(const struct caller *c, const char *one, const char *other)
{
	return answer_to(&(struct ask){
		.method = "GET", .path = "/api/v1/users", .caller = c, .headers = { one, other } });
}

static void stop_proxied(void)
{
	site_stop("proxied");
}

/* What a client says of its address stands before what the proxy has added, on the same line or
 * not. */
Test(api_keys, believe_the_proxy_and_not_the_client, .fini = stop_proxied)
{
	static const char *const settings[] = { "TRUSTED_PROXIES=127.0.0.1", NULL };
	struct caller ann = caller(ROLE_ADMIN);
	struct made m = make(&ann, "\"canViewUsers\"", ",\"allowedIps\":[\"198.51.100.0/24\"]");

	m.program.url = site_start("proxied", settings);
	m.program.from = "127.0.0.1";
	answer_is(ask_by_way_of(&m.program, "X-Forwarded-For: 198.51.100.7", NULL), 200);
	answer_is(ask_by_way_of(&m.program, "X-Forwarded-For: 203.0.113.9, 198.51.100.7", NULL),
		  200);
	answer_is(ask_by_way_of(&m.program, "X-Forwarded-For: 198.51.100.7, 203.0.113.9", NULL),
		  403);
	answer_is(ask_by_way_of(&m.program, "X-Forwarded-For: 198.51.100.7",
				"X-Forwarded-For: 203.0.113.9"),
		  403);
}

Test(api_keys, end_when_they_expire)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct made m = make(&ann, "\"canViewUsers\"", ",\"expiresAt\":\"2099-12-31T00:00:00Z\"");
	struct answer a;

	answer_is(get(&m.program, "/users"), 200);
	database_run("UPDATE api_keys SET expires_at = now() WHERE tenant_id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	answer_is_error(get(&m.program, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	a = answer_is(get(&ann, "/api-keys?status=expired"), 200);
	cr_assert_eq(answer_int(a, "pagination.total"), 1);
	answer_is(patch(&ann, m.path, "{\"expiresAt\":null}"), 200);
	answer_is(get(&m.program, "/users"), 200);
}

/* Over all classes, on all workers, whoever else calls with the maker's account. */
Test(api_keys, have_a_limit_of_their_own)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct made m = make(&ann, "\"canViewUsers\",\"canManageProjects\"", ",\"rateLimit\":4");
	struct answer a;

	a = answer_is(get(&m.program, "/users"), 200);
	cr_assert(strstr(answer_header(&a, "RateLimit-Policy"), "\"key\";q=4;w=60"), "%s",
		  answer_header(&a, "RateLimit-Policy"));
	answer_is(get(&m.program, "/tenant"), 200);
	answer_is(get(&m.program, "/tenant"), 200);
	answer_is(post(&m.program, "/projects", project()), 201);
	answer_is_error(get(&m.program, "/tenant"), 429, "RATE_LIMIT_EXCEEDED", NULL);
	answer_is_error(post(&m.program, "/projects", project()), 429, "RATE_LIMIT_EXCEEDED", NULL);
	answer_is(get(&ann, "/tenant"), 200);
}

Test(api_keys, note_when_and_from_where_they_were_used_once_a_minute)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct made m = make(&ann, "\"canViewUsers\"", "");
	struct answer a = answer_is(get(&ann, m.path), 200);
	const char *etag = strf("%s", answer_header(&a, "ETag")), *first;
	const char *used = "SELECT last_used_at FROM api_keys WHERE tenant_id = $1::uuid "
			   "AND last_used_ip = '127.1.2.3'";

	m.program.from = "127.1.2.3";
	do /* it is written when the reply has left */
		answer_is(get(&m.program, "/users"), 200);
	while (!(first = database_value(used, id_text(ann.tenant.u), NULL)));
	for (int i = 0; i < 20; i++)
		answer_is(get(&m.program, "/users"), 200);
	cr_assert_str_eq(database_value(used, id_text(ann.tenant.u), NULL), first);

	a = answer_is(get(&ann, m.path), 200);
	cr_assert_str_eq(answer_text(a, "lastUsedIp"), "127.1.2.3");
	cr_assert_str_eq(answer_header(&a, "ETag"), etag, "being used is no change");
}

/* Refusals of one address are counted, so that keys cannot be guessed. */
Test(api_keys, that_are_wrong_are_counted_against_the_address)
{
	static const char *const settings[] = { "RATE_READ=5", NULL };
	struct caller mallory = with_api_key(from_elsewhere(caller_nobody()), NULL);
	char guess[APIKEY_TEXT_SIZE];

	mallory.url = site_start("api-keys", settings);
	for (int i = 0; i < 5; i++) {
		apikey_make(true, guess);
		mallory.api_key = guess;
		answer_is_error(get(&mallory, "/users"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	}
	mallory.api_key = "zk_live_no";
	answer_is_error(get(&mallory, "/users"), 429, "RATE_LIMIT_EXCEEDED", NULL);
	site_stop("api-keys");
}
