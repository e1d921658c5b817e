/*
 * A tenant's way into a bundle, and out of the database: see archive.h.
 */
#include "domains/archive/archive.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "crypto/digest.h"
#include "db/act.h"
#include "db/batch.h"
#include "domains/archive/bundle.h"
#include "domains/archive/place.h"
#include "gen/sql_archive.h"

#include <inttypes.h>

#define ROWS_AT_A_TIME     250
#define ROWS_BETWEEN_WORDS 50000 /* of how far it is; a multiple of those */
#define JSON_BYTES_MAX     MIB(1)

/* One archive while it is written. */
struct writing {
	struct ctx *c;
	struct tenant_id tenant;
	struct bundle_writer *bundle;
	struct digest *digest; /* of the table */
	struct jsonwrite json; /* of all tables, as they end */
	struct buf json_text;

	int (*tell)(void *p, int percent, const char *what);
	void *p;
	int percent; /* by tables */

	/* Rows come and go: they are asked for by a unit of work of their own. */
	struct arena *of_rows;
	struct ctx look;
};

static int read_batch(struct writing *w, enum batch_mode mode, const struct rows **ret,
		      const struct sql *s, struct args args)
{
	struct batch *b = batch_new(&w->look, mode);
	int err;

	batch_add(b, ret, s, args);
	err = batch_run(b);
	if (err)
		w->c->fault = w->look.fault; /* lives in of_rows, which is c's */

	return err;
}

/* Forgets the rows so far. */
static void next_look(struct writing *w)
{
	arena_reset(w->of_rows);
	ctx_reset(&w->look, w->of_rows);
	act_for_tenant(&w->look, w->tenant);
}

/*
 * Before the tables
 */

static int write_head(struct writing *w)
{
	const struct rows *head;
	struct jsonwrite json;
	struct buf text;
	int err;

	err = read_batch(w, BATCH_SYSTEM, &head, &sql_archive_head, ARGS(arg_uuid(w->tenant.u)));
	if (err)
		return err;

	buf_init(&text, w->c->arena, KIB(8));
	jsonwrite_init(&json, &text);
	jsonwrite_object(&json);
	jsonwrite_key(&json, "tenantId");
	jsonwrite_uuid(&json, &w->tenant.u);
	jsonwrite_member_text(&json, "slug", rows_get_text(head, "slug"));
	jsonwrite_member_text(&json, "name", rows_get_text(head, "name"));
	jsonwrite_member_text(&json, "schema", rows_get_text(head, "schema"));
	jsonwrite_key(&json, "createdAt");
	jsonwrite_time(&json, rows_get_time(head, "now"));
	jsonwrite_object_end(&json);

	return bundle_add(w->bundle, LINE_HEAD, buf_view(&text));
}

static int write_people(struct writing *w)
{
	struct uuid last = { 0 };
	const struct rows *rows;
	int err;

	err = read_batch(w, BATCH_IDENTITY, &rows, &sql_archive_realm, ARGS(arg_uuid(w->tenant.u)));
	if (!err && rows_len(rows) > 0)
		err = bundle_add(w->bundle, LINE_REALM, rows_get_str(rows, "line"));
	if (err)
		return err;

	do {
		next_look(w);
		err = read_batch(
			w, BATCH_IDENTITY, &rows, &sql_archive_accounts,
			ARGS(arg_uuid(w->tenant.u), arg_uuid(last), arg_int(ROWS_AT_A_TIME)));
		for (size_t i = 0; !err && i < rows_len(rows); i++) {
			last = rows_uuid(rows, i, 0);
			err = bundle_add(w->bundle, LINE_ACCOUNT, rows_str(rows, i, 1));
		}
	} while (!err && rows_len(rows) == ROWS_AT_A_TIME);

	return err;
}

/*
 * Tables
 */

static int write_rows(struct writing *w, const struct rows *rows, uint64_t *sum)
{
	for (size_t i = 0; i < rows_len(rows); i++) {
		struct str line = rows_str(rows, i, 0);
		int err;

		err = bundle_add(w->bundle, LINE_ROW, line);
		if (err)
			return err;
		digest_add(w->digest, line.ptr, line.len);
		digest_add(w->digest, "\n", 1);
		*sum += (uint64_t)rows_int(rows, i, 1); /* modulo 2^64, as table_digest() */
	}

	return OK;
}

