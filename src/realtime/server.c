/*
 * The loop of a process: libwebsockets' own, with one descriptor of ours in it, an epoll set of
 * all else that it waits for: the listening socket, the master, Redis, PostgreSQL. See server.h.
 */
#include "realtime/server.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "prefork/supervisor.h"
#include "realtime/connection.h"
#include "realtime/conversation.h"
#include "realtime/link.h"
#include "realtime/news.h"
#include "realtime/presence.h"
#include "realtime/roster.h"
#include "realtime/turns.h"
#include "realtime/watch.h"

#include <errno.h>
#include <libwebsockets.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_US       US_PER_S
#define DRAIN_STEP_US (100 * US_PER_MS)
#define DRAIN_STEPS   20 /* a restart tells clients over two seconds, or all came back at once */
#define DRAIN_MIN_US  (300 * US_PER_MS) /* for handshakes that are under way */
#define DRAIN_MAX_US  (8 * US_PER_S)
#define HANDSHAKE_S   10
#define ACCEPT_MAX    16    /* a turn: their handshakes are what all others wait for in the next */
#define HEADERS_MAX   40960 /* more than nginx takes (nginx/snippets/limits.conf) and adds */
#define OTHER_FILES   256   /* descriptors beside connections */

enum event { EVENT_LISTENER, EVENT_MASTER, EVENT_REDIS, EVENT_POSTGRESQL };

static struct {
	struct worker *worker;
	struct lws_context *context;
	struct lws_vhost *vhost;
	int set; /* of epoll */
	lws_sorted_usec_list_t tick, drain;
	int64_t drain_since_us; /* monotonic; 0: serves */
	size_t drain_each;      /* connections a step */
} own;

/* ---- what it waits for ---- */

static void set_add(int fd, enum event what, uint32_t how)
{
	struct epoll_event e = { .events = EPOLLIN | how, .data.u32 = what };

	if (epoll_ctl(own.set, EPOLL_CTL_ADD, fd, &e) != 0)
		BUG("epoll_ctl");
}

/* A connection that may be another than the last time, or none: a closed one has left the set. */
static void set_follow(int fd, enum event what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = what };

	if (fd >= 0 && epoll_ctl(own.set, EPOLL_CTL_ADD, fd, &e) != 0 && errno != EEXIST)
		BUG("epoll_ctl");
}

/* libwebsockets closes what it cannot take. */
static void adopt(int fd)
{
	if (!lws_adopt_socket_vhost(own.vhost, fd))
		log_warn("A connection could not be taken");
}

/* Of thousands that come at once, most wait in the kernel, where no time-out of ours runs. */
static void accept_some(void)
{
	struct worker *w = own.worker;

	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = accept4(w->pool->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return; /* none is left, or another process was quicker */
		if (worker_is_crowded(w) && worker_give(w, fd))
			(void)close(fd);
		else
			adopt(fd);
	}
}

static void hear_master(void)
{
	int fd;

	while ((fd = worker_listen(own.worker)) >= 0)
		adopt(fd);
}

static void attend(const struct epoll_event *e)
{
	switch ((enum event)e->data.u32) {
	case EVENT_LISTENER: accept_some(); break;
	case EVENT_MASTER: hear_master(); break;
	case EVENT_REDIS:
		news_hear();
		watch_settle();
		set_follow(news_connect(), EVENT_REDIS);
		break;
	case EVENT_POSTGRESQL: watch_hear(); break;
	}
}

static int attendant(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		     size_t len)
{
	struct epoll_event events[8];
	int n;

	if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
		return -1; /* a client has asked for a protocol of this name */
	if (reason != LWS_CALLBACK_RAW_RX_FILE)
		return lws_callback_http_dummy(wsi, reason, user, in, len);

	n = epoll_wait(own.set, events, ARRAY_LEN(events), 0);
	for (int i = 0; i < n; i++)
		attend(&events[i]);

	return 0;
}

/* ---- time ---- */

static void tick(lws_sorted_usec_list_t *timer)
{
	worker_alive(own.worker);
	hear_master();
	set_follow(news_connect(), EVENT_REDIS);
	set_follow(watch_listen(), EVENT_POSTGRESQL);
	turns_tick();
	watch_tick();
	presence_tick();
	lws_sul_schedule(own.context, 0, timer, tick, TICK_US);
}

