/*
 * A load generator that counts for each connection: throughput tools hide starvation.
 *
 *	load -a 127.0.0.1:8080 -c 32 -d 5 -s 200 -p nginx=PIDFILE,zygo=PIDFILE requests.http
 *
 * Keeps -c HTTP/1.1 connections busy for -d seconds with the requests of the file, in turn: raw
 * requests, each ended by a line "%%". Within them {n} becomes eight digits that never repeat. With
 * -u each request is sent once, for what is good once, and the run may end before its time. Answers
 * must have status -s, or count as errors. -p names the processes whose CPU time is reported: the
 * one in each pid file and all its descendants.
 *
 * Prints one line of name=value: requests, rps, errors, p50 and p99 in microseconds, worst: the
 * longest that any connection waited, fewest: the fewest answers that any got, and the CPU
 * microseconds a request of each -p.
 */
#define ZYGO_MAY_ALLOCATE
#include "base/base.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX      65536
#define REQUEST_BYTES_MAX 8192
#define REPLY_BYTES_MAX   (256 * 1024)
#define FILE_BYTES_MAX    MIB(32)
#define LATENCIES_MAX     4000000
#define GROUPS_MAX        8
#define PROCESSES_MAX     1024

struct conn {
	int fd;
	size_t next; /* index of its next request */
	int64_t sent_us;
	int64_t worst_us;
	uint64_t answers;
	char *reply;
	size_t have;
};

struct group {
	char name[32];
	int pid;
	int64_t before_us, after_us;
};

static struct {
	struct sockaddr_in address;
	size_t conns;
	int seconds;
	int status;
	bool once; /* -u */
	char *requests[REQUESTS_MAX];
	size_t requests_len;
	size_t used; /* with once: how many of them were sent */
	size_t idle; /* with once: connections that have nothing more to send */
	struct group groups[GROUPS_MAX];
	size_t groups_len;
	uint32_t *latencies;
	size_t latencies_len;
	uint64_t errors;
	unsigned serial;
} g;

static void NORETURN die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *read_file(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, FILE_BYTES_MAX);
	ssize_t n;

	if (fd < 0 || !text)
		die(path);
	n = read(fd, text, FILE_BYTES_MAX - 1);
	if (n < 0)
		die(path);
	text[n] = '\0';

	return text;
}

static void read_requests(const char *path)
{
	char *at = read_file(path);

	while (*at && g.requests_len < REQUESTS_MAX) {
		char *end = strstr(at, "%%\n");

		g.requests[g.requests_len++] = at;
		if (!end)
			return;
		*end = '\0';
		at = end + 3;
	}
}

/* "nginx=/path/nginx.pid,…" */
static void read_groups(const char *spec)
{
	struct str rest = str_of(spec);

	for (struct str part = str_cut(&rest, ','); part.ptr; part = str_cut(&rest, ',')) {
		struct group *group = &g.groups[g.groups_len];
		struct str name = str_cut(&part, '=');
		char path[512];
		char *text;
		int64_t pid;

		if (g.groups_len == GROUPS_MAX || !part.ptr)
			die("-p");
		snprintf(path, sizeof(path), "%.*s", STR_FMT(part));
		snprintf(group->name, sizeof(group->name), "%.*s", STR_FMT(name));
		text = read_file(path);
		text[strcspn(text, "\n")] = '\0';
		if (!str_to_i64(str_of(text), 1, INT32_MAX, &pid))
			die(path);
		group->pid = (int)pid;
		g.groups_len++;
		free(text);
	}
}

/*
 * CPU
 */

struct process {
	int pid, parent;
	int64_t ticks;
};

/* Fields of /proc/PID/stat after the name, which may hold anything: 2 is the parent, 12–15 user and
 * system time, own and children's. */
static bool read_process(int pid, struct process *ret)
{
	char path[64];
	char line[1024];
	_cleanup_(closep) int fd = -1;
	struct str rest;
	int64_t field;
	ssize_t n;
	char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		return false;
	line[n] = '\0';
	name_end = strrchr(line, ')');
	if (!name_end)
		return false;
	*ret = (struct process){ .pid = pid };
	rest = str_of(name_end + 2);
	for (int i = 0; i < 15; i++) {
		if (!str_to_i64(str_cut(&rest, ' '), INT64_MIN, INT64_MAX, &field))
			continue; /* the state is a letter */
		if (i == 1)
			ret->parent = (int)field;
		else if (i >= 11 && i <= 14)
			ret->ticks += field;
	}

	return true;
}