/* What ends a table in the bundle, and stands in its manifest. */
static int end_table(struct writing *w, const char *name, int64_t n, uint64_t sum)
{
	size_t begins;

	jsonwrite_key(&w->json, name);
	begins = w->json_text.len;
	jsonwrite_object(&w->json);
	jsonwrite_member_i64(&w->json, "rows", n);
	jsonwrite_member_text(&w->json, "digest",
			      arena_printf(w->c->arena, "%llu", (unsigned long long)sum));
	jsonwrite_member_text(&w->json, "sha256", digest_end(w->digest));
	jsonwrite_object_end(&w->json);
	BUG_IF(w->json_text.overflow);

	return bundle_add(w->bundle, LINE_END,
			  (struct str){ w->json_text.data + begins, w->json_text.len - begins });
}

/* By the order of the key: what is asked for next is what follows the last row. */
static int write_table(struct writing *w, const char *name)
{
	struct arena *of_last = arena_new(); /* the last row, from one look to the next */
	const char *last = NULL;
	const struct rows *rows;
	uint64_t sum = 0;
	int64_t n = 0;
	int err;

	arena_defer(w->c->arena, (void (*)(void *))arena_free, of_last);
	err = bundle_add(w->bundle, LINE_TABLE, str_of(name));
	while (!err) {
		err = read_batch(w, BATCH_SYSTEM, &rows, &sql_archive_rows,
				 ARGS(arg_text(name), arg_uuid(w->tenant.u), arg_text(last),
				      arg_int(ROWS_AT_A_TIME)));
		if (!err)
			err = write_rows(w, rows, &sum);
		if (err || rows_len(rows) == 0)
			break;
		n += (int64_t)rows_len(rows);
		arena_reset(of_last);
		last = str_dup(of_last, rows_str(rows, rows_len(rows) - 1, 0));
		next_look(w);
		if (n % ROWS_BETWEEN_WORDS == 0)
			err = w->tell(w->p, w->percent,
				      arena_printf(w->of_rows, "%s, %" PRId64 " rows", name, n));
	}

	return err ? err : end_table(w, name, n, sum);
}

static int write_tables(struct writing *w)
{
	struct batch *b = batch_new(w->c, BATCH_SYSTEM);
	const struct rows *tables;
	size_t len;
	int err;

	batch_add(b, &tables, &sql_archive_tables, NO_ARGS);
	err = batch_run(b);
	len = err ? 0 : rows_len(tables);
	for (size_t i = 0; !err && i < len; i++) {
		const char *name = rows_str(tables, i, 0).ptr;

		if (!rows_bool(tables, i, 1))
			continue;
		w->percent = (int)(100 * i / len);
		err = w->tell(w->p, w->percent, name);
		if (!err)
			err = write_table(w, name);
	}

	return err;
}

static int write_all(struct writing *w)
{
	int err;

	err = write_head(w);
	if (!err)
		err = write_people(w);
	if (!err)
		err = write_tables(w);
	jsonwrite_object_end(&w->json);

	return err ? err : bundle_add(w->bundle, LINE_MANIFEST, buf_view(&w->json_text));
}

int archive_write(struct ctx *c, struct tenant_id tenant, const char *name,
		  int (*tell)(void *p, int percent, const char *what), void *p, struct archive *ret)
{
	struct writing w = {
		.c = c, .tenant = tenant, .of_rows = arena_new(), .tell = tell, .p = p
	};
	_cleanup_(place_done) struct placing placing;
	int err;

	arena_defer(c->arena, (void (*)(void *))arena_free, w.of_rows);
	w.digest = digest_new(c->arena);
	buf_init(&w.json_text, c->arena, JSON_BYTES_MAX);
	jsonwrite_init(&w.json, &w.json_text);
	jsonwrite_object(&w.json);
	next_look(&w);

	err = place_begin(c, name, &placing);
	if (err)
		return err;
	w.bundle = bundle_begin(c, placing.fd, tenant);
	err = write_all(&w);
	if (!err)
		err = bundle_end(w.bundle, &ret->bytes, &ret->sha256);
	if (err)
		return err;
	ret->digests = w.json_text.data;

	return place_keep(c, &placing, ret->bytes, ret->sha256, &ret->location);
}
