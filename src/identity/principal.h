/*
 * Who asks: from a cookie or a bearer token to ctx->actor and ctx->entry. The http layer calls it through identity_auth.
 *
 * No credential is believed because a cache says so: the session is proven by enter() (sql/migrations/0001) in the request's own
 * transaction, or on ROUTE_HOT rows by its hot copy, which every revocation drops.
 */
#pragma once

#include "base/base.h"
#include "http/stages.h"

extern const struct auth identity_auth;

/* Once in each worker, before the first request: the signing keys. Loaded again every minute and when a token names an unknown key. */
int identity_worker_init(void);

#define SESSION_COOKIE "__Host-zygo_session"
