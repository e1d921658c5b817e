/* Exports: see audit_export.h. Rows become lines by the shape that a list shows them in. */
#include "domains/audit/audit_export.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "db/page.h"
#include "http/api.h"

#include <string.h>

#define PAGE_ROWS   100
#define CURSOR_SIZE 512      /* of a moment and an id, with room */
#define PART_BYTES  KIB(256) /* no further page is added to a part past this */

struct writer {
	const char *content_type, *file_name;
	void (*head)(struct buf *out, const struct shape *s); /* NULL: none */
	void (*line)(struct buf *out, const struct shape *s, const struct rows *rows, size_t row);
};

/*
 * NDJSON
 */

static void json_line(struct buf *out, const struct shape *s, const struct rows *rows, size_t row)
{
	struct jsonwrite w;

	jsonwrite_init(&w, out);
	reply_write_row(&w, s, rows, row);
	buf_char(out, '\n');
}

/*
 * CSV (RFC 4180)
 */

/* A value that a spreadsheet would take for a formula is one of text, by an apostrophe before it
 * (OWASP, CSV Injection). */
static void cell(struct buf *out, struct str value)
{
	buf_char(out, '"');
	if (value.len > 0 && strchr("=+-@\t\r", value.ptr[0]))
		buf_char(out, '\'');
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"')
			buf_char(out, '"');
		buf_char(out, value.ptr[i]);
	}
	buf_char(out, '"');
}

static void csv_value(struct buf *out, const struct rows *rows, size_t row, size_t column)
{
	char id[UUID_TEXT_SIZE], time[RFC3339_SIZE];

	switch (rows_column_type(rows, column)) {
	case COL_UUID:
		uuid_format(rows_uuid(rows, row, column), id);
		cell(out, str_of(id));
		return;
	case COL_TIME:
		clock_rfc3339(rows_time(rows, row, column), time);
		cell(out, str_of(time));
		return;
	case COL_TEXT:
	case COL_JSON: cell(out, rows_str(rows, row, column)); return;
	case COL_BOOL:
	case COL_INT:
	case COL_BYTES:
	case COL_TEXT_ARRAY: break;
	}

	BUG("the audit has no such column");
}

static void csv_head(struct buf *out, const struct shape *s)
{
	for (size_t i = 0; i < s->fields_len; i++)
		buf_printf(out, "%s%s", i ? "," : "", s->fields[i].name);
	buf_str(out, "\r\n");
}

static void csv_line(struct buf *out, const struct shape *s, const struct rows *rows, size_t row)
{
	for (size_t i = 0; i < s->fields_len; i++) {
		int column = rows_find(rows, s->fields[i].name);

		BUG_IF(column < 0);
		if (i)
			buf_char(out, ',');
		if (!rows_is_null(rows, row, (size_t)column))
			csv_value(out, rows, row, (size_t)column);
	}
	buf_str(out, "\r\n");
}

/*
 * The whole
 */

static const struct writer ndjson = { "application/x-ndjson; charset=utf-8", "audit.ndjson", NULL,
				      json_line };
static const struct writer csv = { "text/csv; charset=utf-8", "audit.csv", csv_head, csv_line };

/* Where an export is. */
struct progress {
	const struct audit_filter *filter;
	const struct writer *how;
	const struct shape *shape;
	char cursor[CURSOR_SIZE]; /* behind what was written; "": nothing was */
	bool is_over;
};

static int add_page(struct request *r, struct progress *at, struct buf *out)
{
	struct paging p = { .page = 1, .limit = PAGE_ROWS };
	const struct page *page;
	int err;

	if (at->cursor[0])
		p.cursor = at->cursor;
	else
		p.sort = "createdAt";
	err = audit_list(r->ctx, at->filter, &p, &page);
	if (err)
		return err;

	for (size_t i = 0; i < page->len; i++)
		at->how->line(out, at->shape, page->rows, i);
	if (out->overflow)
		return fail_internal(r->ctx, "100 events of the audit are more than a part holds");
	at->is_over = !page->next_cursor;
	if (!at->is_over)
		BUG_IF(snprintf(at->cursor, CURSOR_SIZE, "%s", page->next_cursor) >= CURSOR_SIZE);

	return OK;
}

static int add_part(struct request *r, struct progress *at, struct buf *out)
{
	int err = OK;

	while (!at->is_over && !err && out->len < PART_BYTES)
		err = add_page(r, at, out);

	return err;
}

static int next_part(struct request *r, void *source, struct str *ret)
{
	struct buf out;
	int err;

	buf_init(&out, r->ctx->arena, REPLY_BYTES_MAX);
	err = add_part(r, source, &out);
	if (err)
		return err;
	*ret = buf_view(&out);

	return OK;
}

int audit_export(struct request *r, const struct audit_export *in, const struct shape *s)
{
	struct progress *at = arena_make(r->ctx->arena, struct progress);
	struct buf out;
	int err;

	*at = (struct progress){
		.filter = &in->filter,
		.how = strcmp(in->format, "csv") == 0 ? &csv : &ndjson,
		.shape = s,
	};
	buf_init(&out, r->ctx->arena, REPLY_BYTES_MAX);
	if (at->how->head)
		at->how->head(&out, s);
	err = add_part(r, at, &out);
	if (err)
		return err;

	reply_header(
		r, "Content-Disposition",
		arena_printf(r->ctx->arena, "attachment; filename=\"%s\"", at->how->file_name));

	if (at->is_over)
		return reply_body(r, at->how->content_type, out.data, out.len);

	return reply_parts(r, at->how->content_type, buf_view(&out), next_part, at);
}
