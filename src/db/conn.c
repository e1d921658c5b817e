/*
 * Connections: made when needed, made anew when lost, with back-off while the server is away.
 *
 * A connection stays in libpq's pipeline mode, non-blocking, from its first byte to its last; what
 * travels over it is pipeline.c's. What it has prepared dies with it.
 *
 * Looking up the server's host name is the C library's and blocks; production names a socket or an
 * address.
 */
#define ZYGO_MAY_ALLOCATE

#include "db/conn.h"

#include "db/conn_impl.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"

#include <errno.h>
#include <poll.h>

/* A request waits this long for a new connection, and no longer. */
#define CONN_WAIT_US (2 * US_PER_S)

#define BACKOFF_FIRST_US (50 * US_PER_MS)
#define BACKOFF_MAX_US   (2 * US_PER_S)

/* The server gives up waiting for a lock or for our next batch after so much. */
#define LOCK_TIMEOUT_MS        2000
#define IDLE_IN_TRANSACTION_MS 15000

/* A set of statements by address: open addressing, never more than half full, never shrinking. */
struct prepared {
	const struct sql **slots;
	size_t cap; /* a power of two */
	size_t len;
};

static struct conn primary, replica;
static const char *pool_name;

void db_init(const char *pool)
{
	pool_name = pool;
	primary = (struct conn){ .url = config()->database_url };
	replica = (struct conn){ .url = config()->database_replica_url };
}

void db_done(void)
{
	conn_close(&primary);
	conn_close(&replica);
}

struct conn *conn_primary(void)
{
	BUG_IF(!pool_name); /* db_init() comes first */
	return &primary;
}

struct conn *conn_replica(void)
{
	return replica.url ? &replica : NULL;
}

int64_t conn_statement_timeout_us(void)
{
	bool others_wait = strcmp(pool_name, "fast") == 0 || strcmp(pool_name, "realtime") == 0;

	return others_wait ? config()->database_timeout_us : config()->slow_request_timeout_us;
}

static void prepared_free(struct prepared *p)
{
	if (p)
		free(p->slots);
	free(p);
}

static struct prepared *prepared_new(size_t cap)
{
	struct prepared *p = calloc(1, sizeof(*p));

	if (!p)
		BUG("out of memory");
	p->cap = cap;
	p->slots = calloc(cap, sizeof(const struct sql *));
	if (!p->slots)
		BUG("out of memory");

	return p;
}

/* The slot that holds s, or the empty one where it belongs. Multiplicative hashing (Knuth 6.4). */
static const struct sql **prepared_slot(const struct prepared *p, const struct sql *s)
{
	size_t at = (size_t)((uintptr_t)s * UINT64_C(0x9E3779B97F4A7C15) >> 32);

	while (p->slots[at & (p->cap - 1)] && p->slots[at & (p->cap - 1)] != s)
		at++;

	return &p->slots[at & (p->cap - 1)];
}

static void prepared_add(struct prepared *p, const struct sql *s)
{
	const struct sql **slot = prepared_slot(p, s);

	if (!*slot)
		p->len++;
	*slot = s;
}

static struct prepared *prepared_grow(struct prepared *old)
{
	struct prepared *p = prepared_new(old->cap * 2);

	for (size_t i = 0; i < old->cap; i++)
		if (old->slots[i])
			prepared_add(p, old->slots[i]);
	prepared_free(old);

	return p;
}

bool conn_has_prepared(const struct conn *conn, const struct sql *s)
{
	return *prepared_slot(conn->prepared, s) != NULL;
}

void conn_set_prepared(struct conn *conn, const struct sql *s)
{
	if (conn->prepared->len >= conn->prepared->cap / 2)
		conn->prepared = prepared_grow(conn->prepared);
	prepared_add(conn->prepared, s);
}

void conn_close(struct conn *conn)
{
	PQfinish(conn->pg); /* NULL is fine */
	conn->pg = NULL;
	prepared_free(conn->prepared);
	conn->prepared = NULL;
}

bool conn_wait(PGconn *pg, short events, int64_t deadline_us)
{
	struct pollfd fd = { .fd = PQsocket(pg), .events = events };

	for (;;) {
		int64_t left_us = deadline_us - clock_monotonic_us();
		int n = poll(&fd, 1, left_us > 0 ? (int)(left_us / US_PER_MS) + 1 : 0);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true; /* what is wrong with the socket, libpq will say */
		if (left_us <= 0)
			return false;
	}
}

