/*
 * Erasing seats of a tenant, within the transaction that c holds open: the rows stay, as whom
 * events name, and nothing says any more who they were. sql/migrations/0037 has what goes.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"
#include "db/batch.h"

struct ctx;

/*
 * users: ids, an array; those that the same people had here before go along. What is the tenant's
 * is looked through once for all of them, in parts (db/parts.h). *ret_counts: how many rows of
 * which table, as JSON in c's arena; ptr NULL when all were erased before.
 */
int erase_seats(struct ctx *c, struct tenant_id tenant, struct arg users, struct str *ret_counts)
	MUST_CHECK;
