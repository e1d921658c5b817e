/* Every statement that is built in, before the migrated database: it prepares, and is what its row
 * says. */
#include "db/sql.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>

static PGconn *pg;

static void setup(void)
{
	const char *url = getenv("ZYGO_TEST_DATABASE_URL");

	cr_assert(url && *url, "ZYGO_TEST_DATABASE_URL is not set: run this through scripts/test");
	pg = PQconnectdb(url);
	cr_assert_eq(PQstatus(pg), CONNECTION_OK, "%s", PQerrorMessage(pg));
}

static void teardown(void)
{
	PQfinish(pg);
}

TestSuite(statements, .init = setup, .fini = teardown);

/* Those that rows.c reads; enums and extensions' types have numbers of their own, from 16384. */
static const Oid known_types[] = {
	16, 17, 19, 20, 21, 23, 25, 114, 1009, 1015, 1042, 1043, 1184, 2278, 2950, 3802,
};

static bool is_known(Oid type)
{
	for (size_t i = 0; i < ARRAY_LEN(known_types); i++)
		if (known_types[i] == type)
			return true;
	return type >= 16384;
}

static void check_columns(const struct sql *s, const PGresult *described)
{
	for (int i = 0; i < PQnfields(described); i++) {
		cr_expect(is_known(PQftype(described, i)),
			  "%s: column %s has type %u, which rows.c cannot read", s->name,
			  PQfname(described, i), PQftype(described, i));
		for (int j = 0; j < i; j++)
			cr_expect_str_neq(PQfname(described, i), PQfname(described, j),
					  "%s: column %s is there twice", s->name,
					  PQfname(described, i));
	}
}

Test(statements, prepare_with_the_parameters_and_columns_that_the_program_expects)
{
	unsigned count = 0;

	for (; sql_all[count]; count++) {
		const struct sql *s = sql_all[count];
		PGresult *r = PQprepare(pg, s->name, s->text, 0, NULL);

		cr_expect_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s: %s", s->name,
			     PQresultErrorMessage(r));
		PQclear(r);
		r = PQdescribePrepared(pg, s->name);
		if (PQresultStatus(r) == PGRES_COMMAND_OK) {
			cr_expect_eq((unsigned)PQnparams(r), s->params, "%s has %d parameters",
				     s->name, PQnparams(r));
			if (s->kind != SQL_EXEC)
				check_columns(s, r);
		}
		PQclear(r);
	}
	cr_expect_eq(count, sql_all_len);
	cr_expect_gt(count, 0);
}

Test(statements, have_names_of_their_own)
{
	for (unsigned i = 0; sql_all[i]; i++)
		for (unsigned j = 0; j < i; j++)
			cr_expect_str_neq(sql_all[i]->name, sql_all[j]->name);
}
