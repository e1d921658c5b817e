/*
 * `zygo doctor`: one line for each thing that must be right, with what to do where it is not. Exit
 * status 1 when something would keep Zygo from serving.
 *
 * To add a check: a function that calls ok(), warning() or problem(), and a row in checks[].
 */
#include "commands/commands.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "cache/redis.h"
#include "db/batch.h"
#include "db/conn.h"
#include "domains/archive/place.h"
#include "events/lag.h"
#include "gen/sql_jobs.h"
#include "gen/sql_system.h"
#include "identity/commands.h"

#include <errno.h>
#include <limits.h>
#include <libgen.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLOCK_WARN_US (2 * US_PER_S) /* tokens are believed and refused by this clock */
#define CLOCK_MAX_US  (30 * US_PER_S)
#define LAG_WARN_S    60 /* who reads events is behind by milliseconds when all is well */

static unsigned problems;
static const char *subject;    /* of the check that runs */
static bool database_is_right; /* it answers, and its schema is this binary's */

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

static void skipped(void)
{
	printf("%-8s %-14s until the database is right\n", "skipped", subject);
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

/* Why what was asked of the database failed. */
static const char *reason(const struct ctx *c)
{
	return c->fault.detail ? c->fault.detail : c->fault.message;
}

static void check_database(struct ctx *c)
{
	int64_t asked = clock_now_us(), answered;
	struct batch *b = batch_new(c, BATCH_PLAIN);
	const struct rows *about;

	batch_add(b, &about, &sql_system_about, NO_ARGS);
	if (batch_run(b)) {
		problem("does it run, and is DATABASE_URL right? %s", reason(c));
		return;
	}
	answered = clock_now_us();

	database_is_right = true;
	ok("PostgreSQL %s as %s", rows_get_text(about, "version"), rows_get_text(about, "role"));
	check_clock(rows_get_time(about, "now"), asked, answered);
}

static void check_isolation(struct ctx *c)
{
	_cleanup_(buf_done) struct buf findings = { 0 };
	struct str rest, line;

	buf_init_heap(&findings, KIB(64));
	if (db_check(c, &findings)) {
		problem("could not be looked at; is DATABASE_URL's role zygo_app, of "
			"sql/roles.sql? %s",
			reason(c));
		database_is_right = false;
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
	database_is_right = false;
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
		warning("does it run, and is REDIS_URL right? %s; until it is back requests are "
			"slower and limits counted per process",
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
		problem("could not be looked at: %s", reason(c));
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

/* ---- background work ---- */

static void check_work(struct ctx *c)
{
	struct batch *b = batch_new(c, BATCH_PLAIN);
	const struct rows *workers;
	int64_t n;

	batch_add(b, &workers, &sql_jobs_workers_seen, NO_ARGS);
	if (batch_run(b)) {
		problem("could not be looked at: %s", reason(c));
		return;
	}
	n = rows_get_int(workers, "n");
	if (n)
		ok("%lld workers of `zygo work`, on all hosts together", (long long)n);
	else
		warning("`zygo work` runs on no host: mails, webhooks and deletions wait for it "
			"(systemctl enable --now zygo-work)");
}

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
		problem("could not be looked at: %s", reason(c));
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

/* ---- files ---- */

static void check_folder(const char *setting, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		warning("%s: %s: %s; make it, for Zygo's user, or mend the setting", setting, path,
			strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		problem("%s: %s is not a folder", setting, path);
	else
		ok("%s: %s", setting, path);
}

static void check_folders(struct ctx *c UNUSED)
{
	const struct {
		const char *setting;
		const char *path; /* NULL: not used */
	} folders[] = {
		{ "MAIL_DIR", config()->smtp_host ? NULL : config()->mail_dir },
		{ "MAIL_TEMPLATES", config()->mail_templates },
		{ "BREACHED_PASSWORDS", config()->breached_passwords },
		{ "ARCHIVE_URL", place_folder() },
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (folders[i].path)
			check_folder(folders[i].setting, folders[i].path);
}

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
	bool asks_database; /* skipped until that is right: it would only say so again */
} checks[] = {
	{ "file", check_file, false },         { "unused", check_unused, false },
	{ "database", check_database, false }, { "isolation", check_isolation, true },
	{ "redis", check_redis, false },       { "hashes", check_hashes, true },
	{ "work", check_work, true },          { "events", check_events, true },
	{ "sockets", check_sockets, false },   { "folders", check_folders, false },
};

/* With a ctx anew for each, so that one failure is not the next's. */
static void run_check(size_t i)
{
	struct ctx *c;

	subject = checks[i].subject;
	if (checks[i].asks_database && !database_is_right) {
		skipped();
		return;
	}
	c = command_begin("doctor");
	checks[i].run(c);
	command_end(c);
}

int command_doctor(int argc, char **argv UNUSED)
{
	if (argc != 1)
		return 2;

	subject = "settings";
	if (!configure("doctor")) {
		(void)fflush(stderr);
		problem("see the mistakes above");
		return 1;
	}
	ok("%s", config_is_production() ? "production" : "complete; not production");

	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		run_check(i);

	return problems ? 1 : 0;
}
