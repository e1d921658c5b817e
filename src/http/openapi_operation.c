/* One operation of the OpenAPI document, from its row. */
#include "http/openapi_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/jsonwrite.h"
#include "http/paging.h"
#include "http/route.h"
#include "http/shape.h"

#define NAME_BYTES_MAX 256
#define TEXT_BYTES_MAX KIB(4)

void openapi_ref(struct jsonwrite *w, const char *kind, const char *key)
{
	char ref[256];

	(void)snprintf(ref, sizeof(ref), "#/components/%s/%s", kind, key);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "$ref", ref);
	jsonwrite_object_end(w);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* "api-keys" as "apiKeys", or as "Api keys" with a capital. */
static void add_words(struct buf *out, struct str s, bool as_title)
{
	bool raise = as_title;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!is_letter(c) && (c < '0' || c > '9')) {
			raise = !as_title;
			if (as_title)
				buf_char(out, ' ');
			continue;
		}
		buf_char(out, raise ? upper(c) : c);
		raise = false;
	}
}

const char *openapi_tag_of(struct arena *a, const struct mount *m)
{
	struct buf b;

	buf_init(&b, a, NAME_BYTES_MAX);
	add_words(&b, str_of(m->name), true);

	return b.data;
}

const char *openapi_tag(struct arena *a, const struct mounted *m)
{
	return m->route->tag ? m->route->tag : openapi_tag_of(a, m->mount);
}

/* All there are, or those of one thing: both may stand under the same words. */
static const char *list_verb(const struct route *r)
{
	return route_has_params(r) ? "listOf" : "list";
}

/* What the method does to what the path names; an action that a path names itself needs no verb. */
static const char *verb_of(const struct route *r, bool ends_in_param)
{
	switch (r->method) {
	case GET: return r->page ? list_verb(r) : r->all ? "all" : ends_in_param ? "get" : "read";
	case POST: return route_status(r) == 201 || r->flags & ROUTE_IDEMPOTENT ? "create" : NULL;
	case PUT: return "replace";
	case PATCH: return "update";
	case DELETE: return ends_in_param ? "delete" : "clear";
	case HEAD:
	case OPTIONS: break;
	}

	BUG("a row of this method");
}

/* "api.projects.create": tier, literal segments, verb; the same for as long as the path is. */
static void write_id(struct jsonwrite *w, struct arena *a, const struct mounted *m)
{
	struct str rest = str_of(m->route->path + 1);
	bool is_param = false;
	const char *verb;
	struct buf id;

	buf_init(&id, a, NAME_BYTES_MAX);
	buf_str(&id, tier_name(m->tier));
	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param)) {
		if (!is_param) {
			buf_char(&id, '.');
			add_words(&id, s, false);
		}
		if (!rest.ptr)
			break;
	}

	verb = verb_of(m->route, is_param);
	if (verb)
		buf_printf(&id, ".%s", verb);
	jsonwrite_member_text(w, "operationId", id.data);
}

/*
 * Who may call
 */

static void write_scheme(struct jsonwrite *w, const char *scheme)
{
	jsonwrite_object(w);
	jsonwrite_key(w, scheme);
	jsonwrite_array(w);
	jsonwrite_array_end(w);
	jsonwrite_object_end(w);
}

static void write_security(struct jsonwrite *w, const struct mounted *m)
{
	bool is_open = m->route->perm == PERM_PUBLIC;

	jsonwrite_key(w, "security");
	jsonwrite_array(w);
	if (!is_open && m->tier & (TIER_API | TIER_AUTH))
		write_scheme(w, "bearerAuth");
	if (route_takes_api_key(m->route, m->tier))
		write_scheme(w, "apiKey");
	if (!is_open && m->tier & (TIER_ADMIN | TIER_SUPER | TIER_AUTH))
		write_scheme(w, "sessionCookie");
	jsonwrite_array_end(w);
}

/* The row's own words, and what its permission column says. */
static void write_description(struct jsonwrite *w, struct arena *a, const struct route *r)
{
	const struct permission *p = &permissions[r->perm];
	struct buf b;

	buf_init(&b, a, TEXT_BYTES_MAX);
	buf_str(&b, r->about ? r->about : r->summary);
	buf_char(&b, '.');
	if (p->name)
		buf_printf(&b, " Needs the permission `%s`.", p->name);
	else if (r->perm == PERM_GLOBAL_ADMIN)
		buf_str(&b, " For global administrators.");
	jsonwrite_member_text(w, "description", b.data);
}

/*
 * Parameters
 */

