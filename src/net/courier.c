/* Many POSTs at once: see courier.h. */
#include "net/courier.h"

#include "net/transfer_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#include <poll.h>

#define READ_MAX   KIB(64) /* of an answer is read; what is longer ends there */
#define PARCEL_MAX MIB(4)  /* URL and body */
#define FDS_MAX    4
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
	struct flight *flights, *free;
	unsigned max, under_way;
	struct flight *taken; /* whose receipt was given out last */
	struct receipt receipt;
};

struct courier *courier_new(unsigned max)
{
	struct arena *a = arena_new();
	struct courier *c = arena_make(a, struct courier);

	*c = (struct courier){ .arena = a, .multi = curl_multi_init(), .max = max };
	BUG_IF(!c->multi);
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

void courier_wait(struct courier *c, const int *fds, size_t n, int timeout_ms)
{
	struct curl_waitfd extra[FDS_MAX];
	unsigned len = 0;
	int running;

	BUG_IF(n > FDS_MAX);
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			extra[len++] =
				(struct curl_waitfd){ .fd = fds[i], .events = CURL_WAIT_POLLIN };

	(void)curl_multi_poll(c->multi, extra, len, timeout_ms, NULL);
	(void)curl_multi_perform(c->multi, &running);
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
