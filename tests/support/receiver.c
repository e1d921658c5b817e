/* Whoever gets webhooks: see receiver.h. One process listens, one more answers each connection; all
 * keep what they were sent in memory that the test shares. */
#include "support/receiver.h"

#include "support/servers.h"
#include "support/world.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX 256

static struct shared {
	_Atomic int status; /* of /told */
	_Atomic size_t len; /* requests that were begun to be kept */
	struct {
		_Atomic bool is_whole;
		char text[KIB(16)];
	} requests[REQUESTS_MAX];
} * shared;
static uint16_t port;

/*
 * The server
 */

static void say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void say_status(int fd, int status, const char *header)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "HTTP/1.1 %d Said\r\nX-Kept: yes\r\n%sContent-Length: 6\r\n\r\nheard\n",
		       status, header);
	say(fd, text);
}

/* The head, and what never ends behind it. */
static void say_forever(int fd, const char *head)
{
	char many[KIB(64)];

	memset(many, 'x', sizeof(many));
	say(fd, head);
	while (send(fd, many, sizeof(many), MSG_NOSIGNAL) > 0)
		;
}

/* Whether the connection goes on. */
static bool answer(int fd, const char *request)
{
	const char *path = strchr(request, ' ') + 1;
	char byte;

	if (strncmp(path, "/hang", 5) == 0)
		(void)recv(fd, &byte, 1, 0); /* until the other end gives up */
	else if (strncmp(path, "/torn", 5) == 0)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	else if (strncmp(path, "/endless", 8) == 0)
		say_forever(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	else if (strncmp(path, "/bytes", 6) == 0)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\x01z");
	else if (strncmp(path, "/strange", 8) == 0)
		say(fd, "220 mail.example.com ESMTP\r\n");
	else if (strncmp(path, "/header", 7) == 0)
		say_forever(fd, "HTTP/1.1 200 OK\r\nX-Long: ");
	else if (strncmp(path, "/gone", 5) == 0)
		say_status(fd, 410, "");
	else if (strncmp(path, "/later", 6) == 0)
		say_status(fd, 503, "Retry-After: 3600\r\n");
	else if (strncmp(path, "/redirect", 9) == 0)
		say_status(fd, 302, "Location: /told\r\n");
	else if (strncmp(path, "/told", 5) == 0) {
		say_status(fd, shared->status, "");
		return true;
	}

	return false;
}

static void keep(const char *request, size_t len)
{
	size_t i = atomic_fetch_add(&shared->len, 1);

	if (i >= REQUESTS_MAX || len >= sizeof(shared->requests[i].text))
		return;
	memcpy(shared->requests[i].text, request, len + 1);
	shared->requests[i].is_whole = true;
}

/* The length of the first whole request in text; 0: there is none yet. */
static size_t whole(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n"),
		   *length = strcasestr(text, "\r\nContent-Length:");
	size_t len;

	if (!end || !length)
		return 0;
	len = (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10);

	return strlen(text) >= len ? len : 0;
}

static void converse(int fd)
{
	static char text[KIB(16)];
	size_t have = 0, len;
	ssize_t n;

	for (;;) {
		n = recv(fd, text + have, sizeof(text) - 1 - have, 0);
		if (n <= 0)
			return;
		have += (size_t)n;
		text[have] = '\0';
		len = whole(text);
		if (!len)
			continue;
		text[len] = '\0';
		keep(text, len);
		if (!answer(fd, text))
			return;
		have = 0;
	}
}

static void serve(int listening)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			converse(fd);
			_exit(0);
		}
		close(fd);
	}
}

void receiver_start(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	world();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	cr_assert(shared != MAP_FAILED);
	shared->status = 200;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		  listen(fd, 64) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	port = ntohs(at.sin_port);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0)
		serve(fd);
	close(fd);
}

/*
 * The test's side
 */

const char *receiver_url(const char *path)
{
	return strf("http://127.0.0.1:%u%s", port, path);
}

void receiver_says(int status)
{
	shared->status = status;
}

size_t receiver_count(void)
{
	size_t n = 0;

	while (n < REQUESTS_MAX && shared->requests[n].is_whole)
		n++;

	return n;
}

static bool has_come(void *p)
{
	return receiver_count() >= *(const size_t *)p;
}

void receiver_await(size_t n)
{
	wait_until(has_come, &n, "the receiver to be called");
}

struct str receiver_head(size_t i)
{
	const char *text = shared->requests[i].text;

	cr_assert(i < receiver_count());

	return (struct str){ text, (size_t)(strstr(text, "\r\n\r\n") + 4 - text) };
}

struct str receiver_body(size_t i)
{
	return str_of(receiver_head(i).ptr + receiver_head(i).len);
}

const char *receiver_header(size_t i, const char *name)
{
	struct str head = receiver_head(i);
	const char *at = strcasestr(head.ptr, strf("\r\n%s: ", name));

	if (!at || at > head.ptr + head.len)
		return "";
	at += strlen(name) + 4;

	return strf("%.*s", (int)(strstr(at, "\r\n") - at), at);
}
