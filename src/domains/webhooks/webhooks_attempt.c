/* One attempt at a delivery: see webhooks_attempt.h. */
#include "domains/webhooks/webhooks_attempt.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/jsonwrite.h"
#include "db/rows.h"
#include "domains/webhooks/webhooks_secret.h"
#include "net/courier.h"

#include <assert.h>

#define CONNECT_US      (5 * US_PER_S)
#define RETRY_AFTER_MAX (12 * 60 * US_PER_MINUTE)
#define OURS            5  /* headers that every webhook has */
#define JITTER          10 /* the most that a delay is lengthened by: a tenth */

/*
 * When it is tried again
 */

int64_t attempt_delay_us(int64_t tries, int64_t retry_after_s)
{
	/* Svix' schedule: with the first, eight tries within some 28 hours. */
	static const int64_t delays_us[] = {
		5 * US_PER_S,        5 * US_PER_MINUTE,   30 * US_PER_MINUTE,  120 * US_PER_MINUTE,
		300 * US_PER_MINUTE, 600 * US_PER_MINUTE, 600 * US_PER_MINUTE,
	};
	static_assert(ARRAY_LEN(delays_us) == WEBHOOK_TRIES - 1,
		      "a delay before each but the first");
	int64_t us, asked_us = retry_after_s > RETRY_AFTER_MAX / US_PER_S
				       ? RETRY_AFTER_MAX
				       : retry_after_s * US_PER_S;
	uint16_t jitter;

	BUG_IF(tries < 1);
	if (tries >= WEBHOOK_TRIES)
		return -1;

	us = delays_us[tries - 1];
	if (asked_us > us)
		us = asked_us;
	random_bytes(&jitter, sizeof(jitter));

	/* What failed together does not come back together. */
	return us + us / JITTER * jitter / UINT16_MAX;
}

/*
 * Sending
 */

static struct str str_at(const struct rows *rows, size_t row, const char *name)
{
	size_t col = (size_t)rows_find(rows, name);

	return rows_is_null(rows, row, col) ? (struct str){ 0 } : rows_str(rows, row, col);
}

static int64_t int_at(const struct rows *rows, size_t row, const char *name)
{
	return rows_int(rows, row, (size_t)rows_find(rows, name));
}

static struct uuid uuid_at(const struct rows *rows, size_t row, const char *name)
{
	return rows_uuid(rows, row, (size_t)rows_find(rows, name));
}

/* "Name: value" as a member; own headers without their values. */
static void note_header(struct jsonwrite *w, struct arena *a, const char *header, bool is_own)
{
	struct str rest = str_of(header), name = str_cut(&rest, ':');

	jsonwrite_key(w, str_dup(a, name));
	if (is_own)
		jsonwrite_text(w, "[not shown]");
	else
		jsonwrite_str(w, str_trim(rest));
}

static void note_headers(struct attempt *t, struct arena *a, const char *const *headers)
{
	struct jsonwrite w;

	buf_reset(&t->headers);
	jsonwrite_init(&w, &t->headers);
	jsonwrite_object(&w);
	for (size_t i = 0; headers[i]; i++)
		note_header(&w, a, headers[i], i >= OURS);
	jsonwrite_object_end(&w);
	BUG_IF(t->headers.overflow); /* names have a bound */
}

static void begin(struct attempt *t, const struct rows *rows, size_t row, int64_t now_us)
{
	struct str url = str_at(rows, row, "url");

	t->tenant.u = uuid_at(rows, row, "tenant_id");
	t->delivery.u = uuid_at(rows, row, "id");
	t->webhook.u = uuid_at(rows, row, "endpoint_id");
	t->number = int_at(rows, row, "attempts") + 1;
	t->tries = int_at(rows, row, "tries");
	t->started_us = now_us;
	buf_reset(&t->url);
	buf_add(&t->url, url.ptr, url.len);
	buf_reset(&t->headers);
	buf_str(&t->headers, "{}");
}

bool attempt_send(struct attempt *t, struct arena *a, struct courier *courier,
		  const struct rows *rows, size_t row, int64_t now_us)
{
	const char *headers[OURS + WEBHOOK_HEADERS_MAX + 1] = { 0 };
	struct str body = str_at(rows, row, "payload");
	int64_t at_s = now_us / US_PER_S;
	const char *signature;
	char id[UUID_TEXT_SIZE];
	size_t own;

	begin(t, rows, row, now_us);
	uuid_format(uuid_at(rows, row, "message_id"), id);
	signature =
		webhook_signature(a, t->webhook, str_at(rows, row, "secret_sealed"),
				  str_at(rows, row, "old_secret_sealed"), str_of(id), at_s, body);
	if (!signature ||
	    !webhook_headers_unseal(a, t->webhook, str_at(rows, row, "headers_sealed"),
				    headers + OURS, &own))
		return false;

	headers[0] = "Content-Type: application/json";
	headers[1] = "User-Agent: Zygo-Webhooks/" PACKAGE_VERSION;
	headers[2] = arena_printf(a, "webhook-id: %s", id);
	headers[3] = arena_printf(a, "webhook-timestamp: %lld", (long long)at_s);
	headers[4] = arena_printf(a, "webhook-signature: %s", signature);
	note_headers(t, a, headers);

	courier_send(courier, &(struct parcel){ .owner = t,
						.url = t->url.data,
						.headers = headers,
						.body = body,
						.connect_us = CONNECT_US,
						.timeout_us = config()->webhook_timeout_us });

	return true;
}