/* Those that come first are closed; the next step closes the next. */
static void drain(lws_sorted_usec_list_t *timer)
{
	bool is_last = own.worker->order == ORDER_STOP;
	size_t n = is_last ? connections_len : own.drain_each;
	struct connection *c;

	TAILQ_FOREACH(c, &connections, others)
	{
		if (c->close_code)
			continue;
		if (n-- == 0)
			break;
		if (is_last)
			connection_close(c, CLOSE_GOING_AWAY, "Going away");
		else
			connection_close(c, CLOSE_RESTART, "Service restart");
	}
	lws_sul_schedule(own.context, 0, timer, drain, DRAIN_STEP_US);
}

static void begin_drain(void)
{
	(void)epoll_ctl(own.set, EPOLL_CTL_DEL, own.worker->pool->listen_fd, NULL);
	own.drain_since_us = clock_monotonic_us();
	own.drain_each = connections_len / DRAIN_STEPS + 1;
	drain(&own.drain);
}

static bool goes_on(void)
{
	int64_t drained_us;

	if (own.worker->order != ORDER_SERVE && !own.drain_since_us)
		begin_drain();
	if (!own.drain_since_us)
		return true;

	drained_us = clock_monotonic_us() - own.drain_since_us;
	return drained_us < DRAIN_MIN_US || (connections_len && drained_us < DRAIN_MAX_US);
}

/* ---- libwebsockets ---- */

static void say(int level UNUSED, const char *line)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
	log_warn("libwebsockets", LOG_S("line", text));
}

/* It sizes its tables by the limit of open files, so that is what will be needed and no more. */
static void limit_files(void)
{
	rlim_t wanted = (rlim_t)config()->realtime_connections_max + OTHER_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_max < wanted) {
		log_warn("Fewer open files are allowed than REALTIME_CONNECTIONS_MAX needs",
			 LOG_I("allowed", limit.rlim_max), LOG_I("needed", wanted));
		wanted = limit.rlim_max;
	}
	limit.rlim_cur = wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool make_context(void)
{
	static struct lws_protocols protocols[3];
	static lws_retry_bo_t idle;
	static const struct lws_extension compression[] = {
		{ "permessage-deflate", lws_extension_callback_pm_deflate,
		  "permessage-deflate; client_no_context_takeover; server_no_context_takeover" },
		{ NULL, NULL, NULL },
	};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.vhost_name = "zygo",
		.extensions = config()->realtime_compression ? compression : NULL,
		.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.timeout_secs = HANDSHAKE_S,
		.retry_and_idle_policy = &idle,
		.max_http_header_data = HEADERS_MAX,
		.max_http_header_pool = 64,
		.pt_serv_buf_size = 16384,
		.gid = -1, /* stays who it is */
		.uid = -1,
	};

	protocols[0] = link_protocol;
	protocols[1] = (struct lws_protocols){ .name = "attendant", .callback = attendant };
	idle.secs_since_valid_ping = (uint16_t)(config()->realtime_ping_us / US_PER_S);
	idle.secs_since_valid_hangup = (uint16_t)(idle.secs_since_valid_ping * 3 / 2 + 1);
	lws_set_log_level(LLL_ERR, say);

	own.context = lws_create_context(&info);
	own.vhost = own.context ? lws_create_vhost(own.context, &info) : NULL;

	return own.vhost && lws_adopt_descriptor_vhost(own.vhost, LWS_ADOPT_RAW_FILE_DESC,
						       (lws_sock_file_fd_type){ .filefd = own.set },
						       "attendant", NULL);
}

static void begin(struct worker *w)
{
	own.worker = w;
	own.set = epoll_create1(EPOLL_CLOEXEC);
	BUG_IF(own.set < 0);
	limit_files();
	link_init(w);
	roster_init(w->slot);
	conversation_init();
	news_init();
	presence_init();
	watch_init();
	set_add(w->pool->listen_fd, EVENT_LISTENER, EPOLLEXCLUSIVE);
	set_add(w->wake_fd, EVENT_MASTER, 0);
}

int realtime_run(struct worker *w)
{
	begin(w);
	if (!make_context()) {
		log_fatal("Failed to start server",
			  LOG_S("reason", "libwebsockets does not start"));
		return 1;
	}

	slot_rest(w->slot);
	worker_ready(w);
	tick(&own.tick);
	while (goes_on() && lws_service(own.context, 0) >= 0)
		;

	lws_sul_schedule(own.context, 0, &own.tick, NULL, LWS_SET_TIMER_USEC_CANCEL);
	lws_sul_schedule(own.context, 0, &own.drain, NULL, LWS_SET_TIMER_USEC_CANCEL);
	lws_context_destroy(own.context); /* closes what is left, and the set */
	news_done();
	watch_done();

	return 0;
}
