/*
 * Many POSTs at once: see courier.h.
 *
 * libcurl's sockets are in an epoll set, and only those that moved are looked at:
 * curl_multi_perform() looks at all, which with 2,000 under way was most of what each cost.
 */
#include "net/courier.h"

#include "net/transfer_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_MAX   KIB(64) /* of an answer is read; what is longer ends there */
#define PARCEL_MAX MIB(4)  /* URL and body */
#define FDS_MAX    4
#define EVENTS_MAX 256
#define ROOM_KEPT  KIB(64) /* of a copy, for the next parcel */

/* One parcel on its way, or none. */
struct flight {
	struct flight *next; /* in the list of those that are free */
	CURL *curl;          /* made when first needed, used again */
	struct watch watch;
	struct curl_slist *headers;
	struct buf parcel; /* the URL with its NUL, then the body */
	struct buf answer;
	size_t read; /* bytes of the answer so far */
	void *owner;
};

struct courier {
	struct arena *arena;
	CURLM *multi;
	int epoll;            /* its sockets */
	int64_t wanted_at_us; /* when libcurl wants to be called without one of them having moved;
				monotonic; -1: not */
	struct flight *flights, *free;
	unsigned max, under_way;
	struct flight *taken; /* whose receipt was given out last */
	struct receipt receipt;
};

/*
 * What libcurl waits for
 */

/*
 * CURLMOPT_SOCKETFUNCTION. known: it is in the set already, as far as libcurl knows: until 8.1 it
 * closed sockets that were connecting without a word, and the next one may have the same number.
 * Whatever cannot be watched is out of time in the end.
 */
static int watch_socket(CURL *curl UNUSED, curl_socket_t fd, int what, void *p, void *known)
{
	struct courier *c = p;
	struct epoll_event e = { .data.fd = fd };

	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	e.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (epoll_ctl(c->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
		(void)epoll_ctl(c->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
	(void)curl_multi_assign(c->multi, fd, c);

	return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int set_timer(CURLM *multi UNUSED, long timeout_ms, void *p)
{
	struct courier *c = p;

	c->wanted_at_us = timeout_ms < 0 ? -1 : clock_monotonic_us() + timeout_ms * US_PER_MS;

	return 0;
}

/* No more connections than parcels may be under way: for a new one the oldest that rests is closed.
 * Left alone libcurl keeps four times as many, which is more than there are descriptors. */
static CURLM *multi_new(struct courier *c)
{
	CURLM *multi = curl_multi_init();

	BUG_IF(!multi);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)c->max);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->max);

	return multi;
}

struct courier *courier_new(unsigned max)
{
	struct arena *a = arena_new();
	struct courier *c = arena_make(a, struct courier);

	*c = (struct courier){ .arena = a, .max = max, .wanted_at_us = -1 };
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	BUG_IF(c->epoll < 0);
	c->multi = multi_new(c);
	c->flights = arena_make_n(a, struct flight, max);
	for (unsigned i = max; i > 0; i--) {
		struct flight *f = &c->flights[i - 1];

		buf_init_heap(&f->parcel, PARCEL_MAX);
		buf_init_heap(&f->answer, COURIER_BODY_MAX);
		f->next = c->free;
		c->free = f;
	}

	return c;
}

void courier_free(struct courier *c)
{
	if (!c)
		return;

	for (unsigned i = 0; i < c->max; i++) {
		struct flight *f = &c->flights[i];

		if (f->curl) {
			(void)curl_multi_remove_handle(c->multi, f->curl);
			curl_easy_cleanup(f->curl);
		}
		curl_slist_free_all(f->headers);
		buf_done(&f->parcel);
		buf_done(&f->answer);
	}
	(void)curl_multi_cleanup(c->multi);
	close(c->epoll);
	arena_free(c->arena);
}

unsigned courier_under_way(const struct courier *c)
{
	return c->under_way;
}

unsigned courier_room(const struct courier *c)
{
	return c->max - c->under_way;
}

/*
 * Sending
 */

/* Keeps the beginning, reads on for a while, so that the connection can be used again, and gives up
 * what does not end: CURLE_WRITE_ERROR. */
static size_t take_answer(char *data, size_t size, size_t n, void *p)
{
	struct flight *f = p;
	size_t len = size * n, room = f->answer.max - f->answer.len;

	buf_add(&f->answer, data, len < room ? len : room);
	f->read += len;

	return f->read <= READ_MAX ? len : 0;
}

static void add_header(struct flight *f, const char *header)
{
	struct curl_slist *longer = curl_slist_append(f->headers, header);

	BUG_IF(!longer);
	f->headers = longer;
}

void courier_send(struct courier *c, const struct parcel *p)
{
	struct flight *f = c->free;
	size_t url_len = strlen(p->url);

	BUG_IF(!f);
	c->free = f->next;
	if (!f->curl)
		f->curl = curl_easy_init();
	BUG_IF(!f->curl);
	f->owner = p->owner;
	f->read = 0;
	buf_add(&f->parcel, p->url, url_len + 1);
	buf_add(&f->parcel, p->body.ptr, p->body.len);
	BUG_IF(f->parcel.overflow);
	for (const char *const *h = p->headers; *h; h++)
		add_header(f, *h);
	add_header(f, "Expect:"); /* none: a large body does not wait for "100 Continue" */

	transfer_prepare(f->curl, f->parcel.data, &f->watch, p->connect_us, p->timeout_us);
	curl_easy_setopt(f->curl, CURLOPT_PRIVATE, f);
	curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, f->parcel.data + url_len + 1);
	curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body.len);
	curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
	BUG_IF(curl_multi_add_handle(c->multi, f->curl) != CURLM_OK);
	c->under_way++;
}

