/* RFC 6455 from the client's side: see websocket.h. */
#include "support/websocket.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonread.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#define WAIT_US (3 * US_PER_MINUTE)

struct websocket {
	int fd;
	const char *head;
	size_t payload_bytes;
	struct buf got; /* bytes that have come and belong to no frame yet */
	struct farewell end;
	int64_t until_us; /* when what is waited for must have come; monotonic */
	bool is_over;
};

static int connect_to(const char *socket_path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const void *p = &at;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_path);
	cr_assert(fd >= 0 && connect(fd, p, sizeof(at)) == 0, "%s", at.sun_path);

	return fd;
}

static void send_all(const struct websocket *w, const void *p, size_t len)
{
	const char *at = p;

	while (len) {
		ssize_t n = send(w->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* closed: what is read says why */
		at += n;
		len -= (size_t)n;
	}
}

static void begin_to_wait(struct websocket *w)
{
	w->until_us = clock_monotonic_us() + WAIT_US;
}

/* False: the end. */
static bool receive(struct websocket *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	int64_t left_ms = (w->until_us - clock_monotonic_us()) / US_PER_MS;
	char piece[KIB(16)];
	ssize_t n;

	cr_assert(poll(&p, 1, left_ms > 0 ? (int)left_ms : 0) > 0,
		  "nothing was said to it in three minutes");
	n = recv(w->fd, piece, sizeof(piece), 0);
	if (n <= 0)
		return false;
	buf_add(&w->got, piece, (size_t)n);

	return true;
}

static void consume(struct websocket *w, size_t n)
{
	memmove(w->got.data, w->got.data + n, w->got.len - n);
	w->got.len -= n;
	w->got.data[w->got.len] = '\0';
}

size_t websocket_count(struct websocket *w, const char *text)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	size_t n = 0;

	while (poll(&p, 1, 0) > 0 && receive(w))
		;
	for (const char *at = w->got.data;
	     (at = memmem(at, (size_t)(w->got.data + w->got.len - at), text, strlen(text))); at++)
		n++;

	return n;
}

const char *websocket_handshake(const char *target, const char *headers)
{
	return strf("GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		    "Sec-WebSocket-Version: 13\r\n%s\r\n",
		    target, headers ? headers : "");
}

struct websocket *websocket_open(const char *target, const char *headers)
{
	return websocket_open_at(strf("%s/run/realtime.sock", world()->dir), target, headers);
}

struct websocket *websocket_open_at(const char *socket, const char *target, const char *headers)
{
	const char *handshake = websocket_handshake(target, headers), *end;
	struct websocket *w = arena_make(world_arena(), struct websocket);

	w->fd = connect_to(socket);
	buf_init(&w->got, world_arena(), MIB(8));
	begin_to_wait(w);
	send_all(w, handshake, strlen(handshake));
	do
		cr_assert(receive(w), "no answer to %s", target);
	while (!(end = strstr(w->got.data, "\r\n\r\n")));
	/* The key and its answer are those of RFC 6455 section 1.3. */
	cr_assert(strstr(w->got.data, " 101 "), "%s", w->got.data);
	cr_assert(strstr(w->got.data, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "%s", w->got.data);
	w->head = strf("%.*s", (int)(end - w->got.data), w->got.data);
	consume(w, (size_t)(end + 4 - w->got.data));

	return w;
}

void websocket_is_refused(const char *headers)
{
	const char *handshake = strf("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
				     "Connection: Upgrade\r\n%s\r\n",
				     headers);
	struct websocket w = { .fd = connect_to(strf("%s/run/realtime.sock", world()->dir)) };

	begin_to_wait(&w);
	buf_init(&w.got, world_arena(), MIB(1));
	send_all(&w, handshake, strlen(handshake));
	cr_assert_not(receive(&w), "%s: %s", headers, w.got.data);
	(void)close(w.fd);
}

const char *websocket_head(const struct websocket *w)
{
	return w->head;
}

size_t websocket_payload_bytes(const struct websocket *w)
{
	return w->payload_bytes;
}

struct websocket *websocket_of(const struct caller *c)
{
	struct websocket *w = websocket_open(strf("/ws?token=%s", c->token), NULL);

