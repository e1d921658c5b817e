/* A connection that only hears: see listen.h. */
#include "db/listen.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "db/conn_impl.h"

static struct conn ear;

/*
 * conn_ready() reads what has come, to see whether the connection lives; a notification among it
 * would not wake whoever polls the socket next. So it is asked only when libpq knows that there is
 * none: it learns of an end in listen_take(), since that wakes too.
 */
static bool is_open(void)
{
	return (ear.pg && PQstatus(ear.pg) == CONNECTION_OK) || conn_ready(&ear);
}

int listen_on(struct ctx *c, const struct sql *statement)
{
	struct step step = { .sql = statement };
	struct pipeline p = { .first = &step };

	ear.url = config()->database_url;
	if (!is_open())
		return -1;
	if (conn_has_prepared(&ear, statement))
		return PQsocket(ear.pg);

	/* A new connection; what it has run stands among what it has prepared. */
	if (pipeline_run(c, &ear, &p) != PIPELINE_DONE) {
		conn_close(&ear);
		return -1;
	}
	conn_set_prepared(&ear, statement);

	return PQsocket(ear.pg);
}

const char *listen_take(struct arena *a)
{
	const char *payload = NULL;
	PGnotify *n;

	if (!ear.pg || !PQconsumeInput(ear.pg))
		return NULL;
	n = PQnotifies(ear.pg);
	if (n)
		payload = arena_strdup(a, n->extra);
	PQfreemem(n);

	return payload;
}

void listen_done(void)
{
	conn_close(&ear);
}
