/* A master forked from the test: see crew.h. */
#include "support/crew.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "cache/redis.h"
#include "db/act.h"
#include "db/batch.h"
#include "db/conn.h"
#include "jobs/lease.h"
#include "jobs/work.h"
#include "support/database.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define KINDS_MAX 16
#define TASKS_MAX 8

static struct job_queue queues[CREW_QUEUES + 1] = {
	[CREW_QUICK] = { .batch = 32, JOB_RETENTION },
	[CREW_LONG] = { .batch = 1, JOB_RETENTION },
	[CREW_NARROW] = { .batch = 1, .concurrency = 2, JOB_RETENTION },
	[CREW_RATED] = { .batch = 8, .rate_max = 3, .rate_us = CREW_RATE_US, JOB_RETENTION },
};
static const struct job_kind *kinds[KINDS_MAX + 1];
static struct job_task tasks[TASKS_MAX + 1];
static const struct job_book book = { queues, kinds, tasks };
static unsigned workers;
static pid_t master;
static _Atomic bool *told; /* in memory that the crew shares */
static bool is_connected;  /* the test itself */

static const struct sql note = {
	.name = "test_note",
	.text = "INSERT INTO " CREW_TABLE " (job_id, tenant, what, worker) "
		"VALUES ($1, current_tenant(), $2, $3)",
	.kind = SQL_EXEC,
	.params = 3,
};

const char *crew_queue(enum crew_queue q)
{
	static const char *const words[] = { "quick", "long", "narrow", "rated" };

	if (!queues[q].name)
		queues[q].name = strf("%s-%d", words[q], (int)getpid());
	return queues[q].name;
}

void crew_kind(struct job_kind *k, enum crew_queue q, int (*run)(struct job *j))
{
	size_t n = 0;

	while (kinds[n])
		n++;
	cr_assert_lt(n, KINDS_MAX);
	*k = (struct job_kind){ JOB_DEFAULTS };
	k->name = strf("kind%zu-%d", n, (int)getpid());
	k->queue = crew_queue(q);
	k->run = run;
	k->backoff_us = 100 * US_PER_MS;
	kinds[n] = k;
}

void crew_task(const char *name, const char *cron, const char *zone, enum job_missed missed,
	       const struct job_kind *k)
{
	size_t n = 0;

	while (tasks[n].name)
		n++;
	cr_assert_lt(n, TASKS_MAX);
	tasks[n] = (struct job_task){ strf("%s-%d", name, (int)getpid()), cron, zone, missed, k };
}

static bool is_ready(void *p UNUSED)
{
	pid_t pids[64];
	size_t n;

	crew_workers(pids, ARRAY_LEN(pids), &n);
	return n == workers &&
	       database_number("SELECT count(*) FROM job_workers WHERE master LIKE "
			       "'%/' || $1 || '.%' AND is_asleep",
			       strf("%d", (int)master), NULL) == leases_count(workers) &&
	       database_number("SELECT count(*) FROM job_queues WHERE name LIKE '%-' || $1",
			       strf("%d", (int)getpid()), NULL) == CREW_QUEUES;
}

/* A copy of a test, which has threads, is no process that a leak checker can look through at its
 * end; tests/integration/jobs_work.c has whole ones. */
static void leave(void)
{
	_exit(0);
}

static int join(struct worker *w UNUSED)
{
	return redis_init() ? 1 : 0;
}

static void launch(void)
{
	struct work how = { .book = &book, .workers = workers, .begin = join, .end = leave };
	static char *argv[] = { NULL };

	db_done(); /* the test's own connection stays its own */
	is_connected = false;
	master = fork();
	cr_assert(master >= 0);
	if (master == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(work(&how, argv));
	}
}

static void make_table(void)
{
	database_run("SET client_min_messages = warning", NULL);
	database_run("CREATE TABLE IF NOT EXISTS " CREW_TABLE
		     " (job_id uuid, tenant uuid, what text, "
		     "worker text, at timestamptz DEFAULT clock_timestamp())",
		     NULL);
	database_run("GRANT ALL ON " CREW_TABLE " TO zygo_app, zygo_system", NULL);
}

void crew_start(unsigned n)
{
	const char *mistake;

	(void)world();
	for (enum crew_queue i = 0; i < CREW_QUEUES; i++)
		(void)crew_queue(i);
	make_table();
	mistake = book_mistake(world_arena(), &book);
	cr_assert_null(mistake, "%s", mistake);
	if (!told)
		told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	cr_assert(told != MAP_FAILED);

	workers = n;
	launch();
	wait_until(is_ready, NULL, "a crew that waits for jobs");
}

void crew_ask_to_stop(void)
{
	cr_assert_eq(kill(master, SIGTERM), 0);
}

