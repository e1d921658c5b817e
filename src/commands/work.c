/*
 * `zygo work`: what is made sure of before jobs are run, and what each process needs for it.
 *
 * `zygo work --check` does the first and no more, as `zygo serve --check` does.
 */
#include "commands/commands.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/log.h"
#include "cache/redis.h"
#include "commands/start.h"
#include "domains/book.h"
#include "domains/mount.h"
#include "domains/webhooks/webhooks_sender.h"
#include "events/reader.h"
#include "events/spine.h"
#include "http/route.h"
#include "jobs/book.h"
#include "jobs/work.h"

static int check_book(void)
{
	struct arena *a = arena_new();
	const char *mistake = book_mistake(a, &zygo_book);
	int status = mistake ? start_failed(mistake) : 0;

	arena_free(a);

	return status;
}

static int run_events(struct worker *w)
{
	return spine_run(w, event_readers);
}

/* All that does not change from process to process. The routes are read for their conflicts alone:
 * handlers meet the same constraints. */
static int prepare(void)
{
	const char *why = redis_init();
	int status;

	redis_done();
	if (why)
		return start_failed(why);
	if (!routes_init(mounts))
		return start_failed("A route's row is wrong");
	status = check_book();

	return status ? status : start_check_database();
}

static int begin(struct worker *w UNUSED)
{
	BUG_IF(redis_init() != NULL); /* prepare() has seen that it can */

	return 0;
}

int command_work(int argc, char **argv)
{
	bool only_check = argc == 2 && strcmp(argv[1], "--check") == 0;
	unsigned senders = (unsigned)config()->workers_webhooks;
	const struct work_side sides[] = {
		{ "events", 1, run_events },
		{ senders ? WEBHOOKS_SIDE : NULL, senders, webhooks_run },
		{ 0 },
	};
	const struct work how = {
		.book = &zygo_book,
		.workers = (unsigned)config()->workers_jobs,
		.sides = sides,
		.begin = begin,
		.end = redis_done,
	};
	int status;

	if (argc != 1 && !only_check)
		return 2;

	status = prepare();
	if (status || only_check)
		return status;
	log_info("Initializing job queues...", LOG_S("version", PACKAGE_VERSION));
	log_info("Job queues initialized", LOG_I("workers", how.workers));

	return work(&how, argv - 1);
}
