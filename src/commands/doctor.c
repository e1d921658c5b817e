/*
 * `zygo doctor`: one line for each thing that must be right, with what to do where it is not. Exit
 * status 1 when something would keep Zygo from serving.
 *
 * To add a check: a function that calls ok(), warning() or problem(), and a row in checks[].
 */
#define ZYGO_MAY_ALLOCATE /* the findings are a process's buffer */

#include "commands/commands.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "cache/redis.h"
#include "db/batch.h"
#include "db/conn.h"
#include "events/lag.h"
#include "gen/sql_system.h"
#include "identity/commands.h"

#include <errno.h>
#include <limits.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLOCK_WARN_US (2 * US_PER_S) /* tokens are believed and refused by this clock */
#define CLOCK_MAX_US  (30 * US_PER_S)
#define LAG_WARN_S    60 /* who reads events is behind by milliseconds when all is well */

static unsigned problems;
static const char *subject; /* of the check that runs */

static void PRINTF_LIKE(2, 0) say(const char *verdict, const char *fmt, va_list ap)
{
	printf("%-8s %-14s ", verdict, subject);
	(void)vprintf(fmt, ap);
	(void)putchar('\n');
}

static void PRINTF_LIKE(1, 2) ok(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("ok", fmt, ap);
	va_end(ap);
}

static void PRINTF_LIKE(1, 2) warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning", fmt, ap);
	va_end(ap);
}

static void PRINTF_LIKE(1, 2) problem(const char *fmt, ...)
{
	va_list ap;

	problems++;
	va_start(ap, fmt);
	say("problem", fmt, ap);
	va_end(ap);
}

/* ---- settings ---- */

/* Secrets stand in it: nobody else may read it. */
static void check_file(struct ctx *c UNUSED)
{
	const char *path = settings_file();
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == ENOENT)
			ok("%s is not there; the environment alone is read", path);
		else
			problem("%s: %s", path, strerror(errno));
		return;
	}
	if (st.st_mode & 0007)
		problem("%s can be read by everybody: chmod 640 %s", path, path);
	else if (st.st_mode & 0020)
		warning("%s can be written by its group: chmod 640 %s", path, path);
	else
		ok("%s, mode %03o", path, (unsigned)st.st_mode & 0777U);
}

/* The file has a line "NAME=…". */
static bool file_mentions(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	size_t len = strlen(name);
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strncmp(line, name, len) == 0 && line[len] == '=';
	if (f)
		(void)fclose(f);

	return found;
}

static void check_unused(struct ctx *c UNUSED)
{
	bool any = false;

	for (const struct unused_setting *u = unused_settings; u->name; u++)
		if (getenv(u->name) || file_mentions(settings_file(), u->name)) {
			warning("%s is set and read by nobody: %s", u->name, u->why);
			any = true;
		}
	if (!any)
		ok("none");
}

/* ---- servers ---- */

static void check_clock(int64_t database_us, int64_t asked_us, int64_t answered_us)
{
	int64_t middle = asked_us + (answered_us - asked_us) / 2;
	int64_t apart = middle > database_us ? middle - database_us : database_us - middle;

	subject = "clock";
	if (apart > CLOCK_MAX_US)
		problem("%lld s from the database's: start a time service (systemd-timesyncd, chrony)",
			(long long)(apart / US_PER_S));
	else if (apart > CLOCK_WARN_US)
		warning("%lld ms from the database's: start a time service (systemd-timesyncd, chrony)",
			(long long)(apart / US_PER_MS));
	else
		ok("%lld ms from the database's", (long long)(apart / US_PER_MS));
}

static void check_database(struct ctx *c)
{
	int64_t asked = clock_now_us(), answered;
	struct batch *b = batch_new(c, BATCH_PLAIN);
	const struct rows *about;

	batch_add(b, &about, &sql_system_about, NO_ARGS);
	if (batch_run(b)) {
		problem("%s: see DATABASE_URL and PostgreSQL's log",
			c->fault.detail ? c->fault.detail : c->fault.message);
		return;
	}
	answered = clock_now_us();

	ok("PostgreSQL %s as %s", rows_get_text(about, "version"), rows_get_text(about, "role"));
	check_clock(rows_get_time(about, "now"), asked, answered);
}

static void check_isolation(struct ctx *c)
{
	_cleanup_(buf_done) struct buf findings = { 0 };
	struct str rest, line;

	buf_init_heap(&findings, KIB(64));
	if (db_check(c, &findings)) {
		problem("could not be looked at: %s",
			c->fault.detail ? c->fault.detail : c->fault.message);
		return;
	}
	rest = str_trim(buf_view(&findings));
	if (!rest.len) {
		ok("the role is bound by row-level security, every tenant table forces it, all "
		   "migrations are applied");
		return;
	}
	for (line = str_cut(&rest, '\n'); line.ptr; line = str_cut(&rest, '\n'))
		problem("%.*s", STR_FMT(line));
}

