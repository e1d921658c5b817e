/*
 * libcurl makes the TLS connection; the bytes on it are the test's.
 */
#include "support/wire.h"

#include "base/buf.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <poll.h>
#include <string.h>

#define ANSWER_BYTES_MAX MIB(1)
#define READ_WAIT_MS     60000 /* longer than nginx waits for a client */

struct wire {
	CURL *curl;
	bool is_over;
};

struct wire *wire_open(void)
{
	return wire_open_to(world()->url);
}

struct wire *wire_open_to(const char *url)
{
	struct wire *w = arena_make(world_arena(), struct wire);

	w->curl = curl_easy_init();
	cr_assert(w->curl);
	curl_easy_setopt(w->curl, CURLOPT_URL, url);
	curl_easy_setopt(w->curl, CURLOPT_CAINFO, world()->ca);
	curl_easy_setopt(w->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(w->curl, CURLOPT_CONNECT_ONLY, 1L);
	cr_assert_eq(curl_easy_perform(w->curl), CURLE_OK);
	return w;
}

/* False when nothing came in time. */
static bool wait_for(const struct wire *w, short events)
{
	struct pollfd p = { .events = events };
	curl_socket_t fd;

	cr_assert_eq(curl_easy_getinfo(w->curl, CURLINFO_ACTIVESOCKET, &fd), CURLE_OK);
	p.fd = fd;
	return poll(&p, 1, READ_WAIT_MS) > 0;
}

void wire_send(struct wire *w, struct str bytes)
{
	while (bytes.len) {
		size_t n = 0;
		CURLcode code = curl_easy_send(w->curl, bytes.ptr, bytes.len, &n);

		if (code == CURLE_AGAIN)
			cr_assert(wait_for(w, POLLOUT));
		else if (code != CURLE_OK)
			return; /* closed: the answer says why */
		bytes = (struct str){ bytes.ptr + n, bytes.len - n };
	}
}

/* One piece; 0 at the end, or when nothing came. */
static size_t receive(struct wire *w, char *piece, size_t size)
{
	size_t n = 0;
	CURLcode code;

	while ((code = curl_easy_recv(w->curl, piece, size, &n)) == CURLE_AGAIN) {
		if (!wait_for(w, POLLIN))
			return 0;
	}
	w->is_over = code != CURLE_OK || n == 0;
	return w->is_over ? 0 : n;
}

struct str wire_read(struct wire *w)
{
	char piece[KIB(16)];
	size_t n = receive(w, piece, sizeof(piece));

	return str_of(n ? arena_strndup(world_arena(), piece, n) : "");
}

bool wire_is_over(const struct wire *w)
{
	return w->is_over;
}

void wire_close(struct wire *w)
{
	curl_easy_cleanup(w->curl);
}

/* The head has come, and as much of the body as its Content-Length says. */
static bool is_complete(struct str got)
{
	const char *end = memmem(got.ptr, got.len, "\r\n\r\n", 4);
	const char *field = memmem(got.ptr, got.len, "Content-Length: ", 16);
	struct str rest;
	int64_t len;

	if (!end || !field)
		return false;
	rest = (struct str){ field + 16, got.len - (size_t)(field + 16 - got.ptr) };
	return str_to_i64(str_trim(str_cut(&rest, '\r')), 0, INT64_MAX, &len) &&
	       got.len - (size_t)(end + 4 - got.ptr) >= (size_t)len;
}

bool wire_try(struct str bytes, struct answer *ret)
{
	struct wire *w = wire_open();
	struct buf got;
	char piece[KIB(16)];
	size_t n;

	buf_init(&got, world_arena(), ANSWER_BYTES_MAX);
	wire_send(w, bytes);
	while (!is_complete(buf_view(&got)) && (n = receive(w, piece, sizeof(piece))) > 0)
		buf_add(&got, piece, n);
	wire_close(w);
	if (!got.len)
		return false;
	*ret = answer_parse(buf_view(&got),
			    strf("%.*s", (int)strcspn(bytes.ptr, "\r\n"), bytes.ptr));
	return true;
}

struct answer wire_answer(struct str bytes)
{
	struct answer a;

	cr_assert(wire_try(bytes, &a), "no answer to %.*s", (int)strcspn(bytes.ptr, "\r\n"),
		  bytes.ptr);
	return a;
}
