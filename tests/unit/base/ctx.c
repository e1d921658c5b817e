#include "base/ctx.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct arena *arena;
static struct ctx c;

static void begin(void)
{
	arena = arena_new();
	ctx_reset(&c, arena);
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(ctx, .init = begin, .fini = end);

Test(ctx, a_new_unit_of_work_knows_nothing_of_the_last)
{
	c.actor.kind = ACTOR_SYSTEM;
	c.if_match.len = 1;
	(void)fail(&c, ERR_AUTH_FORBIDDEN, NULL, NULL);
	ctx_reset(&c, arena);
	cr_assert_eq(c.actor.kind, ACTOR_NONE);
	cr_assert_eq(c.fault.err, OK);
	cr_assert_eq(c.if_match.len, 0);
	cr_assert_eq(c.arena, arena);
}

Test(ctx, the_first_failure_is_kept_with_its_place)
{
	cr_assert_eq(fail(&c, ERR_RESOURCE_CONFLICT, "slug", "taken"), ERR_RESOURCE_CONFLICT);
	cr_assert_eq(fail(&c, ERR_RESOURCE_NOT_FOUND, "id", "gone"), ERR_RESOURCE_CONFLICT);
	cr_assert_eq(fail_internal(&c, "%d", 1), ERR_RESOURCE_CONFLICT);
	cr_assert_str_eq(c.fault.path, "slug");
	cr_assert_str_eq(c.fault.message, "taken");
	cr_assert_null(c.fault.detail);
	cr_assert_not_null(strstr(c.fault.where, "ctx.c:"));
}

Test(ctx, what_only_the_log_shows_is_apart)
{
	cr_assert_eq(fail_internal(&c, "SQLSTATE %s", "XX000"), ERR_INTERNAL_ERROR);
	cr_assert_null(c.fault.message);
	cr_assert_str_eq(c.fault.detail, "SQLSTATE XX000");
	errdetail_log(&c, "in %s", "projects_create");
	cr_assert_str_eq(c.fault.detail, "SQLSTATE XX000; in projects_create");
}

Test(ctx, issues_gather_up_to_their_bound)
{
	char path[16];

	for (int i = 0; i < ISSUES_MAX + 10; i++) {
		(void)snprintf(path, sizeof(path), "roles.%d", i);
		cr_assert_eq(fail_issue(&c, path, "invalid_type", "Expected string"),
			     ERR_VALIDATION_ERROR);
	}
	cr_assert_eq(c.fault.err, ERR_VALIDATION_ERROR);
	cr_assert_eq(c.fault.issues_len, ISSUES_MAX);
	cr_assert_str_eq(c.fault.issues[1].path, "roles.1");
	cr_assert_str_eq(c.fault.issues[1].code, "invalid_type");
}

Test(ctx, an_issue_after_another_failure_changes_nothing)
{
	(void)fail(&c, ERR_AUTH_FORBIDDEN, NULL, NULL);
	cr_assert_eq(fail_issue(&c, "a", "custom", "b"), ERR_AUTH_FORBIDDEN);
	cr_assert_eq(c.fault.issues_len, 0);
}

Test(ctx, success_is_no_failure, .signal = SIGABRT)
{
	(void)fail(&c, OK, NULL, NULL);
}

Test(ctx, every_error_has_its_row)
{
	for (int e = OK + 1; e < ERR_COUNT; e++) {
		const struct err_info *info = err_info(e);

		cr_assert_geq(info->status, 400, "%d", e);
		cr_assert_leq(info->status, 599, "%d", e);
		cr_assert_not_null(info->code);
		cr_assert_not_null(info->message);
	}
	cr_assert_str_eq(err_info(ERR_RESOURCE_CONFLICT)->code, "RESOURCE_CONFLICT");
	cr_assert_eq(err_info(ERR_RESOURCE_CONFLICT)->status, 409);
}

Test(ctx, every_kind_of_actor_has_a_name)
{
	cr_assert_str_eq(actor_kind_name(ACTOR_NONE), "none");
	cr_assert_str_eq(actor_kind_name(ACTOR_SYSTEM), "system");
}
