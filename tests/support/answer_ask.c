/*
 * libcurl asks; base/jsonread reads. One handle a process for what is asked alone, so that its
 * connection is kept.
 */
#include "base/buf.h"
#include "identity/credential.h"
#include "support/answer_impl.h"
#include "support/caller.h"
#include "support/conformance.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <string.h>

#define BODY_BYTES_MAX MIB(16)
#define HEAD_BYTES_MAX KIB(64)
#define ANSWER_WAIT_S  60L /* far beyond any answer: an end for a test that would never have one */

/*
 * Asking
 */

static size_t take(char *piece, size_t size, size_t n, void *p)
{
	buf_add(p, piece, size * n);
	return size * n;
}

/* What holds for every request; whose answer is written by take(). */
static void set_usual(CURL *curl)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_CAINFO, world()->ca);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* no other's; and read once */
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_WAIT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take);
}

/* Each test has an address of its own, so that what is limited by address is limited for it alone.
 */
static const char *own_address(void)
{
	static const char *address;

	if (!address)
		address = new_address();
	return address;
}

static struct curl_slist *add(struct curl_slist *list, const char *fmt, const char *value)
{
	return value ? curl_slist_append(list, arena_printf(answers_arena(), "%s%s", fmt, value))
		     : list;
}

/* What the caller's tier takes of what the caller has. */
static struct curl_slist *add_credential(struct curl_slist *list, const struct caller *c)
{
	bool takes_token = tier_takes_token(c->tier) && c->token;

	if (takes_token)
		list = add(list, "Authorization: Bearer ", c->token);
	if (!takes_token && c->tier != TIER_API) {
		list = add(list, "Cookie: " SESSION_COOKIE "=", c->cookie);
		list = add(list, "Origin: ", c->origin);
	}
	list = add(list, "X-API-Key: ", c->api_key);
	return add(list, "X-Tenant-ID: ", c->named_tenant);
}

struct curl_slist *answer_headers(const struct ask *a)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	if (a->caller)
		list = add_credential(list, a->caller);
	if (a->body || a->content_type)
		list = add(list, "Content-Type: ",
			   a->content_type ? a->content_type : "application/json");
	for (size_t i = 0; i < ARRAY_LEN(a->headers) && a->headers[i]; i++)
		list = curl_slist_append(list, a->headers[i]);
	return list;
}

/* The same on any handle; the caller frees the list when the answer is there. */
static struct curl_slist *say_what(CURL *curl, const struct ask *a)
{
	const struct caller *c = a->caller;
	const char *url = c && c->url ? c->url : world()->url;
	const char *from = c && c->from ? c->from : own_address();
	struct curl_slist *headers = answer_headers(a);

	set_usual(curl);
	curl_easy_setopt(curl, CURLOPT_URL, arena_printf(answers_arena(), "%s%s", url, a->path));
	curl_easy_setopt(curl, CURLOPT_INTERFACE, arena_printf(answers_arena(), "host!%s", from));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (a->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
				 (long)(a->body_len ? a->body_len : strlen(a->body)));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, a->body);
	}
	if (strcmp(a->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, a->method);
	return headers;
}

/*
 * Taking the answer apart
 */

/* The lines after the last status line: before it stand only interim answers. */
static void read_head(struct answer *a, struct str head)
{
	struct answer_header *headers =
		arena_make_n(answers_arena(), struct answer_header, ANSWER_HEADERS_MAX);
	struct str line;

	while ((line = str_cut(&head, '\n')).ptr) {
		struct str name, value = str_trim(line);

		if (str_starts(value, "HTTP/"))
			a->headers_len = 0;
		if (str_starts(value, "HTTP/") || !str_find(value, ':', &(size_t){ 0 }))
			continue;
		name = str_cut(&value, ':');
		cr_assert(a->headers_len < ANSWER_HEADERS_MAX);
		headers[a->headers_len++] = (struct answer_header){ name, str_trim(value) };
	}
	a->headers = headers;
}

static void read_json(struct answer *a)
{
	const char *type = answer_header(a, "Content-Type");
	const char *why;
	size_t at;

	if (!a->body.len || !type || !str_ends(str_of(type), "json"))
		return;
	cr_assert(jsonread_parse(answers_arena(), a->body, &a->json, &why, &at),
		  "%s: %s at byte %zu: %.*s", a->asked, why, at, STR_FMT(a->body));
}

/* One request under way. */
struct exchange {
	const struct ask *ask;
	CURL *curl;
	struct curl_slist *headers;
	struct buf head, body;
};

