/*
 * A bundle on its way into the database, line by line: see restore_impl.h.
 *
 * The first time it is only read, to see that it is whole and what it says of itself is so; the
 * second time it is written as well.
 */
#include "domains/archive/restore_impl.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "crypto/digest.h"
#include "domains/archive/bundle.h"
#include "gen/sql_archive.h"

#include <inttypes.h>
#include <stdio.h>

#define ROWS_BYTES MIB(1)        /* sent when there are so many */
#define ID_OPENS   "{\"id\": \"" /* an event's line: jsonb has its shortest keys first */

/*
 * Statements: what each takes and gives is forgotten behind it, while its transaction goes on.
 */

int restore_run(struct restoring *r, enum batch_mode mode, const struct rows **ret,
		const struct sql *s, struct args args)
{
	struct arena *whole = r->c->arena;
	struct batch *b;
	int err;

	r->c->arena = r->of_step;
	b = batch_new(r->c, mode);
	batch_add(b, ret, s, args);
	err = batch_run(b);
	r->c->arena = whole;

	return err;
}

/* Accounts, which stand before the tables, or rows of a table. */
static int send_rows(struct restoring *r)
{
	struct str rows;
	int err;

	if (r->pending.len == 0)
		return OK;
	buf_char(&r->pending, ']');
	BUG_IF(r->pending.overflow);
	rows = buf_view(&r->pending);
	if (*r->table)
		err = restore_run(r, BATCH_SYSTEM, NULL, &sql_archive_restore_rows,
				  ARGS(arg_text(r->table), arg_str(rows)));
	else
		err = restore_run(r, BATCH_IDENTITY, NULL, &sql_archive_restore_accounts,
				  ARGS(arg_str(rows)));
	if (err)
		return err; /* its words are in the arena */
	arena_reset(r->of_step);
	buf_reset(&r->pending);

	return OK;
}

static int add_row(struct restoring *r, struct str line)
{
	buf_char(&r->pending, r->pending.len ? ',' : '[');
	buf_add(&r->pending, line.ptr, line.len);

	return r->pending.len > ROWS_BYTES ? send_rows(r) : OK;
}

/*
 * Lines
 */

static int not_as_said(struct restoring *r, const char *what)
{
	return fail(r->c, ERR_RULE_VIOLATED, NULL,
		    arena_printf(r->c->arena, "The archive is not what it says: %s", what));
}

/* A line that is an object; those of rows are PostgreSQL's to read. */
static int parse(struct restoring *r, struct str line, const struct json **ret)
{
	const char *why;
	size_t at;

	if (!jsonread_parse(r->c->arena, line, ret, &why, &at) || json_kind(*ret) != JSON_OBJECT)
		return not_as_said(r, "a line is no JSON");

	return OK;
}

static const char *text_of(const struct json *object, const char *key)
{
	const char *text = jsonread_member_text(object, key).ptr;

	return text ? text : "";
}

static int take_head(struct restoring *r, struct str line)
{
	const struct json *head;
	struct uuid id;
	int err;

	err = parse(r, line, &head);
	if (err)
		return err;
	if (!uuid_parse(str_of(text_of(head, "tenantId")), &id) || !uuid_eq(id, r->tenant.u))
		return not_as_said(r, "it is another tenant's");
	r->slug = text_of(head, "slug");
	r->name = text_of(head, "name");
	r->schema = text_of(head, "schema");
	r->created_at = text_of(head, "createdAt");

	return OK;
}

static int take_account(struct restoring *r, struct str line)
{
	if (*r->table)
		return not_as_said(r, "an account stands among rows");

	return r->writes ? add_row(r, line) : OK;
}

static int take_table(struct restoring *r, struct str line)
{
	int err;

	if (line.len == 0 || line.len > RESTORE_NAME_MAX || *r->table)
		return not_as_said(r, "a table begins where none can");
	err = send_rows(r); /* the accounts */
	if (err)
		return err;
	memcpy(r->table, line.ptr, line.len);
	r->table[line.len] = '\0';
	r->rows = 0;
	r->tables++;

	return OK;
}

/* The tenant's own row is the only one that may change on its way. */
static int restore_tenant(struct restoring *r, struct str line)
{
	const struct rows *row;
	int err;

	err = restore_run(r, BATCH_SYSTEM, &row, &sql_archive_restore_tenant,
			  ARGS(arg_str(line), arg_text(restore_slug(r))));
	if (err)
		return err;
	r->is_suspended = str_is(rows_get_str(row, "status"), "suspended");
	if (rows_get_text(row, "host"))
		r->lost_host = arena_strdup(r->c->arena, rows_get_text(row, "host"));

	return OK;
}

