/*
 * Callers: somebody with a seat, a session and what proves it, ready to ask.
 *
 *	struct caller ann = caller(ROLE_ADMIN);             in a tenant of its own
 *	struct caller bob = caller_in(ann.tenant, ROLE_VIEWER);
 *	post(&ann, "/projects", body);                      with a bearer token, below /api/v1
 *	struct caller dash = on_tier(ann, TIER_ADMIN);      with the cookie, below /api/admin
 *
 * A caller is a value: copies are other credentials of the same session.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "http/permissions.h"
#include "http/route.h"

struct caller {
	struct account_id account;
	struct session_id session;
	struct tenant_id tenant; /* nil: none */
	struct user_id user;     /* nil: no seat */
	const char *email;
	const char *token;        /* sent as bearer where the tier takes one; NULL: not sent */
	const char *cookie;       /* the session's, sent where the tier takes one; NULL: not sent */
	const char *api_key;      /* sent as X-API-Key on every tier; NULL: not sent */
	const char *origin;       /* sent where the tier takes a cookie; NULL: not sent */
	const char *named_tenant; /* X-Tenant-ID; NULL: not sent */
	const char *from;         /* an address of 127.0.0.0/8 to call from; NULL: the test's own */
	const char *url;          /* the server to ask; NULL: the world's (support/site.h) */
	enum tier tier;           /* below which path it asks */
};

struct caller caller(enum builtin_role role);
struct caller caller_in(struct tenant_id t, enum builtin_role role);

/* A new session of somebody who has a seat. */
struct caller caller_of(struct tenant_id t, struct user_id u);

/* Logged in, with no seat anywhere. */
struct caller caller_outsider(void);

/* One of the platform's own people: MFA enrolled and just proven, no seat. */
struct caller caller_global_admin(void);

/* Nobody: no credential at all. */
struct caller caller_nobody(void);

/* The same person, asking elsewhere or otherwise. */
struct caller on_tier(struct caller c, enum tier t);
struct caller naming(struct caller c, struct tenant_id t);
struct caller with_token(struct caller c, const char *token);

/* A program of theirs: this key, and neither token nor cookie. */
struct caller with_api_key(struct caller c, const char *key);
struct caller from_elsewhere(struct caller c);

/* An address of this host that nobody has called from yet. */
const char *new_address(void);

/* Ends its session, as a log-out elsewhere does; both credentials with it. */
void caller_revoke(const struct caller *c);

/* Lets its session run out. */
void caller_expire(const struct caller *c);

/* The tier's routes take a bearer token (true) or the session's cookie. */
bool tier_takes_token(enum tier t);
