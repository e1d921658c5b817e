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
#include "base/base.h"
#include "base/clock.h"
#include "base/str.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define AT_ONCE    64 /* handshakes under way */
#define PIECE      65536
#define EVENTS_MAX 512
#define SILENCE_MS 60000 /* a server that says nothing for so long has forgotten somebody */

struct client {
	int fd;
	unsigned stage; /* 0: shakes hands, 1: joins, 2: is in the room */
	size_t need;    /* bytes of a frame that are still to come */
	unsigned char head[4];
	size_t head_len;
};

static struct {
	int epoll, redis;
	struct client *clients;
	size_t n, joined;
	size_t sluggards, dropped; /* the first of the clients */
	uint64_t frames;           /* since the last look */
	char **pids;
} run;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const void *p = &at;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || connect(fd, p, sizeof(at)) != 0)
		die(path);

	return fd;
}

static void send_text(int fd, const char *text, size_t len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
}

/* ---- what the server's processes have used ---- */

/* All processes together: user and system time, and resident memory (proc(5)). */
static int64_t ticks_of(const char *stat)
{
	struct str rest = str_of(strrchr(stat, ')') + 2), word;
	int64_t sum = 0, n;

	for (int field = 3; (word = str_cut(&rest, ' ')).ptr; field++)
		if ((field == 14 || field == 15) && str_to_i64(word, 0, INT64_MAX, &n))
			sum += n;

	return sum;
}

static int64_t pages_of(const char *statm)
{
	struct str rest = str_of(statm);
	int64_t n = 0;

	(void)str_cut(&rest, ' ');

	return str_to_i64(str_cut(&rest, ' '), 0, INT64_MAX, &n) ? n : 0;
}

static int64_t sum_of(const char *file, int64_t (*value_of)(const char *line))
{
	int64_t sum = 0;

	for (char **pid = run.pids; *pid; pid++) {
		char path[64], line[1024];
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%s/%s", *pid, file);
		f = fopen(path, "re");
		if (!f || !fgets(line, sizeof(line), f))
			die(path);
		(void)fclose(f);
		sum += value_of(line);
	}

	return sum;
}

static int64_t cpu_us(void)
{
	return sum_of("stat", ticks_of) * US_PER_S / sysconf(_SC_CLK_TCK);
}

static int64_t memory_kib(void)
{
	return sum_of("statm", pages_of) * sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- clients ---- */

static void open_client(struct client *c, const char *path, const char *target)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	char text[8192];
	int n = snprintf(
		text, sizeof(text),
		"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n\r\n",
		target);

	*c = (struct client){ .fd = connect_to(path) };
	send_text(c->fd, text, (size_t)n);
	if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		die("epoll_ctl");
}

static void say_room(const struct client *c, const char *room)
{
	char frame[512];
	int n = snprintf(frame + 8, sizeof(frame) - 8, "{\"type\":\"subscribe\",\"room\":\"%s\"}",
			 room);

	frame[0] = (char)0x81;
	frame[1] = (char)(0x80 | 126);
	frame[2] = (char)(n >> 8);
	frame[3] = (char)n;
	memset(frame + 4, 0, 4); /* a mask that changes nothing */
	send_text(c->fd, frame, (size_t)n + 8);
}

/* One whole frame has come: the first says hello, the second that it is in the room. Whether we
 * live is asked as well. */
static void take_frame(struct client *c, const char *room)
{
	if (c->head[0] == 0x89) {
		send_text(c->fd, "\x8a\x80\0\0\0\0", 6);
		return;
	}
	if (c->stage == 0)
		say_room(c, room);
	if (c->stage == 1)
		run.joined++;
	if (c->stage == 2)
		run.frames++;
	else
		c->stage++;
}

/* Frames of the server, whose bytes nobody looks at. */
static void take_bytes(struct client *c, const unsigned char *p, size_t len, const char *room)
{
	while (len) {
		size_t n;

		if (c->need) {
			n = c->need < len ? c->need : len;
			c->need -= n;
			p += n;
			len -= n;
			if (!c->need)
				take_frame(c, room);
			continue;
		}
		c->head[c->head_len++] = *p++;
		len--;
		if (c->head_len < 2 || (c->head[1] == 126 && c->head_len < 4))
			continue;
		c->need = c->head[1] == 126 ? (size_t)c->head[2] << 8 | c->head[3] : c->head[1];
		c->head_len = 0;
		if (!c->need)
			take_frame(c, room);
	}
}

static void hear(struct client *c, const char *room)
{
	static unsigned char piece[PIECE];
	ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
	const unsigned char *at = piece;

	if (n <= 0)
		die("the server has closed");
	if (c->head_len == 0 && !c->need && c->stage == 0 && memcmp(piece, "HTTP", 4) == 0) {
		at = memmem(piece, (size_t)n, "\r\n\r\n", 4);
		if (!at)
			die("half a handshake");
		at += 4;
	}
	take_bytes(c, at, (size_t)(piece + n - at), room);
}

static void turn(const char *room)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(run.epoll, events, EVENTS_MAX, SILENCE_MS);

	if (n == 0)
		die("nothing came for a minute");
	for (int i = 0; i < n; i++) {
		struct client *c = events[i].data.ptr;

		if (c >= run.clients + run.sluggards) {
			hear(c, room);
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

static void publish(const char *channel, const char *message)
{
	static char text[PIECE];
	char answer[64];
	int n = snprintf(text, sizeof(text), "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n",
			 strlen(channel), channel, strlen(message), message);

	send_text(run.redis, text, (size_t)n);
	if (recv(run.redis, answer, sizeof(answer), 0) <= 0)
		die("redis");
}

/* What it costs to tell all who read, so many times. */
struct telling {
	double us, messages; /* of CPU each; delivered a second */
	int64_t kib_most;
};

static struct telling tell(char **argv, int64_t messages)
{
	size_t readers = run.n - run.sluggards;
	double delivered = (double)readers * (double)messages;
	int64_t cpu = cpu_us(), started = clock_monotonic_us();
	struct telling t = { 0 };

	for (int64_t i = 0; i < messages; i++) {
		int64_t kib;

		publish(argv[5], argv[6]);
		for (run.frames = 0; run.frames < readers;)
			turn(argv[3]);
		kib = memory_kib();
		t.kib_most = kib > t.kib_most ? kib : t.kib_most;
	}
	t.messages = delivered * US_PER_S / (double)(clock_monotonic_us() - started);
	t.us = (double)(cpu_us() - cpu) / delivered;

	return t;
}

/* All in the room; microseconds. */
static int64_t open_all(char **argv)
{
	int64_t started = clock_monotonic_us();

	for (size_t opened = 0; run.joined < run.n;) {
		while (opened < run.n && opened - run.joined < AT_ONCE)
			open_client(&run.clients[opened++], argv[1], argv[2]);
		turn(argv[3]);
	}

	return clock_monotonic_us() - started;
}

/* As many descriptors as the host allows. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
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
