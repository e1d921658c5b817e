/*
 * Roles: built-in ones stay, custom ones say what their holders may do from the next request on,
 * and nobody gives what they do not hold.
 */
#include "http/permissions.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const enum tier tiers[] = { TIER_API, TIER_ADMIN };

/* A role with these permissions, '"canViewUsers","canManageUsers"'; its path. */
static const char *role_make(const struct caller *c, const char *key, const char *holds)
{
	struct answer a =
		post(c, "/roles",
		     strf("{\"key\":\"%s\",\"name\":\"A role\",\"permissions\":[%s]}", key, holds));

	return strf("/roles/%s", answer_text(answer_is(a, 201), "id"));
}

static struct answer role_set(const struct caller *c, const char *path, const char *holds)
{
	return patch(c, path, strf("{\"permissions\":[%s]}", holds));
}

/* Gives somebody roles: '"member","support"'. */
static struct answer give(const struct caller *c, const struct caller *to, const char *keys)
{
	return put(c, strf("/users/%s/roles", id_text(to->user.u)), strf("{\"roles\":[%s]}", keys));
}

/* Somebody in the caller's tenant with a role of this kind and nothing else. */
static struct caller holder_of(const struct caller *c, const char *holds)
{
	struct caller to = caller_in(c->tenant, ROLE_VIEWER);
	const char *key = new_word();

	(void)role_make(c, key, holds);
	answer_is(give(c, &to, strf("\"%s\"", key)), 200);
	return to;
}

static const char *project(void)
{
	return strf("{\"slug\":\"%s\",\"name\":\"x\"}", new_word());
}

/* The path of a built-in role. */
static const char *builtin(const struct caller *c, const char *key)
{
	return strf("/roles/%s", database_value("SELECT id FROM roles WHERE tenant_id = $1::uuid "
						"AND key = $2",
						id_text(c->tenant.u), key, NULL));
}

Test(roles, live_from_making_to_deleting)
{
	struct caller ann = caller(ROLE_ADMIN);

	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		struct caller c = on_tier(ann, tiers[i]);
		const char *path = role_make(
			&c, "support", "\"canViewUsers\",\"canManageUsers\",\"canViewUsers\"");
		struct answer a = answer_is(get(&c, path), 200);

		cr_assert_str_eq(answer_text(a, "key"), "support");
		cr_assert_not(answer_bool(a, "isBuiltIn"));
		cr_assert_eq(answer_len(a, "permissions"), 2, "what was named twice is held once");
		a = answer_is(patch(&c, path, "{\"name\":\"Help\",\"description\":\"x\"}"), 200);
		cr_assert_str_eq(answer_text(a, "name"), "Help");
		cr_assert_eq(answer_len(a, "permissions"), 2);
		cr_assert_eq(answer_int(answer_is(get(&c, "/roles"), 200), "pagination.total"), 5);
		a = answer_is(get(&c, "/roles?permission=canManageUsers&sort=name"), 200);
		cr_assert_eq(answer_int(a, "pagination.total"), 3, "owner, admin and this one");
		a = answer_is(get(&c, "/roles?search=hel"), 200);
		cr_assert_eq(answer_int(a, "pagination.total"), 1);
		answer_is(del(&c, path), 204);
		answer_is(get(&c, path), 404);
	}
}

Test(roles, hold_permissions_of_a_list_that_everybody_may_read)
{
	struct caller ann = caller(ROLE_VIEWER);

	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		struct caller c = on_tier(ann, tiers[i]);
		struct answer a = answer_is(get(&c, "/permissions"), 200);

		cr_assert_eq(answer_len(a, "data"), PERM_COUNT - PERM_GLOBAL_ADMIN - 1);
		cr_assert_str_eq(answer_text(a, "data.0.name"), "canViewUsers");
	}
}

Test(roles, that_are_built_in_are_listed_and_cannot_be_changed)
{
	struct caller ann = caller(ROLE_OWNER);
	struct answer a = answer_is(get(&ann, builtin(&ann, "viewer")), 200);

	cr_assert(answer_bool(a, "isBuiltIn"));
	cr_assert_gt(answer_len(a, "permissions"), 0);
	answer_is_error(patch(&ann, builtin(&ann, "viewer"), "{\"name\":\"x\"}"), 422,
			"RULE_VIOLATED", NULL);
	answer_is_error(role_set(&ann, builtin(&ann, "owner"), ""), 422, "RULE_VIOLATED", NULL);
	answer_is_error(del(&ann, builtin(&ann, "member")), 422, "RULE_VIOLATED", NULL);
}

Test(roles, keys_are_taken_once_in_a_tenant)
{
	struct caller ann = caller(ROLE_ADMIN), bob = caller(ROLE_ADMIN);
	const char *again = "{\"key\":\"support\",\"name\":\"x\",\"permissions\":[]}";

	(void)role_make(&ann, "support", "");
	answer_is_error(post(&ann, "/roles", again), 409, "RESOURCE_CONFLICT", "key");
	answer_is_error(
		post(&ann, "/roles", "{\"key\":\"owner\",\"name\":\"x\",\"permissions\":[]}"), 409,
		"RESOURCE_CONFLICT", "key");
	(void)role_make(&bob, "support", "");
}

Test(roles, hold_no_permission_that_does_not_exist)
{
	struct caller ann = caller(ROLE_OWNER), root = naming(caller_global_admin(), ann.tenant);
	const char *body = "{\"key\":\"x\",\"name\":\"x\",\"permissions\":[\"canFly\"]}";

	answer_is_error(post(&ann, "/roles", body), 400, "VALIDATION_ERROR", "permissions");
	answer_is_error(post(&root, "/roles", body), 400, "VALIDATION_ERROR", "permissions");
	answer_is_error(role_set(&ann, role_make(&ann, "y", ""), "\"canFly\""), 400,
			"VALIDATION_ERROR", "permissions");
}

