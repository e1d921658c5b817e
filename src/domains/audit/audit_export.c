/* Exports: see audit_export.h. Rows become lines by the shape that a list shows them in. */
#include "domains/audit/audit_export.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "db/page.h"
#include "http/api.h"

#include <string.h>

#define PAGE_ROWS    100
#define BYTES_ENOUGH MIB(5) /* no further page is begun past this */

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

/* Where the next export goes on: the same address with this cursor. */
static void say_next(struct request *r, const char *format, const char *cursor)
{
	reply_header(r, "Link",
		     arena_printf(r->ctx->arena, "<%s?format=%s&cursor=%s>; rel=\"next\"", r->path,
				  format, cursor));
}

static int add_pages(struct request *r, const struct audit_export *in, const struct writer *how,
		     const struct shape *s, struct buf *out)
{
	struct paging p = { .page = 1, .limit = PAGE_ROWS, .cursor = in->cursor };
	const struct page *page;
	size_t rows = 0;
	int err;

	if (!p.cursor)
		p.sort = "createdAt";
	do {
		err = audit_list(r->ctx, &in->filter, &p, &page);
		if (err)
			return err;
		for (size_t i = 0; i < page->len; i++)
			how->line(out, s, page->rows, i);
		rows += page->len;
		p.cursor = page->next_cursor;
		p.sort = NULL;
	} while (p.cursor && rows + PAGE_ROWS <= EXPORT_ROWS_MAX && out->len < BYTES_ENOUGH);

	if (p.cursor)
		say_next(r, in->format, p.cursor);

	return OK;
}

int audit_export(struct request *r, const struct audit_export *in, const struct shape *s)
{
	const struct writer *how = strcmp(in->format, "csv") == 0 ? &csv : &ndjson;
	struct buf out;
	int err;

	buf_init(&out, r->ctx->arena, REPLY_BYTES_MAX);
	if (how->head)
		how->head(&out, s);
	err = add_pages(r, in, how, s, &out);
	if (err)
		return err;

	reply_header(r, "Content-Disposition",
		     arena_printf(r->ctx->arena, "attachment; filename=\"%s\"", how->file_name));

	return reply_body(r, how->content_type, out.data, out.len);
}