	heard_is(w, "type", "connected");

	return w;
}

void websocket_frame(struct websocket *w, unsigned first, struct str payload, bool is_masked)
{
	unsigned mask = is_masked ? 0x80 : 0;
	struct buf frame;

	buf_init(&frame, world_arena(), payload.len + 16);
	buf_char(&frame, (char)first);
	if (payload.len < 126) {
		buf_char(&frame, (char)(mask | payload.len));
	} else if (payload.len < 65536) {
		buf_char(&frame, (char)(mask | 126));
	} else {
		buf_char(&frame, (char)(mask | 127));
		for (int shift = 56; shift > 8; shift -= 8)
			buf_char(&frame, (char)(payload.len >> shift));
	}
	if (payload.len >= 126) {
		buf_char(&frame, (char)(payload.len >> 8));
		buf_char(&frame, (char)payload.len);
	}
	if (is_masked)
		buf_add(&frame, "\1\2\3\4", 4);
	for (size_t i = 0; i < payload.len; i++)
		buf_char(&frame, (char)(payload.ptr[i] ^ (is_masked ? (char)(i % 4 + 1) : 0)));
	send_all(w, frame.data, frame.len);
}

void websocket_say(struct websocket *w, const char *text)
{
	websocket_frame(w, FRAME_FIN | FRAME_TEXT, str_of(text), true);
}

/* One frame of the server; false: the end. *ret_payload lives in the world's arena. */
static bool next_frame(struct websocket *w, unsigned *ret_first, struct str *ret_payload)
{
	const uint8_t *b;
	size_t head, len;

	for (;;) {
		b = (const uint8_t *)w->got.data;
		if (w->got.len >= 2) {
			size_t extra = (b[1] & 0x7fU) == 126 ? 2 : (b[1] & 0x7fU) == 127 ? 8 : 0;

			cr_assert(!(b[1] & 0x80U), "a server masks nothing");
			head = 2 + extra;
			len = extra ? 0 : b[1];
			for (size_t i = 0; w->got.len >= head && i < extra; i++)
				len = len << 8 | b[2 + i];
			if (w->got.len >= head && w->got.len - head >= len)
				break;
		}
		if (!receive(w))
			return false;
	}
	*ret_first = b[0];
	*ret_payload = (struct str){ arena_strndup(world_arena(), w->got.data + head, len), len };
	consume(w, head + len);

	return true;
}

/* Deflate without a head, and without the four bytes that end each message (RFC 7692 section
 * 7.2). */
#define TAIL      "\0\0\xff\xff"
#define TAIL_LEN  4
#define TEXT_SIZE MIB(8)

struct str websocket_deflated(struct str text)
{
	uLong size = compressBound(text.len) + 64;
	uint8_t *out = arena_alloc(world_arena(), size);
	z_stream z = { .avail_out = (uInt)size, .avail_in = (uInt)text.len };

	z.next_out = out;
	z.next_in = (Bytef *)(uintptr_t)text.ptr;
	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&z, Z_SYNC_FLUSH), Z_OK);
	(void)deflateEnd(&z);

	return (struct str){ (const char *)out, z.total_out - TAIL_LEN };
}

static const char *inflated(struct str payload)
{
	uint8_t *in = arena_alloc(world_arena(), payload.len + TAIL_LEN);
	char *out = arena_alloc(world_arena(), TEXT_SIZE);
	z_stream z = { .avail_in = (uInt)(payload.len + TAIL_LEN), .avail_out = TEXT_SIZE - 1 };

	int result;

	memcpy(in, payload.ptr, payload.len);
	memcpy(in + payload.len, TAIL, TAIL_LEN);
	z.next_in = in;
	z.next_out = (Bytef *)out;
	cr_assert_eq(inflateInit2(&z, -15), Z_OK);
	result = inflate(&z, Z_SYNC_FLUSH);
	cr_assert(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, "%d %s",
		  result, z.msg);
	cr_assert_eq(z.avail_in, 0);
	out[z.total_out] = '\0';
	(void)inflateEnd(&z);

	return out;
}

