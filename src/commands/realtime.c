/*
 * `zygo realtime`: what is made sure of before WebSockets are held, the pool, and what each process
 * needs.
 *
 * `zygo realtime --check` does the first and no more, as `zygo serve --check` does.
 */
#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "cache/redis.h"
#include "commands/start.h"
#include "db/conn.h"
#include "domains/mount.h"
#include "http/route.h"
#include "identity/principal.h"
#include "prefork/socket.h"
#include "prefork/supervisor.h"
#include "realtime/server.h"
#include "realtime/tally.h"

/* All that does not change from process to process. The routes are read for their conflicts alone.
 */
static int prepare(void)
{
	const char *why = redis_init();

	redis_done();
	if (why)
		return start_failed(why);
	if (!routes_init(mounts))
		return start_failed("A route's row is wrong");

	return start_check_database();
}

static int run_worker(struct worker *w)
{
	int status;

	db_init(w->pool->name);
	BUG_IF(redis_init() != NULL); /* prepare() has seen that it can */
	status = identity_worker_init();
	if (!status)
		status = realtime_run(w);
	db_done();
	redis_done();

	return status;
}

static int hold(char **program)
{
	const char *path = config()->socket_realtime, *why = NULL;
	struct pool pool = {
		.name = "realtime",
		.workers = (unsigned)config()->workers_realtime,
		.run = run_worker,
	};

	pool.listen_fd = socket_listen(pool.name, path, &why);
	if (pool.listen_fd < 0) {
		log_fatal("Failed to start server", LOG_S("reason", why), LOG_S("socket", path));
		return 1;
	}
	if (socket_is_ours(pool.listen_fd))
		pool.listen_path = path;
	tally_init();
	log_info("WebSocket server initialized", LOG_S("version", PACKAGE_VERSION),
		 LOG_I("workers", pool.workers));

	return supervise(&pool, 1, program);
}

int command_realtime(int argc, char **argv)
{
	bool only_check = argc == 2 && strcmp(argv[1], "--check") == 0;
	int status;

	if (argc != 1 && !only_check)
		return 2;

	status = prepare();
	if (status || only_check)
		return status;

	return hold(argv - 1);
}
