/*
 * Who asks: from a cookie or a bearer token to ctx->actor and ctx->entry. The http layer calls it
 * through identity_auth.
 *
 * No credential is believed because a cache says so: the session is proven by enter()
 * (sql/migrations/0001) in the request's own transaction, or on ROUTE_HOT rows by its hot copy,
 * which every revocation drops.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "http/stages.h"
#include "identity/credential.h"

struct ctx;
struct hot;

extern const struct auth identity_auth;

/*
 * Once in each worker, before the first request: loads the signing keys, and makes the first one
 * when there is none. A database that is away is no reason to fail: then they are loaded when they
 * are needed. The exit status.
 */
int identity_worker_init(void);

/* Keeps the hot copy of the session that asks, under the key that its credential is looked up by.
 */
void principal_keep(struct ctx *c, const struct hot *h);
