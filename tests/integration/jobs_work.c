/* `zygo work` and `zygo jobs` as an admin runs them, with the product's own kinds of jobs. */
#include "support/database.h"
#include "support/factories.h"
#include "support/notified.h"
#include "support/servers.h"
#include "support/world.h"

#include "base/id.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *add_to(const char *queue, const char *kind)
{
	char *id = arena_strdup(world_arena(), id_text(uuid_v7()));

	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts) "
		     "VALUES (platform_tenant(), $1::uuid, $2, $3, 'waiting', 3)",
		     id, queue, kind, NULL);
	return id;
}

Test(jobs_work, removes_what_nobody_needs_any_more)
{
	struct tenant_id t = tenant_make();
	struct account_id a = account_make(NULL);
	const char *session = id_text(uuid_v7()), *living = id_text(uuid_v7()),
		   *comes_back = id_text(uuid_v7());
	pid_t pid;

	database_run(
		"INSERT INTO idempotency_keys (tenant_id, account_id, key, route, digest, created_at) "
		"SELECT $1::uuid, $2::uuid, n::text, 'POST /x', '', now() - n * interval '20 hours' "
		"FROM generate_series(1, 2) AS n",
		id_text(t.u), id_text(a.u), NULL);
	database_run(
		"INSERT INTO account_idempotency_keys "
		"(account_id, key, route, digest, status, reply, created_at) "
		"SELECT $1::uuid, n::text, 'POST /x', '', 201, '', now() - n * interval '20 hours' "
		"FROM generate_series(1, 2) AS n",
		id_text(a.u), NULL);
	database_run("INSERT INTO sessions (id, account_id, idle_expires_at, expires_at) VALUES "
		     "($1::uuid, $3::uuid, now() - interval '8 days', now() + interval '1 day'), "
		     "($4::uuid, $3::uuid, now() - interval '8 days', now() + interval '1 day'), "
		     "($2::uuid, $3::uuid, now() + interval '1 day', now() + interval '1 day')",
		     session, living, id_text(a.u), comes_back, NULL);
	database_run("INSERT INTO refresh_tokens (token_hash, session_id, expires_at) "
		     "VALUES ($1::bytea, $2::uuid, now() - interval '8 days'), "
		     "($3::bytea, $4::uuid, now() + interval '1 day')",
		     new_word(), living, new_word(), comes_back, NULL);

	pid = work_start();
	notified_run("housekeeping", "housekeeping.sweep");
	cr_expect_eq(work_stop(pid), 0);
	cr_expect_eq(
		database_number("SELECT count(*) FROM idempotency_keys WHERE tenant_id = $1::uuid",
				id_text(t.u), NULL),
		1);
	cr_expect_eq(database_number("SELECT count(*) FROM account_idempotency_keys "
				     "WHERE account_id = $1::uuid",
				     id_text(a.u), NULL),
		     1);
	cr_expect_eq(database_number("SELECT count(*) FROM sessions WHERE account_id = $1::uuid",
				     id_text(a.u), NULL),
		     2, "who is idle may come back by a refresh token");
	cr_expect_eq(
		database_number("SELECT count(*) FROM refresh_tokens WHERE session_id = $1::uuid",
				living, NULL),
		0);
}

static bool was_put_off(void *p)
{
	return database_number(
		       "SELECT count(*) FROM jobs WHERE id = $1::uuid AND state = 'delayed' AND "
		       "attempts = 0",
		       p, NULL) == 1;
}

/* A newer binary's job, while hosts are upgraded one after another. */
Test(jobs_work, leaves_what_it_does_not_know_to_others)
{
	pid_t pid = work_start();
	char *id = add_to("housekeeping", "from.tomorrow");

	wait_until(was_put_off, id, "the job is put off");
	cr_expect_eq(work_stop(pid), 0);
	database_run("DELETE FROM jobs WHERE id = $1::uuid", id, NULL);
}

Test(jobs_work, checks_itself)
{
	const char *argv[] = { NULL, "work", "--check", NULL };

	argv[0] = world()->binary;
	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	(void)world_run(argv, NULL);
}

Test(jobs_work, says_when_its_queues_are_there)
{
	const char *log = strf("%s/log/work.log", world()->dir); /* the servers' own */
	const char *argv[] = { "grep", "-m2", "ob queues", log, NULL };
	const char *said = world_run(argv, NULL).ptr;
	const char *begins = strstr(said, "\"Initializing job queues...\"");

	cr_assert(begins && strstr(begins, "\"Job queues initialized\""), "%s", said);
}

Test(jobs_work, is_looked_at_on_the_command_line)
{
	const char *stats[] = { NULL, "jobs", "stats", NULL };
	const char *show[] = { NULL, "jobs", "show", NULL, NULL };
	const char *retry[] = { NULL, "jobs", "retry", NULL, NULL };
	const char *list[] = { NULL, "jobs", "list", "--kind", "cli.test", NULL };
	const char *typo[] = { NULL, "jobs", "list", "--state", "runing", NULL };
	struct str out;
	int status;
	char *id, *newer;

	(void)world();
	database_run("INSERT INTO job_queues (name) VALUES ('idle') ON CONFLICT DO NOTHING", NULL);
	id = add_to("idle", "cli.test"); /* which no worker serves */
	newer = add_to("idle", "cli.test");
	stats[0] = show[0] = retry[0] = list[0] = typo[0] = world()->binary;
	show[3] = retry[3] = id;
	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	out = world_run(list, NULL);
	cr_assert(memmem(out.ptr, out.len, id, strlen(id)), "%.*s", STR_FMT(out));
	cr_assert(memmem(out.ptr, out.len, newer, strlen(newer)), "%.*s", STR_FMT(out));
	cr_expect(memmem(out.ptr, out.len, newer, strlen(newer)) <
			  memmem(out.ptr, out.len, id, strlen(id)),
		  "the newest comes first");
	(void)world_run(typo, &status);
	cr_expect_eq(status, 2, "there is no such state");
	out = world_run(show, NULL);
	cr_expect(memmem(out.ptr, out.len, "waiting", 7), "%.*s", STR_FMT(out));
	out = world_run(stats, NULL);
	cr_expect(memmem(out.ptr, out.len, "QUEUE", 5), "%.*s", STR_FMT(out));
	(void)world_run(retry, &status);
	cr_expect_eq(status, 1, "a waiting job cannot be retried");
	database_run("DELETE FROM jobs WHERE kind = 'cli.test'", NULL);
}

Test(jobs_work, dead_letters_are_retried_together)
{
	const char *retry[] = { NULL,      "jobs",   "retry-failed", "--queue",
				"spoiled", "--kind", "cli.spoiled",  NULL };
	struct str out;

	(void)world();
	database_run("INSERT INTO job_queues (name) VALUES ('spoiled') ON CONFLICT DO NOTHING",
		     NULL);
	for (int i = 0; i < 4; i++)
		(void)add_to("spoiled", i < 3 ? "cli.spoiled" : "cli.other");
	database_run("UPDATE jobs SET state = 'failed', attempts = 3, finished_at = now() "
		     "WHERE queue = 'spoiled'",
		     NULL);
	retry[0] = world()->binary;
	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	out = world_run(retry, NULL);
	cr_expect(memmem(out.ptr, out.len, "3 retried", 9), "%.*s", STR_FMT(out));
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE queue = 'spoiled' AND "
				     "state = 'waiting' AND attempts = 0 AND finished_at IS NULL",
				     NULL),
		     3);
	database_run("DELETE FROM jobs WHERE queue = 'spoiled'", NULL);
	database_run("DELETE FROM job_queues WHERE name = 'spoiled'", NULL);
}
