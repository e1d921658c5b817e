/*
 * `zygo serve`: what is made sure of before anything is served, the two pools, and a worker's life.
 *
 * `zygo serve --check` does the first and no more; the master runs it before it replaces itself, so
 * whatever could keep a new one from starting belongs into prepare().
 */
#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "cache/ratelimit.h"
#include "cache/redis.h"
#include "commands/start.h"
#include "db/conn.h"
#include "domains/jobs/jobs.h"
#include "domains/mount.h"
#include "events/lag.h"
#include "domains/webhooks/webhooks.h"
#include "events/types.h"
#include "http/fcgi.h"
#include "http/metrics.h"
#include "http/openapi.h"
#include "http/stages.h"
#include "identity/principal.h"
#include "prefork/socket.h"
#include "prefork/supervisor.h"

/* -- before -------------------------------------------------------------------------------------
 */

/* All that does not change from worker to worker. */
static int prepare(void)
{
	const struct config *c = config();
	const char *why = redis_init();

	redis_done();
	if (why)
		return start_failed(why);
	if (c->workers_fast + c->workers_slow > WORKERS_MAX)
		return start_failed("WORKERS_FAST and WORKERS_SLOW add up to more than 256");
	openapi_include(&event_webhooks);
	if (!routes_init(mounts))
		return start_failed("A route's row is wrong");
	stages_init(&identity_auth);
	metrics_also(jobs_metrics);
	metrics_also(lag_metrics);
	metrics_also(webhooks_metrics);

	return start_check_database();
}

/* -- a worker -----------------------------------------------------------------------------------
 */

static int run_worker(struct worker *w)
{
	int status;

	db_init(w->pool->name);
	BUG_IF(redis_init() != NULL); /* prepare() has seen that it can */
	ratelimit_init(w->workers_total);
	metrics_init(w->board);
	status = identity_worker_init();
	if (!status)
		status = fcgi_serve(w, stages_serve, w);
	db_done();
	redis_done();

	return status;
}

/* -- serving ------------------------------------------------------------------------------------
 */

/* False after saying why. */
static bool open_pool(struct pool *p, const char *path)
{
	const char *why = NULL;

	p->listen_fd = socket_listen(p->name, path, &why);
	if (p->listen_fd < 0) {
		log_fatal("Failed to start server", LOG_S("reason", why), LOG_S("socket", path));
		return false;
	}
	if (socket_is_ours(p->listen_fd))
		p->listen_path = path;

	return true;
}

static void announce(const struct pool *pools, size_t n)
{
	static const char *const names[] = { "development", "staging", "production", "test" };
	char text[512];

	(void)snprintf(text, sizeof(text), "Server running on %s", config()->api_url);
	log_info(text, LOG_S("version", PACKAGE_VERSION));
	(void)snprintf(text, sizeof(text), "Environment: %s", names[config()->env]);
	log_info(text);
	for (size_t i = 0; i < n; i++)
		log_info("Pool", LOG_S("pool", pools[i].name), LOG_I("workers", pools[i].workers));
}

static int serve(char **program)
{
	const struct config *c = config();
	struct pool pools[] = {
		{ .name = "fast",
		  .workers = (unsigned)c->workers_fast,
		  .request_timeout_us = c->request_timeout_us,
		  .run = run_worker },
		{ .name = "slow",
		  .workers = (unsigned)c->workers_slow,
		  .request_timeout_us = c->slow_request_timeout_us,
		  .run = run_worker },
	};

	if (!open_pool(&pools[0], c->socket_fast) || !open_pool(&pools[1], c->socket_slow))
		return 1;
	announce(pools, ARRAY_LEN(pools));

	return supervise(pools, ARRAY_LEN(pools), program);
}

int command_serve(int argc, char **argv)
{
	bool only_check = argc == 2 && strcmp(argv[1], "--check") == 0;
	int status;

	if (argc != 1 && !only_check)
		return 2;

	status = prepare();
	if (status || only_check)
		return status;

	return serve(argv - 1);
}
