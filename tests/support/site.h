/*
 * A second Zygo with settings of its own, for the time of one test: a low limit, a mode that the
 * others are not tested in. Tenants and sessions are the same, since PostgreSQL and Redis are.
 *
 *	struct caller ann = caller(ROLE_ADMIN);
 *	ann.url = site_start("limits", (const char *[]){ "RATE_READ=3", NULL });
 *	…
 *	site_stop("limits");
 */
#pragma once

#include "base/base.h"

/* Its URL. settings: at most 8, ending with NULL. name: of its folder, for its logs. */
const char *site_start(const char *name, const char *const *settings);
void site_stop(const char *name);

/* `zygo realtime` alone, with settings of its own: the path of its socket (support/websocket.h).
 * site_stop() ends it too. */
const char *site_start_realtime(const char *name, const char *const *settings);
