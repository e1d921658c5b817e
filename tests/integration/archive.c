/* Archives: where they are kept, and that no other file is taken for one. */
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include "base/config.h"
#include "base/ctx.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "db/batch.h"
#include "db/conn.h"
#include "domains/archive/archive.h"
#include "domains/archive/bundle.h"
#include "domains/archive/place.h"
#include "net/bucket.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A unit of work of the platform's own, and a folder of the test's. */
static struct ctx *work(void)
{
	struct ctx *c = arena_make(world_arena(), struct ctx);

	(void)world();
	seal_init(config()->encryption_key);
	db_init("test");
	ctx_reset(c, world_arena());
	c->actor.kind = ACTOR_SYSTEM;
	return c;
}

static int say_nothing(void *p, int percent, const char *table)
{
	int *last = p;

	cr_assert(percent >= *last && percent <= 100 && *table);
	*last = percent;
	return 0;
}

/* Settings of this test's process alone. */
static void set_place(const char *url, const char *key_id, const char *secret)
{
	struct config *mine = arena_make(world_arena(), struct config);

	*mine = *config();
	mine->archive_url = url;
	mine->archive_s3_region = "eu-central-1";
	mine->archive_s3_key_id = key_id;
	mine->archive_s3_secret = secret;
	config_set(mine);
}

static const char *folder(void)
{
	char *path = arena_strdup(world_arena(), strf("%s/archive-XXXXXX", world()->dir));

	cr_assert(mkdtemp(path));
	return path;
}

/* The archive of somebody's tenant, in a folder of its own; its path. */
static const char *make_archive(struct ctx *c, struct tenant_id t)
{
	struct archive made;
	int last = 0;

	set_place(strf("file://%s", folder()), NULL, NULL);
	cr_assert_eq(archive_write(c, t, "blue.zygo", say_nothing, &last, &made), 0, "%s",
		     c->fault.detail);
	cr_assert(str_starts(str_of(made.location), "file:///"));
	return made.location + strlen("file://");
}

static struct tenant_id tenant_with_much(void)
{
	struct caller ann = caller(ROLE_OWNER);

	for (int i = 0; i < 5; i++)
		(void)project_make(ann.tenant, NULL);
	return ann.tenant;
}

static const char *why_not(struct ctx *c, const char *location, const char *option)
{
	struct archive_restore how = { .location = location, .only_look = true, .slug = option };

	c->fault = (struct fault){ 0 };
	cr_assert(archive_restore(c, &how) != 0);
	return c->fault.detail ? strf("%s %s", c->fault.message, c->fault.detail)
			       : c->fault.message;
}

Test(archive, is_the_same_each_time_in_what_it_says_of_tables)
{
	struct tenant_id t = tenant_with_much();
	struct ctx *c = work();
	struct archive one, two;
	int last = 0, again = 0;

	set_place(strf("file://%s", folder()), NULL, NULL);
	cr_assert_eq(archive_write(c, t, "one.zygo", say_nothing, &last, &one), 0);
	cr_assert_eq(archive_write(c, t, "two.zygo", say_nothing, &again, &two), 0);
	cr_expect_str_eq(one.digests, two.digests);
	cr_expect_str_neq(one.sha256, two.sha256); /* each has a key of its own */
	cr_expect(last > 50);
}

/* Each of its bytes counts: one that is another, or that is missing, and it is not restored. */
Test(archive, that_was_changed_is_refused)
{
	struct ctx *c = work();
	const char *path = make_archive(c, tenant_with_much());
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t len = lseek(fd, 0, SEEK_END);

	cr_assert(fd >= 0 && len > 200);
	for (off_t at = 0; at < len; at += len / 40 + 1) {
		uint8_t was, is;

		cr_assert_eq(pread(fd, &was, 1, at), 1);
		is = was ^ 1;
		cr_assert_eq(pwrite(fd, &is, 1, at), 1);
		cr_expect(strlen(why_not(c, path, NULL)) > 0, "byte %lld", (long long)at);
		cr_assert_eq(pwrite(fd, &was, 1, at), 1);
	}
	cr_assert_eq(ftruncate(fd, len - 1), 0);
	cr_expect_str_eq(why_not(c, path, NULL), "The archive was changed, or is not whole");
	(void)close(fd);
}

