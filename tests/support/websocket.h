/*
 * A WebSocket client, frame by frame, on the socket of `zygo realtime` itself: for what clients do
 * and for what none of them would.
 *
 *	struct websocket *w = websocket_of(&ann);            connected, "connected" was heard
 *	websocket_say(w, "{\"type\":\"ping\"}");
 *	heard_is(w, "type", "pong");
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct caller;
struct websocket;

/* How a WebSocket ended. */
struct farewell {
	int code; /* 0: without a close frame */
	const char *reason;
};

/* First bytes of frames: FIN and the opcode (RFC 6455 section 5.2). */
enum opcode {
	FRAME_CONTINUATION = 0x0,
	FRAME_TEXT = 0x1,
	FRAME_BINARY = 0x2,
	FRAME_CLOSE = 0x8,
	FRAME_PING = 0x9,
	FRAME_PONG = 0xa,
	FRAME_COMPRESSED = 0x40, /* RFC 7692 */
	FRAME_FIN = 0x80
};

/* By its access token. */
struct websocket *websocket_of(const struct caller *c);

/* target: "/ws?token=…"; headers: lines that end with \r\n, or NULL. The handshake is done, and
 * nothing was heard yet. */
struct websocket *websocket_open(const char *target, const char *headers);

/* The handshake with these headers alone, lines that end with \r\n, is closed without an answer. */
void websocket_is_refused(const char *headers);

/* The same as websocket_open() on the socket of another realtime server (site_start_realtime()). */
struct websocket *websocket_open_at(const char *socket, const char *target, const char *headers);

/* The answer to its handshake: the status line and headers. */
const char *websocket_head(const struct websocket *w);

/* Offers permessage-deflate, each message for itself: a header for a handshake. Then text comes
 * inflated; what is said is not compressed unless websocket_deflated() has made it a payload. */
#define WEBSOCKET_DEFLATE                                                                          \
	"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "               \
	"client_no_context_takeover\r\n"
struct str websocket_deflated(struct str text);

/* The bytes that the payloads of all text had that was heard, as they came. */
size_t websocket_payload_bytes(const struct websocket *w);

/* The bytes of a handshake, for other roads than the socket. */
const char *websocket_handshake(const char *target, const char *headers);

void websocket_say(struct websocket *w, const char *text);
/* One frame, first its first byte. is_masked: as clients must. */
void websocket_frame(struct websocket *w, unsigned first, struct str payload, bool is_masked);

/* The next text message; NULL: it was closed. Fails the test after three minutes
 * without one. */
const char *websocket_hear(struct websocket *w);

/* How often the text stands in what has come and was not heard yet; waits for nothing. */
size_t websocket_count(struct websocket *w, const char *text);

/* All until its end. */
struct farewell websocket_end(struct websocket *w);

void websocket_ends(struct websocket *w, int code); /* … which is this */

void websocket_close(struct websocket *w); /* without a farewell */

/* A member of a message, "" when it is none of text. */
const char *said(const char *message, const char *key);

/* The next message has this member; gives it back. */
const char *heard_is(struct websocket *w, const char *key, const char *value);

/* Nothing was told to it until now: the answer to a ping is the next that it hears. */
void hears_nothing(struct websocket *w);

/* The next message of this type; what comes before it is passed over. */
const char *hears_in_the_end(struct websocket *w, const char *key, const char *value);

/* A room of the caller's tenant: rest is "projects". */
const char *room_of(const struct caller *c, const char *rest);

/* {"type":type,"room":room} with more members, "" for none; and the answer's type. */
void websocket_ask(struct websocket *w, const char *type, const char *room, const char *more);
void websocket_joins(struct websocket *w, const char *room);
void websocket_leaves(struct websocket *w, const char *room);
