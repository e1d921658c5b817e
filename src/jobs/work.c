/* The master of `zygo work`: see work.h. */
#include "jobs/work.h"

#include "db/conn.h"
#include "jobs/lease.h"
#include "jobs/name.h"
#include "jobs/pace.h"
#include "prefork/supervisor.h"

#include <string.h>
#include <unistd.h>

#define OWN_POOLS 3

/* Set before the first child is forked. */
static struct work how;
static char master[NAME_SIZE];
static struct host host;

/* One child, from its fork to its end. */
static int live(struct worker *w, int (*run)(struct worker *w))
{
	int status;

	db_init(w->pool->name);
	status = how.begin ? how.begin(w) : 0;
	if (!status)
		status = run(w);
	if (how.end)
		how.end();
	db_done();

	return status;
}

static int run_crew(struct worker *w)
{
	return crew_run(w, &host);
}

static int live_in_crew(struct worker *w)
{
	return live(w, run_crew);
}

static int run_keeper(struct worker *w)
{
	return keeper_run(w, &host);
}

static int live_as_keeper(struct worker *w)
{
	return live(w, run_keeper);
}

static int run_bell(struct worker *w)
{
	return bell_run(w, &host.bell, host.leases);
}

static int live_at_bell(struct worker *w)
{
	return live(w, run_bell);
}

static int live_at_side(struct worker *w)
{
	const struct work_side *side = how.sides;

	while (strcmp(side->name, w->pool->name) != 0)
		side++;

	return live(w, side->run);
}

int work(const struct work *w, char **argv)
{
	struct pool pools[OWN_POOLS + WORK_SIDES_MAX] = {
		{ .name = WORK_POOL, .workers = w->workers, .listen_fd = -1, .run = live_in_crew },
		{ .name = "keeper", .workers = 1, .listen_fd = -1, .run = live_as_keeper },
		{ .name = "bell", .workers = 1, .listen_fd = -1, .run = live_at_bell },
	};
	size_t n = OWN_POOLS;

	how = *w;
	name_of_master(getpid(), master);
	host = (struct host){ .book = w->book,
			      .master = master,
			      .workers = w->workers,
			      .leases = leases_new(w->workers),
			      .pace = pace_new() };
	bell_make(&host.bell);
	for (const struct work_side *s = w->sides; s && s->name; s++) {
		BUG_IF(n == ARRAY_LEN(pools));
		pools[n++] = (struct pool){
			.name = s->name, .workers = s->workers, .listen_fd = -1, .run = live_at_side
		};
	}

	return supervise(pools, n, argv);
}
