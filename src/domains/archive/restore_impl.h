/* What the two halves of a restore share: reading a bundle (restore_walk.c), and the transaction
 * around the second time (archive_restore.c). */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "domains/archive/archive.h"

struct arena;
struct digest;

#define RESTORE_NAME_MAX 63 /* of a table: NAMEDATALEN */
#define RESTORE_ROWS_BYTES_MAX                                                                     \
	MIB(64) /* of one statement: a row of the greatest length, and some */
#define RESTORE_MANIFEST_MAX MIB(1)

struct restoring {
	struct ctx *c;
	const struct archive_restore *how;
	int fd;
	bool writes; /* the second time */

	struct tenant_id tenant;
	const char *slug, *name, *schema, *created_at;
	char table[RESTORE_NAME_MAX + 1]; /* "": in none */
	int64_t rows;                     /* of it */
	struct digest *digest;
	struct buf pending;  /* rows that wait for their statement; a heap's: it is emptied often */
	struct buf manifest; /* as it has to be, by the tables so far */
	struct jsonwrite ends; /* writes it */
	struct arena *of_step;
	int64_t tables, all_rows, linked, restored, taken, erased_seats, keys;
	int64_t own_rows;      /* of the table of tenants: one */
	int64_t old_events;    /* stay in the archive */
	int64_t kept_from_ms;  /* events that are older are kept of no tenant */
	const char *lost_host; /* NULL: it has its host name, if it had one */
	bool is_suspended;
	bool has_manifest;
};

/* The slug that the tenant shall have. */
static inline const char *restore_slug(const struct restoring *r)
{
	return r->how->slug ? r->how->slug : r->slug;
}

/*
 * One statement, within the transaction that is open; what it takes and gives lives in of_step.
 */
int restore_run(struct restoring *r, enum batch_mode mode, const struct rows **ret,
		const struct sql *s, struct args args) MUST_CHECK;

/* Reads all of the bundle, and restores what it reads if r->writes. ERR_RULE_VIOLATED, with words
 * for the admin, where it is not what it says. */
int restore_walk(struct restoring *r) MUST_CHECK;
