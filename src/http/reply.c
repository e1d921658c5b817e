/*
 * Replies, written straight from a result: the columns of a shape are found once a result, then
 * every row is copied into the body without a step between.
 */
#include "http/reply.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "db/page.h"
#include "db/rows.h"
#include "http/request.h"
#include "http/shape.h"

#define FIELDS_MAX 64

/* Where a field's value comes from. */
struct column {
	const char *name;
	size_t index;
	enum col_type type;
	bool is_omitted_when_null; /* may be absent, may not be null */
};

struct columns {
	struct column v[FIELDS_MAX];
	size_t len;
};

/* Can a field of this type be written from such a column? Arrays and objects may come as JSON. */
static bool fits(enum field_type field, enum col_type column)
{
	switch (field) {
	case T_BOOL: return column == COL_BOOL;
	case T_INT: return column == COL_INT;
	case T_NUMBER: return column == COL_INT || column == COL_TEXT; /* numeric::text */
	case T_UUID: return column == COL_UUID;
	case T_DATETIME: return column == COL_TIME;
	case T_OBJECT:
	case T_JSON: return column == COL_JSON;
	case T_ARRAY: return column == COL_TEXT_ARRAY || column == COL_JSON;
	case T_UNSTATED:
	case T_STRING:
	case T_EMAIL:
	case T_PASSWORD:
	case T_URI:
	case T_SLUG:
	case T_IP:
	case T_CIDR:
	case T_CRON:
	case T_HOSTNAME:
	case T_ENUM: return column == COL_TEXT;
	}

	return false;
}

static void find_columns(const struct shape *s, const struct rows *rows, struct columns *ret)
{
	ret->len = 0;
	BUG_IF(s->fields_len > FIELDS_MAX);
	for (size_t i = 0; i < s->fields_len; i++) {
		const struct field *f = &s->fields[i];
		int index = rows_find(rows, f->name);
		struct column *c = &ret->v[ret->len];

		if (index < 0 && f->need == OPTIONAL)
			continue;
		BUG_IF(index < 0); /* the statement lacks a column that the reply promises */

		c->name = f->name;
		c->index = (size_t)index;
		c->type = rows_column_type(rows, c->index);
		c->is_omitted_when_null = f->need == OPTIONAL;
		if (f->type == T_NUMBER && c->type == COL_TEXT)
			c->type = COL_JSON;
		BUG_IF(!fits(f->type, rows_column_type(rows, c->index)));
		ret->len++;
	}
}

static void write_texts(struct jsonwrite *w, const struct rows *rows, size_t row, size_t column)
{
	struct str *items;
	size_t n = rows_array(rows, row, column, w->out->arena, &items);

	jsonwrite_array(w);
	for (size_t i = 0; i < n; i++)
		jsonwrite_str(w, items[i]);
	jsonwrite_array_end(w);
}

static void write_value(struct jsonwrite *w, const struct rows *rows, size_t row,
			const struct column *c)
{
	struct uuid id;

	switch (c->type) {
	case COL_BOOL: jsonwrite_bool(w, rows_bool(rows, row, c->index)); return;
	case COL_INT: jsonwrite_i64(w, rows_int(rows, row, c->index)); return;
	case COL_TEXT: jsonwrite_str(w, rows_str(rows, row, c->index)); return;
	case COL_UUID:
		id = rows_uuid(rows, row, c->index);
		jsonwrite_uuid(w, &id);
		return;
	case COL_TIME: jsonwrite_time(w, rows_time(rows, row, c->index)); return;
	case COL_JSON: jsonwrite_raw(w, rows_str(rows, row, c->index)); return;
	case COL_TEXT_ARRAY: write_texts(w, rows, row, c->index); return;
	case COL_BYTES: break;
	}

	BUG("bytes are in no reply");
}

static void write_members(struct jsonwrite *w, const struct columns *columns,
			  const struct rows *rows, size_t row)
{
	for (size_t i = 0; i < columns->len; i++) {
		const struct column *c = &columns->v[i];
		bool is_null = rows_is_null(rows, row, c->index);

		if (is_null && c->is_omitted_when_null)
			continue;
		jsonwrite_key(w, c->name);
		if (is_null)
			jsonwrite_null(w);
		else
			write_value(w, rows, row, c);
	}
}

static void write_row(struct jsonwrite *w, const struct columns *columns, const struct rows *rows,
		      size_t row)
{
	jsonwrite_object(w);
	write_members(w, columns, rows, row);
	jsonwrite_object_end(w);
}

void reply_write_row(struct jsonwrite *w, const struct shape *s, const struct rows *rows,
		     size_t row)
{
	struct columns columns;

	find_columns(s, rows, &columns);
	write_row(w, &columns, rows, row);
}

/*
 * The parts that every reply has
 */

void reply_status(struct request *r, int status)
{
	r->reply.status = status;
}

/* Up to the first character that may not stand in a header, lest a value from outside writes one of
 * its own. */
static size_t header_length(const char *value)
{
	size_t n = 0;

	while ((unsigned char)value[n] >= ' ' && value[n] != 0x7f)
		n++;

	return n;
}

