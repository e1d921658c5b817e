/* What is sealed in the database has a row that seals it anew when ENCRYPTION_KEY changes. */
#include "identity/reseal.h"

#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static bool has_place(const char *name)
{
	for (const struct sealed_place *p = sealed_places; p->table; p++)
		if (strcmp(strf("%s.%s", p->table, p->column), name) == 0)
			return true;

	return false;
}

Test(sealed, columns_each_have_a_place)
{
	const char *const *names;
	size_t n;

	names = database_column(
		&n,
		"SELECT table_name || '.' || column_name FROM information_schema.columns "
		"JOIN information_schema.tables USING (table_schema, table_name) "
		"WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name ~ 'sealed$'",
		NULL);
	cr_assert_gt(n, 0);
	for (size_t i = 0; i < n; i++)
		cr_expect(has_place(names[i]), "%s is not in sealed_places[]", names[i]);
}

Test(sealed, places_are_columns_and_say_what_becomes_of_them)
{
	for (const struct sealed_place *p = sealed_places; p->table; p++) {
		cr_expect_eq(
			database_number(
				"SELECT count(*) FROM information_schema.columns "
				"WHERE table_schema = 'public' AND table_name = $1 AND column_name = $2",
				p->table, p->column, NULL),
			1, "there is no %s.%s", p->table, p->column);
		cr_expect_neq(p->page != NULL, p->lives_us > 0, "%s.%s", p->table, p->column);
		cr_expect_eq(p->page != NULL, p->put && p->first, "%s.%s", p->table, p->column);
	}
}
