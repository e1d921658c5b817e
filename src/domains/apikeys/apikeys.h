/*
 * API keys: what programs call the public API with. A key acts for the seat that made it, in its
 * name, and may do what both the seat and the key's scopes allow, at every moment
 * (sql/migrations/0004). The key itself is shown once, when it is made or rotated.
 *
 * *ret is the row as sql/queries/apikeys.sql names its columns, in c's arena.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"
#include "base/list.h"

struct ctx;
struct mount;
struct page;
struct paging;
struct rows;

struct apikey_new {
	const char *name;        /* shown to people; 1…100 characters */
	struct list scopes;      /* const char *: names of permissions, at least one */
	struct list allowed_ips; /* const char *: CIDR; empty: from everywhere */
	int64_t rate_limit;      /* requests a minute; 0: no limit of its own */
	int64_t expires_at_us;   /* 0: never */
};

/* What is not given stays as it is. */
struct apikey_patch {
	const char *name;
	struct list scopes, allowed_ips;
	int64_t rate_limit, expires_at_us;
	bool has_name, has_scopes, has_allowed_ips, has_rate_limit, has_expires_at;
};

struct apikey_rotation {
	int64_t grace_s; /* so long the old key is good still */
};

struct apikey_filter {
	const char *search; /* somewhere in the name or hint, in either case; NULL: all */
	const char *status; /* "active", "expired", "revoked"; NULL: all */
	struct uuid user;   /* who made it; nil: all */
};

extern const struct mount apikeys_mount;

/*
 * With the event apiKey.created; *ret_key is the key, in c's arena, for its holder alone.
 * ERR_AUTH_FORBIDDEN, which names it, for a scope that the acting seat lacks; ERR_VALIDATION_ERROR
 * for one that does not exist or that no key may have (path "scopes"), and for an expiry that is
 * over (path "expiresAt"); ERR_RULE_VIOLATED when nobody's seat acts.
 */
int apikeys_create(struct ctx *c, const struct apikey_new *in, const char **ret_key,
		   const struct rows **ret) MUST_CHECK;

int apikeys_get(struct ctx *c, struct api_key_id id, const struct rows **ret) MUST_CHECK;
int apikeys_list(struct ctx *c, const struct apikey_filter *f, const struct paging *p,
		 const struct page **ret) MUST_CHECK;

/*
 * For who made the key, else ERR_AUTH_FORBIDDEN; ERR_RESOURCE_CONFLICT when it is revoked. These
 * and the two below want c's If-Match, when there is one, to be the key's version.
 */
int apikeys_update(struct ctx *c, struct api_key_id id, const struct apikey_patch *in,
		   const struct rows **ret) MUST_CHECK;
int apikeys_rotate(struct ctx *c, struct api_key_id id, const struct apikey_rotation *in,
		   const char **ret_key, const struct rows **ret) MUST_CHECK;

/* At once, everywhere. */
int apikeys_revoke(struct ctx *c, struct api_key_id id, const struct rows **ret) MUST_CHECK;
int apikeys_delete(struct ctx *c, struct api_key_id id) MUST_CHECK;
