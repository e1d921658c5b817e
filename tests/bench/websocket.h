/*
 * Many WebSockets of one program: what sockets.c and rush.c share. They speak to the Unix socket of
 * a server, never wait for a single answer, and look at no byte of what comes but the head of each
 * frame. What fails ends the program with a word.
 */
#pragma once

#include "base/base.h"
#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE 65536

enum client_stage { SHAKES_HANDS, JOINS, IS_IN };

struct client {
	int fd;
	enum client_stage stage;
	size_t need; /* bytes of a frame that are still to come */
	unsigned char head[4];
	size_t head_len;
	const char *room;
	int64_t began_us; /* monotonic */
	uint64_t frames;  /* heard in its room */
};

static inline void NORETURN die(const char *what)
{
	perror(what);
	exit(1);
}

/* -1: as many wait there as may. */
static inline int connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const void *p = &at;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, p, sizeof(at)) == 0 && fcntl(fd, F_SETFL, 0) == 0)
		return fd;
	if (fd < 0 || errno != EAGAIN)
		die(path);
	(void)close(fd);

	return -1;
}

static inline void send_text(int fd, const char *text, size_t len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
}

/* As many descriptors as the host allows. */
static inline void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* ---- what the server's processes have used (proc(5)); pids ends with NULL ---- */

static inline int64_t sum_of(char **pids, const char *file, int64_t (*value_of)(const char *line))
{
	int64_t sum = 0;

	for (char **pid = pids; *pid; pid++) {
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

/* User and system time. */
static inline int64_t ticks_of(const char *stat)
{
	struct str rest = str_of(strrchr(stat, ')') + 2), word;
	int64_t sum = 0, n;

	for (int field = 3; (word = str_cut(&rest, ' ')).ptr; field++)
		if ((field == 14 || field == 15) && str_to_i64(word, 0, INT64_MAX, &n))
			sum += n;

	return sum;
}

static inline int64_t cpu_us(char **pids)
{
	return sum_of(pids, "stat", ticks_of) * US_PER_S / sysconf(_SC_CLK_TCK);
}

/* ---- clients ---- */

/* False: it cannot now. */
static inline bool open_client(struct client *c, int epoll, const char *path, const char *target,
			       const char *room)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	char text[8192];
	int n = snprintf(
		text, sizeof(text),
		"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n\r\n",
		target);

	*c = (struct client){ .room = room, .began_us = clock_monotonic_us() };
	c->fd = connect_to(path);
	if (c->fd < 0)
		return false;
	send_text(c->fd, text, (size_t)n);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		die("epoll_ctl");

	return true;
}

static inline void say_room(const struct client *c)
{
	char frame[512];
	int n = snprintf(frame + 8, sizeof(frame) - 8, "{\"type\":\"subscribe\",\"room\":\"%s\"}",
			 c->room);

	frame[0] = (char)0x81;
	frame[1] = (char)(0x80 | 126);
	frame[2] = (char)(n >> 8);
	frame[3] = (char)n;
	memset(frame + 4, 0, 4); /* a mask that changes nothing */
	send_text(c->fd, frame, (size_t)n + 8);
}

/* One whole frame has come: the first says hello, the second that it is in the room. Whether we
 * live is asked as well. */
static inline void take_frame(struct client *c, void (*heard)(struct client *c))
{
	if (c->head[0] == 0x89) {
		send_text(c->fd, "\x8a\x80\0\0\0\0", 6);
		return;
	}
	switch (c->stage) {
	case SHAKES_HANDS:
		say_room(c);
		c->stage = JOINS;
		return;
	case JOINS: c->stage = IS_IN; break;
	case IS_IN: c->frames++; break;
	}
	heard(c);
}

/* Frames of the server, whose bytes nobody looks at. */
static inline void take_bytes(struct client *c, const unsigned char *p, size_t len,
			      void (*heard)(struct client *c))
{
	while (len) {
		size_t n;

		if (c->need) {
			n = c->need < len ? c->need : len;
			c->need -= n;
			p += n;
			len -= n;
			if (!c->need)
				take_frame(c, heard);
			continue;
		}
		c->head[c->head_len++] = *p++;
		len--;
		if (c->head_len < 2 || (c->head[1] == 126 && c->head_len < 4))
			continue;
		c->need = c->head[1] == 126 ? (size_t)c->head[2] << 8 | c->head[3] : c->head[1];
		c->head_len = 0;
		if (!c->need)
			take_frame(c, heard);
	}
}

/*
 * Reads what has come. heard: the client is in its room now (frames 0), or has heard one frame
 * more there.
 */
static inline void hear(struct client *c, void (*heard)(struct client *c))
{
	static unsigned char piece[PIECE];
	ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
	const unsigned char *at = piece;

	if (n <= 0)
		die("the server has closed");
	if (c->head_len == 0 && !c->need && c->stage == SHAKES_HANDS &&
	    memcmp(piece, "HTTP", 4) == 0) {
		at = memmem(piece, (size_t)n, "\r\n\r\n", 4);
		if (!at)
			die("half a handshake");
		at += 4;
	}
	take_bytes(c, at, (size_t)(piece + n - at), heard);
}

/* ---- telling ---- */

static inline void publish(int redis, const char *channel, const char *message)
{
	static char text[PIECE];
	char answer[64];
	int n = snprintf(text, sizeof(text), "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n",
			 strlen(channel), channel, strlen(message), message);

	send_text(redis, text, (size_t)n);
	if (recv(redis, answer, sizeof(answer), 0) <= 0)
		die("redis");
}
