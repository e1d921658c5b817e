/*
 * Users: the seats of a tenant. What holds for every resource is tested in tests/closure.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *path_of(struct user_id u)
{
	return strf("/users/%s", id_text(u.u));
}

static struct answer invite(const struct caller *c, const char *email, const char *roles)
{
	return post(c, "/users", strf("{\"email\":\"%s\",\"roles\":%s}", email, roles));
}

static int64_t total(const struct caller *c, const char *query)
{
	return answer_int(answer_is(get(c, strf("/users?%s", query)), 200), "pagination.total");
}

/* An admin and two more: three are listed. */
Test(users, of_the_tenant_are_listed_and_counted)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer a;

	(void)user_make(ann.tenant, ROLE_MEMBER, NULL);
	(void)user_make(ann.tenant, ROLE_MEMBER, NULL);
	a = answer_is(get(&ann, "/users"), 200);
	cr_assert_eq(answer_len(a, "data"), 3);
	cr_assert_eq(answer_int(a, "pagination.page"), 1);
	cr_assert_eq(answer_int(a, "pagination.limit"), 20);
	cr_assert_eq(answer_int(a, "pagination.total"), 3);
	cr_assert_eq(answer_int(a, "pagination.totalPages"), 1);
}

Test(users, are_found_by_part_of_their_email_or_name)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *john = strf("john-%s@example.com", new_word());
	struct answer a;

	user_rename(ann.tenant, user_make(ann.tenant, ROLE_MEMBER, john), "J\xc3\xb6rg", "O'Neil");
	(void)user_make(ann.tenant, ROLE_MEMBER, NULL);
	a = answer_is(get(&ann, "/users?search=JOHN"), 200);
	cr_assert_eq(answer_len(a, "data"), 1);
	cr_assert_str_eq(answer_text(a, "data.0.email"), john);
	cr_assert_eq(total(&ann, "search=j%C3%B6rg"), 1);
	cr_assert_eq(total(&ann, "search=o%27neil"), 1);
	cr_assert_eq(total(&ann, "search=j%C3%B6rg%20o%27neil"), 1);
	cr_assert_eq(total(&ann, "search=nobody"), 0);
}

/* A search counts what it finds in the pass that finds it; past the end nobody is there to say so.
 */
Test(users, that_are_found_are_counted_on_every_page)
{
	struct caller ann = caller(ROLE_ADMIN);

	for (int i = 0; i < 3; i++)
		(void)user_make(ann.tenant, ROLE_VIEWER,
				strf("pat-%d-%s@example.com", i, new_word()));
	for (int page = 1; page <= 3; page++)
		cr_assert_eq(total(&ann, strf("search=PAT-&limit=2&page=%d", page)), 3);
	cr_assert_eq(total(&ann, "search=pat-&role=member"), 0);
	cr_assert_eq(total(&ann, "search=pat-&role=member&page=2"), 0);
}

/* LIKE's own characters are letters like any other. */
Test(users, are_not_found_by_wildcards)
{
	struct caller ann = caller(ROLE_ADMIN);

	cr_assert_eq(total(&ann, "search=%25"), 0);
	cr_assert_eq(total(&ann, "search=_"), 0);
	cr_assert_eq(total(&ann, "search=%5C"), 0);
}

Test(users, are_filtered_by_status_and_role)
{
	struct caller ann = caller(ROLE_ADMIN);

	(void)user_make(ann.tenant, ROLE_VIEWER, NULL);
	answer_is(invite(&ann, "new@example.com", "[\"viewer\"]"), 201);
	cr_assert_eq(total(&ann, "status=active"), 2);
	cr_assert_eq(total(&ann, "status=pending"), 1);
	cr_assert_eq(total(&ann, "role=viewer"), 2);
	cr_assert_eq(total(&ann, "role=viewer&status=active"), 1);
	answer_is_error(get(&ann, "/users?status=asleep"), 400, "VALIDATION_ERROR", "status");
}

/* Everything that can happen to a user, on both tiers: the routes are the same. */
static void live(const struct caller *c)
{
	struct answer made =
		answer_is(invite(c, "Eve@Example.com", "[\"member\",\"viewer\"]"), 201);
	const char *path = strf("/users/%s", answer_text(made, "id"));
	struct user_id u = user_make(c->tenant, ROLE_MEMBER, NULL);

	cr_assert_str_eq(answer_text(made, "email"), "eve@example.com");
	cr_assert_str_eq(answer_text(made, "status"), "pending");
	cr_assert_str_eq(answer_text(made, "roles.1"), "viewer");
	cr_assert(str_eq(get(c, path).body, made.body));

	made = answer_is(patch(c, path, "{\"firstName\":\"Eve\",\"phone\":null}"), 200);
	cr_assert_str_eq(answer_text(made, "firstName"), "Eve");
	made = answer_is(put(c, strf("%s/roles", path), "{\"roles\":[\"viewer\"]}"), 200);
	cr_assert_eq(answer_len(made, "roles"), 1);
	answer_is(del(c, path), 204);
	answer_is_error(get(c, path), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is(invite(c, "eve@example.com", "[\"member\"]"), 201);

	path = path_of(u);
	made = answer_is(post(c, strf("%s/suspend", path), NULL), 200);
	cr_assert_str_eq(answer_text(made, "status"), "suspended");
	answer_is_error(post(c, strf("%s/suspend", path), NULL), 409, "RESOURCE_CONFLICT",
			"status");
	made = answer_is(post(c, strf("%s/reactivate", path), NULL), 200);
	cr_assert_str_eq(answer_text(made, "status"), "active");
}

Test(users, live_the_same_life_on_both_tiers)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller dash = on_tier(caller(ROLE_OWNER), TIER_ADMIN);

	live(&ann);
	live(&dash);
}

