/*
 * The process's connection to Redis; the only folder that includes hiredis.
 *
 * Redis holds only what may be lost. Every call has a short time-out, REDIS_TIMEOUT; after a
 * failure the breaker keeps everyone from waiting for it again for a moment, and callers take their
 * fall-back. Nothing here fails a request.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

/*
 * In each process, after fork(): reads config()->redis_url and its time-out, connects at the first
 * use. NULL, or for the admin why that URL cannot be used. Ignores SIGPIPE, because hiredis writes
 * with write(2).
 *
 *   redis://[[user]:password@]host[:port][/db]    unix://[[user]:password@]/path[?db=n]
 *
 * User and password are percent-encoded. There is no TLS: hiredis 0.14 has none.
 */
const char *redis_init(void) MUST_CHECK;
void redis_done(void);
bool redis_is_up(void);                   /* as far as the last call knows */
int redis_ping(struct ctx *c) MUST_CHECK; /* for /health/ready: 0 or ERR_SERVICE_UNAVAILABLE */

/* "7.0.15", in c's arena, for an admin; NULL when it does not answer: then as redis_ping(). */
const char *redis_version(struct ctx *c);
