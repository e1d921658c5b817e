/*
 * Every constraint that a caller's input can violate has a row in a domain's table of conflicts, so
 * that it becomes a 409 that names the field, and not a 500.
 *
 * A constraint that no input reaches is excused below, with the reason.
 */
#include "db/batch.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

/* POSIX LIKE patterns of names. */
static const struct {
	const char *pattern;
	const char *reason;
} excused[] = {
	{ "%\\_pkey", "ids are made by the server" },
	{ "%\\_tenant\\_id\\_fkey", "the tenant is the transaction's own" },
	{ "%\\_check", "shapes let no other value through" },
	{ "jobs\\_unique\\_key", "a job whose key is taken is not added" },
	{ "roles\\_builtin\\_key\\_fkey", "built-in roles come from a table of ours" },
	{ "tenants\\_realm\\_id\\_fkey", "tenants are made in the platform's realm" },
	{ "user\\_roles\\_user\\_id\\_fkey", "the user was just made or locked" },
	{ "api\\_keys\\_user\\_id\\_fkey", "the seat is the one that acts" },
	{ "api\\_key\\_secrets\\_api\\_key\\_id\\_fkey", "the key was just made or locked" },
	{ "api\\_key\\_secrets\\_hash\\_key", "190 random bits, hashed" },
	{ "invitations\\_user\\_id\\_fkey", "the user was just made" },
	{ "invitations\\_tenant\\_id\\_user\\_id\\_key", "a user is invited when it is made" },
	{ "invitation\\_tokens\\_invitation\\_id\\_fkey", "the invitation was just found" },
	{ "invitation\\_tokens\\_token\\_hash\\_key", "256 random bits, hashed" },
	{ "notifications\\_user\\_id\\_fkey", "the seat is looked for by the same statement" },
	{ "notifications\\_tenant\\_id\\_event\\_id\\_user\\_id\\_key",
	  "who was told already is not told again" },
	{ "notification\\_preferences\\_user\\_id\\_fkey", "the seat is the one that acts" },
	{ "webhook\\_states\\_endpoint\\_id\\_fkey", "the webhook was just made" },
	{ "webhook\\_stats\\_endpoint\\_id\\_fkey", "its delivery was just found" },
	{ "webhook\\_deliveries\\_endpoint\\_id\\_fkey", "the webhook was just found or locked" },
	{ "webhook\\_attempts\\_delivery\\_id\\_fkey", "the delivery was just found" },
	{ "users\\_account\\_id\\_fkey",
	  "the account was just made or found, in the same transaction" },
};

static bool is_excused(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(excused); i++) {
		if (database_number("SELECT ($1 LIKE $2)::int", name, excused[i].pattern, NULL))
			return true;
	}
	return false;
}

/* Constraints and unique indexes of tables that a tenant has rows in, and of tenants itself. */
static const char *const names =
	"WITH t AS (SELECT c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p') "
	"AND c.relnamespace = 'public'::regnamespace AND (c.relname = 'tenants' OR EXISTS "
	"(SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'))) "
	"SELECT conname::text FROM pg_constraint WHERE conrelid IN (SELECT oid FROM t) "
	"UNION SELECT i.indexrelid::regclass::text FROM pg_index i "
	"WHERE i.indisunique AND i.indrelid IN (SELECT oid FROM t) ORDER BY 1";

Test(constraints, that_input_can_violate_are_told_as_conflicts)
{
	size_t n;
	const char *const *all;

	world();
	all = database_column(&n, names, NULL);
	cr_assert_gt(n, 10);
	for (size_t i = 0; i < n; i++)
		cr_expect(
			is_excused(all[i]) || conflict_find(all[i]),
			"%s is in no table of conflicts: add it to its domain's, or excuse it here",
			all[i]);
}

Test(constraints, that_are_excused_are_not_also_told)
{
	size_t n;
	const char *const *all;

	world();
	all = database_column(&n, names, NULL);
	for (size_t i = 0; i < n; i++)
		cr_expect(!(is_excused(all[i]) && conflict_find(all[i])),
			  "%s can be violated after all: its excuse is wrong", all[i]);
}