Test(users, have_an_email_that_is_theirs_alone_in_the_tenant)
{
	struct caller ann = caller(ROLE_ADMIN), bob = caller(ROLE_ADMIN);

	answer_is(invite(&ann, "eve@example.com", "[\"member\"]"), 201);
	answer_is_error(invite(&ann, "EVE@example.com", "[\"member\"]"), 409, "RESOURCE_CONFLICT",
			"email");
	answer_is(invite(&bob, "eve@example.com", "[\"member\"]"), 201);
}

Test(users, are_told_apart_by_what_a_patch_says_and_what_it_leaves_out)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = path_of(ann.user);
	const struct json *value;
	struct answer a;

	answer_is(patch(&ann, path, "{\"firstName\":\"Ann\",\"displayName\":\"A.\"}"), 200);
	a = answer_is(patch(&ann, path, "{\"displayName\":null}"), 200);
	cr_assert_str_eq(answer_text(a, "firstName"), "Ann");
	cr_assert(answer_find(&a, "displayName", &value) && !value);
}

/* What somebody may do ends with the next request, whatever was cached. */
Test(users, that_are_suspended_are_refused_at_once)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller bob = caller_in(ann.tenant, ROLE_MEMBER);

	answer_is(get(&bob, "/users"), 200);
	answer_is(post(&ann, strf("%s/suspend", path_of(bob.user)), NULL), 200);
	answer_is_error(get(&bob, "/users"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(post(&ann, strf("%s/reactivate", path_of(bob.user)), NULL), 200);
	answer_is(get(&bob, "/users"), 200);
	answer_is(del(&ann, path_of(bob.user)), 204);
	answer_is_error(get(&bob, "/users"), 401, "AUTH_UNAUTHORIZED", NULL);
}

Test(users, that_lose_a_role_lose_its_permissions_at_once)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller bob = caller_in(ann.tenant, ROLE_ADMIN);
	const char *path = strf("%s/roles", path_of(bob.user));

	answer_is(invite(&bob, "eve@example.com", "[\"member\"]"), 201);
	answer_is(put(&ann, path, "{\"roles\":[\"viewer\"]}"), 200);
	answer_is_error(invite(&bob, "mia@example.com", "[\"member\"]"), 403, "AUTH_FORBIDDEN",
			NULL);
}

Test(users, grant_nothing_that_they_do_not_hold)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct user_id owner = user_make(ann.tenant, ROLE_OWNER, NULL);

	answer_is_error(invite(&ann, "eve@example.com", "[\"owner\"]"), 403, "AUTH_FORBIDDEN",
			NULL);
	answer_is_error(put(&ann, strf("%s/roles", path_of(ann.user)), "{\"roles\":[\"owner\"]}"),
			403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&ann, strf("%s/suspend", path_of(owner)), NULL), 403, "AUTH_FORBIDDEN",
			NULL);
	answer_is_error(patch(&ann, path_of(owner), "{\"displayName\":\"Support\"}"), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is_error(del(&ann, path_of(owner)), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(invite(&ann, "eve@example.com", "[\"no-such-role\"]"), 400,
			"VALIDATION_ERROR", "roles");
	cr_assert_eq(total(&ann, "status=pending"), 0);
}

Test(users, cannot_leave_a_tenant_without_an_owner)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller bob = caller_in(ann.tenant, ROLE_OWNER);
	const char *roles = strf("%s/roles", path_of(ann.user));

	answer_is(put(&ann, strf("%s/roles", path_of(bob.user)), "{\"roles\":[\"admin\"]}"), 200);
	answer_is_error(put(&ann, roles, "{\"roles\":[\"admin\"]}"), 422, "RULE_VIOLATED", NULL);
	answer_is_error(del(&ann, path_of(ann.user)), 422, "RULE_VIOLATED", NULL);
	answer_is_error(post(&ann, strf("%s/suspend", path_of(ann.user)), NULL), 422,
			"RULE_VIOLATED", NULL);
	cr_assert_eq(total(&ann, "role=owner&status=active"), 1);
}

/* Two owners who delete each other at once: one of them is told. */
Test(users, that_are_the_last_two_owners_cannot_both_go_at_once)
{
	for (int turn = 0; turn < 8; turn++) {
		struct caller ann = caller(ROLE_OWNER);
		struct caller bob = caller_in(ann.tenant, ROLE_OWNER);
		const struct ask asks[] = {
			{ .method = "DELETE",
			  .path = strf("/api/v1%s", path_of(bob.user)),
			  .caller = &ann },
			{ .method = "DELETE",
			  .path = strf("/api/v1%s", path_of(ann.user)),
			  .caller = &bob },
		};
		struct answer answers[2];

		answers_to_all(asks, 2, answers);
		cr_assert_eq((answers[0].status == 204) + (answers[1].status == 204), 1,
			     "%d and %d", answers[0].status, answers[1].status);
	}
}

Test(users, leave_an_event_for_each_change)
{
	struct caller ann = caller(ROLE_OWNER);
	struct answer made = answer_is(invite(&ann, "eve@example.com", "[\"member\"]"), 201);
	const char *path = strf("/users/%s", answer_text(made, "id"));

	answer_is(patch(&ann, path, "{\"firstName\":\"Eve\"}"), 200);
	answer_is(del(&ann, path), 204);
	cr_assert_str_eq(database_value("SELECT string_agg(type, ' ' ORDER BY id) FROM events "
					"WHERE tenant_id = $1::uuid AND account_id = $2::uuid "
					"AND subject_id = $3::uuid AND request_id IS NOT NULL",
					id_text(ann.tenant.u), id_text(ann.account.u),
					answer_text(made, "id"), NULL),
			 "user.created user.updated user.deleted");
}
