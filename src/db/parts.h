/*
 * Work in parts: what grows with a tenant is done by one statement over and over, so many rows at a
 * time, and none of them runs into the statement time-out however many rows there are.
 *
 * The statement's first parameters are behind which id it begins (NULL: at the beginning) and how
 * many rows it takes; its row is where it has ended (last; NULL: nothing is left) and how many
 * rows it has changed (done). part_end() in sql/migrations/0037 finds an end.
 */
#pragma once

#include "base/base.h"
#include "db/batch.h"

/*
 * Runs it until nothing is left: within the transaction that c holds open, or each part in one of
 * its own. args: its parameters from the third on. *ret_done: of all parts; NULL where nobody asks.
 * What a part needs is forgotten behind it.
 */
int db_in_parts(struct ctx *c, enum batch_mode mode, const struct sql *s, struct args args,
		int64_t *ret_done) MUST_CHECK;
