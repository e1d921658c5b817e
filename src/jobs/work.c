/* The master of `zygo work`: see work.h. */
#include "jobs/work.h"

#include "db/conn.h"
#include "jobs/name.h"
#include "prefork/supervisor.h"

#include <unistd.h>

/* Set before the first child is forked. */
static struct work how;
static char master[NAME_SIZE];

static int live(struct worker *w,
		int (*run)(struct worker *, const struct job_book *, const char *))
{
	int status;

	db_init(w->pool->name);
	status = how.begin ? how.begin(w) : 0;
	if (!status)
		status = run(w, how.book, master);
	if (how.end)
		how.end();
	db_done();

	return status;
}

static int live_in_crew(struct worker *w)
{
	return live(w, crew_run);
}

static int live_as_keeper(struct worker *w)
{
	return live(w, keeper_run);
}

int work(const struct work *w, char **argv)
{
	const struct pool pools[] = {
		{ .name = WORK_POOL, .workers = w->workers, .listen_fd = -1, .run = live_in_crew },
		{ .name = "keeper", .workers = 1, .listen_fd = -1, .run = live_as_keeper },
	};

	how = *w;
	name_of_master(getpid(), master);

	return supervise(pools, ARRAY_LEN(pools), argv);
}
