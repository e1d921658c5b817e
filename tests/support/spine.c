/* Masters forked from the test: see spine.h. */
#include "support/spine.h"

#include "cache/redis.h"
#include "db/batch.h"
#include "db/conn.h"
#include "events/reader.h"
#include "events/spine.h"
#include "prefork/supervisor.h"
#include "support/database.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct sql note = {
	.name = "test_note_event",
	.text = "INSERT INTO " SPINE_TABLE " (reader, position, tenant, event_id) "
		"SELECT $1::text, position, tenant_id, id FROM events_at_hand() ORDER BY position",
	.kind = SQL_EXEC,
	.params = 1,
	.role = "system",
};

static const struct sql stumble = {
	.name = "test_stumble",
	.text = "SELECT refuse('ZY422', 'This one cannot be read') FROM events_at_hand() e "
		"JOIN event_poison p ON p.tenant = e.tenant_id AND p.reader = $1",
	.kind = SQL_EXEC,
	.params = 1,
	.role = "system",
};

static struct event_reader readers[3];

static void read_all(struct batch *b, struct ctx *c UNUSED)
{
	batch_add(b, NULL, &note, ARGS(arg_text(readers[0].name)));
}

static void read_carefully(struct batch *b, struct ctx *c UNUSED)
{
	batch_add(b, NULL, &stumble, ARGS(arg_text(readers[1].name)));
	batch_add(b, NULL, &note, ARGS(arg_text(readers[1].name)));
}

/* Named after the test's process, so that tests run side by side. */
static void name_readers(void)
{
	if (readers[0].name)
		return;
	readers[0] =
		(struct event_reader){ .name = strf("all-%d", (int)getpid()), .read = read_all };
	readers[1] = (struct event_reader){ .name = strf("careful-%d", (int)getpid()),
					    .read = read_carefully };
}

const char *spine_reader(void)
{
	name_readers();
	return readers[0].name;
}

const char *spine_careful_reader(void)
{
	name_readers();
	return readers[1].name;
}

/* A copy of a test, which has threads, is no process that a leak checker can look through. */
static int live(struct worker *w)
{
	db_init(w->pool->name);
	BUG_IF(redis_init() != NULL);
	_exit(spine_run(w, readers));
}

static bool are_known(void *p UNUSED)
{
	return database_number("SELECT count(*) FROM event_readers WHERE name IN ($1, $2)",
			       spine_reader(), spine_careful_reader(), NULL) == 2;
}

pid_t spine_start(void)
{
	struct pool pool = { .name = "events", .workers = 1, .listen_fd = -1, .run = live };
	static char *argv[] = { NULL };
	pid_t master;

	(void)world();
	name_readers();
	database_run("SET client_min_messages = warning", NULL);
	database_run("SELECT pg_advisory_lock(7)", NULL); /* CREATE … IF NOT EXISTS races */
	database_run("CREATE TABLE IF NOT EXISTS " SPINE_TABLE
		     " (n bigserial, reader text, position bigint, tenant uuid, event_id uuid)",
		     NULL);
	database_run("CREATE TABLE IF NOT EXISTS event_poison (tenant uuid, reader text)", NULL);
	database_run("GRANT ALL ON " SPINE_TABLE ", event_poison, " SPINE_TABLE
		     "_n_seq TO zygo_system",
		     NULL);
	database_run("SELECT pg_advisory_unlock(7)", NULL);

	db_done(); /* the test's own connection stays its own */
	master = fork();
	cr_assert(master >= 0);
	if (master == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(supervise(&pool, 1, argv));
	}
	wait_until(are_known, NULL, "a spine whose readers are known");
	return master;
}

int spine_pause(pid_t master)
{
	int status;

	cr_assert_eq(kill(master, SIGTERM), 0);
	cr_assert_eq(waitpid(master, &status, 0), master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int spine_stop(pid_t master)
{
	int status = spine_pause(master);

	database_run("DELETE FROM event_readers WHERE name IN ($1, $2)", spine_reader(),
		     spine_careful_reader(), NULL);
	return status;
}

void spine_kill(pid_t master)
{
	const char *argv[] = { "pkill", "-KILL", "-P", strf("%d", (int)master), NULL };

	(void)world_run(argv, &(int){ 0 });
}

void spine_poison(struct tenant_id t, bool is_poison)
{
	database_run(is_poison ? "INSERT INTO event_poison VALUES ($1::uuid, $2)"
			       : "DELETE FROM event_poison WHERE tenant = $1::uuid AND reader = $2",
		     id_text(t.u), spine_careful_reader(), NULL);
}

struct wanted {
	const char *reader;
	struct tenant_id t;
	int64_t n;
};

static bool has_read(void *p)
{
	const struct wanted *w = p;

	return database_number("SELECT count(*) FROM " SPINE_TABLE
			       " WHERE reader = $1 AND tenant = $2::uuid",
			       w->reader, id_text(w->t.u), NULL) >= w->n;
}

void spine_await(const char *reader, struct tenant_id t, int64_t n)
{
	struct wanted w = { reader, t, n };

	wait_until(has_read, &w, strf("%s has read %ld events", reader, (long)n));
}