/* The rest of a text whose first frame that was. */
static const char *whole_text(struct websocket *w, unsigned first, struct str payload)
{
	bool is_compressed = first & FRAME_COMPRESSED;
	struct buf text;

	if (first == (FRAME_FIN | FRAME_TEXT)) { /* as nearly all: no copy of it */
		w->payload_bytes += payload.len;
		return payload.ptr;
	}

	buf_init(&text, world_arena(), TEXT_SIZE);
	buf_add(&text, payload.ptr, payload.len);
	while (!(first & FRAME_FIN)) {
		cr_assert(next_frame(w, &first, &payload), "a text without its end");
		buf_add(&text, payload.ptr, payload.len);
	}
	w->payload_bytes += text.len;

	return is_compressed ? inflated(buf_view(&text)) : buf_view(&text).ptr;
}

const char *websocket_hear(struct websocket *w)
{
	unsigned first;
	struct str payload;

	begin_to_wait(w); /* the server's pings are not what is waited for */
	while (!w->is_over && next_frame(w, &first, &payload)) {
		if ((first & 0xf) == FRAME_TEXT)
			return whole_text(w, first, payload);
		if (first == (FRAME_FIN | FRAME_PING))
			websocket_frame(w, FRAME_FIN | FRAME_PONG, payload, true);
		if (first == (FRAME_FIN | FRAME_CLOSE)) {
			w->end.code = payload.len < 2 ? 1005
						      : (uint8_t)payload.ptr[0] << 8 |
								(uint8_t)payload.ptr[1];
			w->end.reason = payload.len < 2 ? "" : payload.ptr + 2;
			websocket_frame(w, FRAME_FIN | FRAME_CLOSE, payload, true);
			break;
		}
	}
	w->is_over = true;

	return NULL;
}

struct farewell websocket_end(struct websocket *w)
{
	while (websocket_hear(w))
		;
	websocket_close(w);

	return w->end;
}

void websocket_ends(struct websocket *w, int code)
{
	struct farewell f = websocket_end(w);

	cr_assert_eq(f.code, code, "%d %s", f.code, f.reason);
}

void websocket_close(struct websocket *w)
{
	closep(&w->fd);
	w->fd = -1;
}

const char *said(const char *message, const char *key)
{
	const struct json *json, *value;
	const char *why;
	size_t at;

	cr_assert(message, "closed instead of \"%s\"", key);
	cr_assert(jsonread_parse(world_arena(), str_of(message), &json, &why, &at), "%s: %s", why,
		  message);
	if (!jsonread_member(json, key, &value) || json_kind(value) != JSON_STRING)
		return "";

	return jsonread_string(value).ptr;
}

const char *heard_is(struct websocket *w, const char *key, const char *value)
{
	const char *message = websocket_hear(w);

	cr_assert(message, "closed with %d %s instead of %s", w->end.code, w->end.reason, value);
	cr_assert_str_eq(said(message, key), value, "%s", message);

	return message;
}

const char *hears_in_the_end(struct websocket *w, const char *key, const char *value)
{
	const char *message;

	do {
		message = websocket_hear(w);
		cr_assert(message, "closed with %d %s before %s", w->end.code, w->end.reason,
			  value);
	} while (strcmp(said(message, key), value) != 0);

	return message;
}

void hears_nothing(struct websocket *w)
{
	websocket_say(w, "{\"type\":\"ping\"}");
	heard_is(w, "type", "pong");
}

const char *room_of(const struct caller *c, const char *rest)
{
	return strf("tenant:%s:%s", id_text(c->tenant.u), rest);
}

void websocket_ask(struct websocket *w, const char *type, const char *room, const char *more)
{
	websocket_say(w, strf("{\"type\":\"%s\",\"room\":\"%s\"%s}", type, room, more));
}

void websocket_joins(struct websocket *w, const char *room)
{
	websocket_ask(w, "subscribe", room, "");
	cr_assert_str_eq(said(heard_is(w, "type", "subscribed"), "room"), room);
}

void websocket_leaves(struct websocket *w, const char *room)
{
	websocket_ask(w, "unsubscribe", room, "");
	cr_assert_str_eq(said(hears_in_the_end(w, "type", "unsubscribed"), "room"), room);
}
