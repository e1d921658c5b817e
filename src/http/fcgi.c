/*
 * A worker's loop over its kept connections, and one request on one of them: see fcgi.h.
 *
 * Connections are watched edge-triggered: half a request wakes nobody until more of it comes.
 * Between two requests libfcgi holds nothing of a connection, so at that moment it may go to
 * another worker.
 */
#include "http/fcgi.h"

#include "base/clock.h"
#include "http/fcgihead.h"
#include "prefork/supervisor.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define EVENTS_MAX      64
#define TICK_MS         1000 /* the watchdog sees the worker go round */
#define RETRY_MS        10   /* the master's queue was full */
#define QUIET_MS        100  /* at the last stop: nothing more comes */

#define PART_WAIT_US (10 * US_PER_S) /* for the rest of a request */
#define IO_WAIT_S    5               /* for the next bytes of a body, or for room to write */
#define BODY_WAIT_US (30 * US_PER_S) /* for all of a body */

/* What epoll says beside a connection's number. */
enum { EVENT_LISTENER = CONNECTIONS_MAX, EVENT_MASTER };

struct fcgi {
	FCGX_Request request;
	struct slot *slot;
	struct fcgi_head head;
	int64_t body_until_us; /* monotonic */
	bool body_late;
	bool answered;
	bool broken; /* the reply did not get through */
};

struct connection {
	int fd;           /* -1: free */
	int64_t heard_us; /* monotonic: when it last had a request */
	int64_t part_us;  /* monotonic: since when it owes the rest of a request; 0: it does not */
};

struct server {
	struct worker *w;
	void (*handle)(struct fcgi *f, void *p);
	void *p;
	int epoll;
	bool accepts;
	unsigned parts; /* connections that owe */
	struct connection connections[CONNECTIONS_MAX];
};

/* ---- one request ---- */

const char *fcgi_param(const struct fcgi *f, const char *name)
{
	return FCGX_GetParam(name, f->request.envp);
}

bool fcgi_params_fit(const struct fcgi *f)
{
	return f->head.params <= FCGI_PARAMS_MAX && f->head.params_bytes <= FCGI_PARAMS_BYTES_MAX;
}

/*
 * FCGX_GetStr() alone would wait for all of it, however slowly it comes; so it is asked only for
 * what has come, after FCGX_GetChar() has waited for one byte.
 */
bool fcgi_read(struct fcgi *f, char *p, size_t max, size_t *ret_len)
{
	FCGX_Stream *in = f->request.in;
	size_t len = 0, there;
	int c;

	while (len < max && !f->body_late && (c = FCGX_GetChar(in)) != EOF) {
		p[len++] = (char)c;
		there = (size_t)(in->stop - in->rdNext);
		if (there > max - len)
			there = max - len;
		len += (size_t)FCGX_GetStr(p + len, (int)there, in);
		f->body_late = clock_monotonic_us() > f->body_until_us;
	}
	*ret_len = len;

	return !f->body_late && FCGX_GetError(in) == 0;
}

/* What nobody read of the body, if only its end, would be taken for the next request. */
static void skip_body(struct fcgi *f)
{
	char scratch[8192];
	size_t n;

	while (fcgi_read(f, scratch, sizeof(scratch), &n) && n == sizeof(scratch))
		;
}

/* ---- the reply ---- */

struct record_head {
	uint8_t bytes[8];
};

static struct record_head record_head(unsigned type, int id, size_t content)
{
	return (struct record_head){ { FCGI_VERSION_1, (uint8_t)type, (uint8_t)(id >> 8),
				       (uint8_t)id, (uint8_t)(content >> 8), (uint8_t)content } };
}

static void end_records(int id, struct record_head ret[3])
{
	ret[0] = record_head(FCGI_STDOUT, id, 0);
	ret[1] = record_head(FCGI_END_REQUEST, id, 8);
	ret[2] = (struct record_head){ { 0 } }; /* application status 0, request complete */
}

