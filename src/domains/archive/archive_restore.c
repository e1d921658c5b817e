/*
 * A tenant's way back out of a bundle: see archive.h.
 *
 * The bundle is read twice by the same walk (walk()): the first time to see that it is whole and
 * what it says of itself is so, the second time to write, in one transaction.
 */
#include "domains/archive/archive.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "base/slug.h"
#include "crypto/digest.h"
#include "db/act.h"
#include "db/batch.h"
#include "domains/archive/bundle.h"
#include "domains/archive/place.h"
#include "events/event.h"
#include "gen/sql_archive.h"
#include "gen/sql_platform.h"

#include <inttypes.h>
#include <stdio.h>

#define ROWS_BYTES_MAX     MIB(64) /* of one statement: a row of the greatest length, and some */
#define ROWS_BYTES         MIB(1)  /* sent when there are so many */
#define NAME_MAX_BYTES     63      /* of a table: NAMEDATALEN */
#define MANIFEST_BYTES_MAX MIB(1)

struct restoring {
	struct ctx *c;
	const struct archive_restore *how;
	int fd;
	bool writes; /* the second time */

	struct tenant_id tenant;
	const char *slug, *name, *schema, *created_at;
	char table[NAME_MAX_BYTES + 1]; /* "": in none */
	int64_t rows;                   /* of it */
	struct digest *digest;
	struct buf pending;  /* rows that wait for their statement; a heap's: it is emptied often */
	struct buf manifest; /* as it has to be, by the tables so far */
	struct jsonwrite ends; /* writes it */
	struct arena *of_step;
	int64_t tables, all_rows, accounts, linked, restored, taken, erased_seats, keys;
	int64_t own_rows;      /* of the table of tenants: one */
	const char *lost_host; /* NULL: it has its host name, if it had one */
	bool is_suspended;
	bool has_manifest;
};

/*
 * Statements: what each takes and gives is forgotten behind it, while its transaction goes on.
 */

static int run_one(struct restoring *r, enum batch_mode mode, const struct rows **ret,
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

static int send_rows(struct restoring *r)
{
	int err;

	if (r->pending.len > 1) {
		buf_char(&r->pending, ']');
		BUG_IF(r->pending.overflow);
		err = run_one(r, BATCH_SYSTEM, NULL, &sql_archive_restore_rows,
			      ARGS(arg_text(r->table), arg_str(buf_view(&r->pending))));
		if (err)
			return err; /* its words are in the arena */
		arena_reset(r->of_step);
	}
	buf_reset(&r->pending);

	return OK;
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
	const struct json *j;

	return jsonread_member(object, key, &j) && json_kind(j) == JSON_STRING
		       ? jsonread_string(j).ptr
		       : "";
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
	const struct rows *row;
	const char *what;
	int err;

	r->accounts++;
	if (!r->writes)
		return OK;
	err = run_one(r, BATCH_IDENTITY, &row, &sql_archive_restore_account, ARGS(arg_str(line)));
	if (err)
		return err;
	what = rows_get_text(row, "what");
	r->linked += strcmp(what, "linked") == 0;
	r->restored += strcmp(what, "restored") == 0;
	r->taken += strcmp(what, "taken") == 0;
	arena_reset(r->of_step);

	return OK;
}

static int take_table(struct restoring *r, struct str line)
{
	if (line.len == 0 || line.len > NAME_MAX_BYTES || *r->table)
		return not_as_said(r, "a table begins where none can");
	memcpy(r->table, line.ptr, line.len);
	r->table[line.len] = '\0';
	r->rows = 0;
	r->tables++;

	return OK;
}

static const char *new_slug(const struct restoring *r)
{
	return r->how->slug ? r->how->slug : r->slug;
}

/* The tenant's own row is the only one that may change on its way. */
static int restore_tenant(struct restoring *r, struct str line)
{
	const struct rows *row;
	int err;

	err = run_one(r, BATCH_SYSTEM, &row, &sql_archive_restore_tenant,
		      ARGS(arg_str(line), arg_text(new_slug(r))));
	if (err)
		return err;
	r->is_suspended = str_is(rows_get_str(row, "status"), "suspended");
	if (rows_get_text(row, "host"))
		r->lost_host = arena_strdup(r->c->arena, rows_get_text(row, "host"));

	return OK;
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
	if (!r->writes)
		return OK;

	buf_char(&r->pending, r->pending.len ? ',' : '[');
	buf_add(&r->pending, line.ptr, line.len);

	return r->pending.len > ROWS_BYTES ? send_rows(r) : OK;
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
		return r->writes ? run_one(r, BATCH_IDENTITY, NULL, &sql_archive_restore_realm,
					   ARGS(arg_str(line), arg_text(new_slug(r))))
				 : OK;
	case LINE_ACCOUNT: return take_account(r, line);
	case LINE_TABLE: return take_table(r, line);
	case LINE_ROW: return take_row(r, line);
	case LINE_END: return take_end(r, line);
	case LINE_MANIFEST: return take_manifest(r, line);
	default: return not_as_said(r, "it has lines of a newer version");
	}
}

