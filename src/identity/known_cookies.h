/*
 * Which session and account a cookie belongs to, as this process has seen it: facts that never
 * change, so that the rate limiter can be asked before the database answers. It proves nothing;
 * the session may be over.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct token_hash;

bool known_cookie_find(const struct token_hash *cookie, struct session_id *ret_session,
		       struct account_id *ret_account);
void known_cookie_note(const struct token_hash *cookie, struct session_id session,
		       struct account_id account);
