/*
 * The OpenAPI 3.1 document: paths from the rows (openapi_operation.c), schemas from the shapes, and
 * what all of them point to.
 */
#include "http/openapi.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/jsonwrite.h"
#include "http/openapi_impl.h"
#include "http/paging.h"
#include "http/route.h"
#include "http/schemas.h"
#include "http/shape.h"

static const char about[] =
	"Multi-tenant cloud platform. Lists are paged by number or by cursor; errors have one form; "
	"ETag and If-Match guard changes; Idempotency-Key makes creating safe to repeat.";

/*
 * What many operations share
 */

static bool takes_tenant(const struct mounted *m)
{
	return route_needs_tenant(m->route);
}

static bool takes_idempotency_key(const struct mounted *m)
{
	return m->route->flags & ROUTE_IDEMPOTENT;
}

static bool takes_if_match(const struct mounted *m)
{
	return route_may_fail(m->route, m->tier, ERR_PRECONDITION_FAILED);
}

static bool takes_if_none_match(const struct mounted *m)
{
	return m->route->one && m->route->method == GET;
}

/* clang-format off */
const struct common_parameter openapi_parameters[] = {
	{ "TenantId", "X-Tenant-ID", "The tenant to act on, for who has a seat in several; global administrators must name it",
	  "01890a5d-ac96-774b-bcce-b302099a8057", "uuid", 36, takes_tenant },
	{ "IdempotencyKey", "Idempotency-Key", "A value of the caller's own: sent again within 24 hours with the same request, "
	  "the first reply is repeated and nothing is done twice",
	  "8e03978e-40d5-43e8-bc93-6894a57f9324", NULL, 255, takes_idempotency_key },
	{ "IfMatch", "If-Match", "The ETag that the resource still must have, or a list of which it must have one", "\"v3\"", NULL, 1024,
	  takes_if_match },
	{ "IfNoneMatch", "If-None-Match", "An ETag, or a list: 304 when the resource still has it", "\"v3\"", NULL, 1024,
	  takes_if_none_match },
	{ 0 },
};
/* clang-format on */

static bool answers_with_row(const struct mounted *m)
{
	return m->route->one || m->route->flags & ROUTE_VERSIONED;
}

static bool has_etag(const struct mounted *m, int status)
{
	return answers_with_row(m) && status < 300;
}

static bool has_location(const struct mounted *m, int status)
{
	return status == 202 || (status > 300 && status < 304) ||
	       (status == 201 && answers_with_row(m));
}

static bool has_limit(const struct mounted *m, int status)
{
	return status == 429 || (m->route->rate != RATE_EXEMPT && status < 400);
}

static bool has_retry(const struct mounted *m, int status)
{
	(void)m;
	return status == 429 || status == 503;
}

static bool has_challenge(const struct mounted *m, int status)
{
	(void)m;
	return status == 401;
}

static bool may_be_replayed(const struct mounted *m, int status)
{
	return takes_idempotency_key(m) && status < 300;
}

static bool always(const struct mounted *m, int status)
{
	(void)m;
	(void)status;
	return true;
}

/* clang-format off */
const struct common_header openapi_headers[] = {
	{ "X-Request-Id", "Names this request in logs; the caller's own when it sent one",
	  "01890a5d-ac96-774b-bcce-b302099a8057", always },
	{ "ETag", "The version of the resource, for If-Match and If-None-Match", "\"v3\"", has_etag },
	{ "Location", "Where what was created, or what goes on, can be read",
	  "/api/v1/projects/01890a5d-ac96-774b-bcce-b302099a8057", has_location },
	{ "Idempotent-Replayed", "true: the reply of an earlier request with this Idempotency-Key", "true",
	  may_be_replayed },
	{ "RateLimit-Policy", "The limit: q requests in w seconds (draft-ietf-httpapi-ratelimit-headers-11)",
	  "\"read\";q=600;w=60", has_limit },
	{ "RateLimit", "What is left: r requests, until t seconds from now", "\"read\";r=599;t=60", has_limit },
	{ "Retry-After", "Seconds to wait", "30", has_retry },
	{ "WWW-Authenticate", "The scheme that is wanted", "Bearer realm=\"zygo\"", has_challenge },
	{ 0 },
};
/* clang-format on */