static bool descends_from(const struct process *all, size_t n, int pid, int ancestor)
{
	while (pid > 1 && pid != ancestor) {
		int parent = 0;

		for (size_t i = 0; i < n; i++)
			if (all[i].pid == pid)
				parent = all[i].parent;
		pid = parent;
	}

	return pid == ancestor;
}

static int64_t cpu_us(int ancestor)
{
	static struct process all[PROCESSES_MAX];
	size_t n = 0;
	int64_t ticks = 0, pid;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir)) && n < PROCESSES_MAX)
		if (str_to_i64(str_of(entry->d_name), 1, INT32_MAX, &pid))
			n += read_process((int)pid, &all[n]);
	closedir(dir);

	for (size_t i = 0; i < n; i++)
		if (descends_from(all, n, all[i].pid, ancestor))
			ticks += all[i].ticks;

	return ticks * (US_PER_S / sysconf(_SC_CLK_TCK));
}

/*
 * Connections
 */

/* NULL: each was sent. */
static const char *next_request(struct conn *c)
{
	if (!g.once)
		return g.requests[c->next++ % g.requests_len];

	return g.used < g.requests_len ? g.requests[g.used++] : NULL;
}

static void send_next(struct conn *c)
{
	char request[REQUEST_BYTES_MAX];
	const char *from = next_request(c);
	size_t len;
	char *at;

	if (!from) {
		g.idle++;
		return;
	}
	len = strlen(from);
	if (len >= sizeof(request))
		die("a request is too long");
	memcpy(request, from, len + 1);
	while ((at = strstr(request, "{n}"))) {
		char digits[9];

		/* The three bytes become eight; the file's Content-Length says so. */
		snprintf(digits, sizeof(digits), "%08u", g.serial++ % 100000000u);
		if (len + 5 >= sizeof(request))
			die("a request is too long");
		memmove(at + 8, at + 3, len - (size_t)(at - request) - 3 + 1);
		memcpy(at, digits, 8);
		len += 5;
	}
	c->have = 0;
	c->sent_us = clock_monotonic_us();
	if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		g.errors++;
}

/* Bytes of a whole reply that stands at the start of what was read; 0: more is to come. */
static size_t whole_reply(const struct conn *c, int *ret_status)
{
	const char *head_end = memmem(c->reply, c->have, "\r\n\r\n", 4);
	const char *length;
	size_t head;
	int64_t body = 0, status;

	if (!head_end || c->have < 12)
		return 0;
	head = (size_t)(head_end - c->reply) + 4;
	if (!str_to_i64((struct str){ c->reply + 9, 3 }, 100, 599, &status))
		die("not a reply");
	*ret_status = (int)status;
	length = memmem(c->reply, head, "Content-Length: ", 16);
	if (length) {
		struct str rest = { length + 16, head - (size_t)(length + 16 - c->reply) };

		if (!str_to_i64(str_cut(&rest, '\r'), 0, REPLY_BYTES_MAX, &body))
			die("Content-Length");
		return c->have >= head + (size_t)body ? head + (size_t)body : 0;
	}
	if (memmem(c->reply, head, "chunked", 7)) /* nginx, where the length was not said */
		return c->have >= head + 5 && memcmp(c->reply + c->have - 5, "0\r\n\r\n", 5) == 0
			       ? c->have
			       : 0;

	return head;
}

static void open_conn(struct conn *c, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&g.address, sizeof(g.address)) != 0)
		die("connect");
	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		die("socket");
}

static void answered(struct conn *c, int status)
{
	int64_t us = clock_monotonic_us() - c->sent_us;

	if (status != g.status) {
		if (g.errors++ < 3)
			fprintf(stderr, "load: %.*s\n", (int)c->have, c->reply);
	}
	if (us > c->worst_us)
		c->worst_us = us;
	c->answers++;
	if (g.latencies_len < LATENCIES_MAX)
		g.latencies[g.latencies_len++] = (uint32_t)us;
}

static void receive(struct conn *c, int epoll, bool is_over)
{
	ssize_t n = recv(c->fd, c->reply + c->have, REPLY_BYTES_MAX - c->have, 0);
	int status = 0;

	if (n <= 0) { /* nginx closes after keepalive_requests: not an error unless a request was
			 cut off */
		close(c->fd);
		open_conn(c, epoll);
		if (c->have)
			g.errors++;
		send_next(c);
		return;
	}
	c->have += (size_t)n;
	if (whole_reply(c, &status) == 0)
		return;
	answered(c, status);
	if (!is_over)
		send_next(c);
}

