/*
 * Whoever gets webhooks, for scripts/bench-webhooks: answers each POST with 200 so many
 * milliseconds later, 0 at once, and does next to nothing else.
 *
 *	sink PORT DELAY-MS
 *
 * It listens on every address of 127.0.0.0/8, so each endpoint can have a host of its own.
 *
 *	GET /        received=… under_way_max=… first_us=… last_us=…
 *	GET /marks   a line "N us" for each body that had "mark-N" in it, in the order they came
 *	GET /reset   the same as /, and counts anew
 *
 * Times are CLOCK_MONOTONIC's, which all processes of a host share.
 */
#define ZYGO_MAY_ALLOCATE
#include "base/base.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX     8192
#define REQUEST_MAX KIB(8)
#define EVENTS_MAX  256
#define MARKS_MAX   KIB(256)

#define ANSWER                                                                                     \
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: sink\r\n"                          \
	"Content-Length: 3\r\n\r\nok\n"

/* By its descriptor. */
struct sender {
	size_t have;
	int64_t due_us; /* when its request is answered; 0: it has none under way */
	char got[REQUEST_MAX + 1];
};

/* Requests that wait for their answer, the oldest first: the delay is the same for all. A sender
 * has one of them at a time; one that is gone is passed over. */
struct waiting {
	int fd;
	int64_t due_us;
};

static struct {
	int epoll, listener;
	int64_t delay_us;
	struct sender *senders;
	struct waiting queue[FDS_MAX];
	uint64_t queue_begin, queue_end;
	uint64_t received, under_way, under_way_max;
	int64_t first_us, last_us;
	struct buf marks;
} sink;

static void NORETURN die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(sink.epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll_ctl");
}

static void listen_there(int64_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_ANY) };
	int one = 1;

	sink.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sink.listener < 0 ||
	    setsockopt(sink.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(sink.listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(sink.listener, 4096) != 0)
		die("listen");
	watch(sink.listener);
}

static void accept_all(void)
{
	int fd, one = 1;

	while ((fd = accept4(sink.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= FDS_MAX)
			die("too many connections");
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		sink.senders[fd].have = 0;
		sink.senders[fd].due_us = 0;
		watch(fd);
	}
}

static void let_go(int fd)
{
	if (sink.senders[fd].due_us)
		sink.under_way--;
	sink.senders[fd].due_us = 0;
	close(fd);
}

static void answer(int fd, const char *text, size_t len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len && errno != EPIPE &&
	    errno != ECONNRESET)
		die("send");
}

/* ---- what is asked ---- */

static void count_anew(void)
{
	sink.received = sink.under_way_max = 0;
	sink.first_us = sink.last_us = 0;
	buf_reset(&sink.marks);
}

static void tell(int fd, const char *request)
{
	bool wants_marks = str_starts(str_of(request), "GET /marks");
	char line[256], head[128];
	int len = snprintf(
		line, sizeof(line), "received=%llu under_way_max=%llu first_us=%lld last_us=%lld\n",
		(unsigned long long)sink.received, (unsigned long long)sink.under_way_max,
		(long long)sink.first_us, (long long)sink.last_us);
	struct str body = wants_marks ? buf_view(&sink.marks) : (struct str){ line, (size_t)len };

	len = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		       body.len);
	answer(fd, head, (size_t)len);
	answer(fd, body.ptr, body.len);
	if (str_starts(str_of(request), "GET /reset"))
		count_anew();
}

/* ---- what is sent ---- */

static void note(const char *body, int64_t now_us)
{
	const char *mark = strstr(body, "mark-");
	int64_t n;
	size_t digits;

	if (!sink.received++)
		sink.first_us = now_us;
	sink.last_us = now_us;
	if (!mark)
		return;

	digits = strspn(mark + 5, "0123456789");
	if (str_to_i64((struct str){ mark + 5, digits }, 0, INT32_MAX, &n))
		buf_printf(&sink.marks, "%lld %lld\n", (long long)n, (long long)now_us);
}

static void take_post(int fd, const char *body)
{
	int64_t now_us = clock_monotonic_us();

	note(body, now_us);
	if (!sink.delay_us) {
		answer(fd, ANSWER, sizeof(ANSWER) - 1);
		return;
	}
	sink.senders[fd].due_us = now_us + sink.delay_us;
	sink.queue[sink.queue_end++ % FDS_MAX] = (struct waiting){ fd, now_us + sink.delay_us };
	if (++sink.under_way > sink.under_way_max)
		sink.under_way_max = sink.under_way;
}

/* The length of the first request, 0: it is not whole yet. *ret_body: where its body begins. */
static size_t whole(const char *got, size_t have, size_t *ret_body)
{
	const char *end = memmem(got, have, "\r\n\r\n", 4), *length;
	int64_t n = 0;

	if (!end)
		return 0;
	*ret_body = (size_t)(end + 4 - got);
	length = strcasestr(got, "\r\nContent-Length:");
	if (length && length < end) {
		length += strcspn(length, "0123456789");
		if (!str_to_i64((struct str){ length, strspn(length, "0123456789") }, 0,
				REQUEST_MAX, &n))
			die("Content-Length");
	}

	return have >= *ret_body + (size_t)n ? *ret_body + (size_t)n : 0;
}

static void hear(int fd)
{
	struct sender *s = &sink.senders[fd];
	ssize_t n = recv(fd, s->got + s->have, REQUEST_MAX - s->have, 0);
	size_t body = 0;

	if (n <= 0) {
		let_go(fd);
		return;
	}
	s->have += (size_t)n;
	s->got[s->have] = '\0';
	if (whole(s->got, s->have, &body) != s->have) {
		if (s->have == REQUEST_MAX)
			die("a request is too long");
		return;
	}

	s->have = 0;
	if (s->got[0] == 'G')
		tell(fd, s->got);
	else
		take_post(fd, s->got + body);
}

/* Answers all whose time has come; milliseconds until the next, -1: there is none. */
static int answer_those_due(void)
{
	int64_t now_us = clock_monotonic_us();

	for (; sink.queue_begin < sink.queue_end; sink.queue_begin++) {
		const struct waiting *w = &sink.queue[sink.queue_begin % FDS_MAX];
		struct sender *s = &sink.senders[w->fd];

		if (s->due_us != w->due_us)
			continue; /* it is gone */
		if (w->due_us > now_us)
			return (int)((w->due_us - now_us) / US_PER_MS) + 1;
		s->due_us = 0;
		sink.under_way--;
		answer(w->fd, ANSWER, sizeof(ANSWER) - 1);
	}

	return -1;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t port, delay_ms;

	if (argc != 3 || !str_to_i64(str_of(argv[1]), 1, 65535, &port) ||
	    !str_to_i64(str_of(argv[2]), 0, 60000, &delay_ms)) {
		(void)fputs("usage: sink PORT DELAY-MS\n", stderr);
		return 2;
	}
	sink.delay_us = delay_ms * US_PER_MS;
	sink.epoll = epoll_create1(EPOLL_CLOEXEC);
	sink.senders = calloc(FDS_MAX, sizeof(*sink.senders));
	BUG_IF(!sink.senders || sink.epoll < 0);
	buf_init_heap(&sink.marks, MARKS_MAX);
	listen_there(port);

	for (;;) {
		int n = epoll_wait(sink.epoll, events, EVENTS_MAX, answer_those_due());

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == sink.listener)
				accept_all();
			else
				hear(events[i].data.fd);
		}
	}
}