static void write_path_parameter(struct jsonwrite *w, struct str name)
{
	static const struct field id = { .type = T_UUID, .need = REQUIRED };
	static const struct field text = { .type = T_STRING, .need = REQUIRED, .min = 1 };

	jsonwrite_object(w);
	jsonwrite_key(w, "name");
	jsonwrite_str(w, name);
	jsonwrite_member_text(w, "in", "path");
	jsonwrite_member_bool(w, "required", true);
	jsonwrite_key(w, "schema");
	field_write_schema(w, route_param_is_id(name) ? &id : &text, true);
	jsonwrite_object_end(w);
}

static void write_path_parameters(struct jsonwrite *w, const struct route *r)
{
	struct str rest = str_of(r->path + 1);
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param))
		if (is_param)
			write_path_parameter(w, s);
}

void openapi_query_parameter(struct jsonwrite *w, const struct field *f)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "name", f->name);
	jsonwrite_member_text(w, "in", "query");
	jsonwrite_member_bool(w, "required", f->need == REQUIRED);
	if (f->about)
		jsonwrite_member_text(w, "description", f->about);
	jsonwrite_key(w, "schema");
	field_write_schema(w, f, true);
	jsonwrite_object_end(w);
}

/* The names of a list's sorts, each also with '-' before it; ends with NULL. */
static const char *const *sort_words(struct arena *a, const char *sorts)
{
	struct str rest = str_of(sorts);
	const char **words;
	size_t n = 0;

	words = arena_make_n(a, const char *, 2 * strlen(sorts) + 1);
	for (struct str s = str_cut(&rest, ' '); s.ptr; s = str_cut(&rest, ' ')) {
		words[n++] = str_dup(a, s);
		words[n++] = arena_printf(a, "-%.*s", STR_FMT(s));
	}

	return words;
}

static void write_paging_parameter(struct jsonwrite *w, struct arena *a, const struct field *f,
				   const char *sorts)
{
	struct field as_enum = *f;

	if (strcmp(f->name, "sort") != 0) {
		openapi_ref(w, "parameters", f->name);
		return;
	}

	as_enum.type = T_ENUM;
	as_enum.words = sort_words(a, sorts);
	openapi_query_parameter(w, &as_enum);
}

static void write_query_parameters(struct jsonwrite *w, struct arena *a, const struct route *r)
{
	for (size_t i = 0; r->query && i < r->query->fields_len; i++)
		openapi_query_parameter(w, &r->query->fields[i]);
	for (size_t i = 0; r->sorts && i < paging_shape.fields_len; i++)
		write_paging_parameter(w, a, &paging_shape.fields[i], r->sorts);
}

static void write_parameters(struct jsonwrite *w, struct arena *a, const struct mounted *m)
{
	jsonwrite_key(w, "parameters");
	jsonwrite_array(w);
	write_path_parameters(w, m->route);
	write_query_parameters(w, a, m->route);
	for (const struct common_parameter *p = openapi_parameters; p->key; p++)
		if (p->is_taken_by(m))
			openapi_ref(w, "parameters", p->key);
	jsonwrite_array_end(w);
}

static bool is_body_required(const struct shape *s)
{
	for (size_t i = 0; i < s->fields_len; i++)
		if (s->fields[i].need == REQUIRED)
			return true;

	return false;
}

static void write_request_body(struct jsonwrite *w, const struct route *r)
{
	bool is_raw = r->flags & ROUTE_RAW_BODY;

	if (!r->body && !is_raw)
		return;

	jsonwrite_key(w, "requestBody");
	jsonwrite_object(w);
	jsonwrite_member_bool(w, "required", is_raw || is_body_required(r->body));
	jsonwrite_key(w, "content");
	jsonwrite_object(w);
	jsonwrite_key(w, is_raw ? "*/*" : "application/json");
	jsonwrite_object(w);
	if (!is_raw) {
		jsonwrite_key(w, "schema");
		openapi_ref(w, "schemas", r->body->name);
		jsonwrite_key(w, "example");
		shape_write_example(w, r->body);
	}
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
}

/*
 * Replies
 */

void openapi_headers_of(struct jsonwrite *w, const struct mounted *m, int status)
{
	jsonwrite_key(w, "headers");
	jsonwrite_object(w);
	for (const struct common_header *h = openapi_headers; h->key; h++) {
		if (!h->is_given_by(m, status))
			continue;
		jsonwrite_key(w, h->key);
		openapi_ref(w, "headers", h->key);
	}
	jsonwrite_object_end(w);
}

