/*
 * Thousands of one tenant's come back at once, as after a restart: how long until all are in, and
 * what do the others feel meanwhile?
 *
 *	rush SOCKET REDIS CROWD-TARGET CROWD-ROOM CROWD TARGET ROOM CHANNEL MESSAGE PID...
 *
 * 50 others sit in ROOM; every 20 ms MESSAGE is published on CHANNEL, which each of them is to
 * hear, and every 50 ms somebody new connects with TARGET, joins ROOM and goes. That for two quiet
 * seconds, then while CROWD clients connect with CROWD-TARGET, all at once, and join CROWD-ROOM.
 *
 * Prints one line of name=value: ms until the crowd is in, CPU ms of the PIDs meanwhile, and p50,
 * p99 and worst, µs, of a message and of connecting with joining, quiet and in the rush.
 */
#define ZYGO_MAY_ALLOCATE
#include "websocket.h"

#define OTHERS      50
#define NEW_MAX     64 /* who are connecting; more are not begun */
#define MESSAGE_US  (20 * US_PER_MS)
#define NEWCOMER_US (50 * US_PER_MS)
#define QUIET_US    (2 * US_PER_S)
#define PUBLISHED   100000
#define SAMPLES_MAX 1000000
#define EVENTS_MAX  512
#define CALLS_AHEAD 64 /* of the crowd, opened between two looks at the others */

struct samples {
	int64_t *us;
	size_t len;
};

static struct {
	char **argv;
	int epoll, redis;
	struct client others[OTHERS], newcomers[NEW_MAX], *crowd;
	size_t crowd_len, crowd_in, others_in;
	int64_t published_us[PUBLISHED], next_message_us, next_newcomer_us;
	uint64_t published;
	struct samples messages, joins;
} run;

static void note(struct samples *s, int64_t us)
{
	if (s->len < SAMPLES_MAX)
		s->us[s->len++] = us;
}

/* ---- what clients hear ---- */

static void crowd_hears(struct client *c)
{
	run.crowd_in += c->frames == 0;
}

static void other_hears(struct client *c)
{
	if (c->frames)
		note(&run.messages, clock_monotonic_us() - run.published_us[c->frames - 1]);
	else
		run.others_in++;
}

/* It has joined, and goes. */
static void newcomer_hears(struct client *c)
{
	if (c->frames)
		return;
	note(&run.joins, clock_monotonic_us() - c->began_us);
	(void)close(c->fd);
	c->fd = -1;
}

static void hear_one(struct client *c)
{
	if (c >= run.others && c < run.others + OTHERS)
		hear(c, other_hears);
	else if (c >= run.newcomers && c < run.newcomers + NEW_MAX)
		hear(c, newcomer_hears);
	else
		hear(c, crowd_hears);
}

static void turn(void)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(run.epoll, events, EVENTS_MAX, 1);

	for (int i = 0; i < n; i++)
		hear_one(events[i].data.ptr);
}

/* ---- what happens by the clock ---- */

static void open_newcomer(void)
{
	for (size_t i = 0; i < NEW_MAX; i++)
		if (run.newcomers[i].fd < 0) {
			(void)open_client(&run.newcomers[i], run.epoll, run.argv[1], run.argv[6],
					  run.argv[7]);
			return;
		}
}

static void tick(void)
{
	int64_t now = clock_monotonic_us();

	if (now >= run.next_message_us && run.published < PUBLISHED) {
		run.next_message_us = now + MESSAGE_US;
		run.published_us[run.published++] = now;
		publish(run.redis, run.argv[8], run.argv[9]);
	}
	if (now >= run.next_newcomer_us) {
		run.next_newcomer_us = now + NEWCOMER_US;
		open_newcomer();
	}
	turn();
}

/* ---- the run ---- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print(const char *name, struct samples *s)
{
	if (!s->len)
		die("nothing was measured");
	qsort(s->us, s->len, sizeof(*s->us), by_value);
	(void)printf(" %s=%lld/%lld/%lld", name, (long long)s->us[s->len / 2],
		     (long long)s->us[s->len * 99 / 100], (long long)s->us[s->len - 1]);
	s->len = 0;
}

static bool has_heard_all(void)
{
	for (size_t i = 0; i < OTHERS; i++)
		if (run.others[i].frames < run.published)
			return false;

	return true;
}

/* What was published has come to all. */
static void settle(void)
{
	while (!has_heard_all())
		turn();
}

static void be_quiet(void)
{
	int64_t until = clock_monotonic_us() + QUIET_US;

	while (clock_monotonic_us() < until)
		tick();
	settle();
	print("quiet_message", &run.messages);
	print("quiet_join", &run.joins);
}

static void rush(void)
{
	int64_t began = clock_monotonic_us(), cpu = cpu_us(run.argv + 10), all_in;
	size_t opened = 0;

	while (run.crowd_in < run.crowd_len) {
		for (int i = 0; i < CALLS_AHEAD && opened < run.crowd_len; i++)
			opened += open_client(&run.crowd[opened], run.epoll, run.argv[1],
					      run.argv[3], run.argv[4]);
		tick();
	}
	all_in = clock_monotonic_us() - began;
	cpu = cpu_us(run.argv + 10) - cpu;
	settle();
	print("message", &run.messages);
	print("join", &run.joins);
	(void)printf(" all_in_ms=%lld cpu_ms=%lld\n", (long long)(all_in / US_PER_MS),
		     (long long)(cpu / US_PER_MS));
}

int main(int argc, char **argv)
{
	int64_t crowd;

	if (argc < 11 || !str_to_i64(str_of(argv[5]), 1, 100000, &crowd)) {
		(void)fputs("usage: rush SOCKET REDIS CROWD-TARGET CROWD-ROOM CROWD TARGET ROOM "
			    "CHANNEL MESSAGE PID...\n",
			    stderr);
		return 2;
	}
	allow_files();
	run.argv = argv;
	run.crowd_len = (size_t)crowd;
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.redis = connect_to(argv[2]);
	run.crowd = calloc(run.crowd_len, sizeof(*run.crowd));
	run.messages.us = calloc(SAMPLES_MAX, sizeof(int64_t));
	run.joins.us = calloc(SAMPLES_MAX, sizeof(int64_t));
	BUG_IF(run.epoll < 0 || !run.crowd || !run.messages.us || !run.joins.us);
	for (size_t i = 0; i < NEW_MAX; i++)
		run.newcomers[i].fd = -1;

	for (size_t i = 0; i < OTHERS; i++)
		while (!open_client(&run.others[i], run.epoll, argv[1], argv[6], argv[7]))
			turn();
	while (run.others_in < OTHERS)
		turn();
	be_quiet();
	rush();

	return 0;
}
