/*
 * The truth as PostgreSQL holds it: what tests write and read past the program and past row-level
 * security, as superuser. Parameters are texts and end with NULL; the statement casts them
 * ("$1::uuid"). A statement that fails, fails the test.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

/* The first column of the first row, in the world's arena; NULL when it is NULL or there is none.
 */
const char *database_value(const char *statement, ...) __attribute__((sentinel));

/* The same as a number; 0 when NULL or none. */
int64_t database_number(const char *statement, ...) __attribute__((sentinel));

/* Runs it for what it does. */
void database_run(const char *statement, ...) __attribute__((sentinel));

/* The first column of all rows; *ret_len is their number. */
const char *const *database_column(size_t *ret_len, const char *statement, ...)
	__attribute__((sentinel));

/* An id as a parameter: its text, in the world's arena. */
const char *id_text(struct uuid u);
struct uuid id_of(const char *text);

/*
 * A digest of everything that a tenant has: its own row, its rows in every table with tenant_id,
 * and its people's accounts and sessions. Two that are equal say that nothing was written
 * meanwhile. It is made when what follows from the tenant's changes so far is over.
 */
const char *database_tenant_digest(struct tenant_id tenant);