Test(archive, of_another_key_is_refused)
{
	static const uint8_t another[32] = { 1, 2, 3 };
	struct ctx *c = work();
	const char *path = make_archive(c, tenant_with_much());

	seal_init(another);
	cr_expect(strstr(why_not(c, path, NULL), "another ENCRYPTION_KEY"));
	cr_expect(strstr(why_not(c, "/etc/passwd", NULL), "no archive"));
	cr_expect(strstr(why_not(c, "/nowhere.zygo", NULL), "could not be opened"));
}

Test(archive, that_cannot_be_kept_says_why)
{
	struct tenant_id t = tenant_with_much();
	struct ctx *c = work();
	struct archive made;
	int last = 0;

	set_place("file:///nowhere/at/all", NULL, NULL);
	cr_expect(archive_write(c, t, "one.zygo", say_nothing, &last, &made) != 0);
	cr_expect(strstr(c->fault.detail, "/nowhere/at/all"), "%s", c->fault.detail);
}

/* Neither under its name nor under another. */
Test(archive, that_cannot_have_its_name_leaves_nothing)
{
	struct tenant_id t = tenant_with_much();
	struct ctx *c = work();
	const char *in = folder(), *name = strf("%s/one.zygo", in);
	struct archive made;
	int last = 0;

	set_place(strf("file://%s", in), NULL, NULL);
	cr_assert_eq(mkdir(name, 0700), 0);
	cr_expect(archive_write(c, t, "one.zygo", say_nothing, &last, &made) != 0);
	cr_expect_eq(rmdir(name), 0);
	cr_expect_eq(rmdir(in), 0);
}

/*
 * Removing
 */

static void run_on(PGconn *c, const char *statement)
{
	PGresult *r = PQexec(c, statement);

	cr_assert(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK,
		  "%s: %s", statement, PQerrorMessage(c));
	PQclear(r);
}

/* A spine that has taken an event of the tenant and not committed. */
static PGconn *take_event_of(struct tenant_id t)
{
	PGconn *spine = PQconnectdb(world()->super_url);

	cr_assert_eq(PQstatus(spine), CONNECTION_OK, "%s", PQerrorMessage(spine));
	run_on(spine, "BEGIN");
	run_on(spine, "SELECT FROM event_spine FOR UPDATE");
	database_run("INSERT INTO events (tenant_id, id, type, actor_kind) "
		     "VALUES ($1::uuid, uuid_v7(), 'project.updated', 'system')",
		     id_text(t.u), NULL);
	run_on(spine, "SELECT take_events(1000000)");
	return spine;
}

/* It commits by itself when somebody waits for what it holds, or after a minute. */
static void commit_when_waited_for(PGconn *spine)
{
	cr_assert(PQsendQuery(spine, "DO $$ BEGIN FOR i IN 1 .. 3000 LOOP "
				     "EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND "
				     "pg_backend_pid() = ANY (pg_blocking_pids(pid))); "
				     "PERFORM pg_sleep(0.02); END LOOP; END $$; COMMIT"));
}

/* Locks are waited for as long as it takes, which may be longer here than requests have. */
static void be_patient(void)
{
	struct config *mine = arena_make(world_arena(), struct config);

	*mine = *config();
	mine->database_url = strf("%s&options=-c%%20lock_timeout%%3D60s", config()->database_url);
	config_set(mine);
}

Test(archive, of_a_tenant_that_goes_leaves_nothing_of_it_in_the_log_of_events)
{
	struct tenant_id t = tenant_with_much();
	struct archive made;
	int64_t accounts;
	struct ctx *c;
	PGconn *spine;
	int last = 0;

	be_patient();
	c = work();
	set_place(strf("file://%s", folder()), NULL, NULL);
	spine = take_event_of(t);
	cr_assert_eq(archive_write(c, t, "one.zygo", say_nothing, &last, &made), 0, "%s",
		     c->fault.detail);
	commit_when_waited_for(spine);
	cr_assert_eq(db_begin(c, BATCH_SYSTEM), 0);
	cr_assert_eq(archive_remove(c, t, uuid_v7(), made.digests, &accounts), 0, "%s",
		     c->fault.detail);
	cr_assert_eq(db_commit(c), 0);
	PQfinish(spine);
	cr_expect_eq(database_number("SELECT count(*) FROM event_log WHERE tenant_id = $1::uuid",
				     id_text(t.u), NULL),
		     0);
}