static void write_common_parameter(struct jsonwrite *w, const struct common_parameter *p)
{
	jsonwrite_key(w, p->key);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "name", p->name);
	jsonwrite_member_text(w, "in", "header");
	jsonwrite_member_bool(w, "required", false);
	jsonwrite_member_text(w, "description", p->about);
	jsonwrite_key(w, "schema");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "string");
	if (p->format)
		jsonwrite_member_text(w, "format", p->format);
	jsonwrite_member_i64(w, "maxLength", p->length_max);
	jsonwrite_key(w, "examples"); /* the schema's: Swagger UI would send a parameter's own */
	jsonwrite_array(w);
	jsonwrite_text(w, p->example);
	jsonwrite_array_end(w);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
}

/* Those of every list, but for its sorts. */
static void write_paging_parameters(struct jsonwrite *w)
{
	for (size_t i = 0; i < paging_shape.fields_len; i++) {
		const struct field *f = &paging_shape.fields[i];

		if (strcmp(f->name, "sort") == 0)
			continue;
		jsonwrite_key(w, f->name);
		openapi_query_parameter(w, f);
	}
}

static void write_common_header(struct jsonwrite *w, const struct common_header *h)
{
	jsonwrite_key(w, h->key);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "description", h->about);
	jsonwrite_key(w, "schema");
	jsonwrite_raw(w, STR("{\"type\":\"string\"}"));
	jsonwrite_member_text(w, "example", h->example);
	jsonwrite_object_end(w);
}

/*
 * Schemas
 */

/* The two that are written by reply.c and problem.c, and by no row. */
static const char pagination_schema[] =
	"{\"type\":\"object\",\"description\":\"By number: page, limit, total and totalPages; by "
	"cursor: limit. nextCursor continues in either case.\",\"properties\":{"
	"\"page\":{\"type\":\"integer\",\"minimum\":1},"
	"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100},"
	"\"total\":{\"type\":\"integer\",\"minimum\":0},"
	"\"totalPages\":{\"type\":\"integer\",\"minimum\":0},"
	"\"nextCursor\":{\"type\":[\"string\",\"null\"],\"description\":\"null on the last page\"}},"
	"\"required\":[\"limit\",\"nextCursor\"],\"additionalProperties\":false}";

static const char issue_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"path\":{\"type\":\"string\",\"description\":\"The field, dot-joined; empty: the whole\"},"
	"\"message\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"}},"
	"\"required\":[\"path\",\"message\",\"code\"],\"additionalProperties\":false}";

static const char details_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"issues\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Issue\"}},"
	"\"path\":{\"type\":\"string\",\"description\":\"The field that the error concerns\"},"
	"\"required\":{\"type\":\"string\",\"description\":\"The permission that was missing\"},"
	"\"retryAfter\":{\"type\":\"integer\",\"description\":\"Seconds to wait\"}},"
	"\"additionalProperties\":true}";

static void write_error_schema(struct jsonwrite *w)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "object");
	jsonwrite_member_text(w, "description", "Every error has this form");
	jsonwrite_key(w, "properties");
	jsonwrite_object(w);
	jsonwrite_key(w, "error");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "string");
	jsonwrite_key(w, "enum");
	jsonwrite_array(w);
	for (int e = OK + 1; e < ERR_COUNT; e++)
		jsonwrite_text(w, err_info(e)->code);
	jsonwrite_array_end(w);
	jsonwrite_object_end(w);
	jsonwrite_key(w, "message");
	jsonwrite_raw(w, STR("{\"type\":\"string\",\"description\":\"For people\"}"));
	jsonwrite_key(w, "statusCode");
	jsonwrite_raw(w, STR("{\"type\":\"integer\"}"));
	jsonwrite_key(w, "timestamp");
	jsonwrite_raw(w, STR("{\"type\":\"string\",\"format\":\"date-time\"}"));
	jsonwrite_key(w, "requestId");
	jsonwrite_raw(w, STR("{\"type\":\"string\"}"));
	jsonwrite_key(w, "details");
	jsonwrite_raw(w, str_of(details_schema));
	jsonwrite_object_end(w);
	jsonwrite_key(w, "required");
	jsonwrite_raw(w, STR("[\"error\",\"message\",\"statusCode\",\"timestamp\",\"requestId\"]"));
	jsonwrite_member_bool(w, "additionalProperties", false);
	jsonwrite_object_end(w);
}