/* libpq would print the server's notices on standard error. */
static void ignore_notice(void *p, const PGresult *r)
{
	(void)p;
	(void)r;
}

/*
 * Time-outs as options of the session; PgBouncer refuses options, and there the settings of the
 * role hold (sql/roles.sql). What the URL says wins over all of this, because it comes last.
 */
static PGconn *connect_start(const char *url)
{
	int64_t timeout_ms = conn_statement_timeout_us() / US_PER_MS;
	char application[64], options[256];
	const char *const keys[] = {
		"client_encoding", "fallback_application_name", "options", "dbname", NULL,
	};
	const char *values[] = { "UTF8", application, options, url, NULL };

	(void)snprintf(application, sizeof(application), "zygo %s", pool_name);
	(void)snprintf(options, sizeof(options),
		       "-c statement_timeout=%lld -c lock_timeout=%d"
		       " -c idle_in_transaction_session_timeout=%d -c timezone=UTC",
		       (long long)timeout_ms, LOCK_TIMEOUT_MS, IDLE_IN_TRANSACTION_MS);
	if (!config()->database_prepare)
		values[2] = NULL;

	return PQconnectStartParams(keys, values, 1);
}

static bool connect_finish(PGconn *pg, int64_t deadline_us)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	while (want != PGRES_POLLING_OK && want != PGRES_POLLING_FAILED) {
		if (!conn_wait(pg, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us))
			return false;
		want = PQconnectPoll(pg);
	}

	return want == PGRES_POLLING_OK;
}

bool conn_url_is_readable(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	bool is_readable = options != NULL;

	PQconninfoFree(options);

	return is_readable;
}

/* The next attempt is not before a delay that doubles, less up to half of it at random. */
static void back_off(struct conn *conn)
{
	uint16_t jitter;
	int64_t delay_us = conn->delay_us ? conn->delay_us : BACKOFF_FIRST_US;

	random_bytes(&jitter, sizeof(jitter));
	conn->retry_at_us = clock_monotonic_us() + delay_us - delay_us / 2 * jitter / UINT16_MAX;
	conn->delay_us = delay_us * 2 < BACKOFF_MAX_US ? delay_us * 2 : BACKOFF_MAX_US;
}

static bool conn_open(struct conn *conn)
{
	int64_t now_us = clock_monotonic_us();

	if (now_us < conn->retry_at_us)
		return false;
	if (!conn_url_is_readable(conn->url)) {
		(void)snprintf(conn->why, sizeof(conn->why), "%s", CONN_URL_UNREADABLE);
		back_off(conn);
		return false;
	}

	conn->pg = connect_start(conn->url);
	if (!conn->pg)
		BUG("out of memory");

	if (PQstatus(conn->pg) == CONNECTION_BAD ||
	    !connect_finish(conn->pg, now_us + CONN_WAIT_US) ||
	    PQsetnonblocking(conn->pg, 1) != 0 || !PQenterPipelineMode(conn->pg)) {
		(void)snprintf(conn->why, sizeof(conn->why), "%s", PQerrorMessage(conn->pg));
		conn_close(conn);
		back_off(conn);
		return false;
	}

	(void)PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
	conn->prepared = prepared_new(256);
	conn->delay_us = 0;
	conn->retry_at_us = 0;

	return true;
}

/*
 * Whether an idle connection is still one. What comes unasked is a farewell, or some news that
 * libpq reads by itself; asking here, before anything is sent, makes a restart of the server
 * invisible to callers.
 */
static bool is_alive(PGconn *pg)
{
	struct pollfd fd = { .fd = PQsocket(pg), .events = POLLIN };

	while (PQstatus(pg) == CONNECTION_OK && poll(&fd, 1, 0) > 0)
		if (!PQconsumeInput(pg))
			return false;

	return PQstatus(pg) == CONNECTION_OK;
}

bool conn_ready(struct conn *conn)
{
	if (conn->pg && is_alive(conn->pg))
		return true;

	conn_close(conn);

	return conn_open(conn);
}