/* What Redis holds may be lost, so Zygo serves without it. */
static void check_redis(struct ctx *c)
{
	const char *why = redis_init(), *version;

	if (why) {
		problem("REDIS_URL: %s", why);
		return;
	}
	version = redis_version(c);
	if (version)
		ok("Redis %s", version);
	else
		warning("%s: requests are slower and limits counted per process until it is back",
			c->fault.detail ? c->fault.detail : "Redis does not answer");
	redis_done();
}

/* ---- hashes ---- */

static void check_hashes(struct ctx *c)
{
	const struct rows *left;
	int64_t keys, accounts;

	if (!config()->jwt_secret_previous) {
		ok("under JWT_SECRET alone");
		return;
	}
	if (keyed_before(c, &left)) {
		problem("could not be looked at: %s",
			c->fault.detail ? c->fault.detail : c->fault.message);
		return;
	}
	keys = rows_get_int(left, "api_keys");
	accounts = rows_get_int(left, "accounts");
	if (keys || accounts)
		warning("%lld API keys, and the recovery codes of %lld accounts, end with JWT_SECRET_PREVIOUS: keys stay once "
			"they are used, codes are made anew",
			(long long)keys, (long long)accounts);
	else
		ok("nothing needs JWT_SECRET_PREVIOUS any more");
}

/* ---- events ---- */

static void check_lag(const struct lag *l)
{
	if (l->failure)
		problem("the reader \"%s\" cannot go on, %lld events behind: %s", l->reader,
			(long long)l->events, l->failure);
	else if (strcmp(l->reader, LAG_OF_SPINE) != 0)
		warning("the reader \"%s\" is %lld s and %lld events behind", l->reader,
			(long long)l->seconds, (long long)l->events);
	else
		warning("%lld events wait since %lld s to be numbered: is `zygo work` running?",
			(long long)l->events, (long long)l->seconds);
}

static void check_events(struct ctx *c)
{
	const struct lag *lags;
	bool all_is_well = true;
	size_t n;

	if (lag_look(c, &lags, &n)) {
		problem("could not be looked at: %s",
			c->fault.detail ? c->fault.detail : c->fault.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!lags[i].failure && lags[i].seconds < LAG_WARN_S)
			continue;
		check_lag(&lags[i]);
		all_is_well = false;
	}
	if (all_is_well)
		ok("read to the end");
}

/* ---- sockets ---- */

static void check_socket(const char *path, const char *role)
{
	char copy[PATH_MAX];
	const char *folder;
	struct stat st;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	if (stat(folder, &st) != 0)
		problem("%s: %s; make it, owned by the user that serves", folder, strerror(errno));
	else if (stat(path, &st) != 0)
		ok("%s is not there yet; `zygo %s` makes it", path, role);
	else if (!S_ISSOCK(st.st_mode))
		problem("%s is not a socket: remove it", path);
	else if (st.st_mode & 0002)
		warning("%s can be used by everybody: nginx' user in its group is enough", path);
	else
		ok("%s, mode %03o", path, (unsigned)st.st_mode & 0777U);
}

static void check_sockets(struct ctx *c UNUSED)
{
	check_socket(config()->socket_fast, "serve");
	check_socket(config()->socket_slow, "serve");
	check_socket(config()->socket_realtime, "realtime");
}

static const struct {
	const char *subject;
	void (*run)(struct ctx *c);
} checks[] = {
	{ "file", check_file },         { "unused", check_unused },
	{ "database", check_database }, { "isolation", check_isolation },
	{ "redis", check_redis },       { "hashes", check_hashes },
	{ "events", check_events },     { "sockets", check_sockets },
};

int command_doctor(int argc, char **argv UNUSED)
{
	struct ctx *c;

	if (argc != 1) {
		(void)fputs("usage: zygo doctor\n", stderr);
		return 2;
	}

	subject = "settings";
	if (!configure("doctor")) {
		(void)fflush(stderr);
		problem("see the mistakes above");
		return 1;
	}
	ok("%s", config_is_production() ? "production" : "complete; not production");

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		subject = checks[i].subject;
		c = command_begin(
			"doctor"); /* anew for each, so that one failure is not the next's */
		checks[i].run(c);
		command_end(c);
	}

	return problems ? 1 : 0;
}