/*
 * What became of it
 */

static const char *error_of(const struct receipt *r)
{
	if (r->error)
		return r->error;
	if (r->status / 100 == 2)
		return NULL;
	if (r->status / 100 == 3)
		return "The answer was a redirect, which is not followed";

	return r->status == 410 ? "The answer was 410 Gone" : "The answer was not 2xx";
}

/* Whatever bytes came, as text that JSON and PostgreSQL can hold: what cannot be is '?'. */
static void write_text(struct jsonwrite *w, struct str bytes)
{
	char text[COURIER_BODY_MAX];
	size_t n = 0;

	while (n < bytes.len) {
		struct str rest = { bytes.ptr + n, bytes.len - n };
		size_t good = str_utf8_prefix(rest);

		memcpy(text + n, rest.ptr, good);
		n += good;
		if (n < bytes.len)
			text[n++] = '?';
	}
	jsonwrite_str(w, (struct str){ text, n });
}

/* A name that comes more than once is written once, with the first of its values. */
static bool is_repeated(const struct receipt *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_is_nocase(r->headers[k].name, r->headers[i].name.ptr))
			return true;

	return false;
}

static void write_headers(struct jsonwrite *w, const struct receipt *r)
{
	jsonwrite_object(w);
	for (size_t i = 0; i < r->headers_len; i++) {
		if (is_repeated(r, i) || !str_is_utf8(r->headers[i].name))
			continue;
		jsonwrite_key(w, r->headers[i].name.ptr);
		write_text(w, r->headers[i].value);
	}
	jsonwrite_object_end(w);
}

static void write_uuid(struct jsonwrite *w, const char *key, struct uuid u)
{
	jsonwrite_key(w, key);
	jsonwrite_uuid(w, &u);
}

static void write_attempt(struct jsonwrite *w, const struct attempt *t)
{
	write_uuid(w, "tenant", t->tenant.u);
	write_uuid(w, "id", t->delivery.u);
	write_uuid(w, "endpoint", t->webhook.u);
	jsonwrite_member_i64(w, "number", t->number);
	jsonwrite_member_i64(w, "started_us", t->started_us);
	jsonwrite_member_text(w, "url", t->url.data);
	jsonwrite_key(w, "request_headers");
	jsonwrite_raw(w, buf_view(&t->headers));
}

static void write_outcome(struct jsonwrite *w, const struct attempt *t, const char *error,
			  int64_t delay_us)
{
	jsonwrite_member_bool(w, "delivered", !error);
	jsonwrite_member_text(w, "error", error);
	if (error && delay_us >= 0)
		jsonwrite_member_i64(w, "delay_us", delay_us);
	write_attempt(w, t);
}

static void begin_object(struct jsonwrite *w, struct buf *out)
{
	if (out->len > 0)
		buf_char(out, ',');
	jsonwrite_init(w, out);
	jsonwrite_object(w);
}

void attempt_write(const struct attempt *t, const struct receipt *r, struct buf *out)
{
	bool is_gone = r->status == 410;
	struct jsonwrite w;

	begin_object(&w, out);
	write_outcome(&w, t, error_of(r),
		      is_gone ? -1 : attempt_delay_us(t->tries + 1, r->retry_after_s));
	jsonwrite_member_bool(&w, "gone", is_gone);
	jsonwrite_member_i64(&w, "duration_us", r->duration_us);
	if (r->status) {
		jsonwrite_member_i64(&w, "status", r->status);
		jsonwrite_key(&w, "response_headers");
		write_headers(&w, r);
		jsonwrite_key(&w, "response_body");
		write_text(&w, r->body);
	}
	jsonwrite_object_end(&w);
}

void attempt_write_unsent(const struct attempt *t, struct buf *out)
{
	struct jsonwrite w;

	begin_object(&w, out);
	write_outcome(&w, t, "The webhook's secret could not be opened",
		      attempt_delay_us(t->tries + 1, 0));
	jsonwrite_member_bool(&w, "gone", false);
	jsonwrite_member_i64(&w, "duration_us", 0);
	jsonwrite_object_end(&w);
}