/* An event of a month that other tenants have lost by now: if it came back, the next hour would
 * take it again, and nobody would be told. Its id, a UUIDv7, says when it was. */
static bool is_old_event(const struct restoring *r, struct str line)
{
	const size_t at = strlen(ID_OPENS);
	struct uuid id;
	int64_t ms = 0;

	if (strcmp(r->table, "events") != 0 || !str_starts(line, ID_OPENS) ||
	    line.len < at + UUID_TEXT_SIZE ||
	    !uuid_parse((struct str){ line.ptr + at, UUID_TEXT_SIZE - 1 }, &id))
		return false;
	for (size_t i = 0; i < 6; i++)
		ms = ms << 8 | id.bytes[i];

	return ms < r->kept_from_ms;
}

static int take_row(struct restoring *r, struct str line)
{
	if (!*r->table)
		return not_as_said(r, "a row is of no table");
	r->rows++;
	digest_add(r->digest, line.ptr, line.len);
	digest_add(r->digest, "\n", 1);
	if (strcmp(r->table, "tenants") == 0) {
		r->own_rows++;
		return r->writes ? restore_tenant(r, line) : OK;
	}
	if (is_old_event(r, line)) {
		r->old_events++;
		return OK;
	}

	return r->writes ? add_row(r, line) : OK;
}

static int take_end(struct restoring *r, struct str line)
{
	const struct json *end, *rows;
	int64_t n;
	int err;

	err = parse(r, line, &end);
	if (err)
		return err;
	if (!jsonread_member(end, "rows", &rows) || json_kind(rows) != JSON_INT ||
	    !jsonread_i64(rows, &n) || n != r->rows)
		return not_as_said(
			r, arena_printf(r->c->arena, "%s has another number of rows", r->table));
	if (strcmp(digest_end(r->digest), text_of(end, "sha256")) != 0)
		return not_as_said(r,
				   arena_printf(r->c->arena, "%s has another checksum", r->table));

	jsonwrite_key(&r->ends, r->table);
	jsonwrite_raw(&r->ends, line);
	if (r->writes) {
		err = send_rows(r);
		if (err)
			return err;
	} else {
		printf("  %-32s %" PRId64 " rows\n", r->table, r->rows);
	}
	r->all_rows += r->rows;
	*r->table = '\0';

	return OK;
}

/* All tables that there were, in their order, and none beside. */
static int take_manifest(struct restoring *r, struct str line)
{
	jsonwrite_object_end(&r->ends);
	if (r->manifest.overflow || !str_eq(buf_view(&r->manifest), line))
		return not_as_said(r, "its tables are not those of its manifest");
	if (r->own_rows != 1)
		return not_as_said(r, "it is not of one tenant");
	r->has_manifest = true;

	return OK;
}

static int take_line(struct restoring *r, int kind, struct str line)
{
	if (r->has_manifest)
		return not_as_said(r, "it goes on behind its end");

	switch (kind) {
	case LINE_HEAD: return take_head(r, line);
	case LINE_REALM:
		return r->writes ? restore_run(r, BATCH_IDENTITY, NULL, &sql_archive_restore_realm,
					       ARGS(arg_str(line), arg_text(restore_slug(r))))
				 : OK;
	case LINE_ACCOUNT: return take_account(r, line);
	case LINE_TABLE: return take_table(r, line);
	case LINE_ROW: return take_row(r, line);
	case LINE_END: return take_end(r, line);
	case LINE_MANIFEST: return take_manifest(r, line);
	default: return not_as_said(r, "it has lines of a newer version");
	}
}

int restore_walk(struct restoring *r)
{
	struct bundle_reader *bundle;
	struct str line;
	int kind, err;

	r->tables = r->all_rows = r->own_rows = r->old_events = 0;
	r->has_manifest = false;
	buf_reset(&r->manifest);
	jsonwrite_init(&r->ends, &r->manifest);
	jsonwrite_object(&r->ends);
	err = bundle_open(r->c, r->fd, &bundle);
	if (err)
		return err;
	r->tenant = bundle_tenant(bundle);
	do {
		err = bundle_next(bundle, &kind, &line);
		if (!err && kind)
			err = take_line(r, kind, line);
	} while (!err && kind);
	if (!err && (!r->has_manifest || *r->table || !r->slug))
		err = not_as_said(r, "its end is missing");

	return err;
}
