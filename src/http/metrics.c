/* The scoreboard as Prometheus' text: see metrics.h. */
#include "http/metrics.h"

#include "base/address.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "prefork/scoreboard.h"

#include <assert.h>

static const struct scoreboard *board;
static void (*others[5])(struct ctx *c, struct buf *out);

void metrics_also(void (*write)(struct ctx *c, struct buf *out))
{
	size_t n = 0;

	while (others[n])
		n++;
	BUG_IF(n + 1 == ARRAY_LEN(others)); /* NULL ends them */
	others[n] = write;
}

void metrics_write_others(struct ctx *c, struct buf *out)
{
	for (size_t i = 0; others[i]; i++)
		others[i](c, out);
}

void metrics_init(const struct scoreboard *b)
{
	board = b;
}

bool metrics_may_be_read(const char *ip, const char *forwarded)
{
	return (!forwarded || config()->trusted_proxies) &&
	       address_is_in(ip, config()->metrics_allow);
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Microseconds as seconds. */
static void put_seconds(struct buf *out, uint64_t us)
{
	buf_printf(out, "%llu.%06llu", (unsigned long long)(us / 1000000),
		   (unsigned long long)(us % 1000000));
}

static void put_count(struct buf *out, uint64_t n)
{
	buf_printf(out, " %llu\n", (unsigned long long)n);
}

static void write_build(struct buf *out)
{
	head(out, "zygo_build_info", "gauge", "The version that runs.");
	buf_str(out, "zygo_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	head(out, "zygo_start_time_seconds", "gauge", "When the master started, since 1970.");
	buf_str(out, "zygo_start_time_seconds ");
	put_seconds(out, (uint64_t)board->started_us);
	buf_char(out, '\n');
}

static void write_requests(struct buf *out, const struct slot *sum)
{
	head(out, "zygo_requests_total", "counter", "Requests answered, by class of status.");
	for (size_t i = 1; i < ARRAY_LEN(sum->by_class); i++) {
		buf_printf(out, "zygo_requests_total{class=\"%zuxx\"}", i);
		put_count(out, sum->by_class[i]);
	}
}

static void write_durations(struct buf *out, const struct slot *sum)
{
	uint64_t n = 0;

	head(out, "zygo_request_seconds", "histogram", "Time from a request to its reply.");
	for (size_t i = 0; i < SLOT_BUCKETS; i++) {
		n += sum->buckets[i];
		buf_str(out, "zygo_request_seconds_bucket{le=\"");
		if (slot_bucket_us(i))
			put_seconds(out, (uint64_t)slot_bucket_us(i));
		else
			buf_str(out, "+Inf");
		buf_str(out, "\"}");
		put_count(out, n);
	}
	buf_str(out, "zygo_request_seconds_sum ");
	put_seconds(out, sum->micros);
	buf_str(out, "\nzygo_request_seconds_count");
	put_count(out, n);
}

static const char *const state_names[] = {
	[SLOT_EMPTY] = "",    [SLOT_STARTING] = "starting", [SLOT_IDLE] = "idle",
	[SLOT_BUSY] = "busy", [SLOT_DRAINING] = "draining",
};
static_assert(ARRAY_LEN(state_names) == SLOT_STATES, "a name for each state");

static void write_pool(struct buf *out, unsigned pool)
{
	uint64_t in_state[SLOT_STATES] = { 0 };

	for (size_t i = 0; i < SCOREBOARD_SLOTS_MAX; i++) {
		const struct slot *s = &board->slots[i];

		if (s->state > SLOT_EMPTY && s->state < SLOT_STATES && s->pool == pool)
			in_state[s->state]++;
	}
	for (size_t i = SLOT_EMPTY + 1; i < SLOT_STATES; i++) {
		buf_printf(out, "zygo_workers{pool=\"%s\",state=\"%s\"}", board->pool_names[pool],
			   state_names[i]);
		put_count(out, in_state[i]);
	}
}

static void write_workers(struct buf *out)
{
	head(out, "zygo_workers", "gauge", "Worker processes, by what they do.");
	for (unsigned i = 0; i < POOLS_MAX; i++)
		if (board->pool_names[i][0])
			write_pool(out, i);
}

void metrics_write(struct buf *out)
{
	struct slot sum;

	if (!board)
		return;

	scoreboard_sum(board, &sum);
	write_build(out);
	write_requests(out, &sum);
	write_durations(out, &sum);
	write_workers(out);

	/* clang-format off */
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} plain[] = {
		{ "zygo_connections", "gauge", "Kept FastCGI connections of nginx.", sum.connections },
		{ "zygo_worker_respawns_total", "counter", "Workers that died and were replaced.", board->respawns },
		{ "zygo_workers_hung_total", "counter", "Workers killed because a request took too long.", board->hung },
		{ "zygo_reloads_total", "counter", "Times the master replaced itself.", board->reloads },
		{ "zygo_redis_failures_total", "counter", "Requests answered without Redis, because it was away.", sum.redis_failures },
		{ "zygo_postgresql_failures_total", "counter", "Requests refused because PostgreSQL was away.", sum.pg_failures },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		head(out, plain[i].name, plain[i].type, plain[i].help);
		buf_str(out, plain[i].name);
		put_count(out, plain[i].value);
	}
}
