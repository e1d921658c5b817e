/* HTTP requests by libcurl: see fetch.h. */
#include "net/fetch.h"

#include "net/guard.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"

#include <curl/curl.h>
#include <sys/socket.h>

#define TIMEOUT_US (5 * US_PER_S)
#define CONNECT_MS 3000L
#define REPLY_MAX  KIB(256)
#define FORM_MAX   KIB(64)

/* What the callbacks fill while one request runs. */
struct talk {
	struct buf body;
	bool is_clear;   /* http: */
	bool is_refused; /* the guard said no */
};

static size_t take_body(char *data, size_t size, size_t n, void *p)
{
	struct talk *t = p;

	buf_add(&t->body, data, size * n);

	return t->body.overflow ? 0 : size * n; /* 0 ends it: CURLE_WRITE_ERROR */
}

/* The only place where a connection begins, with the address that it goes to. */
static curl_socket_t open_socket(void *p, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct talk *t = p;

	if (purpose != CURLSOCKTYPE_IPCXN || !guard_allows(&address->addr, t->is_clear)) {
		t->is_refused = true;
		return CURL_SOCKET_BAD;
	}

	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void free_list(void *p)
{
	curl_slist_free_all(p);
}

static struct curl_slist *headers_of(struct ctx *c, const struct fetch *f)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < FETCH_HEADERS_MAX && f->headers[i]; i++) {
		struct curl_slist *longer = curl_slist_append(list, f->headers[i]);

		BUG_IF(!longer);
		list = longer;
	}
	if (list)
		arena_defer(c->arena, free_list, list);

	return list;
}

/* clang-format off */
static void set_options(CURL *curl, struct ctx *c, const struct fetch *f, struct talk *t)
{
	int64_t timeout_us = f->timeout_us ? f->timeout_us : TIMEOUT_US;

	curl_easy_setopt(curl, CURLOPT_URL, f->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout_us / US_PER_MS));
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Zygo");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_of(c, f));
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	if (f->body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, f->body);
	if (f->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, f->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, f->password);
	}
}
/* clang-format on */

/* What the caller may know: whether it was refused, late, or not to be had. */
static int failed(struct ctx *c, const struct fetch *f, const struct talk *t, CURLcode code,
		  const char *why)
{
	int err;

	if (t->is_refused)
		err = fail(c, ERR_VALIDATION_ERROR, NULL, "This address may not be called");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		err = fail(c, ERR_GATEWAY_TIMEOUT, NULL, "The other server did not answer in time");
	else
		err = fail(c, ERR_BAD_GATEWAY, NULL, "The other server could not be asked");
	errdetail_log(c, "%s: %s", f->url, *why ? why : curl_easy_strerror(code));

	return err;
}

static const char *header_of(struct ctx *c, CURL *curl, const char *name)
{
	struct curl_header *h;

	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return NULL;

	return arena_strdup(c->arena, h->value);
}

static void cleanup_curl(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

int fetch(struct ctx *c, const struct fetch *f, struct fetched *ret)
{
	_cleanup_(cleanup_curl) CURL *curl = curl_easy_init();
	char why[CURL_ERROR_SIZE] = "";
	struct talk t = { .is_clear = !str_starts(str_of(f->url), "https:") };
	long status = 0;
	CURLcode code;

	BUG_IF(!curl);
	buf_init(&t.body, c->arena, f->reply_max ? f->reply_max : REPLY_MAX);
	set_options(curl, c, f, &t);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);

	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return failed(c, f, &t, code, why);

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret = (struct fetched){
		.status = (int)status,
		.body = buf_view(&t.body),
		.content_type = header_of(c, curl, "Content-Type"),
		.cache_control = header_of(c, curl, "Cache-Control"),
	};

	return 0;
}

static void add_escaped(struct buf *out, const char *s)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s; s++)
		if (strchr(plain, *s))
			buf_char(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
}

const char *fetch_form(struct ctx *c, const char *const pairs[][2])
{
	struct buf out;

	buf_init(&out, c->arena, FORM_MAX);
	for (size_t i = 0; pairs[i][0]; i++) {
		if (!pairs[i][1])
			continue;
		buf_printf(&out, "%s%s=", out.len > 0 ? "&" : "", pairs[i][0]);
		add_escaped(&out, pairs[i][1]);
	}
	BUG_IF(out.overflow);

	return out.data;
}

const char *fetch_escape(struct ctx *c, const char *s)
{
	struct buf out;

	buf_init(&out, c->arena, FORM_MAX);
	add_escaped(&out, s);
	BUG_IF(out.overflow);

	return out.data;
}
