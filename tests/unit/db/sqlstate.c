/* What PostgreSQL refuses, as errors of ours. */
#include "db/sqlstate.h"

#include "db/batch.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <criterion/criterion.h>

static const struct conflict things[] = {
	{ "things_slug_key", ERR_RESOURCE_CONFLICT, "slug", "A thing with this slug exists" },
	{ "things_size_check", ERR_VALIDATION_ERROR, "size", "Too small" },
	{ 0 },
};
static const struct conflict others[] = {
	{ "others_name_key", ERR_RESOURCE_CONFLICT, "name", "Taken" },
	{ 0 },
};

static struct ctx c;

static void setup(void)
{
	ctx_reset(&c, arena_new());
	conflicts_register(things);
	conflicts_register(others);
}

static void teardown(void)
{
	arena_free(c.arena);
}

TestSuite(sqlstate, .init = setup, .fini = teardown);

Test(sqlstate, each_is_the_error_that_the_contract_names)
{
	static const struct {
		const char *sqlstate;
		int err;
	} cases[] = {
		{ "ZY400", ERR_VALIDATION_ERROR },        { "ZY401", ERR_AUTH_UNAUTHORIZED },
		{ "ZY402", ERR_PLAN_LIMIT_EXCEEDED },     { "ZY403", ERR_AUTH_FORBIDDEN },
		{ "ZY404", ERR_RESOURCE_NOT_FOUND },      { "ZY409", ERR_RESOURCE_CONFLICT },
		{ "ZY412", ERR_PRECONDITION_FAILED },     { "ZY422", ERR_RULE_VIOLATED },
		{ "ZY423", ERR_IDEMPOTENCY_IN_PROGRESS }, { "ZY424", ERR_IDEMPOTENCY_MISMATCH },
		{ "ZY451", ERR_TENANT_SUSPENDED },        { "ZY452", ERR_AUTH_MFA_REQUIRED },
		{ "ZY461", ERR_AUTH_TOKEN_EXPIRED },      { "ZY462", ERR_AUTH_TOKEN_REUSED },
		{ "40001", ERR_SERVICE_UNAVAILABLE },     { "40P01", ERR_SERVICE_UNAVAILABLE },
		{ "55P03", ERR_SERVICE_UNAVAILABLE },     { "57014", ERR_SERVICE_UNAVAILABLE },
		{ "57P01", ERR_SERVICE_UNAVAILABLE },     { "53300", ERR_SERVICE_UNAVAILABLE },
		{ "08006", ERR_SERVICE_UNAVAILABLE },     { "23505", ERR_INTERNAL_ERROR },
		{ "22P02", ERR_INTERNAL_ERROR },          { "25006", ERR_INTERNAL_ERROR },
		{ "42501", ERR_INTERNAL_ERROR },          { "ZY999", ERR_INTERNAL_ERROR },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sql_failure f = { .sqlstate = cases[i].sqlstate, .message = "why" };

		ctx_reset(&c, c.arena);
		cr_expect_eq(sqlstate_fail(&c, &f, "things_create"), cases[i].err, "%s",
			     cases[i].sqlstate);
		cr_expect_eq(c.fault.err, cases[i].err);
	}
}

Test(sqlstate, the_schema_speaks_to_the_caller)
{
	struct sql_failure f = { "ZY403", "Insufficient permissions", "canManageUsers", NULL,
				 NULL };

	(void)sqlstate_fail(&c, &f, "things_create");
	cr_expect_str_eq(c.fault.message, "Insufficient permissions");
	cr_expect_str_eq(c.fault.required, "canManageUsers");
}

Test(sqlstate, a_refused_value_names_its_field)
{
	struct sql_failure f = { "ZY400", "Name the tenant", "", NULL, "X-Tenant-ID" };

	(void)sqlstate_fail(&c, &f, "things_create");
	cr_assert_eq(c.fault.issues_len, 1);
	cr_expect_str_eq(c.fault.issues[0].path, "X-Tenant-ID");
	cr_expect_str_eq(c.fault.issues[0].message, "Name the tenant");
}

Test(sqlstate, a_constraint_is_what_its_domain_says)
{
	struct sql_failure f = { "23505", "duplicate key", "Key (slug)=(x)", "things_slug_key",
				 NULL };

	cr_expect_eq(sqlstate_fail(&c, &f, "things_create"), ERR_RESOURCE_CONFLICT);
	cr_expect_str_eq(c.fault.path, "slug");
	cr_expect_str_eq(c.fault.message, "A thing with this slug exists");
}

Test(sqlstate, a_constraint_may_be_a_mistake_of_the_input)
{
	struct sql_failure f = { "23514", "violates check", NULL, "things_size_check", NULL };

	cr_expect_eq(sqlstate_fail(&c, &f, "things_create"), ERR_VALIDATION_ERROR);
	cr_assert_eq(c.fault.issues_len, 1);
	cr_expect_str_eq(c.fault.issues[0].path, "size");
}

Test(sqlstate, the_log_sees_no_values)
{
	struct sql_failure f = { "22P02", "invalid input syntax for type uuid: \"s3cret\"",
				 "s3cret", NULL, NULL };

	(void)sqlstate_fail(&c, &f, "things_create");
	cr_expect_null(c.fault.message);
	cr_expect(strstr(c.fault.detail, "things_create") && strstr(c.fault.detail, "22P02"));
	cr_expect_null(strstr(c.fault.detail, "s3cret"));
}

Test(sqlstate, what_collides_is_tried_again_and_what_is_stale_is_prepared_anew)
{
	cr_expect(sqlstate_is_retryable("40001") && sqlstate_is_retryable("40P01"));
	cr_expect(!sqlstate_is_retryable("23505") && !sqlstate_is_retryable(NULL));
	cr_expect(sqlstate_is_stale_plan("0A000") && sqlstate_is_stale_plan("26000"));
	cr_expect(!sqlstate_is_stale_plan("40001") && !sqlstate_is_stale_plan(NULL));
}

Test(conflict, is_found_in_any_table_by_its_whole_name, .init = setup, .fini = teardown)
{
	cr_expect_eq(conflict_find("things_slug_key"), &things[0]);
	cr_expect_eq(conflict_find("others_name_key"), &others[0]);
	cr_expect_null(conflict_find("things_slug"));
	cr_expect_null(conflict_find("no_such_key"));
	cr_expect_null(conflict_find(NULL));
}
