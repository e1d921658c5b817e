/* HTTP requests by libcurl: see fetch.h. */
#include "net/fetch.h"

#include "net/transfer_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ctx.h"

#define TIMEOUT_US (5 * US_PER_S)
#define CONNECT_US (3 * US_PER_S)
#define REPLY_MAX  KIB(256)
#define FORM_MAX   KIB(64)

/* What the callbacks fill while one request runs. */
struct talk {
	struct buf body;
	struct watch watch;
};

static size_t take_body(char *data, size_t size, size_t n, void *p)
{
	struct talk *t = p;

	buf_add(&t->body, data, size * n);

	return t->body.overflow ? 0 : size * n; /* 0 ends it: CURLE_WRITE_ERROR */
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
	transfer_prepare(curl, f->url, &t->watch, CONNECT_US, f->timeout_us ? f->timeout_us : TIMEOUT_US);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Zygo");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_of(c, f));
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

	if (t->watch.is_refused)
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
	struct talk t = { 0 };
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
