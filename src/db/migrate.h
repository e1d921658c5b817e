/*
 * Migrations: the ordered files of sql/migrations, built in, each run once in a transaction of its
 * own under an advisory lock, with its checksum kept in schema_migrations. They run as the owner
 * (DATABASE_MIGRATE_URL).
 *
 * Before the first, roles.sql makes the roles where the owner may; an admin who may not runs it by
 * hand.
 */
#pragma once

#include "base/base.h"

struct migration {
	const char *name; /* "0001_foundation" */
	const char *text;
};
extern const struct migration migrations[]; /* in order; ends with a NULL name */
extern const char roles_sql[];

enum migrate_mode { MIGRATE_RUN, MIGRATE_STATUS, MIGRATE_DRY_RUN };

/* Says on standard output what it does; false, and why on standard error, when something failed. */
bool migrate(const char *url, enum migrate_mode mode) MUST_CHECK;