void reply_header(struct request *r, const char *name, const char *value)
{
	struct reply *reply = &r->reply;

	BUG_IF(reply->headers_len == REPLY_HEADERS_MAX);
	reply->headers[reply->headers_len].name = name;
	reply->headers[reply->headers_len].value =
		arena_strndup(r->ctx->arena, value, header_length(value));
	reply->headers_len++;
}

/* An empty body to write into; 8 MiB hold a hundred of the largest rows. */
static void begin_body(struct request *r, struct jsonwrite *ret)
{
	buf_init(&r->reply.body, r->ctx->arena, REPLY_BYTES_MAX);
	jsonwrite_init(ret, &r->reply.body);
}

static int finish(struct request *r)
{
	struct reply *reply = &r->reply;

	if (reply->body.overflow)
		return fail_internal(r->ctx, "a reply is larger than %zu bytes", REPLY_BYTES_MAX);

	if (!reply->status)
		reply->status = route_status(r->route);
	reply->written = true;

	return OK;
}

void reply_begin(struct request *r, struct jsonwrite *ret)
{
	begin_body(r, ret);
	jsonwrite_object(ret);
}

int reply_end(struct request *r, struct jsonwrite *w)
{
	jsonwrite_object_end(w);
	return finish(r);
}

int reply_body(struct request *r, const char *content_type, const char *body, size_t len)
{
	buf_init(&r->reply.body, r->ctx->arena, REPLY_BYTES_MAX);
	buf_add(&r->reply.body, body, len);
	r->reply.content_type = content_type;

	return finish(r);
}

int reply_parts(struct request *r, const char *content_type, struct str first,
		int (*more)(struct request *r, void *source, struct str *ret_part), void *source)
{
	r->reply.more = more;
	r->reply.source = source;

	return reply_body(r, content_type, first.ptr, first.len);
}

int reply_none(struct request *r)
{
	r->reply.status = 204;
	r->reply.written = true;

	return OK;
}

int reply_redirect(struct request *r, const char *url)
{
	reply_header(r, "Location", url);
	r->reply.status = 302;
	r->reply.written = true;

	return OK;
}

/*
 * Rows
 */

/* What was created can be read at its collection's address and its id, where there is such a route.
 */
static void say_location(struct request *r, const struct rows *rows)
{
	int id = rows_find(rows, "id");
	char text[UUID_TEXT_SIZE];
	struct route_match match;
	const char *path;

	if (r->method != POST || route_status(r->route) != 201 || id < 0 ||
	    rows_column_type(rows, (size_t)id) != COL_UUID)
		return;

	uuid_format(rows_uuid(rows, 0, (size_t)id), text);
	path = arena_printf(r->ctx->arena, "%s/%s", r->path, text);
	route_find(GET, path, &match);
	if (match.route)
		reply_header(r, "Location", path);
}

static void say_resource(struct request *r, const struct rows *rows)
{
	int version = rows_find(rows, "version");

	BUG_IF(!rows_len(rows));
	if (version >= 0 && !rows_is_null(rows, 0, (size_t)version))
		r->reply.version = rows_int(rows, 0, (size_t)version);
	r->reply.is_resource = true;
	say_location(r, rows);
}

int reply_row(struct request *r, const struct rows *rows)
{
	struct jsonwrite w;

	say_resource(r, rows);
	begin_body(r, &w);
	reply_write_row(&w, r->route->reply, rows, 0);

	return finish(r);
}

int reply_row_and(struct request *r, const struct shape *s, const struct rows *rows,
		  const char *name, const char *value)
{
	struct columns columns;
	struct jsonwrite w;

	say_resource(r, rows);
	find_columns(s, rows, &columns);
	reply_begin(r, &w);
	write_members(&w, &columns, rows, 0);
	jsonwrite_member_text(&w, name, value);

	return reply_end(r, &w);
}

static void write_rows(struct jsonwrite *w, const struct shape *s, const struct rows *rows,
		       size_t n)
{
	struct columns columns;

	find_columns(s, rows, &columns);
	jsonwrite_key(w, "data");
	jsonwrite_array(w);
	for (size_t i = 0; i < n; i++)
		write_row(w, &columns, rows, i);
	jsonwrite_array_end(w);
}

int reply_rows(struct request *r, const struct rows *rows)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	write_rows(&w, r->route->reply, rows, rows_len(rows));

	return reply_end(r, &w);
}

int reply_page(struct request *r, const struct page *page)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	write_rows(&w, r->route->reply, page->rows, page->len);

	jsonwrite_key(&w, "pagination");
	jsonwrite_object(&w);
	if (page->total >= 0) {
		jsonwrite_member_i64(&w, "page", page->page);
		jsonwrite_member_i64(&w, "limit", page->limit);
		jsonwrite_member_i64(&w, "total", page->total);
		jsonwrite_member_i64(&w, "totalPages",
				     (page->total + page->limit - 1) / page->limit);
	} else {
		jsonwrite_member_i64(&w, "limit", page->limit);
	}
	jsonwrite_member_text(&w, "nextCursor", page->next_cursor);
	jsonwrite_object_end(&w);

	return reply_end(r, &w);
}