/*
 * Buckets
 */

#define REGION "eu-central-1"
#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* Starts one, and returns when it listens; its URL. Ends with the test. */
static const char *bucket_start(void)
{
	const char *program = strf("%s/tests/support/bucket.mjs", world()->root);
	char port[16] = "";
	int out[2];
	pid_t pid;

	cr_assert_eq(pipe(out), 0);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)execlp("node", "node", program, REGION, KEY_ID, SECRET, (char *)NULL);
		_exit(127);
	}
	(void)close(out[1]);
	cr_assert(read(out[0], port, sizeof(port) - 1) > 1, "the bucket did not start");
	return strf("http://127.0.0.1:%.*s/zygo/archive", (int)strcspn(port, "\n"), port);
}

Test(archive, in_a_bucket_comes_back_as_it_went)
{
	struct tenant_id t = tenant_with_much();
	struct ctx *c = work();
	const char *url = bucket_start();
	struct archive made;
	int last = 0;
	struct archive_restore look;

	set_place(url, KEY_ID, SECRET);
	cr_assert_eq(archive_write(c, t, "blue.zygo", say_nothing, &last, &made), 0, "%s",
		     c->fault.detail);
	cr_expect_str_eq(made.location, strf("%s/blue.zygo", url));
	look = (struct archive_restore){ .location = made.location, .only_look = true };
	cr_expect_eq(archive_restore(c, &look), 0, "%s", c->fault.detail);
	cr_expect(strstr(why_not(c, strf("%s/none.zygo", url), NULL), "no such file"));

	set_place(url, KEY_ID, "another secret");
	cr_expect(strstr(why_not(c, made.location, NULL), "another signature"));
}

/* Digests are the archive's affair (place.c): here they are counted on the server's side. */
static int digest_file(struct ctx *c, int fd, int64_t bytes, const char **ret)
{
	struct digest *d = digest_new(c->arena);
	char *all = arena_alloc(c->arena, (size_t)bytes);

	cr_assert_eq(pread(fd, all, (size_t)bytes, lseek(fd, 0, SEEK_CUR)), bytes);
	digest_add(d, all, (size_t)bytes);
	*ret = digest_end(d);
	return 0;
}

static const struct bucket in_parts = {
	.region = REGION,
	.key_id = KEY_ID,
	.secret = SECRET,
	.part_bytes = 1000,
	.digest = digest_file,
};

/* A file with this in it. */
static int file_of(const void *p, size_t len)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, p, len) == (ssize_t)len);
	return fd;
}

static const char *text_at(struct ctx *c, const char *url)
{
	int fd = file_of("", 0);
	char *text = arena_alloc(world_arena(), KIB(8));
	ssize_t len;

	if (bucket_get(c, &in_parts, url, fd) != 0)
		return NULL;
	len = pread(fd, text, KIB(8) - 1, 0);
	text[len] = '\0';
	return text;
}

Test(archive, larger_than_a_part_goes_up_in_parts)
{
	struct ctx *c = work();
	const char *server = bucket_start(), *url = strf("%s/big.zygo", server);
	char text[2501] = "";
	int fd;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 23);
	fd = file_of(text, sizeof(text) - 1);
	cr_assert_eq(bucket_put(c, &in_parts, url, fd, sizeof(text) - 1, NULL), 0, "%s",
		     c->fault.detail);
	cr_expect_str_eq(text_at(c, url), text);
}

/* No part stays, and nothing is taken for an archive. */
Test(archive, that_cannot_go_up_as_a_whole_is_given_up)
{
	static const char *const names[] = { "it.torn", "it.late" };
	struct ctx *c = work();
	const char *server = bucket_start();
	int fd = file_of(strf("%2500s", "x"), 2500);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *url = strf("%s/%s", server, names[i]);

		c->fault = (struct fault){ 0 };
		cr_expect_eq(bucket_put(c, &in_parts, url, fd, 2500, NULL), ERR_BAD_GATEWAY);
		cr_expect(strstr(c->fault.detail, "Error"), "%s", c->fault.detail);
		cr_expect_null(text_at(c, url));
		cr_expect_str_eq(text_at(c, strf("%.*s/uploads",
						 (int)(strstr(server, "/zygo") - server), server)),
				 "0");
	}
}
