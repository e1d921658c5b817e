/*
 * Migrations: a plain, blocking connection of their own, and one lock for everybody who migrates.
 *
 * The lock belongs to the session, so the URL leads to PostgreSQL itself, not through PgBouncer's
 * transaction pooling. What runs says so on standard output, since this is a command.
 */
#include "db/migrate.h"

#include "db/conn_impl.h"

#include "base/clock.h"
#include "gen/sql_migrate.h"
#include "gen/sql_system.h"

#include <unistd.h>

#define ARGS_MAX  3
#define TRIES_MAX 30 /* of a migration that others hold up */

static void clear_result(PGresult **r)
{
	PQclear(*r);
}

static void finish(PGconn **pg)
{
	PQfinish(*pg);
}

#define _cleanup_result_ _cleanup_(clear_result)

static bool complain(PGconn *pg, const char *what)
{
	(void)fprintf(stderr, "zygo migrate: %s: %s", what, PQerrorMessage(pg));
	return false;
}

/* Text parameters; *ret is the caller's to clear. False after saying why. */
static bool run(PGconn *pg, const struct sql *s, const char *const args[ARGS_MAX], PGresult **ret)
{
	PGresult *r = PQexecParams(pg, s->text, (int)s->params, NULL, args, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(r);

	*ret = r;
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return true;

	return complain(pg, s->name);
}

static bool run_quietly(PGconn *pg, const struct sql *s)
{
	_cleanup_result_ PGresult *r = NULL;

	return run(pg, s, NULL, &r);
}

/* Somebody else's lock: it was waited for too long, or both waited for each other. */
static bool is_held_up(const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	return state && (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0);
}

/* A whole file: many statements. */
static bool run_file(PGconn *pg, const char *name, const char *text, bool *ret_held_up)
{
	_cleanup_result_ PGresult *r = PQexec(pg, text);

	if (PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK)
		return true;
	*ret_held_up = is_held_up(r);

	return complain(pg, name);
}

static bool is_true(const PGresult *r, int col)
{
	return PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, col), "t") == 0;
}

static bool has_table(PGconn *pg, bool *ret)
{
	_cleanup_result_ PGresult *r = NULL;

	if (!run(pg, &sql_migrate_has_table, NULL, &r))
		return false;
	*ret = is_true(r, 0);

	return true;
}

/* The roles come first, since migrations grant to them. */
static bool ensure_roles(PGconn *pg)
{
	_cleanup_result_ PGresult *r = NULL;

	if (!run(pg, &sql_migrate_roles, NULL, &r))
		return false;
	if (is_true(r, 0))
		return true;

	if (!is_true(r, 1)) {
		(void)fprintf(stderr,
			      "zygo migrate: the roles zygo_app, zygo_identity and zygo_system are "
			      "missing, and this role may not create them.\n"
			      "Run once, as a superuser:  psql -d %s -f sql/roles.sql\n",
			      PQdb(pg));
		return false;
	}
	(void)printf("roles.sql\n");

	return run_file(pg, "roles.sql", roles_sql, &(bool){ false });
}

enum state { STATE_FAILED, STATE_PENDING, STATE_APPLIED, STATE_CHANGED };

/* Where a migration stands; ret_at: when it was applied, empty when it was not. */
static enum state state_of(PGconn *pg, const struct migration *m, bool table_exists,
			   char ret_at[RFC3339_SIZE])
{
	_cleanup_result_ PGresult *r = NULL;

	ret_at[0] = '\0';
	if (!table_exists)
		return STATE_PENDING;
	if (!run(pg, &sql_migrate_find, (const char *[ARGS_MAX]){ m->name, m->text }, &r))
		return STATE_FAILED;
	if (PQntuples(r) == 0)
		return STATE_PENDING;

	(void)snprintf(ret_at, RFC3339_SIZE, "%s", PQgetvalue(r, 0, 1));

	return is_true(r, 0) ? STATE_APPLIED : STATE_CHANGED;
}

static bool record(PGconn *pg, const struct migration *m, int64_t ms)
{
	_cleanup_result_ PGresult *r = NULL;
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)ms);

	return run(pg, &sql_migrate_record, (const char *[ARGS_MAX]){ m->name, m->text, text }, &r);
}

/* In the transaction that the caller has begun. */
static bool apply(PGconn *pg, const struct migration *m, const char *verb, bool *ret_held_up)
{
	int64_t from_us = clock_monotonic_us(), ms;

	if (!run_file(pg, m->name, m->text, ret_held_up))
		return false;
	ms = (clock_monotonic_us() - from_us) / US_PER_MS;
	(void)printf("%s %s (%lld ms)\n", verb, m->name, (long long)ms);

	return record(pg, m, ms);
}

static bool try_alone(PGconn *pg, const struct migration *m, bool *ret_held_up)
{
	*ret_held_up = false;
	if (!run_quietly(pg, &sql_system_begin) || !run_quietly(pg, &sql_migrate_hurry))
		return false;
	if (!apply(pg, m, "applied", ret_held_up)) {
		(void)run_quietly(pg, &sql_system_rollback);
		return false;
	}

	return run_quietly(pg, &sql_system_commit);
}

