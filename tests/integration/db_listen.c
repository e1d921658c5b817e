/* Being called by PostgreSQL, while busy with something else too. */
#include "db/listen.h"

#include "base/ctx.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <poll.h>

TestSuite(db_listen, .init = scratch_init, .fini = scratch_done);

static const struct sql *listen_sql(void)
{
	return scratch_sql(SQL_EXEC, "LISTEN @_called");
}

static bool is_called(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0;
}

Test(db_listen, a_call_that_comes_before_it_is_waited_for_wakes_all_the_same)
{
	struct ctx *c = scratch_ctx();
	const struct sql *listen = listen_sql();
	int fd = listen_on(c, listen);

	scratch_app("NOTIFY @_called, 'now'");
	cr_assert(is_called(fd, 15000));
	cr_assert_eq(listen_on(c, listen), fd);
	cr_assert(is_called(fd, 0));
	cr_assert_str_eq(listen_take(c->arena), "now");
	cr_assert_null(listen_take(c->arena));
	listen_done();
}

Test(db_listen, an_end_of_the_connection_wakes_and_is_mended)
{
	struct ctx *c = scratch_ctx();
	const struct sql *listen = listen_sql();
	const char *heard = NULL;

	cr_assert_geq(listen_on(c, listen), 0);
	scratch_app("SELECT pg_terminate_backend(pid, 15000) FROM pg_stat_activity "
		    "WHERE query = 'LISTEN @_called'");
	/* It may take some turns, of which each is woken: the last words come before the end. */
	for (int i = 0; i < 10 && !heard; i++) {
		int fd = listen_on(c, listen);

		scratch_app("NOTIFY @_called");
		cr_assert(is_called(fd, 15000));
		heard = listen_take(c->arena);
	}
	cr_assert_not_null(heard);
	listen_done();
}
