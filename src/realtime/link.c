/* The callback of libwebsockets: see link.h. README.md has its traps. */
#include "realtime/link.h"

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/log.h"
#include "http/metrics.h"
#include "prefork/supervisor.h"
#include "realtime/admission.h"
#include "realtime/connection.h"
#include "realtime/conversation.h"
#include "realtime/news.h"
#include "realtime/roster.h"
#include "realtime/tally.h"
#include "realtime/turns.h"

#include <libwebsockets.h>

#define PATH       "/ws"
#define READ_BYTES 256 /* what most messages fit into; longer ones come in pieces */

static struct {
	struct worker *worker;
	struct arena *arena;
	struct ctx c;
	uint64_t numbers;
} own;

void link_init(struct worker *w)
{
	own.worker = w;
	own.arena = arena_new();
}

/* ---- the handshake ---- */

/* NULL: it is not there. */
static const char *header(struct lws *wsi, enum lws_token_indexes which)
{
	int size = lws_hdr_total_length(wsi, which) + 1;
	char *text = arena_alloc(own.arena, (size_t)size);

	return lws_hdr_copy(wsi, text, size, which) > 0 ? text : NULL;
}

/* name: with its '='. */
static const char *parameter(struct lws *wsi, const char *name)
{
	int size = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) + 1;

	return lws_get_urlarg_by_name(wsi, name, arena_alloc(own.arena, (size_t)size), size);
}

/* nginx says whom it speaks to in X-Real-IP; nobody else reaches the socket. */
static struct handshake read_handshake(struct lws *wsi)
{
	const char *peer = header(wsi, WSI_TOKEN_HTTP_X_REAL_IP);

	return (struct handshake){
		.token = parameter(wsi, "token="),
		.tenant = parameter(wsi, "tenant="),
		.authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION),
		.cookies = header(wsi, WSI_TOKEN_HTTP_COOKIE),
		.origin = header(wsi, WSI_TOKEN_ORIGIN),
		.ip = peer ? address_of_client(own.arena, peer,
					       header(wsi, WSI_TOKEN_X_FORWARDED_FOR),
					       config()->trusted_proxies)
			   : NULL,
	};
}

static bool is_our_path(struct lws *wsi)
{
	char path[sizeof(PATH) + 1];

	return lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) > 0 &&
	       strcmp(path, PATH) == 0;
}

static struct refusal let_in(struct ctx *c, struct connection *conn, const struct handshake *h)
{
	struct refusal r;
	int64_t position;

	if (connections_len == (size_t)config()->realtime_connections_max)
		return (struct refusal){ CLOSE_TRY_LATER, "Too many connections" };
	r = admission_prove(c, h, conn, &position);
	if (r.code)
		return r;

	conn->tenant = news_enter(c->actor.tenant, position);
	if (conn->tenant->connections > (size_t)config()->realtime_tenant_max) {
		news_leave(conn->tenant);
		conn->tenant = NULL;
		return (struct refusal){ CLOSE_TRY_LATER, "Too many connections of this tenant" };
	}

	return r;
}

static void log_connection(const char *what, const struct connection *conn, const char *ip)
{
	char user[UUID_TEXT_SIZE], tenant[UUID_TEXT_SIZE];

	uuid_format(connection_user(conn), user);
	uuid_format(conn->tenant->id.u, tenant);
	log_info(what, LOG_S("userId", user), LOG_S("tenantId", tenant), LOG_S("address", ip));
}

/* libwebsockets wants a handshake finished before it closes with a reason of ours. */
static void established(struct connection *conn, struct lws *wsi)
{
	struct ctx *c = &own.c;
	int64_t began_us = clock_monotonic_us();
	struct handshake h;
	struct refusal r;

	arena_reset(own.arena);
	ctx_reset(c, own.arena);
	own.worker->slot->connections++;
	conn->wsi = wsi;
	conn->number = ++own.numbers;
	h = read_handshake(wsi);
	r = let_in(c, conn, &h);
	if (r.code) {
		atomic_fetch_add(&tally->refused, 1);
		if (r.code == CLOSE_FAILED)
			log_error("WebSocket connection error", LOG_S("detail", c->fault.detail));
		else
			log_info("WebSocket refused", LOG_S("reason", r.reason),
				 LOG_S("detail", c->fault.message), LOG_S("address", h.ip));
		connection_close(conn, r.code, r.reason);
		return;
	}

	TAILQ_INSERT_TAIL(&connections, conn, others);
	connections_len++;
	atomic_fetch_add(&tally->connected, 1);
	log_connection("WebSocket client connected", conn, h.ip);
	conversation_begin(conn);
	turns_charge(conn->tenant, began_us, TURNS_ALL);
}

