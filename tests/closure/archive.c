/*
 * No table of a tenant is forgotten by archives: each is walked by its key, or stands among the
 * exceptions with its reason, and can come back.
 */
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/* Names that a statement gives are what is wrong. */
static void expect_none(const char *what, const char *statement)
{
	size_t n;
	const char *const *names = database_column(&n, statement, NULL);

	for (size_t i = 0; i < n; i++)
		cr_expect_fail("%s %s", names[i], what);
}

Test(archives, hold_every_table_of_a_tenant)
{
	cr_expect(database_number("SELECT count(*) FROM tenant_tables() WHERE is_archived", NULL) >
		  8);
	expect_none(
		"has tenant_id, and is not walked",
		"SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
		"AND a.attname = 'tenant_id' AND NOT a.attisdropped "
		"WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
		"AND NOT c.relispartition AND c.relname NOT IN (SELECT name FROM tenant_tables())");
	expect_none("is an exception, and no table of tenants",
		    "SELECT name FROM archive_exceptions() "
		    "WHERE name NOT IN (SELECT name FROM tenant_tables())");
	expect_none(
		"is walked by no key that begins with its tenant",
		"SELECT t.name FROM tenant_tables() t WHERE t.is_archived AND NOT EXISTS ("
		"SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
		"AND a.attnum = i.indkey[0] WHERE i.indrelid = t.name::regclass AND i.indisprimary "
		"AND a.attname = tenant_column(t.name))");
}

Test(archives, give_their_tables_back_in_an_order_that_holds)
{
	expect_none("points to a table that comes later, and its constraint does not wait: "
		    "CALL defer_foreign_keys() in its migration",
		    "SELECT f.conname FROM pg_constraint f "
		    "JOIN tenant_tables() t ON t.name = f.conrelid::regclass::text "
		    "JOIN tenant_tables() u ON u.name = f.confrelid::regclass::text "
		    "WHERE f.contype = 'f' AND f.conparentid = 0 AND t.is_archived "
		    "AND NOT f.condeferrable AND (u.turn >= t.turn OR NOT u.is_archived)");
	expect_none("is out of reach for zygo_system",
		    "SELECT name FROM tenant_tables() WHERE is_archived AND NOT ("
		    "has_table_privilege('zygo_system', name, 'SELECT') AND "
		    "has_table_privilege('zygo_system', name, 'INSERT') AND "
		    "has_table_privilege('zygo_system', name, 'DELETE'))");
}

/* What is named after accounts falls with them, or points to nobody then. */
Test(archives, and_erasure_find_who_points_to_people)
{
	expect_none(
		"keeps an account or a user from being erased: ON DELETE CASCADE or SET NULL",
		"SELECT f.conname FROM pg_constraint f WHERE f.contype = 'f' AND f.conparentid = 0 "
		"AND f.confrelid = 'accounts'::regclass AND f.confdeltype NOT IN ('c', 'n') "
		"AND f.conname NOT IN ('users_account_id_fkey', 'sessions_impersonator_id_fkey')");
}

/* A table that is read as a whole for each account of a realm that goes, is read for hours. */
Test(archives, and_erasure_find_who_points_to_people_by_an_index)
{
	expect_none("has no index of all rows that point to an account, or to what falls with one",
		    "SELECT f.conname FROM pg_constraint f WHERE f.contype = 'f' AND "
		    "f.conparentid = 0 "
		    "AND f.confrelid IN ('accounts'::regclass, 'sessions'::regclass) "
		    "AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a "
		    "ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
		    "WHERE i.indrelid = f.conrelid AND a.attnum = ANY (f.conkey) "
		    "AND coalesce(pg_get_expr(i.indpred, i.indrelid), 'all') "
		    "IN ('all', format('(%I IS NOT NULL)', a.attname)))");
}