/* All of it, or false: the peer is gone, or took nothing for IO_WAIT_S. */
static bool write_all(int fd, struct iovec *v, int n)
{
	while (n) {
		ssize_t done = writev(fd, v, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		for (; n && (size_t)done >= v->iov_len; v++, n--)
			done -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}

	return true;
}

static struct iovec take(struct str *from, size_t max)
{
	size_t n = from->len < max ? from->len : max;
	struct iovec v = { .iov_len = n };

	memcpy(&v.iov_base, &from->ptr, sizeof(v.iov_base)); /* writev() does not write to it */
	*from = (struct str){ from->ptr + n, from->len - n };

	return v;
}

/*
 * One write for every 64 KiB, where libfcgi's stream needs one for every 8: a list of a hundred
 * rows comes at once, and wakes nginx once.
 */
static bool send_reply(const struct fcgi *f, struct str head, struct str body, bool is_all)
{
	int fd = f->request.ipcFd, id = f->request.requestId;
	struct record_head content, end[3];
	bool is_last, sent;

	end_records(id, end);

	do {
		struct iovec v[4] = { { &content, sizeof(content) } };

		v[1] = take(&head, FCGI_MAX_LENGTH);
		v[2] = take(&body, FCGI_MAX_LENGTH - v[1].iov_len);
		content = record_head(FCGI_STDOUT, id, v[1].iov_len + v[2].iov_len);
		is_last = !head.len && !body.len;
		v[3] = (struct iovec){ end, is_last && is_all ? sizeof(end) : 0 };
		sent = write_all(fd, v, 4);
	} while (sent && !is_last);

	return sent;
}

void fcgi_write(struct fcgi *f, struct str head, struct str body)
{
	BUG_IF(f->answered || !head.len);
	skip_body(f);
	f->broken = !send_reply(f, head, body, true);
	f->answered = true;
}

/* A reply that goes on is no worker that hangs. */
static bool send_part(struct fcgi *f, struct str head, struct str part)
{
	slot_rest(f->slot);
	slot_begin(f->slot);
	f->broken = !send_reply(f, head, part, false);

	return !f->broken;
}

bool fcgi_begin(struct fcgi *f, struct str head, struct str part)
{
	BUG_IF(f->answered || !head.len);
	skip_body(f);
	f->answered = true;

	return send_part(f, head, part);
}

bool fcgi_more(struct fcgi *f, struct str part)
{
	return part.len == 0 || send_part(f, (struct str){ NULL, 0 }, part);
}

void fcgi_end(struct fcgi *f, bool is_whole)
{
	struct record_head end[3];
	struct iovec v = { end, sizeof(end) };

	end_records(f->request.requestId, end);
	f->broken = f->broken || !is_whole || !write_all(f->request.ipcFd, &v, 1);
}

/* ---- serving ---- */

/*
 * Reads the request on fd, which is there whole, and has it answered. False when the
 * connection is not to be used again.
 */
static bool serve_request(struct server *s, int fd, struct fcgi_head head)
{
	struct fcgi f = { .slot = s->w->slot,
			  .head = head,
			  .body_until_us = clock_monotonic_us() + BODY_WAIT_US };
	FCGX_Request *r = &f.request;
	bool keep;

	(void)FCGX_InitRequest(r, -1, 0); /* no listening socket: it must not accept by itself */
	r->ipcFd = fd;
	r->keepConnection = 1; /* or FCGX_Accept_r() begins by closing it */
	(void)FCGX_Detach(r);  /* if it must close after all: without waiting for the peer */
	if (FCGX_Accept_r(r) != 0)
		return false;

	s->handle(&f, s->p);
	BUG_IF(!f.answered);
	keep = r->keepConnection && !f.body_late && !f.broken && FCGX_GetError(r->in) == 0;
	FCGX_Free(r, 0);

	return keep;
}

/* ---- connections ---- */

static void owe(struct server *s, struct connection *c, bool owes)
{
	if (owes == (c->part_us != 0))
		return;

	c->part_us = owes ? clock_monotonic_us() : 0;
	s->parts = owes ? s->parts + 1 : s->parts - 1;
}

static void drop(struct server *s, struct connection *c)
{
	owe(s, c, false);
	/* Said to epoll, since the same connection may still be open in the worker that gave it. */
	(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	(void)close(c->fd);
	c->fd = -1;
	s->w->slot->connections--;
}

static struct connection *free_connection(struct server *s)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (s->connections[i].fd < 0)
			return &s->connections[i];

	return NULL;
}

/* Makes room: nginx notices that an idle connection closed, and forgets it. */
static void drop_most_silent(struct server *s)
{
	struct connection *silent = NULL;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &s->connections[i];

		if (c->fd >= 0 && (!silent || c->heard_us < silent->heard_us))
			silent = c;
	}
	if (silent)
		drop(s, silent);
}

/* NULL: it could not be watched, and is closed. */
static struct connection *adopt(struct server *s, int fd)
{
	struct timeval wait = { .tv_sec = IO_WAIT_S };
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };
	struct connection *c;

	if (s->w->slot->connections == CONNECTIONS_MAX)
		drop_most_silent(s);
	c = free_connection(s);
	e.data.u32 = (uint32_t)(c - s->connections);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
		(void)close(fd);
		return NULL;
	}

	*c = (struct connection){ .fd = fd, .heard_us = clock_monotonic_us() };
	s->w->slot->connections++;

	return c;
}

