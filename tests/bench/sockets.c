/*
 * Many WebSockets at once: what a server pays to hold them and to tell them something.
 *
 *	sockets SOCKET TARGET ROOM REDIS CHANNEL MESSAGE CLIENTS MESSAGES SLUGGARDS PID...
 *
 * Opens CLIENTS WebSockets on the Unix socket, each in ROOM; then publishes MESSAGE in Redis
 * MESSAGES times, the next when all have the last, so nobody falls behind. Prints one line of
 * name=value: connects a second (with joining), KiB of the PIDs' memory a connection, CPU
 * microseconds of the PIDs a message delivered, messages delivered a second.
 *
 * Then SLUGGARDS of them, if any, stop reading, and the same is done for the others, who have to
 * get each message as before: slow_us and slow_messages; kib_before, and kib_most of the PIDs'
 * memory meanwhile; dropped: sluggards that the server has let go.
 */
#define ZYGO_MAY_ALLOCATE
#include "websocket.h"

#define AT_ONCE    64 /* handshakes under way */
#define EVENTS_MAX 512
#define SILENCE_MS 60000 /* a server that says nothing for so long has forgotten somebody */

static struct {
	int epoll, redis;
	struct client *clients;
	size_t n, joined;
	size_t sluggards, dropped; /* the first of the clients */
	uint64_t frames;           /* since the last look */
	char **pids;
} run;

/* Resident memory, in pages. */
static int64_t pages_of(const char *statm)
{
	struct str rest = str_of(statm);
	int64_t n = 0;

	(void)str_cut(&rest, ' ');

	return str_to_i64(str_cut(&rest, ' '), 0, INT64_MAX, &n) ? n : 0;
}

static int64_t memory_kib(void)
{
	return sum_of(run.pids, "statm", pages_of) * sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- clients ---- */

static void take_word(struct client *c)
{
	if (c->frames)
		run.frames++;
	else
		run.joined++;
}

static void turn(void)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(run.epoll, events, EVENTS_MAX, SILENCE_MS);

	if (n == 0)
		die("nothing came for a minute");
	for (int i = 0; i < n; i++) {
		struct client *c = events[i].data.ptr;

		if (c >= run.clients + run.sluggards) {
			hear(c, take_word);
			continue;
		}
		close(c->fd);
		run.dropped++;
	}
}

/* They are told of their end alone. */
static void stop_reading(size_t sluggards)
{
	run.sluggards = sluggards;
	for (size_t i = 0; i < sluggards; i++) {
		struct epoll_event e = { .events = EPOLLRDHUP, .data.ptr = &run.clients[i] };

		if (epoll_ctl(run.epoll, EPOLL_CTL_MOD, run.clients[i].fd, &e) != 0)
			die("epoll_ctl");
	}
}

/* ---- the run ---- */

/* What it costs to tell all who read, so many times. */
struct telling {
	double us, messages; /* of CPU each; delivered a second */
	int64_t kib_most;
};

static struct telling tell(char **argv, int64_t messages)
{
	size_t readers = run.n - run.sluggards;
	double delivered = (double)readers * (double)messages;
	int64_t cpu = cpu_us(run.pids), started = clock_monotonic_us();
	struct telling t = { 0 };

	for (int64_t i = 0; i < messages; i++) {
		int64_t kib;

		publish(run.redis, argv[5], argv[6]);
		for (run.frames = 0; run.frames < readers;)
			turn();
		kib = memory_kib();
		t.kib_most = kib > t.kib_most ? kib : t.kib_most;
	}
	t.messages = delivered * US_PER_S / (double)(clock_monotonic_us() - started);
	t.us = (double)(cpu_us(run.pids) - cpu) / delivered;

	return t;
}

/* All in the room; microseconds. */
static int64_t open_all(char **argv)
{
	int64_t started = clock_monotonic_us();

	for (size_t opened = 0; run.joined < run.n;) {
		while (opened < run.n && opened - run.joined < AT_ONCE)
			opened += open_client(&run.clients[opened], run.epoll, argv[1], argv[2],
					      argv[3]);
		turn();
	}

	return clock_monotonic_us() - started;
}

int main(int argc, char **argv)
{
	int64_t clients, messages, sluggards, memory, connect_us;
	struct telling t;

	if (argc < 11 || !str_to_i64(str_of(argv[7]), 1, 100000, &clients) ||
	    !str_to_i64(str_of(argv[8]), 1, 1000000, &messages) ||
	    !str_to_i64(str_of(argv[9]), 0, clients - 1, &sluggards)) {
		(void)fputs("usage: sockets SOCKET TARGET ROOM REDIS CHANNEL MESSAGE CLIENTS "
			    "MESSAGES SLUGGARDS PID...\n",
			    stderr);
		return 2;
	}
	allow_files();
	run.pids = argv + 10;
	run.n = (size_t)clients;
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.redis = connect_to(argv[4]);
	run.clients = calloc(run.n, sizeof(*run.clients));
	BUG_IF(!run.clients || run.epoll < 0);

	memory = memory_kib();
	connect_us = open_all(argv);
	memory = memory_kib() - memory;
	t = tell(argv, messages);
	(void)printf("connects=%.0f kib=%.2f us=%.2f messages=%.0f",
		     (double)clients * US_PER_S / (double)connect_us,
		     (double)memory / (double)clients, t.us, t.messages);

	if (sluggards) {
		memory = memory_kib();
		stop_reading((size_t)sluggards);
		t = tell(argv, messages);
		(void)printf(" slow_us=%.2f slow_messages=%.0f kib_before=%lld kib_most=%lld "
			     "dropped=%zu",
			     t.us, t.messages, (long long)memory, (long long)t.kib_most,
			     run.dropped);
	}
	(void)printf("\n");

	return 0;
}