/* Each in a transaction of its own; what was applied before one that fails stays. One that is held
 * up by others lets them go on, and is tried again. */
static bool apply_alone(PGconn *pg, const struct migration *m)
{
	bool is_held_up;

	for (int tries = 1; !try_alone(pg, m, &is_held_up); tries++) {
		if (!is_held_up)
			return false;
		if (tries == TRIES_MAX) {
			(void)fputs("zygo migrate: look for a dump or a forgotten transaction in "
				    "pg_stat_activity, then run this again\n",
				    stderr);
			return false;
		}
		(void)fputs("zygo migrate: somebody else uses what it changes; trying again\n",
			    stderr);
		(void)sleep(1);
	}

	return true;
}

static bool refuse_changed(const struct migration *m)
{
	(void)fprintf(
		stderr,
		"zygo migrate: %s was changed after it was applied here; a migration is never "
		"edited, a new one mends it\n",
		m->name);
	return false;
}

/* Those of a newer binary: this one runs beside them. */
static bool report_newer(PGconn *pg)
{
	_cleanup_result_ PGresult *r = NULL;

	if (!run(pg, &sql_migrate_names, NULL, &r))
		return false;
	for (int i = 0; i < PQntuples(r); i++) {
		const struct migration *m = migrations;

		while (m->name && strcmp(m->name, PQgetvalue(r, i, 0)) != 0)
			m++;
		if (!m->name)
			(void)printf("%s is newer than this program\n", PQgetvalue(r, i, 0));
	}

	return true;
}

static bool apply_pending(PGconn *pg, bool (*how)(PGconn *pg, const struct migration *m))
{
	size_t applied = 0;

	for (const struct migration *m = migrations; m->name; m++) {
		char at[RFC3339_SIZE];

		switch (state_of(pg, m, true, at)) {
		case STATE_FAILED: return false;
		case STATE_CHANGED: return refuse_changed(m);
		case STATE_APPLIED: break;
		case STATE_PENDING:
			if (!how(pg, m))
				return false;
			applied++;
			break;
		}
	}
	if (!applied)
		(void)printf("nothing to apply\n");

	return report_newer(pg);
}

static bool migrate_run(PGconn *pg)
{
	return run_quietly(pg, &sql_migrate_lock) && ensure_roles(pg) &&
	       run_quietly(pg, &sql_migrate_create_table) && run_quietly(pg, &sql_migrate_grant) &&
	       apply_pending(pg, apply_alone);
}

static bool apply_for_trial(PGconn *pg, const struct migration *m)
{
	return apply(pg, m, "would apply", &(bool){ false });
}

/* The real thing, in one transaction that is rolled back: it finds what would fail. */
static bool migrate_dry_run(PGconn *pg)
{
	bool ok = run_quietly(pg, &sql_migrate_lock) && run_quietly(pg, &sql_system_begin) &&
		  ensure_roles(pg) && run_quietly(pg, &sql_migrate_create_table) &&
		  apply_pending(pg, apply_for_trial);

	return run_quietly(pg, &sql_system_rollback) && ok;
}

static bool migrate_status(PGconn *pg)
{
	static const char *const words[] = { "", "pending", "applied", "CHANGED" };
	bool table_exists;

	if (!has_table(pg, &table_exists))
		return false;

	for (const struct migration *m = migrations; m->name; m++) {
		char at[RFC3339_SIZE];
		enum state state = state_of(pg, m, table_exists, at);

		if (state == STATE_FAILED)
			return false;
		(void)printf("%-8s %-19s %s\n", words[state], at, m->name);
	}

	return !table_exists || report_newer(pg);
}

/* What the server remarks ("already exists, skipping") is not worth a line. */
static void ignore_notice(void *p, const PGresult *r)
{
	(void)p;
	(void)r;
}

bool migrate(const char *url, enum migrate_mode mode)
{
	static bool (*const modes[])(PGconn *) = {
		[MIGRATE_RUN] = migrate_run,
		[MIGRATE_STATUS] = migrate_status,
		[MIGRATE_DRY_RUN] = migrate_dry_run,
	};
	const char *const keys[] = {
		"client_encoding", "fallback_application_name", "connect_timeout", "dbname", NULL,
	};
	const char *const values[] = { "UTF8", "zygo migrate", "10", url, NULL };
	_cleanup_(finish) PGconn *pg = NULL;

	if (!conn_url_is_readable(url)) {
		(void)fprintf(stderr, "zygo migrate: " CONN_URL_UNREADABLE "\n");
		return false;
	}
	pg = PQconnectdbParams(keys, values, 1);
	if (PQstatus(pg) != CONNECTION_OK)
		return complain(pg, "cannot connect");
	(void)PQsetNoticeReceiver(pg, ignore_notice, NULL);

	return modes[mode](pg);
}
