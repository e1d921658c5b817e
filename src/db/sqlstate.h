/*
 * SQLSTATEs as errors of ours, in one table. Class ZY is our own: raised by functions of the
 * schema, the message is for the caller, DETAIL is the permission that was missing, COLUMN the
 * field it concerns.
 */
#pragma once

#include "base/base.h"

struct ctx;

/* What the server said; strings may be NULL. */
struct sql_failure {
	const char *sqlstate, *message, *detail, *constraint, *column;
};

/*
 * Records it in c's fault; returns the error. A violated constraint is looked up in the domains'
 * conflict tables (db/batch.h). The log gets no values: neither DETAIL nor the message of a value
 * that could not be read.
 */
int sqlstate_fail(struct ctx *c, const struct sql_failure *f, const char *statement);

bool sqlstate_is_retryable(const char *sqlstate); /* 40001, 40P01 */
/* The server takes no writes: what was the primary is none any more. */
bool sqlstate_is_standby(const char *sqlstate);
bool sqlstate_is_stale_plan(const char *sqlstate); /* 0A000 cached plan, 26000: prepare anew */
bool sqlstate_is_rule(const char *sqlstate);       /* class ZY: refuse() was called */
bool sqlstate_is_unreadable(const char *sqlstate); /* class 22: a value is none of its type */
