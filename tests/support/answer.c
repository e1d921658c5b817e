/*
 * libcurl for the asking, base/jsonread for the reading. One handle a process, so that its
 * connection is kept.
 */
#include "support/answer.h"

#include "base/buf.h"
#include "identity/principal.h"
#include "support/caller.h"
#include "support/conformance.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <string.h>

#define BODY_BYTES_MAX MIB(16)
#define HEAD_BYTES_MAX KIB(64)
#define ANSWER_WAIT_S  60L /* far beyond any answer: an end for a test that would never have one */

/* Answers live here. */
static struct arena *arena(void)
{
	static struct arena *a;

	if (!a)
		a = arena_new();
	return a;
}

void answers_forget(void)
{
	arena_reset(arena());
}

/*
 * Asking
 */

static size_t take(char *piece, size_t size, size_t n, void *p)
{
	buf_add(p, piece, size * n);
	return size * n;
}

static CURL *handle(void)
{
	static CURL *curl;

	if (!curl)
		curl = curl_easy_init();
	cr_assert(curl);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_CAINFO, world()->ca);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_WAIT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take);
	return curl;
}

static struct curl_slist *add(struct curl_slist *list, const char *fmt, const char *value)
{
	return value ? curl_slist_append(list, arena_printf(arena(), "%s%s", fmt, value)) : list;
}

/* What the caller's tier takes of what the caller has. */
static struct curl_slist *add_credential(struct curl_slist *list, const struct caller *c)
{
	bool takes_token = tier_takes_token(c->tier) && c->token;

	if (takes_token)
		list = add(list, "Authorization: Bearer ", c->token);
	if (!takes_token && c->cookie && c->tier != TIER_API) {
		list = add(list, "Cookie: " SESSION_COOKIE "=", c->cookie);
		list = add(list, "Origin: ", c->origin);
	}
	return add(list, "X-Tenant-ID: ", c->named_tenant);
}

static struct curl_slist *headers_of(const struct ask *a)
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

static void say_what(CURL *curl, const struct ask *a)
{
	curl_easy_setopt(curl, CURLOPT_URL, arena_printf(arena(), "%s%s", world()->url, a->path));
	if (a->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
				 (long)(a->body_len ? a->body_len : strlen(a->body)));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, a->body);
	}
	if (strcmp(a->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, a->method);
	if (a->caller && a->caller->from)
		curl_easy_setopt(curl, CURLOPT_INTERFACE,
				 arena_printf(arena(), "host!%s", a->caller->from));
}

/*
 * Taking the answer apart
 */

/* The lines after the last status line: before it stand only interim answers. */
static void read_head(struct answer *a, struct str head)
{
	struct answer_header *headers =
		arena_make_n(arena(), struct answer_header, ANSWER_HEADERS_MAX);
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

	if (!a->body.len || !type || strcmp(type, "application/json") != 0)
		return;
	cr_assert(jsonread_parse(arena(), a->body, &a->json, &why, &at), "%s: %s at byte %zu: %.*s",
		  a->asked, why, at, STR_FMT(a->body));
}

struct answer answer_to(const struct ask *ask)
{
	CURL *curl = handle();
	struct curl_slist *headers = headers_of(ask);
	struct answer a = { .asked = arena_printf(arena(), "%s %s", ask->method, ask->path) };
	struct buf head, body;
	CURLcode failed;
	long status;

	buf_init(&head, arena(), HEAD_BYTES_MAX);
	buf_init(&body, arena(), BODY_BYTES_MAX);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	say_what(curl, ask);

	failed = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	cr_assert_eq(failed, CURLE_OK, "%s: %s", a.asked, curl_easy_strerror(failed));
	cr_assert(!head.overflow && !body.overflow, "%s: the answer is too large", a.asked);

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	a.status = (int)status;
	a.body = buf_view(&body);
	read_head(&a, buf_view(&head));
	read_json(&a);
	conformance_check(ask, &a);
	return a;
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
		.path = arena_printf(arena(), "%s%s", tier_prefix(c->tier), path),
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

/*
 * Looking at it
 */

struct answer answer_is(struct answer a, int status)
{
	cr_assert_eq(a.status, status, "%s: %d instead of %d: %.*s", a.asked, a.status, status,
		     STR_FMT(a.body));
	return a;
}

bool answer_has_issue(const struct answer *a, const char *path)
{
	const struct json *issues, *value;

	if (answer_find(a, "details.path", &value) && json_kind(value) == JSON_STRING &&
	    str_is(jsonread_string(value), path))
		return true;
	if (!answer_find(a, "details.issues", &issues))
		return false;
	for (size_t i = 0; i < jsonread_len(issues); i++) {
		if (jsonread_member(jsonread_at(issues, i), "path", &value) &&
		    str_is(jsonread_string(value), path))
			return true;
	}
	return false;
}

struct answer answer_is_error(struct answer a, int status, const char *code, const char *path)
{
	answer_is(a, status);
	cr_assert_str_eq(answer_text(a, "error"), code, "%s: not %s: %.*s", a.asked, code,
			 STR_FMT(a.body));
	cr_assert(!path || answer_has_issue(&a, path), "%s: not about %s: %.*s", a.asked, path,
		  STR_FMT(a.body));
	return a;
}

const char *answer_header(const struct answer *a, const char *name)
{
	for (size_t i = 0; i < a->headers_len; i++) {
		if (str_is_nocase(a->headers[i].name, name))
			return str_dup(arena(), a->headers[i].value);
	}
	return NULL;
}

/* One step of a path: a member's name, or an item's number. */
static bool step(const struct json *from, struct str name, const struct json **ret)
{
	int64_t i;

	if (json_kind(from) == JSON_OBJECT)
		return jsonread_member(from, str_dup(arena(), name), ret);
	if (json_kind(from) != JSON_ARRAY || !str_to_i64(name, 0, INT64_MAX, &i) ||
	    (size_t)i >= jsonread_len(from))
		return false;
	*ret = jsonread_at(from, (size_t)i);
	return true;
}

bool answer_find(const struct answer *a, const char *path, const struct json **ret)
{
	struct str rest = str_of(path), name;

	*ret = a->json;
	while ((name = str_cut(&rest, '.')).ptr) {
		if (!step(*ret, name, ret))
			return false;
	}
	return true;
}

static const struct json *find(const struct answer *a, const char *path, enum json_kind kind)
{
	const struct json *value;

	cr_assert(answer_find(a, path, &value), "%s: no %s in %.*s", a->asked, path,
		  STR_FMT(a->body));
	cr_assert_eq(json_kind(value), kind, "%s: %s is %s in %.*s", a->asked, path,
		     json_kind_name(json_kind(value)), STR_FMT(a->body));
	return value;
}

const char *answer_text(struct answer a, const char *path)
{
	return str_dup(arena(), jsonread_string(find(&a, path, JSON_STRING)));
}

int64_t answer_int(struct answer a, const char *path)
{
	int64_t number;

	cr_assert(jsonread_i64(find(&a, path, JSON_INT), &number));
	return number;
}

bool answer_bool(struct answer a, const char *path)
{
	return jsonread_bool(find(&a, path, JSON_BOOL));
}

size_t answer_len(struct answer a, const char *path)
{
	return jsonread_len(find(&a, path, JSON_ARRAY));
}