/* Of a handshake that libwebsockets itself refused, it says this too. */
static void closed(struct connection *conn)
{
	if (!conn->wsi)
		return;

	own.worker->slot->connections--;
	roster_leave_all(conn);
	turns_leave(conn);
	if (conn->tenant) {
		log_connection("WebSocket client disconnected", conn, NULL);
		news_leave(conn->tenant);
		TAILQ_REMOVE(&connections, conn, others);
		connections_len--;
	}
	connection_done(conn);
}

/* ---- messages ---- */

static void receive(struct connection *conn, struct lws *wsi, const void *p, size_t len)
{
	if (conn->close_code || conn->is_dead)
		return;

	if (lws_frame_is_binary(wsi))
		connection_close(conn, CLOSE_UNSUPPORTED, "Messages are text");
	else
		turns_take(conn, p, len,
			   lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0);
}

static int writable(struct connection *conn, struct lws *wsi)
{
	char reason[124]; /* a control frame holds 125 bytes, two of them the code */

	if (!conn->close_code)
		return connection_flush(conn) ? 0 : -1;

	(void)lws_rx_flow_control(wsi, 1); /* for its answer, if it had to wait */
	(void)snprintf(reason, sizeof(reason), "%s", conn->close_reason);
	lws_close_reason(wsi, (enum lws_close_status)conn->close_code, (unsigned char *)reason,
			 strlen(reason));

	return -1;
}

/* ---- pages ---- */

static int answer(struct lws *wsi, unsigned status, const char *type, struct str body)
{
	unsigned char head[LWS_PRE + 1024], *at = head + LWS_PRE, *end = head + sizeof(head);
	unsigned char *text = arena_alloc(own.arena, LWS_PRE + body.len);

	memcpy(text + LWS_PRE, body.ptr, body.len);
	if (lws_add_http_common_headers(wsi, status, type, body.len, &at, end) ||
	    lws_finalize_write_http_header(wsi, head + LWS_PRE, &at, end) ||
	    lws_write(wsi, text + LWS_PRE, body.len, LWS_WRITE_HTTP_FINAL) < 0)
		return -1;

	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* Whoever is at the socket itself may. */
static bool may_read_metrics(struct lws *wsi)
{
	struct handshake h = read_handshake(wsi);

	return !h.ip || metrics_may_be_read(h.ip, header(wsi, WSI_TOKEN_X_FORWARDED_FOR));
}

static int page(struct lws *wsi, const char *path)
{
	struct buf text;

	arena_reset(own.arena);
	if (strcmp(path, "/health") == 0)
		return answer(wsi, 200, "application/json", STR("{\"status\":\"ok\"}"));
	if (strcmp(path, "/metrics") != 0)
		return answer(wsi, 404, "text/plain", STR("Here are /ws, /health and /metrics\n"));
	if (!may_read_metrics(wsi))
		return answer(wsi, 403, "text/plain",
			      STR("METRICS_ALLOW lists who may read them\n"));

	buf_init(&text, own.arena, KIB(16));
	tally_write(own.worker->board, &text);

	return answer(wsi, 200, "text/plain; version=0.0.4", buf_view(&text));
}

/* ---- what libwebsockets calls ---- */

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct connection *conn = user;

	/* There are a hundred reasons, and libwebsockets handles those that are not ours. */
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP: return page(wsi, in);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return is_our_path(wsi) ? 0 : -1;
	case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY: conn->is_compressed = true; return 0;
	case LWS_CALLBACK_ESTABLISHED: established(conn, wsi); return 0;
	case LWS_CALLBACK_RECEIVE: receive(conn, wsi, in, len); return conn->is_dead ? -1 : 0;
	case LWS_CALLBACK_TIMER: turns_wake(conn->tenant); return conn->is_dead ? -1 : 0;
	case LWS_CALLBACK_SERVER_WRITEABLE: return writable(conn, wsi);
	case LWS_CALLBACK_CLOSED: closed(conn); return 0;
	default: return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

const struct lws_protocols link_protocol = {
	.name = "zygo",
	.callback = callback,
	.per_session_data_size = sizeof(struct connection),
	.rx_buffer_size = READ_BYTES,
	.tx_packet_size = MIB(1), /* in one write, as much of a message as the socket takes */
};
