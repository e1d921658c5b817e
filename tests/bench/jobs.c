/*
 * Measures the job queue for scripts/bench-jobs, without nginx or the API: jobs that do nothing,
 * added and run. DATABASE_URL names the database.
 *
 *	jobs add N BATCH       N jobs, BATCH in a transaction
 *	jobs fill N            N jobs, for the next:
 *	jobs run N WORKERS MS  N jobs that wait already, by so many workers, until the last is done;
 *	                       each lasts so many milliseconds, in which it does nothing
 *	jobs start N RATE      N jobs, one every 20 ms, from adding to the handler, beside RATE
 *	                       others a second that somebody else adds; 0: to workers that sleep
 *
 * REDIS_URL names the Redis that is told of each haul's end.
 *
 * Prints one line, "n=… seconds=… cpu_us=… p50_us=… p99_us=…", where cpu_us is this program's and
 * its children's from the moment that it was set up; PostgreSQL's is the script's to measure.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/log.h"
#include "cache/redis.h"
#include "db/act.h"
#include "db/batch.h"
#include "db/conn.h"
#include "jobs/book.h"
#include "jobs/job.h"
#include "jobs/work.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TENANTS   10
#define AT_A_TIME 1000 /* jobs a transaction, where adding is not what is measured */

/* Between this process and the workers. */
static struct shared {
	_Atomic uint64_t done;
	_Atomic int64_t started_us;
} * shared;

static struct tenant_id tenants[TENANTS];
static int64_t lasts_us; /* each job */

static int do_nothing(struct job *j UNUSED)
{
	if (lasts_us)
		usleep((useconds_t)lasts_us);
	shared->done++;

	return OK;
}

static int say_when(struct job *j UNUSED)
{
	shared->started_us = clock_monotonic_us();

	return OK;
}

static const struct job_queue queues[] = {
	{ "bench", .batch = 400, JOB_RETENTION },
	{ 0 },
};
static const struct job_kind kind = { JOB_DEFAULTS, .name = "bench", .queue = "bench",
				      .run = do_nothing };
static const struct job_kind mark = { JOB_DEFAULTS, .name = "mark", .queue = "bench",
				      .run = say_when };
static const struct job_kind *const kinds[] = { &kind, &mark, NULL };
static const struct job_task no_tasks[] = { { 0 } };
static const struct job_book book = { queues, kinds, no_tasks };

static void NORETURN die(const char *what)
{
	(void)fprintf(stderr, "jobs: %s\n", what);
	exit(1);
}

static int64_t number(const char *text)
{
	int64_t n;

	if (!text || !str_to_i64(str_of(text), 0, 100000000, &n))
		die("a number is expected");

	return n;
}

static void add(const struct job_kind *k, int64_t n, int64_t at_a_time)
{
	struct arena *a = arena_new();
	struct ctx c;

	for (int64_t done = 0; done < n; done += at_a_time) {
		struct batch *b;

		arena_reset(a);
		ctx_reset(&c, a);
		act_for_tenant(&c, tenants[done / at_a_time % TENANTS]);
		b = batch_new(&c, BATCH_WRITE);
		for (int64_t i = 0; i < at_a_time && done + i < n; i++)
			jobs_add(b, &c, &(struct job_new){ .kind = k });
		if (batch_run(b))
			die(c.fault.detail ? c.fault.detail : "the jobs were not added");
	}
	arena_free(a);
}

static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork failed");
	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);

	return pid;
}

static int join(struct worker *w UNUSED)
{
	return redis_init() ? 1 : 0;
}

static pid_t start(unsigned workers)
{
	struct work how = { .book = &book, .workers = workers, .begin = join };
	static char *argv[] = { NULL };
	pid_t pid = fork_child();

	if (pid == 0)
		_exit(work(&how, argv));

	return pid;
}

static void stop(pid_t pid)
{
	int status;

	(void)kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || status)
		die("the workers did not end in order");
}

/* So many a second, ten at a time, until it is killed. */
static pid_t start_others(int64_t rate)
{
	pid_t pid = fork_child();

	while (pid == 0) {
		add(&kind, 10, 10);
		usleep((useconds_t)(10 * US_PER_S / rate));
	}

	return pid;
}

