/*
 * What a row gives to kinds of callers, computed from the row: an enum err, or ALLOWED.
 */
#pragma once

#include "base/err.h"
#include "http/permissions.h"
#include "http/route.h"

#define ALLOWED OK

bool row_is_public(const struct mounted *row);
bool row_is_unsafe(const struct mounted *row);

/* The caller is not logged in, as far as can be seen: refused wherever a log-in is wanted. */
int row_unknown(const struct mounted *row);

/* Has a credential that was one, or looks like it. */
int row_not_believed(const struct mounted *row);

/* Somebody with this built-in role in the tenant. */
int row_holds(const struct mounted *row, enum builtin_role role);

/* Somebody with an account, whom the tenant turns away with this. */
int row_turned_away(const struct mounted *row, int err);