static void write_schemas(struct jsonwrite *w, const struct schemas *s)
{
	jsonwrite_key(w, "schemas");
	jsonwrite_object(w);
	jsonwrite_key(w, "Error");
	write_error_schema(w);
	jsonwrite_key(w, "Issue");
	jsonwrite_raw(w, str_of(issue_schema));
	jsonwrite_key(w, "Pagination");
	jsonwrite_raw(w, str_of(pagination_schema));
	for (size_t i = 0; i < s->len; i++) {
		jsonwrite_key(w, s->shapes[i]->name);
		shape_write_schema(w, s->shapes[i], s->shapes[i]->size > 0);
	}
	jsonwrite_object_end(w);
}

/* What details the error has, in the example of it. */
static void write_example_details(struct jsonwrite *w, int err)
{
	const char *details = err == ERR_VALIDATION_ERROR
				      ? "{\"issues\":[{\"path\":\"name\",\"message\":\"Required\","
					"\"code\":\"invalid_type\"}]}"
			      : err == ERR_RATE_LIMIT_EXCEEDED ? "{\"retryAfter\":30}"
			      : err == ERR_AUTH_FORBIDDEN      ? "{\"required\":\"canManageUsers\"}"
							       : NULL;

	if (!details)
		return;
	jsonwrite_key(w, "details");
	jsonwrite_raw(w, str_of(details));
}

static bool may_any_fail(const struct mounted *rows, size_t n, int err)
{
	for (size_t i = 0; i < n; i++)
		if (route_may_fail(rows[i].route, rows[i].tier, err))
			return true;

	return false;
}

static void write_examples(struct jsonwrite *w, const struct mounted *rows, size_t n)
{
	jsonwrite_key(w, "examples");
	jsonwrite_object(w);
	for (int e = OK + 1; e < ERR_COUNT; e++) {
		const struct err_info *info = err_info(e);

		if (!may_any_fail(rows, n, e))
			continue;
		jsonwrite_key(w, info->code);
		jsonwrite_object(w);
		jsonwrite_member_text(w, "summary", info->message);
		jsonwrite_key(w, "value");
		jsonwrite_object(w);
		jsonwrite_member_text(w, "error", info->code);
		jsonwrite_member_text(w, "message", info->message);
		jsonwrite_member_i64(w, "statusCode", info->status);
		jsonwrite_member_text(w, "timestamp", "2026-01-31T12:00:00.000Z");
		jsonwrite_member_text(w, "requestId", "01890a5d-ac96-774b-bcce-b302099a8057");
		write_example_details(w, e);
		jsonwrite_object_end(w);
		jsonwrite_object_end(w);
	}
	jsonwrite_object_end(w);
}

static void write_components(struct jsonwrite *w, struct arena *a, const struct schemas *schemas,
			     const struct mounted *rows, size_t n)
{
	jsonwrite_key(w, "components");
	jsonwrite_object(w);
	jsonwrite_key(w, "securitySchemes");
	jsonwrite_raw(
		w,
		STR("{\"bearerAuth\":{\"type\":\"http\",\"scheme\":\"bearer\","
		    "\"bearerFormat\":\"JWT\",\"description\":\"An access token, or on the public "
		    "tier an API key\"},"
		    "\"apiKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\","
		    "\"description\":\"An API key, where Authorization is not free for it\"},"
		    "\"sessionCookie\":{\"type\":\"apiKey\",\"in\":\"cookie\","
		    "\"name\":\"__Host-zygo_session\","
		    "\"description\":\"A browser's session; changes want an allowed Origin\"}}"));
	jsonwrite_key(w, "parameters");
	jsonwrite_object(w);
	for (const struct common_parameter *p = openapi_parameters; p->key; p++)
		write_common_parameter(w, p);
	write_paging_parameters(w);
	jsonwrite_object_end(w);
	jsonwrite_key(w, "headers");
	jsonwrite_object(w);
	for (const struct common_header *h = openapi_headers; h->key; h++)
		write_common_header(w, h);
	jsonwrite_object_end(w);
	openapi_failures(w, a, rows, n);
	write_schemas(w, schemas);
	write_examples(w, rows, n);
	jsonwrite_object_end(w);
}

/*
 * Paths
 */

static int by_path(const void *a, const void *b)
{
	const struct mounted *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	return order ? order : (int)left->route->method - (int)right->route->method;
}

