/*
 * Paths from patterns, bodies from examples.
 */
#include "support/probe.h"

#include "base/buf.h"
#include "base/jsonwrite.h"
#include "http/shape.h"
#include "support/database.h"
#include "support/world.h"

#include <string.h>

#define BODY_BYTES_MAX MIB(2) /* more than any limit of the server */

const char *probe_path(const struct mounted *row, const char *id)
{
	struct str rest = str_of(row->path + 1);
	const char *path = "";
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param)) {
		if (!is_param)
			path = strf("%s/%.*s", path, STR_FMT(s));
		else
			path = strf("%s/%s", path, route_param_is_id(s) ? id : "example");
	}
	return path;
}

const char *probe_body_but(const struct shape *s, const char *field, const char *raw)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, world_arena(), BODY_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	for (size_t i = 0; i < s->fields_len; i++) {
		const struct field *f = &s->fields[i];
		bool is_it = field && strcmp(f->name, field) == 0;

		if (is_it && !raw)
			continue;
		jsonwrite_key(&w, f->name);
		if (is_it)
			jsonwrite_raw(&w, str_of(raw));
		else
			field_write_example(&w, f);
	}
	jsonwrite_object_end(&w);
	return out.data;
}

const char *probe_body(const struct mounted *row)
{
	return row->route->body ? probe_body_but(row->route->body, NULL, NULL) : NULL;
}

struct caller probe_caller(const struct mounted *row)
{
	struct caller c;

	if (row->route->perm == PERM_GLOBAL_ADMIN)
		c = caller_global_admin();
	else if (row->route->perm == PERM_PUBLIC)
		c = from_elsewhere(caller_nobody());
	else
		c = caller(ROLE_OWNER);
	return on_tier(c, row->tier);
}

struct answer probe(const struct mounted *row, const struct caller *c, const char *id)
{
	return answer_to(&(struct ask){
		.method = method_name(row->route->method),
		.path = probe_path(row, id),
		.caller = c,
		.body = probe_body(row),
	});
}

bool probe_needs_tenant(const struct mounted *row)
{
	return row->route->perm == PERM_MEMBER || row->route->perm > PERM_GLOBAL_ADMIN;
}

const char *probe_no_id(void)
{
	return id_text(uuid_v7());
}

const char *probe_name(const struct mounted *row)
{
	return strf("%s %s", method_name(row->route->method), row->path);
}

bool probe_each(size_t *i, struct mounted *ret)
{
	world();
	answers_forget();
	return route_each((*i)++, ret);
}
