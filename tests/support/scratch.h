/*
 * For tests of src/db alone: a table of the test's own and a unit of work that may use it, without
 * tenants, routes or a server of ours. Needs ZYGO_TEST_DATABASE_URL and ZYGO_TEST_OWNER_URL only.
 *
 * The table is scratch_<pid> (id uuid primary key, n bigint, name text), and beside it a sequence
 * scratch_<pid>_seq that counts tries, since a sequence does not roll back. `.init = scratch_init,
 * .fini = scratch_done`.
 */
#pragma once

#include "base/base.h"
#include "base/config.h"
#include "db/batch.h"

void scratch_init(void);
void scratch_done(void);

/* Its settings; a test that changes them calls scratch_reconnect() afterwards. */
struct config *scratch_config(void);
void scratch_reconnect(void);

/* The unit of work; its transactions begin with an entry that only says whether they are read only.
 */
struct ctx *scratch_ctx(void);

/* Ends the unit of work and begins another. */
void scratch_next(void);

/* The same text with the table's name for each "@". Lives until the test ends. */
const char *scratch_text(const char *text);

/* A statement; its number of parameters is read off its text. Lives until the test ends. */
const struct sql *scratch_sql(enum sql_kind kind, const char *text);

/* Runs statements as the owner, and as the application on a connection of its own. */
void scratch_owner(const char *text);
void scratch_app(const char *text);

/* The first column of the first row, as the owner. */
int64_t scratch_number(const char *text);
