/*
 * Connections that are to end, or may see less from now on: sessions that were revoked, seats and
 * tenants that were suspended, roles that changed, tokens that are over.
 *
 * PostgreSQL tells of it at once (a notification, then the rows of realtime_notices); it is also
 * asked each second, because a notification may be lost, and of each connection every now and then
 * whether enter() would let it in still.
 */
#pragma once

#include "base/base.h"

void watch_init(void); /* once in each process */
void watch_done(void);

/* The socket to poll for notifications; -1: there is none now. */
int watch_listen(void);

/* A notification has come: reads the notices. */
void watch_hear(void);

/* Tenants that are new here are told what Redis did not bring yet (news.h). */
void watch_settle(void);

/* Each second: notices, news that did not come (news.h), tokens that are over, a part of all. */
void watch_tick(void);