/* The same session, before and after. */
Test(roles, that_change_count_on_the_next_request)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	const char *path = role_make(&ann, "support", "\"canViewUsers\"");

	answer_is(give(&ann, &bob, "\"support\""), 200);
	for (int i = 0; i < 20; i++) {
		answer_is_error(post(&bob, "/projects", project()), 403, "AUTH_FORBIDDEN", NULL);
		answer_is(role_set(&ann, path, "\"canViewUsers\",\"canManageProjects\""), 200);
		answer_is(post(&bob, "/projects", project()), 201);
		answer_is(role_set(&ann, path, "\"canViewUsers\""), 200);
	}
}

Test(roles, of_one_user_add_up)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	struct answer a;

	(void)role_make(&ann, "one", "\"canManageProjects\"");
	(void)role_make(&ann, "two", "\"canViewAuditLogs\"");
	a = answer_is(give(&ann, &bob, "\"one\",\"two\""), 200);
	cr_assert_eq(answer_len(a, "roles"), 2);
	answer_is(post(&bob, "/projects", "{\"slug\":\"blue\",\"name\":\"x\"}"), 201);
	answer_is_error(get(&bob, "/users"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(give(&ann, &bob, "\"two\",\"viewer\""), 200);
	answer_is_error(post(&bob, "/projects", "{\"slug\":\"red\",\"name\":\"x\"}"), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is(get(&bob, "/users"), 200);
}

static void expect_beyond(struct answer a, const char *permission)
{
	answer_is_error(a, 403, "AUTH_FORBIDDEN", NULL);
	cr_assert_str_eq(answer_text(a, "details.required"), permission);
}

Test(roles, give_nothing_that_their_maker_does_not_hold)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller bob = holder_of(&ann, "\"canManageRoles\",\"canManageUsers\"");
	const char *own = role_make(&bob, "own", "\"canManageRoles\"");
	const char *rich = role_make(&ann, "rich", "\"canManageBilling\"");

	expect_beyond(post(&bob, "/roles",
			   "{\"key\":\"x\",\"name\":\"x\",\"permissions\":[\"canManageTenant\"]}"),
		      "canManageTenant");
	expect_beyond(role_set(&bob, own, "\"canManageRoles\",\"canViewUsers\""), "canViewUsers");
	expect_beyond(role_set(&bob, rich, ""), "canManageBilling");
	expect_beyond(patch(&bob, rich, "{\"name\":\"x\"}"), "canManageBilling");
	expect_beyond(del(&bob, rich), "canManageBilling");
	expect_beyond(give(&bob, &bob, "\"rich\""), "canManageBilling");
	answer_is(role_set(&bob, own, "\"canManageUsers\""), 200);
}

Test(roles, that_are_given_are_not_deleted)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	struct caller cid = caller_in(ann.tenant, ROLE_VIEWER);
	const char *path = role_make(&ann, "support", "");
	struct answer a;

	answer_is(give(&ann, &bob, "\"support\",\"viewer\""), 200);
	answer_is(give(&ann, &cid, "\"support\""), 200);
	a = answer_is_error(del(&ann, path), 409, "RESOURCE_CONFLICT", NULL);
	cr_assert(strstr(answer_text(a, "message"), "2 users"), "%s", answer_text(a, "message"));
	answer_is(give(&ann, &bob, "\"viewer\""), 200);
	answer_is(del(&ann, strf("/users/%s", id_text(cid.user.u))), 204);
	answer_is(del(&ann, path), 204);
}

Test(roles, are_changed_by_who_has_seen_them_as_they_are)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = role_make(&ann, "support", "");
	struct answer a = answer_is(get(&ann, path), 200);
	const char *seen = strf("If-Match: %s", answer_header(&a, "ETag"));

	answer_is(ask_with(&ann, "PATCH", path, "{\"name\":\"x\"}", seen), 200);
	answer_is(ask_with(&ann, "PATCH", path, "{\"name\":\"y\"}", seen), 412);
	answer_is(ask_with(&ann, "DELETE", path, NULL, seen), 412);
}

/* Whichever of the two comes first. */
Test(roles, changed_and_given_at_once_leave_the_seat_as_its_roles_say)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_VIEWER);
	const char *path = role_make(&ann, "support", "\"canViewUsers\"");
	const char *words[] = { "canManageProjects", "canManageUsers" };

	for (size_t i = 0; i < 10; i++) {
		struct ask asks[] = {
			{ .method = "PATCH",
			  .path = strf("/api/v1%s", path),
			  .caller = &ann,
			  .body = strf("{\"permissions\":[\"%s\"]}", words[i % 2]) },
			{ .method = "PUT",
			  .path = strf("/api/v1/users/%s/roles", id_text(bob.user.u)),
			  .caller = &ann,
			  .body = "{\"roles\":[\"support\"]}" },
		};
		struct answer answers[2];

		answer_is(give(&ann, &bob, "\"viewer\""), 200);
		answers_to_all(asks, 2, answers);
		answer_is(answers[0], 200);
		answer_is(answers[1], 200);
		cr_assert_str_eq(
			database_value("SELECT array_to_string(permissions, ' ') FROM users "
				       "WHERE tenant_id = $1::uuid AND id = $2::uuid",
				       id_text(ann.tenant.u), id_text(bob.user.u), NULL),
			words[i % 2]);
	}
}