int crew_stop(void)
{
	int status;

	crew_ask_to_stop();
	cr_assert_eq(waitpid(master, &status, 0), master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void crew_kill_master(void)
{
	cr_assert_eq(kill(master, SIGKILL), 0);
	cr_assert_eq(waitpid(master, NULL, 0), master);
	launch();
}

/* The master's children of a name, as top(1) shows it. */
static void children(const char *name, pid_t *ret, size_t max, size_t *ret_len)
{
	const char *argv[] = { "pgrep", "-P", strf("%d", (int)master), name, NULL };
	struct str rest = str_trim(world_run(argv, &(int){ 0 })), one;

	*ret_len = 0;
	while (rest.len && *ret_len < max && (one = str_cut(&rest, '\n')).ptr) {
		int64_t pid;

		cr_assert(str_to_i64(one, 1, INT32_MAX, &pid));
		ret[(*ret_len)++] = (pid_t)pid;
	}
}

void crew_workers(pid_t *ret, size_t max, size_t *ret_len)
{
	children("zygo-work", ret, max, ret_len);
}

void crew_kill(const char *name)
{
	pid_t pid;
	size_t n;

	children(name, &pid, 1, &n);
	if (n)
		(void)kill(pid, SIGKILL);
}

size_t crew_sleepers(pid_t *ret, size_t max)
{
	const char *pids = database_value(
		"SELECT string_agg(split_part(split_part(name, '/', 3), '.', 1), ' ') "
		"FROM job_workers WHERE master LIKE '%/' || $1 || '.%' AND is_asleep",
		strf("%d", (int)master), NULL);
	struct str rest = str_of(pids ? pids : ""), one;
	size_t n = 0;

	while (n < max && (one = str_cut(&rest, ' ')).len) {
		int64_t pid;

		cr_assert(str_to_i64(one, 1, INT32_MAX, &pid));
		ret[n++] = (pid_t)pid;
	}
	return n;
}

void crew_tell(void)
{
	*told = true;
}

bool crew_was_told(void)
{
	return *told;
}

static struct ctx *unit(struct tenant_id t)
{
	static struct arena *arena;
	static struct ctx c;

	if (!arena)
		arena = arena_new();
	if (!is_connected)
		db_init("test");
	is_connected = true;
	arena_reset(arena);
	ctx_reset(&c, arena);
	if (!uuid_is_nil(t.u))
		act_for_tenant(&c, t);
	return &c;
}

/* step 0: the first n times. */
static void add(struct tenant_id t, const struct job_new *in, size_t n, size_t step)
{
	struct ctx *c = unit(t);
	struct batch *b = batch_new(c, uuid_is_nil(t.u) ? BATCH_SYSTEM : BATCH_WRITE);

	for (size_t i = 0; i < n; i++)
		jobs_add(b, c, &in[i * step]);
	cr_assert_eq(batch_run(b), OK, "%s: %s", c->fault.message, c->fault.detail);
}

void crew_add_many(struct tenant_id t, const struct job_new *in, size_t n)
{
	add(t, in, n, 0);
}

void crew_add_together(struct tenant_id t, const struct job_new *in, size_t n)
{
	add(t, in, n, 1);
}

struct job_id crew_add(struct tenant_id t, const struct job_new *in)
{
	struct job_new job = *in;

	if (uuid_is_nil(job.id.u))
		job.id.u = uuid_v7();
	add(t, &job, 1, 0);
	return job.id;
}

static void add_note(struct batch *b, struct job *j, const char *what)
{
	batch_add(b, NULL, &note, ARGS(arg_uuid(j->id.u), arg_text(what), arg_text(j->worker)));
}

static struct batch *batch_of(struct job *j)
{
	return batch_new(j->c, uuid_is_nil(j->tenant.u) ? BATCH_SYSTEM : BATCH_WRITE);
}

int crew_note(struct job *j, const char *what)
{
	struct batch *b = batch_of(j);

	add_note(b, j, what);
	return batch_run(b);
}

int64_t crew_notes(struct job_id id)
{
	return database_number("SELECT count(*) FROM " CREW_TABLE " WHERE job_id = $1::uuid",
			       id_text(id.u), NULL);
}

struct noted {
	const char *tenant;
	int64_t n;
};

static bool are_noted(void *p)
{
	const struct noted *w = p;

	return database_number("SELECT count(*) FROM " CREW_TABLE " WHERE tenant = $1::uuid",
			       w->tenant, NULL) >= w->n;
}

void crew_await_notes(struct tenant_id t, int64_t n)
{
	struct noted w = { id_text(t.u), n };

	wait_until(are_noted, &w, strf("%ld notes of its jobs", (long)n));
}

int crew_wait_for_word(struct job *j)
{
	int err = crew_note(j, "began");

	while (!err && !crew_was_told())
		usleep(10000);
	return err;
}

int crew_note_and_done(struct job *j, const char *what)
{
	struct batch *b = batch_of(j);
	int err;

	add_note(b, j, what);
	job_done(b, j);
	err = batch_run(b);
	j->is_done = !err;
	return err;
}

const char *crew_look(struct job_id id, const char *column)
{
	return database_value(strf("SELECT (%s)::text FROM jobs WHERE id = $1::uuid", column),
			      id_text(id.u), NULL);
}

struct wanted {
	struct job_id id;
	const char *state;
	int64_t n;
};

static bool is_in_state(void *p)
{
	const struct wanted *w = p;
	const char *state = crew_look(w->id, "state");

	return state && strcmp(state, w->state) == 0;
}

void crew_await(struct job_id id, const char *state)
{
	struct wanted w = { .id = id, .state = state };

	wait_until(is_in_state, &w, strf("the job is %s", state));
}

int64_t crew_count(const char *state)
{
	return database_number(
		"SELECT count(*) FROM jobs WHERE queue LIKE '%-' || $1 AND state = $2",
		strf("%d", (int)getpid()), state, NULL);
}

static bool are_so_many(void *p)
{
	const struct wanted *w = p;

	return crew_count(w->state) == w->n;
}

void crew_await_count(const char *state, int64_t n)
{
	struct wanted w = { .state = state, .n = n };

	wait_until(are_so_many, &w, strf("%ld jobs are %s", (long)n, state));
}

static bool are_over(void *p UNUSED)
{
	return database_number("SELECT count(*) FROM jobs WHERE queue LIKE '%-' || $1 AND "
			       "finished_at IS NULL",
			       strf("%d", (int)getpid()), NULL) == 0;
}

void crew_await_end(void)
{
	wait_until(are_over, NULL, "jobs of which none is unfinished");
}
