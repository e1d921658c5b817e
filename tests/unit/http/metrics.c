/* The scoreboard as Prometheus reads it. */
#include "http/metrics.h"

#include "base/buf.h"
#include "prefork/scoreboard.h"

#include <criterion/criterion.h>

static struct scoreboard *board;
static struct buf text;
static int fd = -1;

static void make(void)
{
	board = scoreboard_new(&fd);
	(void)snprintf(board->pool_names[1], sizeof(board->pool_names[1]), "slow");
	metrics_init(board);
	buf_init_heap(&text, MIB(1));
}

static void unmake(void)
{
	buf_done(&text);
	scoreboard_free(board);
	closep(&fd);
}

TestSuite(metrics, .init = make, .fini = unmake);

static void has(const char *line)
{
	cr_expect(strstr(text.data, line), "%s is not in\n%s", line, text.data);
}

Test(metrics, counts_of_workers_that_live_and_lived_are_one)
{
	slot_end(&board->slots[0], 200, 10);
	scoreboard_retire(board, &board->slots[0]);
	slot_end(&board->slots[0], 201, 10);
	slot_end(&board->slots[1], 404, 10);
	metrics_write(&text);
	has("zygo_requests_total{class=\"2xx\"} 2\n");
	has("zygo_requests_total{class=\"4xx\"} 1\n");
	has("zygo_requests_total{class=\"5xx\"} 0\n");
}

Test(metrics, the_histogram_adds_up)
{
	slot_end(&board->slots[0], 200, 64);      /* the first bucket, to its edge */
	slot_end(&board->slots[0], 200, 100);     /* the second */
	slot_end(&board->slots[0], 200, 1500000); /* 2.1 s */
	metrics_write(&text);
	has("zygo_request_seconds_bucket{le=\"0.000064\"} 1\n");
	has("zygo_request_seconds_bucket{le=\"0.000128\"} 2\n");
	has("zygo_request_seconds_bucket{le=\"1.048576\"} 2\n");
	has("zygo_request_seconds_bucket{le=\"2.097152\"} 3\n");
	has("zygo_request_seconds_bucket{le=\"+Inf\"} 3\n");
	has("zygo_request_seconds_sum 1.500164\n");
	has("zygo_request_seconds_count 3\n");
}

Test(metrics, workers_are_counted_by_pool_and_state)
{
	for (int i = 0; i < 3; i++) {
		board->slots[i].pool = 1;
		board->slots[i].state = i ? SLOT_IDLE : SLOT_BUSY;
		board->slots[i].connections = 4;
	}
	metrics_write(&text);
	has("zygo_workers{pool=\"slow\",state=\"busy\"} 1\n");
	has("zygo_workers{pool=\"slow\",state=\"idle\"} 2\n");
	has("zygo_connections 12\n");
	cr_expect_null(strstr(text.data, "pool=\"\""));
}

Test(metrics, each_metric_says_what_it_is)
{
	const char *line;
	size_t samples = 0;

	metrics_write(&text);
	for (line = text.data; *line; line = strchr(line, '\n') + 1)
		samples += *line != '#';
	cr_expect_gt(samples, 30);
	has("# HELP zygo_worker_respawns_total ");
	has("# TYPE zygo_worker_respawns_total counter\nzygo_worker_respawns_total 0\n");
}
