/*
 * One kept HTTP/1.1 connection that asks and waits for the answer: for benches that look at single
 * requests, where load.c looks at many. It ends the program with a word when something fails.
 */
#pragma once

#include "base/base.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_REPLY_MAX (64 * 1024)

struct asker {
	int fd;
	char reply[ASK_REPLY_MAX];
	int64_t sent_us, answered_us; /* of the last request; monotonic */
};

static inline void NORETURN ask_failed(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

/* "127.0.0.1:8080" */
static inline void ask_connect(struct asker *a, const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct str rest = str_of(address), host = str_cut(&rest, ':');
	char text[64];
	int64_t port;
	int one = 1;

	(void)snprintf(text, sizeof(text), "%.*s", STR_FMT(host));
	if (!rest.ptr || !str_to_i64(rest, 1, 65535, &port) ||
	    inet_pton(AF_INET, text, &to.sin_addr) != 1)
		ask_failed(address);
	to.sin_port = htons((uint16_t)port);
	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0 || connect(a->fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		ask_failed(address);
}

/* Whether the whole reply is there: its head, and a body as long as that says. */
static inline bool ask_is_whole(const char *reply, size_t have)
{
	const char *end = memmem(reply, have, "\r\n\r\n", 4);
	const char *length =
		end ? memmem(reply, (size_t)(end - reply), "Content-Length: ", 16) : NULL;
	struct str rest;
	int64_t body = 0;

	if (!end)
		return false;
	if (length) {
		rest = (struct str){ length + 16, have - (size_t)(length + 16 - reply) };
		if (!str_to_i64(str_cut(&rest, '\r'), 0, ASK_REPLY_MAX, &body))
			ask_failed("Content-Length");
	}

	return have >= (size_t)(end - reply) + 4 + (size_t)body;
}

/* The answer's status. request is a whole one, as it goes over the wire. */
static inline int ask(struct asker *a, const char *request)
{
	size_t have = 0, len = strlen(request);
	int64_t status;

	a->sent_us = clock_monotonic_us();
	if (send(a->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		ask_failed("send");
	do {
		ssize_t n = recv(a->fd, a->reply + have, sizeof(a->reply) - 1 - have, 0);

		if (n <= 0)
			ask_failed("the connection was closed");
		have += (size_t)n;
	} while (!ask_is_whole(a->reply, have));
	a->answered_us = clock_monotonic_us();
	a->reply[have] = '\0';
	if (have < 12 || !str_to_i64((struct str){ a->reply + 9, 3 }, 100, 599, &status))
		ask_failed("not a reply");

	return (int)status;
}

/* A request with a JSON body, in text. header: "Name: value\r\n" or empty. */
static inline void ask_write(char *text, size_t size, const char *method, const char *path,
			     const char *header, const char *body)
{
	int n = snprintf(text, size,
			 "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 method, path, header, strlen(body), body);

	if (n < 0 || (size_t)n >= size)
		ask_failed("a request is too long");
}
