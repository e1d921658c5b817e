/*
 * The process's connections to PostgreSQL: one to the primary, one to the replica when there is
 * one.
 *
 * A worker serves one request at a time, so one connection each is its pool; DATABASE_POOL_MAX
 * bounds the host's workers together and is checked by the supervisor. Lost connections are made
 * anew with back-off.
 */
#pragma once

#include "base/base.h"

struct ctx;

/*
 * Connects lazily; never fails for a database that is away. pool, in application_name: "fast" has
 * the fast class of statement time-outs, any other the slow one.
 */
void db_init(const char *pool);
void db_done(void);

/*
 * Refuses to serve on a database where isolation does not hold: the role is a superuser, may bypass
 * row-level security or owns tables; a table with tenant_id lacks forced row-level security;
 * migrations are missing. Each finding is one line in *ret_findings (heap buffer, initialised by
 * the caller).
 */
struct buf;
int db_check(struct ctx *c, struct buf *ret_findings) MUST_CHECK;

/* One trivial round trip, for /health/ready. */
int db_ping(struct ctx *c) MUST_CHECK;
