/*
 * Links in mails that end mails of their kind, without a log-in (RFC 8058). A link says whose mails
 * and which, signed under JWT_SECRET: nobody makes one for somebody else, and none is kept. It does
 * nothing but turn mails off, so it is good for ever.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct arena;
struct ctx;

struct subscription {
	struct tenant_id tenant;
	struct user_id user;
	const char *kind; /* NULL: all that come in digests */
};

/* The link, below API_URL; in the arena. */
const char *unsubscribe_url(struct arena *a, const struct subscription *s);

/* What stands behind its last slash; false when that was not signed here. */
bool unsubscribe_read(struct arena *a, struct str token, struct subscription *ret) MUST_CHECK;

/* Turns them off; of who is gone, nothing. */
int unsubscribe(struct ctx *c, const struct subscription *s) MUST_CHECK;