/*
 * Waiting
 */

static int wait_ms(const struct courier *c, int timeout_ms)
{
	int64_t ms;

	if (c->wanted_at_us < 0)
		return timeout_ms;

	ms = (c->wanted_at_us - clock_monotonic_us() + US_PER_MS - 1) / US_PER_MS;

	return ms < 0 ? 0 : ms < timeout_ms ? (int)ms : timeout_ms;
}

static void move_on(struct courier *c)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(c->epoll, events, EVENTS_MAX, 0), running;

	for (int i = 0; i < n; i++) {
		uint32_t e = events[i].events;
		int what = (e & EPOLLIN ? CURL_CSELECT_IN : 0) |
			   (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (e & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		(void)curl_multi_socket_action(c->multi, events[i].data.fd, what, &running);
	}
	if (c->wanted_at_us >= 0 && c->wanted_at_us <= clock_monotonic_us()) {
		c->wanted_at_us = -1; /* once: it says when again, and nothing when never */
		(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

void courier_wait(struct courier *c, const int *fds, size_t n, int timeout_ms)
{
	struct pollfd all[FDS_MAX + 1] = { { .fd = c->epoll, .events = POLLIN } };

	BUG_IF(n > FDS_MAX);
	for (size_t i = 0; i < n; i++)
		all[i + 1] = (struct pollfd){ .fd = fds[i], .events = POLLIN };

	(void)poll(all, n + 1, wait_ms(c, timeout_ms));
	move_on(c);
}

/*
 * Receipts
 */

/* In the words of whoever looks at their webhook. */
static const char *in_words(const struct flight *f, CURLcode code)
{
	if (f->watch.is_refused)
		return "The address is not a public one, and is not connected to";

	switch ((int)code) { /* libcurl has a hundred; those that matter here are these */
	case CURLE_OPERATION_TIMEDOUT: return "There was no whole answer in time";
	case CURLE_COULDNT_RESOLVE_HOST: return "The host's name could not be resolved";
	case CURLE_COULDNT_CONNECT: return "The host could not be connected to";
	case CURLE_SSL_CONNECT_ERROR: return "TLS could not be agreed on";
	case CURLE_PEER_FAILED_VERIFICATION: return "The host's certificate is not valid for it";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return "What came was no answer of HTTP/1 or 2";
	case CURLE_OUT_OF_MEMORY: return "The answer has a header that is too long";
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: return "The connection was closed before a whole answer";
	default: return curl_easy_strerror(code);
	}
}

static void take_headers(CURL *curl, struct receipt *r)
{
	struct curl_header *h = NULL;
	size_t bytes = 0;

	while (r->headers_len < COURIER_HEADERS_MAX &&
	       (h = curl_easy_nextheader(curl, CURLH_HEADER, -1, h))) {
		struct courier_header *to = &r->headers[r->headers_len];

		*to = (struct courier_header){ str_of(h->name), str_of(h->value) };
		bytes += to->name.len + to->value.len;
		if (bytes > COURIER_HEADER_BYTES_MAX)
			return;
		r->headers_len++;
	}
}

static void fill_receipt(struct receipt *r, struct flight *f, CURLcode code)
{
	/* An answer that is longer than is read has been heard all the same. */
	bool is_heard = code == CURLE_OK || (code == CURLE_WRITE_ERROR && f->read > READ_MAX);
	curl_off_t duration_us = 0, retry_after_s = 0;
	long status = 0;

	(void)curl_easy_getinfo(f->curl, CURLINFO_TOTAL_TIME_T, &duration_us);
	*r = (struct receipt){ .owner = f->owner, .duration_us = duration_us };
	if (!is_heard) {
		r->error = in_words(f, code);
		return;
	}

	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(f->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	r->status = (int)status;
	r->retry_after_s = retry_after_s;
	r->body = buf_view(&f->answer);
	take_headers(f->curl, r);
}

/* Its handle stays, with what it knows of TLS sessions; connections are the courier's. */
static void land(struct courier *c, struct flight *f)
{
	curl_easy_reset(f->curl);
	curl_slist_free_all(f->headers);
	f->headers = NULL;
	if (f->parcel.cap > ROOM_KEPT) {
		buf_done(&f->parcel);
		buf_init_heap(&f->parcel, PARCEL_MAX);
	}
	buf_reset(&f->parcel);
	buf_reset(&f->answer);
	f->next = c->free;
	c->free = f;
	c->under_way--;
}

const struct receipt *courier_take(struct courier *c)
{
	CURLMsg *said;
	int more;

	if (c->taken)
		land(c, c->taken);
	c->taken = NULL;

	said = curl_multi_info_read(c->multi, &more);
	if (!said)
		return NULL;

	CURL *curl = said->easy_handle;
	CURLcode code = said->data.result;
	char *of = NULL;

	(void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, &of);
	c->taken = (struct flight *)(void *)of;
	(void)curl_multi_remove_handle(c->multi, curl);
	fill_receipt(&c->receipt, c->taken, code);

	return &c->receipt;
}
