/*
 * What a seat may do while several change it at once: sql/migrations/0001, refresh_seats() and the
 * triggers that call it. Two connections in transactions of their own; the second waits for the
 * first, which is waited for, and after both the seat says what its roles say.
 */
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>

/* A tenant with one seat and no roles but those that the test makes. */
static struct tenant_id tenant;
static struct user_id seat;

static void begin(void)
{
	tenant = tenant_make();
	seat = user_make(tenant, ROLE_VIEWER, NULL);
	database_run("DELETE FROM user_roles WHERE tenant_id = $1::uuid", id_text(tenant.u), NULL);
}

TestSuite(seats, .init = begin);

/* A custom role of the tenant with one permission; its id. */
static const char *role_make(const char *permission)
{
	const char *id = id_text(uuid_v7());

	database_run("INSERT INTO roles (tenant_id, id, key, name, permissions) "
		     "VALUES ($1::uuid, $2::uuid, $3, $3, ARRAY[$4])",
		     id_text(tenant.u), id, new_word(), permission, NULL);
	return id;
}

static void give(const char *role)
{
	database_run("INSERT INTO user_roles VALUES ($1::uuid, $2::uuid, $3::uuid)",
		     id_text(tenant.u), id_text(seat.u), role, NULL);
}

static const char *what_it_may(void)
{
	return database_value("SELECT array_to_string(permissions, ' ') FROM users "
			      "WHERE tenant_id = $1::uuid AND id = $2::uuid",
			      id_text(tenant.u), id_text(seat.u), NULL);
}

/* ---- somebody in a transaction ---- */

static void say(PGconn *who, const char *statement)
{
	PGresult *r = PQexec(who, statement);

	cr_assert(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK,
		  "%s: %s", statement, PQresultErrorMessage(r));
	PQclear(r);
}

/* role: what zygo_app becomes, or "none". */
static PGconn *somebody(const char *role)
{
	PGconn *who = PQconnectdb(world()->app_url);

	cr_assert_eq(PQstatus(who), CONNECTION_OK, "%s", PQerrorMessage(who));
	say(who, "BEGIN");
	say(who, strf("SET LOCAL ROLE %s", role));
	say(who, "SET LOCAL lock_timeout = 0");
	say(who, "SET LOCAL statement_timeout = 0");
	say(who, strf("SELECT set_config('app.tenant_id', '%s', true)", id_text(tenant.u)));
	return who;
}

static bool waits_for_lock(void *who)
{
	return database_number("SELECT count(*) FROM pg_stat_activity "
			       "WHERE pid = $1::int AND wait_event_type = 'Lock'",
			       strf("%d", PQbackendPID(who)), NULL) == 1;
}

/* The second says something that must wait until the first has committed; then both have. */
static void one_after_the_other(PGconn *first, PGconn *second, const char *statement)
{
	PGresult *r;

	cr_assert(PQsendQuery(second, statement));
	wait_until(waits_for_lock, second, "the second waits for the first");
	say(first, "COMMIT");

	while ((r = PQgetResult(second))) {
		cr_assert_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s", PQresultErrorMessage(r));
		PQclear(r);
	}
	say(second, "COMMIT");
	PQfinish(first);
	PQfinish(second);
}

static const char *grant_of(const char *role)
{
	return strf("INSERT INTO user_roles VALUES (current_tenant(), '%s', '%s')", id_text(seat.u),
		    role);
}

/* ---- what holds ---- */

Test(seats, two_roles_given_at_once_are_both_there)
{
	const char *one = role_make("canOne"), *two = role_make("canTwo");
	PGconn *first = somebody("none"), *second = somebody("none");

	say(first, grant_of(one));
	one_after_the_other(first, second, grant_of(two));
	cr_expect_str_eq(what_it_may(), "canOne canTwo");
}

Test(seats, a_role_taken_away_while_it_changes_is_gone)
{
	const char *role = role_make("canOne");
	PGconn *first, *second;

	give(role);
	first = somebody("none");
	second = somebody("none");
	say(first, strf("DELETE FROM user_roles WHERE role_id = '%s'", role));
	one_after_the_other(
		first, second,
		strf("UPDATE roles SET permissions = '{canOne,canMore}' WHERE id = '%s'", role));
	cr_expect_str_eq(what_it_may(), "");
}

Test(seats, a_role_given_while_it_changes_is_given_as_it_became)
{
	const char *role = role_make("canOne");
	PGconn *first = somebody("none"), *second = somebody("none");

	say(first, strf("UPDATE roles SET permissions = '{canMore}' WHERE id = '%s'", role));
	one_after_the_other(first, second, grant_of(role));
	cr_expect_str_eq(what_it_may(), "canMore");
}

/* Every tenant has the built-in roles, so this runs alone. */
TestSuite(faults_seats, .init = begin);

Test(faults_seats, a_builtin_role_given_while_it_changes_is_given_as_it_became)
{
	const char *key = new_word(), *role = role_make("canNothing");
	PGconn *first, *second;

	database_run("INSERT INTO builtin_roles VALUES ($1, '{canOne}')", key, NULL);
	database_run("UPDATE roles SET builtin_key = $1 WHERE id = $2::uuid", key, role, NULL);

	first = somebody("none");
	second = somebody("zygo_system");
	say(first, grant_of(role));
	one_after_the_other(first, second,
			    strf("UPDATE builtin_roles SET permissions = '{canMore}' "
				 "WHERE key = '%s'",
				 key));
	cr_expect_str_eq(what_it_may(), "canMore");

	database_run("DELETE FROM user_roles WHERE role_id = $1::uuid", role, NULL);
	database_run("DELETE FROM roles WHERE id = $1::uuid", role, NULL);
	database_run("DELETE FROM builtin_roles WHERE key = $1", key, NULL);
}
