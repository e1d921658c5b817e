/* Input against its shapes: see validate.h. */
#include "http/validate.h"

#include "base/arena.h"
#include "base/jsonread.h"
#include "http/etag.h"
#include "http/incoming.h"
#include "http/paging.h"
#include "http/request.h"
#include "http/shape.h"

/* The body of a row that takes none: nothing, or an object without members. */
static const struct shape no_body = { .name = "Nothing", .size = 1 };

static void check_params(struct request *r)
{
	for (size_t i = 0; i < r->match.params_len; i++) {
		struct str name = r->match.params[i].name;
		struct uuid id;

		if (route_param_is_id(name) && !uuid_parse(r->match.params[i].value, &id))
			(void)fail_issue(r->ctx, str_dup(r->ctx->arena, name), "invalid_string",
					 "Invalid uuid");
	}
}

static void read_query(struct request *r)
{
	void *query = NULL;

	if (r->route->sorts)
		paging_read(r);
	if (r->route->query && !shape_read_query(r->ctx, r->route->query, r->query_string, &query))
		r->query = query;
}

/* No body is an empty object, so that what is required is said field by field. */
static int read_body(struct request *r)
{
	struct str text = r->body_text.len ? r->body_text : STR("{}");
	const struct json *json;
	const char *why;
	void *body;
	size_t at;
	int err;

	if (!jsonread_parse(r->ctx->arena, text, &json, &why, &at))
		return fail(r->ctx, ERR_MALFORMED_JSON, NULL,
			    arena_printf(r->ctx->arena,
					 "The body is not well-formed JSON: %s at byte %zu", why,
					 at));

	err = shape_read(r->ctx, r->route->body ? r->route->body : &no_body, json, "", &body);
	if (err)
		return err;
	r->body = body;

	return OK;
}

/* First what is no matter of fields: a body that cannot be read has no issues worth telling. */
int validate(struct request *r)
{
	bool takes_body = !method_is_safe(r->method);
	int err;

	err = etag_read_if_match(r);
	if (err)
		return err;
	if (takes_body) {
		err = incoming_body(r);
		if (err)
			return err;
	}
	if (r->route->flags & ROUTE_NO_STORE)
		arena_holds_secret(r->ctx->arena);

	check_params(r);
	read_query(r);
	if (takes_body && !(r->route->flags & ROUTE_RAW_BODY))
		(void)read_body(r);

	return r->ctx->fault.err;
}
