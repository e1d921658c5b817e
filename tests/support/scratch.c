/* A table of the test's own: see scratch.h. */
#include "support/scratch.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "db/conn.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <unistd.h>

static struct config conf;
static struct arena *forever, *arena;
static struct ctx ctx;

static const struct sql enter = {
	.name = "scratch_enter",
	.text = "SELECT CASE WHEN $1::boolean THEN set_config('transaction_read_only', 'on', true) END",
	.kind = SQL_ONE,
	.params = 1,
};
static const struct entry entry = { .statement = &enter };

static const char *need_env(const char *name)
{
	const char *value = getenv(name);

	cr_assert(value && *value, "%s is not set: run this through scripts/test", name);
	return value;
}

static void resultp(PGresult **r)
{
	PQclear(*r);
}

static void connp(PGconn **pg)
{
	PQfinish(*pg);
}

static void ignore_notice(void *p, const PGresult *r)
{
	(void)p;
	(void)r;
}

/* The first column of the first row, or NULL; in the arena that lives as long as the test. */
static const char *run_on(const char *url, const char *text)
{
	_cleanup_(connp) PGconn *pg = PQconnectdb(url);
	_cleanup_(resultp) PGresult *r = NULL;
	ExecStatusType status;

	(void)PQsetNoticeReceiver(pg, ignore_notice, NULL);
	r = PQexec(pg, scratch_text(text));
	status = PQresultStatus(r);
	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", text,
		  PQerrorMessage(pg));
	return status == PGRES_TUPLES_OK && PQntuples(r)
		       ? arena_strdup(forever, PQgetvalue(r, 0, 0))
		       : NULL;
}

void scratch_init(void)
{
	forever = arena_new();
	arena = arena_new();
	conf = (struct config){
		.env = APP_TEST,
		.database_url = need_env("ZYGO_TEST_DATABASE_URL"),
		.database_prepare = true,
		.database_timeout_us = US_PER_MINUTE,
		.slow_request_timeout_us = US_PER_MINUTE,
	};
	config_set(&conf);
	scratch_owner("CREATE TABLE @ (id uuid CONSTRAINT @_pkey PRIMARY KEY, n bigint NOT NULL, "
		      "name text NOT NULL); CREATE SEQUENCE @_seq;"
		      "GRANT ALL ON @ TO zygo_app, zygo_identity; GRANT ALL ON @_seq TO zygo_app");
	db_init("fast");
	ctx_reset(&ctx, arena);
	ctx.entry = &entry;
}

void scratch_done(void)
{
	db_end(&ctx);
	db_done();
	scratch_owner("DROP TABLE @ CASCADE; DROP SEQUENCE @_seq");
	arena_free(arena);
	arena_free(forever);
}

struct config *scratch_config(void)
{
	return &conf;
}

void scratch_reconnect(void)
{
	db_done();
	config_set(&conf);
	db_init("fast");
}

struct ctx *scratch_ctx(void)
{
	return &ctx;
}

void scratch_next(void)
{
	db_end(&ctx);
	arena_reset(arena);
	ctx_reset(&ctx, arena);
	ctx.entry = &entry;
}

const char *scratch_text(const char *text)
{
	struct buf b;

	buf_init(&b, forever, KIB(64));
	for (; *text; text++) {
		if (*text == '@')
			buf_printf(&b, "scratch_%d", (int)getpid());
		else
			buf_char(&b, *text);
	}
	return b.data;
}

const struct sql *scratch_sql(enum sql_kind kind, const char *text)
{
	static unsigned count;
	struct sql *s = arena_make(forever, struct sql);

	s->name = arena_printf(forever, "scratch_%u", count++);
	s->text = scratch_text(text);
	s->kind = kind;
	s->noun = "Thing";
	for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$'))
		if ((unsigned)(at[1] - '0') > s->params)
			s->params = (unsigned)(at[1] - '0');
	return s;
}

void scratch_owner(const char *text)
{
	(void)run_on(need_env("ZYGO_TEST_OWNER_URL"), text);
}

void scratch_app(const char *text)
{
	(void)run_on(need_env("ZYGO_TEST_DATABASE_URL"), text);
}

int64_t scratch_number(const char *text)
{
	const char *value = run_on(need_env("ZYGO_TEST_OWNER_URL"), text);
	int64_t n;

	cr_assert(value && str_to_i64(str_of(value), INT64_MIN, INT64_MAX, &n), "%s", text);
	return n;
}