/*
 * Measuring
 */

static int64_t cpu_of(int who)
{
	struct rusage u;

	(void)getrusage(who, &u);

	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * US_PER_S + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static int64_t cpu_us(void)
{
	return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
}

struct since {
	int64_t clock_us, cpu_us;
};

static struct since begin(void)
{
	return (struct since){ clock_monotonic_us(), cpu_us() };
}

static void report(int64_t n, int64_t us, int64_t own_us, int64_t p50_us, int64_t p99_us)
{
	printf("n=%lld seconds=%.3f cpu_us=%lld p50_us=%lld p99_us=%lld\n", (long long)n,
	       (double)us / 1e6, (long long)own_us, (long long)p50_us, (long long)p99_us);
}

static void measure_adding(int64_t n, int64_t at_a_time)
{
	struct since from;

	add(&kind, 1, 1); /* connects */
	from = begin();
	add(&kind, n, at_a_time);
	report(n, clock_monotonic_us() - from.clock_us, cpu_us() - from.cpu_us, 0, 0);
}

/* The jobs are there already: see the script, which counts PostgreSQL's work from then on. */
static void measure_running(int64_t n, int64_t workers, int64_t ms)
{
	struct since from = begin();
	int64_t us;
	pid_t pid;

	lasts_us = ms * US_PER_MS;
	pid = start((unsigned)workers);
	while (shared->done < (uint64_t)n)
		usleep(1000);
	us = clock_monotonic_us() - from.clock_us;
	stop(pid);
	report(n, us, cpu_us() - from.cpu_us, 0, 0);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t measure_one_start(void)
{
	int64_t added_us;

	usleep(20000);
	shared->started_us = 0;
	added_us = clock_monotonic_us();
	add(&mark, 1, 1);
	while (!shared->started_us)
		usleep(50);

	return shared->started_us - added_us;
}

static void measure_starting(int64_t n, int64_t rate)
{
	struct arena *a = arena_new();
	int64_t *waits = arena_make_n(a, int64_t, (size_t)n);
	pid_t workers = start(2), others = rate ? start_others(rate) : 0;
	struct since from;

	for (int64_t i = 0; i < 20; i++) /* statements are prepared */
		(void)measure_one_start();
	from = begin();
	for (int64_t i = 0; i < n; i++)
		waits[i] = measure_one_start();
	if (others)
		(void)kill(others, SIGKILL);
	stop(workers);
	qsort(waits, (size_t)n, sizeof(*waits), by_value);
	report(n, clock_monotonic_us() - from.clock_us, cpu_us() - from.cpu_us, waits[n / 2],
	       waits[n * 99 / 100]);
	arena_free(a);
}

int main(int argc, char **argv)
{
	static struct config c = {
		.env = APP_TEST,
		.redis_prefix = "bench",
		.redis_timeout_us = 100 * US_PER_MS,
		.database_prepare = true,
		.database_timeout_us = 30 * US_PER_S,
		.slow_request_timeout_us = 30 * US_PER_S,
		.drain_timeout_us = 30 * US_PER_S,
		.worker_requests_max = 100000000,
	};
	const char *verb = argc > 2 ? argv[1] : "";

	c.database_url = getenv("DATABASE_URL");
	c.redis_url = getenv("REDIS_URL");
	if (!c.database_url || !c.redis_url)
		die("DATABASE_URL or REDIS_URL is not set");
	config_set(&c);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_JSON, "bench");
	db_init("bench");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("out of memory");
	for (size_t i = 0; i < TENANTS; i++)
		tenants[i].u = uuid_v7();

	if (strcmp(verb, "add") == 0 && argc == 4)
		measure_adding(number(argv[2]), number(argv[3]));
	else if (strcmp(verb, "fill") == 0 && argc == 3)
		measure_adding(number(argv[2]), AT_A_TIME);
	else if (strcmp(verb, "run") == 0 && argc == 5)
		measure_running(number(argv[2]), number(argv[3]), number(argv[4]));
	else if (strcmp(verb, "start") == 0 && argc == 4)
		measure_starting(number(argv[2]), number(argv[3]));
	else
		die("usage: jobs add N BATCH | fill N | run N WORKERS MS | start N RATE");

	return 0;
}