static void run(struct conn *conns)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int64_t end = clock_monotonic_us() + g.seconds * US_PER_S;
	struct epoll_event events[64];

	for (size_t i = 0; i < g.conns; i++) {
		conns[i].reply = calloc(1, REPLY_BYTES_MAX);
		if (!conns[i].reply)
			die("memory");
		conns[i].next = i;
		open_conn(&conns[i], epoll);
		send_next(&conns[i]);
	}
	while (clock_monotonic_us() < end && g.idle < g.conns) {
		int n = epoll_wait(epoll, events, ARRAY_LEN(events), 100);

		for (int i = 0; i < n; i++)
			receive(events[i].data.ptr, epoll, clock_monotonic_us() >= end);
	}
	close(epoll);
}

/*
 * Report
 */

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t percentile(unsigned permille)
{
	return g.latencies_len ? g.latencies[(g.latencies_len - 1) * permille / 1000] : 0;
}

static void report(const struct conn *conns, int64_t us)
{
	uint64_t fewest = UINT64_MAX, requests = 0;
	int64_t worst = 0;

	for (size_t i = 0; i < g.conns; i++) {
		requests += conns[i].answers;
		fewest = conns[i].answers < fewest ? conns[i].answers : fewest;
		worst = conns[i].worst_us > worst ? conns[i].worst_us : worst;
	}
	qsort(g.latencies, g.latencies_len, sizeof(*g.latencies), by_value);
	printf("requests=%" PRIu64 " rps=%" PRId64 " errors=%" PRIu64, requests,
	       (int64_t)requests * US_PER_S / us, g.errors);
	printf(" p50=%u p99=%u worst=%" PRId64 " fewest=%" PRIu64, percentile(500), percentile(990),
	       worst, fewest);
	for (size_t i = 0; i < g.groups_len; i++)
		printf(" %s=%.1f", g.groups[i].name,
		       (double)(g.groups[i].after_us - g.groups[i].before_us) /
			       (double)(requests ? requests : 1));
	printf("\n");
}

static void usage(void)
{
	fprintf(stderr,
		"usage: load -a ADDRESS:PORT [-c CONNECTIONS] [-d SECONDS] [-s STATUS] [-u] [-p NAME=PIDFILE,…] FILE\n");
	exit(2);
}

static int64_t number(const char *text)
{
	int64_t n;

	if (!str_to_i64(str_of(text), 1, 100000, &n))
		usage();

	return n;
}

static void read_arguments(int argc, char **argv)
{
	struct str rest, address;
	char host[64];
	int opt;

	g.conns = 32;
	g.seconds = 5;
	g.status = 200;
	while ((opt = getopt(argc, argv, "a:c:d:s:p:u")) != -1) {
		switch (opt) {
		case 'a':
			rest = str_of(optarg);
			address = str_cut(&rest, ':');
			snprintf(host, sizeof(host), "%.*s", STR_FMT(address));
			g.address.sin_family = AF_INET;
			g.address.sin_port = htons((uint16_t)number(rest.ptr ? rest.ptr : ""));
			if (inet_pton(AF_INET, host, &g.address.sin_addr) != 1)
				usage();
			break;
		case 'c': g.conns = (size_t)number(optarg); break;
		case 'd': g.seconds = (int)number(optarg); break;
		case 's': g.status = (int)number(optarg); break;
		case 'p': read_groups(optarg); break;
		case 'u': g.once = true; break;
		default: usage();
		}
	}
	if (optind + 1 != argc || g.address.sin_port == 0)
		usage();
	read_requests(argv[optind]);
}

int main(int argc, char **argv)
{
	struct conn *conns;
	int64_t start;

	read_arguments(argc, argv);
	conns = calloc(g.conns, sizeof(*conns));
	g.latencies = calloc(LATENCIES_MAX, sizeof(*g.latencies));
	if (!conns || !g.latencies || g.requests_len == 0)
		die("nothing to do");
	g.serial = (unsigned)(clock_now_us() / 1000 % 90000) * 1000;

	for (size_t i = 0; i < g.groups_len; i++)
		g.groups[i].before_us = cpu_us(g.groups[i].pid);
	start = clock_monotonic_us();
	run(conns);
	for (size_t i = 0; i < g.groups_len; i++)
		g.groups[i].after_us = cpu_us(g.groups[i].pid);
	report(conns, clock_monotonic_us() - start);

	return g.errors ? 1 : 0;
}
