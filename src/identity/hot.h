/*
 * The hot copy of a session: what GET /api/auth/me answers with, and the proof that the session was
 * alive when it was copied. One under the session's id, for access tokens, one under the hash of
 * its cookie. README.md says what may be believed because of it.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct arena;
struct ctx;
struct rows;
struct token_hash;

struct hot {
	struct session_id session;
	struct account_id account;
	int64_t ends_at_us; /* when the session is over, if it is not used */
	struct str me;      /* the reply, JSON */
};

/* Keys of hot copies, without the installation's prefix. */
const char *hot_key_of_session(struct arena *a, struct session_id id);
const char *hot_key_of_cookie(struct arena *a, const struct token_hash *cookie);

struct str hot_write(struct arena *a, const struct hot *h);

/* False: there is no copy, or the session is over. ret->me points into the copy. */
bool hot_read(struct str copy, struct hot *ret) MUST_CHECK;

/* After a change has been committed: no copy of these sessions (columns id, token_hash) is believed
 * any more. */
void hot_drop(struct ctx *c, const struct rows *sessions);
