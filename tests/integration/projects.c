/*
 * Projects, the model domain: only what is particular; tests/closure covers the rest.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>

#define BLUE "{\"slug\":\"blue\",\"name\":\"Blue team\"}"

Test(projects, a_slug_is_taken_once_per_tenant)
{
	struct caller ann = caller(ROLE_ADMIN), bob = caller(ROLE_ADMIN);

	answer_is(post(&ann, "/projects", BLUE), 201);
	answer_is_error(post(&ann, "/projects", BLUE), 409, "RESOURCE_CONFLICT", "slug");
	answer_is(post(&bob, "/projects", BLUE), 201);
}

Test(projects, a_slug_is_free_again_when_its_project_is_gone)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer made = answer_is(post(&ann, "/projects", BLUE), 201);

	answer_is(del(&ann, strf("/projects/%s", answer_text(made, "id"))), 204);
	answer_is(post(&ann, "/projects", BLUE), 201);
}

static void live(const struct caller *c)
{
	struct answer a = answer_is(post(c, "/projects", BLUE), 201);
	const char *path = strf("/projects/%s", answer_text(a, "id"));
	const struct json *value;

	cr_assert_str_eq(answer_text(a, "status"), "active");
	cr_assert(answer_find(&a, "description", &value) && !value);
	a = answer_is(patch(c, path, "{\"description\":\"All that is blue\"}"), 200);
	cr_assert_str_eq(answer_text(a, "name"), "Blue team");
	cr_assert_str_eq(answer_text(a, "description"), "All that is blue");

	a = answer_is(post(c, strf("%s/archive", path), NULL), 200);
	cr_assert_str_eq(answer_text(a, "status"), "archived");
	answer_is_error(post(c, strf("%s/archive", path), NULL), 409, "RESOURCE_CONFLICT",
			"status");
	cr_assert_eq(answer_int(get(c, "/projects?status=archived"), "pagination.total"), 1);
	a = answer_is(post(c, strf("%s/restore", path), NULL), 200);
	cr_assert_str_eq(answer_text(a, "status"), "active");

	answer_is(del(c, path), 204);
	answer_is_error(get(c, path), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is_error(del(c, path), 404, "RESOURCE_NOT_FOUND", NULL);
	cr_assert_eq(answer_int(get(c, "/projects"), "pagination.total"), 0);
}

Test(projects, live_the_same_life_on_both_tiers)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller dash = on_tier(caller(ROLE_ADMIN), TIER_ADMIN);

	live(&ann);
	live(&dash);
}

Test(projects, leave_an_event_for_each_change)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer made = answer_is(post(&ann, "/projects", BLUE), 201);
	const char *path = strf("/projects/%s", answer_text(made, "id"));

	answer_is(patch(&ann, path, "{\"name\":\"Navy\"}"), 200);
	answer_is(post(&ann, strf("%s/archive", path), NULL), 200);
	answer_is(post(&ann, strf("%s/restore", path), NULL), 200);
	answer_is(del(&ann, path), 204);
	cr_assert_str_eq(database_value("SELECT string_agg(type, ' ' ORDER BY id) FROM events "
					"WHERE tenant_id = $1::uuid AND subject_id = $2::uuid",
					id_text(ann.tenant.u), answer_text(made, "id"), NULL),
			 "project.created project.updated project.archived project.restored "
			 "project.deleted");
}