static int walk(struct restoring *r)
{
	struct bundle_reader *bundle;
	struct str line;
	int kind, err;

	r->tables = r->all_rows = r->accounts = r->own_rows = 0;
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

/*
 * The transaction
 */

static int begin_writing(struct restoring *r)
{
	struct batch *b;
	int err;

	act_for_tenant(r->c, r->tenant);
	err = db_begin(r->c, BATCH_SYSTEM);
	if (err)
		return err;
	b = batch_new(r->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_archive_moving, NO_ARGS);
	batch_add(b, NULL, &sql_archive_defer, NO_ARGS);
	batch_add(b, NULL, &sql_archive_is_free,
		  ARGS(arg_uuid(r->tenant.u), arg_text(new_slug(r))));

	return batch_run(b);
}

/* What was a credential stays revoked, what waited is not sent, who was erased is not back. */
static int calm(struct restoring *r)
{
	const struct arg tenant = arg_uuid(r->tenant.u);
	const struct rows *row;
	int err;

	err = run_one(r, BATCH_IDENTITY, &row, &sql_archive_revoke, ARGS(tenant));
	if (err)
		return err;
	r->keys = rows_get_int(row, "keys");
	err = run_one(r, BATCH_SYSTEM, NULL, &sql_archive_quiet, ARGS(tenant));
	if (!err)
		err = run_one(r, BATCH_SYSTEM, &row, &sql_archive_erase_again, ARGS(tenant));
	if (err)
		return err;
	r->erased_seats = rows_get_int(row, "seats");

	return run_one(r, BATCH_IDENTITY, NULL, &sql_archive_drop_erased, NO_ARGS);
}

/* And everybody sees that it is back. */
static int end_writing(struct restoring *r)
{
	struct batch *b;
	int err;

	err = calm(r);
	if (err)
		return err;

	b = batch_new(r->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_archive_moved, NO_ARGS);
	batch_add(b, NULL, &sql_platform_act_in, ARGS(arg_uuid(r->tenant.u)));
	batch_event(b, r->c, "tenant.restored", r->tenant.u, NULL);
	err = batch_run(b);

	return err ? err : db_commit(r->c);
}

static void tell_people(const struct restoring *r)
{
	printf("People: %" PRId64 " have their accounts still; %" PRId64
	       " came back and reset their password before they log in.\n",
	       r->linked, r->restored);
	if (r->taken)
		printf("%" PRId64 " have an email that is another account's by now: nobody sits in "
		       "their seats; remove these and invite them again.\n",
		       r->taken);
	if (r->erased_seats)
		printf("%" PRId64
		       " seats are of people who were erased since: they are nobody's.\n",
		       r->erased_seats);
}

static void tell(const struct restoring *r)
{
	printf("Restored: %" PRId64 " rows of %" PRId64 " tables. The tenant is %s.\n", r->all_rows,
	       r->tables, r->is_suspended ? "suspended, as it was" : "active");
	tell_people(r);
	if (r->lost_host)
		printf("Its host name %s is another tenant's by now: give it one of its own.\n",
		       r->lost_host);
	printf("Not restored: sessions, second factors, linked log-ins, jobs, what webhooks and "
	       "digests had yet to send. %" PRId64 " API keys stay revoked.\n",
	       r->keys);
	printf("Secrets are sealed under the ENCRYPTION_KEY of when the archive was made: if it was "
	       "replaced since, run zygo keys reseal before ENCRYPTION_KEY_PREVIOUS goes.\n");
}

static int restore(struct restoring *r)
{
	int err;

	printf("%s: %s (%s), archived %s at schema %s\n", r->how->location, r->name, r->slug,
	       r->created_at, r->schema);
	if (r->how->only_look)
		return OK;

	r->writes = true;
	err = begin_writing(r);
	if (!err)
		err = walk(r);
	if (!err)
		err = end_writing(r);
	db_end(r->c);
	if (!err)
		tell(r);

	return err;
}

int archive_restore(struct ctx *c, const struct archive_restore *how)
{
	_cleanup_(closep) int fd = -1;
	struct restoring r = { .c = c, .how = how, .of_step = arena_new() };
	int err;

	arena_defer(c->arena, (void (*)(void *))arena_free,
		    r.of_step); /* a failure's words are in it */
	if (how->slug && !slug_is(str_of(how->slug)))
		return fail(c, ERR_RULE_VIOLATED, NULL,
			    "A slug is 1 to 63 of a-z, 0-9 and '-' between them");
	err = place_open(c, how->location, &fd);
	if (err)
		return err;

	r.fd = fd;
	r.digest = digest_new(c->arena);
	buf_init_heap(&r.pending, ROWS_BYTES_MAX);
	buf_init(&r.manifest, c->arena, MANIFEST_BYTES_MAX);
	err = walk(&r);
	if (!err)
		err = restore(&r);
	buf_done(&r.pending);

	return err;
}
