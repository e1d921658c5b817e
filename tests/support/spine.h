/*
 * Spines for tests (events/spine.h): processes with readers of the test's own, beside the server's.
 * Readers write what they have read into SPINE_TABLE, in the order in which they read it.
 */
#pragma once

#include "base/id.h"

#include <sys/types.h>

/* (n bigserial, reader text, position bigint, tenant uuid, event_id uuid). A column tenant_id would
 * make it a tenant table, and servers refuse to start where one has no policies. */
#define SPINE_TABLE "event_reads"

/* Beside each other, in one spine: one that reads everything, and one that cannot read the events
 * of tenants that spine_poison() names. */
const char *spine_reader(void);
const char *spine_careful_reader(void);

/* A master whose child is a spine; the child is made anew when it dies. Ends with the test at the
 * latest. Any number may run. */
pid_t spine_start(void);
int spine_stop(pid_t master);  /* SIGTERM, and its exit status */
int spine_pause(pid_t master); /* the same; its readers go on with the next spine_start() */
void spine_kill(pid_t master); /* kill -9 of its child */

/* From now on this test's careful reader fails at events of that tenant, or does not. */
void spine_poison(struct tenant_id t, bool is_poison);

/* Waits until that reader has read so many events of the tenant. */
void spine_await(const char *reader, struct tenant_id t, int64_t n);
