/*
 * Hearing PostgreSQL's notifications, on a connection of its own: one channel a process.
 *
 * What is heard may be lost (the connection was away, PgBouncer's transaction pooling passes none
 * on), so who listens also looks by itself from time to time.
 */
#pragma once

#include "base/base.h"

struct arena;
struct ctx;
struct sql;

/*
 * Makes sure that statement, a LISTEN, has run on the connection; connects first where that is
 * needed. Returns the socket to poll for reading, or -1 when there is no connection now.
 */
int listen_on(struct ctx *c, const struct sql *statement);

/* The payload of the next notification that has come, in the arena; NULL: no more now. */
const char *listen_take(struct arena *a);

void listen_done(void);