/* {"data": […]}, with pagination where the list has pages. */
static void write_list_schema(struct jsonwrite *w, const struct route *r)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "object");
	jsonwrite_key(w, "properties");
	jsonwrite_object(w);
	jsonwrite_key(w, "data");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "array");
	jsonwrite_key(w, "items");
	openapi_ref(w, "schemas", r->reply->name);
	jsonwrite_object_end(w);
	if (r->page) {
		jsonwrite_key(w, "pagination");
		openapi_ref(w, "schemas", "Pagination");
	}
	jsonwrite_object_end(w);
	jsonwrite_key(w, "required");
	jsonwrite_raw(w, r->page ? STR("[\"data\",\"pagination\"]") : STR("[\"data\"]"));
	jsonwrite_member_bool(w, "additionalProperties", false);
	jsonwrite_object_end(w);
}

static void write_list_example(struct jsonwrite *w, const struct route *r)
{
	jsonwrite_object(w);
	jsonwrite_key(w, "data");
	jsonwrite_array(w);
	shape_write_example(w, r->reply);
	jsonwrite_array_end(w);
	if (r->page) {
		jsonwrite_key(w, "pagination");
		jsonwrite_raw(w, STR("{\"page\":1,\"limit\":20,\"total\":1,\"totalPages\":1,"
				     "\"nextCursor\":null}"));
	}
	jsonwrite_object_end(w);
}

static void write_reply_content(struct jsonwrite *w, const struct route *r)
{
	bool is_list = r->page || r->all;

	jsonwrite_key(w, "content");
	jsonwrite_object(w);
	jsonwrite_key(w, "application/json");
	jsonwrite_object(w);
	jsonwrite_key(w, "schema");
	if (is_list)
		write_list_schema(w, r);
	else
		openapi_ref(w, "schemas", r->reply->name);
	jsonwrite_key(w, "example");
	if (is_list)
		write_list_example(w, r);
	else
		shape_write_example(w, r->reply);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
}

static void write_key_of_status(struct jsonwrite *w, int status)
{
	char key[12];

	(void)snprintf(key, sizeof(key), "%d", status);
	jsonwrite_key(w, key);
}

static const char *phrase_of(int status)
{
	switch (status) {
	case 201: return "Created";
	case 202: return "Accepted: the work goes on; Location, or a mail, says how";
	case 204: return "Done";
	case 301: return "It has moved to Location";
	case 302:
	case 303: return "See Location";
	default: return "OK";
	}
}

/* What comes instead when it is done later. */
static void write_accepted(struct jsonwrite *w, const struct mounted *m)
{
	struct route later = *m->route;

	later.reply = later.accepted;
	write_key_of_status(w, 202);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "description", phrase_of(202));
	openapi_headers_of(w, m, 202);
	write_reply_content(w, &later);
	jsonwrite_object_end(w);
}

static void write_redirect(struct jsonwrite *w, const struct mounted *m, int status)
{
	write_key_of_status(w, status);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "description", phrase_of(status));
	openapi_headers_of(w, m, status);
	jsonwrite_object_end(w);
}

static void write_success(struct jsonwrite *w, const struct mounted *m)
{
	int status = route_status(m->route);

	write_key_of_status(w, status);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "description", phrase_of(status));
	openapi_headers_of(w, m, status);
	if (m->route->reply && status != 204)
		write_reply_content(w, m->route);
	jsonwrite_object_end(w);

	if (m->route->accepted)
		write_accepted(w, m);
	if (m->route->flags & ROUTE_MOVES)
		write_redirect(w, m, 301);
	if (m->route->failed)
		write_redirect(w, m, 302);
	if (m->route->one && m->route->method == GET) {
		jsonwrite_key(w, "304");
		jsonwrite_object(w);
		jsonwrite_member_text(w, "description", "Not changed since If-None-Match");
		jsonwrite_object_end(w);
	}
}

/* errors.def is in the order of statuses, so that each status is met once. */
static void write_failures(struct jsonwrite *w, struct arena *a, const struct mounted *m)
{
	int last = 0;

	for (int e = OK + 1; e < ERR_COUNT; e++) {
		int status = err_info(e)->status;

		if (status == last || !route_may_fail(m->route, m->tier, e))
			continue;
		write_key_of_status(w, status);
		openapi_ref(w, "responses", openapi_failure_name(a, m, status));
		last = status;
	}
}

void openapi_operation(struct jsonwrite *w, struct arena *a, const struct mounted *m)
{
	jsonwrite_object(w);
	write_id(w, a, m);
	jsonwrite_key(w, "tags");
	jsonwrite_array(w);
	jsonwrite_text(w, openapi_tag(a, m));
	jsonwrite_array_end(w);
	jsonwrite_member_text(w, "summary", m->route->summary);
	write_description(w, a, m->route);
	if (m->route->deprecated)
		jsonwrite_member_bool(w, "deprecated", true);
	write_security(w, m);
	write_parameters(w, a, m);
	write_request_body(w, m->route);
	jsonwrite_key(w, "responses");
	jsonwrite_object(w);
	write_success(w, m);
	write_failures(w, a, m);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
}