/* One connection, so that those that come together are shared among the workers. */
static bool accept_one(struct server *s)
{
	int fd = accept4(s->w->pool->listen_fd, NULL, NULL, SOCK_CLOEXEC), on = 1;
	struct connection *c;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		drop_most_silent(s);
	if (fd < 0)
		return false;

	/* Over TCP the last part of a long reply does not wait for an acknowledgement; over Unix it
	 * says no. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = adopt(s, fd);
	if (c && s->w->order == ORDER_SERVE && worker_is_crowded(s->w) && worker_give(s->w, fd))
		drop(s, c);

	return true;
}

/* Serves what the connection has to say; its peer may have said that it says no more. */
static void hear(struct server *s, struct connection *c, bool is_last)
{
	static uint8_t bytes[FCGI_HEAD_MAX];
	struct fcgi_head head;
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	enum head_state state;
	bool keep;

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	state = n <= 0 ? HEAD_WRONG : fcgi_head_look(bytes, (size_t)n, &head);
	if (state == HEAD_PART) {
		owe(s, c, true);
		return;
	}
	if (state == HEAD_WRONG) {
		drop(s, c);
		return;
	}

	owe(s, c, false);
	slot_begin(s->w->slot);
	keep = serve_request(s, c->fd, head);
	slot_rest(s->w->slot);
	c->heard_us = clock_monotonic_us();
	if (!keep || is_last || s->w->order == ORDER_STOP)
		drop(s, c);
}

static void drop_late(struct server *s)
{
	int64_t now = clock_monotonic_us();

	for (size_t i = 0; i < CONNECTIONS_MAX && s->parts; i++) {
		struct connection *c = &s->connections[i];

		if (c->fd >= 0 && c->part_us && now - c->part_us > PART_WAIT_US)
			drop(s, c);
	}
}

/* ---- the loop ---- */

static void watch(struct server *s, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event e = { .events = events, .data.u32 = what };

	BUG_IF(epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0);
}

static void server_init(struct server *s)
{
	BUG_IF(FCGX_Init() != 0);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		s->connections[i].fd = -1;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	BUG_IF(s->epoll < 0);
	watch(s, s->w->wake_fd, EPOLLIN, EVENT_MASTER);
	/* EXCLUSIVE: a new connection wakes one worker, not all. */
	watch(s, s->w->pool->listen_fd, EPOLLIN | EPOLLEXCLUSIVE, EVENT_LISTENER);
	s->accepts = true;
}

static void hear_master(struct server *s)
{
	int fd;

	while ((fd = worker_listen(s->w)) >= 0)
		(void)adopt(s, fd);
	if (s->w->order ==
	    ORDER_STOP) /* its last word; a channel that is closed would wake for ever */
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->w->wake_fd, NULL);
}

/* No more new ones; at the last stop of a socket of our own, after all that wait in it. */
static void stop_accepting(struct server *s)
{
	if (!s->accepts)
		return;

	s->accepts = false;
	(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->w->pool->listen_fd, NULL);
	if (s->w->order == ORDER_STOP && s->w->pool->listen_path)
		while (accept_one(s))
			;
}

/* Connections go to the others of the pool; false when some could not yet. */
static bool hand_over(struct server *s)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &s->connections[i];

		if (c->fd < 0)
			continue;
		if (!worker_give(s->w, c->fd))
			return false;
		drop(s, c);
	}

	return true;
}

static int wait_ms(const struct server *s)
{
	switch (s->w->order) {
	case ORDER_SERVE: return TICK_MS;
	case ORDER_LEAVE: return RETRY_MS;
	case ORDER_STOP: return QUIET_MS;
	}
	BUG("an order that is none");
}

static void dispatch(struct server *s, const struct epoll_event *e)
{
	uint32_t what = e->data.u32;

	if (what == EVENT_MASTER)
		hear_master(s);
	else if (what == EVENT_LISTENER)
		(void)accept_one(s);
	else if (s->connections[what].fd >= 0) /* not dropped earlier in this round */
		hear(s, &s->connections[what], e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

/* Once round; false when there is nothing left to do. */
static bool go_round(struct server *s)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(s->epoll, events, EVENTS_MAX, wait_ms(s));

	worker_alive(s->w);
	for (int i = 0; i < n; i++)
		dispatch(s, &events[i]);
	drop_late(s);

	if (s->w->order == ORDER_SERVE) {
		if (worker_is_due(s->w))
			worker_ask_successor(s->w);
		return true;
	}
	stop_accepting(s);

	return s->w->order == ORDER_LEAVE ? !hand_over(s) : n != 0;
}

int fcgi_serve(struct worker *w, void (*handle)(struct fcgi *f, void *p), void *p)
{
	static struct server s; /* a process serves once */

	s = (struct server){ .w = w, .handle = handle, .p = p };
	server_init(&s);
	worker_ready(w);
	while (go_round(&s))
		;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (s.connections[i].fd >= 0)
			drop(&s, &s.connections[i]);
	(void)close(s.epoll);

	return 0;
}