/* The rows that the document shows, those of one path side by side. */
static struct mounted *rows_of(struct arena *a, unsigned tiers, size_t *ret_len)
{
	struct mounted *rows, row;
	size_t n = 0;

	for (size_t i = 0; route_each(i, &row); i++)
		n++;
	rows = arena_make_n(a, struct mounted, n);

	n = 0;
	for (size_t i = 0; route_each(i, &row); i++)
		if (row.tier & tiers && !(row.route->flags & ROUTE_HIDDEN))
			rows[n++] = row;
	qsort(rows, n, sizeof(rows[0]), by_path);

	*ret_len = n;
	return rows;
}

/* "/projects/:id" as "/projects/{id}". */
static const char *template_of(struct arena *a, const char *path)
{
	struct str rest = str_of(path + 1);
	bool is_param;
	struct buf b;

	buf_init(&b, a, KIB(2));
	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param))
		buf_printf(&b, is_param ? "/{%.*s}" : "/%.*s", STR_FMT(s));

	return b.data;
}

static void write_paths(struct jsonwrite *w, struct arena *a, const struct mounted *rows, size_t n)
{
	jsonwrite_key(w, "paths");
	jsonwrite_object(w);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(rows[i - 1].path, rows[i].path) != 0) {
			jsonwrite_key(w, template_of(a, rows[i].path));
			jsonwrite_object(w);
		}
		jsonwrite_key(w, str_lower(a, str_of(method_name(rows[i].route->method))));
		openapi_operation(w, a, &rows[i]);
		if (i + 1 == n || strcmp(rows[i + 1].path, rows[i].path) != 0)
			jsonwrite_object_end(w);
	}
	jsonwrite_object_end(w);
}

static bool has_tag(struct arena *a, const struct mounted *rows, size_t n, const char *tag)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(openapi_tag(a, &rows[i]), tag))
			return true;

	return false;
}

/* As the mount that the tag is named after says it. */
static const char *about_tag(struct arena *a, const struct mounted *rows, size_t n, const char *tag)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].mount->about && !strcmp(openapi_tag_of(a, rows[i].mount), tag))
			return rows[i].mount->about;

	return NULL;
}

static void write_tags(struct jsonwrite *w, struct arena *a, const struct mounted *rows, size_t n)
{
	jsonwrite_key(w, "tags");
	jsonwrite_array(w);
	for (size_t i = 0; i < n; i++) {
		const char *tag = openapi_tag(a, &rows[i]), *text;

		if (has_tag(a, rows, i, tag))
			continue;
		jsonwrite_object(w);
		jsonwrite_member_text(w, "name", tag);
		text = about_tag(a, rows, n, tag);
		if (text)
			jsonwrite_member_text(w, "description", text);
		jsonwrite_object_end(w);
	}
	jsonwrite_array_end(w);
}

static void write_info(struct jsonwrite *w)
{
	jsonwrite_key(w, "info");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "title", "Zygo");
	jsonwrite_member_text(w, "version", PACKAGE_VERSION);
	jsonwrite_member_text(w, "description", about);
	jsonwrite_object_end(w);

	jsonwrite_key(w, "servers");
	jsonwrite_array(w);
	jsonwrite_object(w);
	jsonwrite_member_text(w, "url", config()->api_url ? config()->api_url : "/");
	jsonwrite_object_end(w);
	jsonwrite_array_end(w);
}

static const struct openapi_also *also;

void openapi_include(const struct openapi_also *a)
{
	also = a;
}

const struct shape *openapi_included_shape(size_t i)
{
	return also ? also->shape(i) : NULL;
}

static void write_webhooks(struct jsonwrite *w)
{
	if (!also)
		return;

	jsonwrite_key(w, "webhooks");
	jsonwrite_object(w);
	also->write_webhooks(w);
	jsonwrite_object_end(w);
}

void openapi_write(struct buf *out, unsigned tiers, bool pretty)
{
	struct arena *a = arena_new();
	struct mounted *rows;
	struct jsonwrite w;
	size_t n;

	rows = rows_of(a, tiers, &n);
	jsonwrite_init(&w, out);
	w.pretty = pretty;
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "openapi", "3.1.0");
	write_info(&w);
	write_tags(&w, a, rows, n);
	write_paths(&w, a, rows, n);
	write_webhooks(&w);
	write_components(&w, a, schemas_collect(a, tiers, openapi_included_shape), rows, n);
	jsonwrite_object_end(&w);

	arena_free(a);
}