static void begin(struct exchange *x, const struct ask *ask, CURL *curl)
{
	cr_assert(curl);
	*x = (struct exchange){ .ask = ask, .curl = curl };
	buf_init(&x->head, answers_arena(), HEAD_BYTES_MAX);
	buf_init(&x->body, answers_arena(), BODY_BYTES_MAX);
	x->headers = say_what(curl, ask);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &x->head);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->body);
}

static struct answer end(struct exchange *x, CURLcode failed)
{
	struct answer a = {
		.asked = arena_printf(answers_arena(), "%s %s", x->ask->method, x->ask->path),
	};
	long status;

	curl_slist_free_all(x->headers);
	cr_assert_eq(failed, CURLE_OK, "%s: %s", a.asked, curl_easy_strerror(failed));
	cr_assert(!x->head.overflow && !x->body.overflow, "%s: the answer is too large", a.asked);

	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	a.status = (int)status;
	a.body = buf_view(&x->body);
	read_head(&a, buf_view(&x->head));
	read_json(&a);
	conformance_check(x->ask, &a);
	return a;
}

struct answer answer_to(const struct ask *ask)
{
	static CURL *curl;
	struct exchange x;

	if (!curl)
		curl = curl_easy_init();
	begin(&x, ask, curl);
	return end(&x, curl_easy_perform(curl));
}

/* Runs all transfers of a handle to their ends. */
static void perform_all(CURLM *multi)
{
	int running = 1;

	while (running) {
		cr_assert_eq(curl_multi_perform(multi, &running), CURLM_OK);
		if (running)
			cr_assert_eq(curl_multi_poll(multi, NULL, 0, 1000, NULL), CURLM_OK);
	}
}

/* The result of each transfer, by its handle. */
static CURLcode result_of(CURLM *multi, CURL *curl)
{
	CURLMsg *message;
	CURLcode code = CURLE_OK;
	int left;

	while ((message = curl_multi_info_read(multi, &left))) {
		if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK)
			code = message->data.result;
	}
	curl_multi_remove_handle(multi, curl);
	return code;
}

void answers_to_all(const struct ask *asks, size_t n, struct answer *ret)
{
	struct exchange *all = arena_make_n(answers_arena(), struct exchange, n);
	CURLM *multi = curl_multi_init();

	cr_assert(multi);
	for (size_t i = 0; i < n; i++) {
		begin(&all[i], &asks[i], curl_easy_init());
		curl_easy_setopt(all[i].curl, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(all[i].curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
		curl_multi_add_handle(multi, all[i].curl);
	}
	perform_all(multi);
	for (size_t i = 0; i < n; i++) {
		ret[i] = end(&all[i], result_of(multi, all[i].curl));
		curl_easy_cleanup(all[i].curl);
	}
	curl_multi_cleanup(multi);
}

void answers_together(const struct ask *ask, size_t n, struct answer *ret)
{
	struct ask *asks = arena_make_n(answers_arena(), struct ask, n);

	for (size_t i = 0; i < n; i++)
		asks[i] = *ask;
	answers_to_all(asks, n, ret);
}

struct answer answer_parse(struct str bytes, const char *asked)
{
	struct answer a = { .asked = asked };
	const char *end = memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4);
	struct str head, status;
	int64_t number = 0;

	cr_assert(end && str_starts(bytes, "HTTP/1.1 "), "%s: no answer: %.*s", asked,
		  STR_FMT(bytes));
	head = (struct str){ bytes.ptr, (size_t)(end - bytes.ptr) };
	status = (struct str){ bytes.ptr + strlen("HTTP/1.1 "), 3 };
	cr_assert(str_to_i64(status, 100, 599, &number));
	a.status = (int)number;
	a.body = (struct str){ end + 4, bytes.len - head.len - 4 };
	read_head(&a, head);
	read_json(&a);
	conformance_check(NULL, &a);
	return a;
}

/*
 * The usual requests
 */

struct answer ask_with(const struct caller *c, const char *method, const char *path,
		       const char *body, const char *header)
{
	return answer_to(&(struct ask){
		.method = method,
		.path = arena_printf(answers_arena(), "%s%s", tier_prefix(c->tier), path),
		.caller = c,
		.body = body,
		.headers = { header },
	});
}

struct answer get(const struct caller *c, const char *path)
{
	return ask_with(c, "GET", path, NULL, NULL);
}

struct answer post(const struct caller *c, const char *path, const char *body)
{
	return ask_with(c, "POST", path, body, NULL);
}

struct answer put(const struct caller *c, const char *path, const char *body)
{
	return ask_with(c, "PUT", path, body, NULL);
}

struct answer patch(const struct caller *c, const char *path, const char *body)
{
	return ask_with(c, "PATCH", path, body, NULL);
}

struct answer del(const struct caller *c, const char *path)
{
	return ask_with(c, "DELETE", path, NULL, NULL);
}
