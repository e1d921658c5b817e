/*
 * Archives: everything that a tenant has, in one sealed file, and back.
 *
 * Which tables there are is the catalog's to say (tenant_tables() in sql/migrations/0014): a new
 * one is archived without a line here.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct ctx;
struct job;
struct job_kind;

/* What was written. */
struct archive {
	const char *location; /* a URL */
	int64_t bytes;
	const char *sha256;  /* of the file, in hex */
	const char *digests; /* JSON by table: {"users": {"rows": 3, "digest": "…"}} */
};

/*
 * Writes the archive of a tenant to where ARCHIVE_URL says, table by table, each in its own look at
 * the database: what changes meanwhile is found by archive_remove(). tell is called with 0…100 and
 * the table that it is at, more than once where that is large; another answer than OK ends it.
 */
int archive_write(struct ctx *c, struct tenant_id tenant, const char *name,
		  int (*tell)(void *p, int percent, const char *what), void *p, struct archive *ret)
	MUST_CHECK;

/*
 * Within the transaction that c holds open: removes all rows of the tenant, which are what digests
 * says, and the people and the realm that were its alone. ERR_RESOURCE_CONFLICT when a table is
 * not as it was archived. job: stays, with its children. *ret_accounts: how many are gone.
 */
int archive_remove(struct ctx *c, struct tenant_id tenant, struct uuid job, const char *digests,
		   int64_t *ret_accounts) MUST_CHECK;

struct archive_restore {
	const char *location; /* a path or a URL */
	const char *slug;     /* that it shall have; NULL: the one that it had */
	bool only_look;       /* checks the archive, changes nothing */
};

/*
 * Reads the archive twice: once to see that it is whole, once to restore it, in one transaction.
 * Says on standard output what came back and what did not.
 */
int archive_restore(struct ctx *c, const struct archive_restore *how) MUST_CHECK;
