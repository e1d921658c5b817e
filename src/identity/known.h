/*
 * Whose a cookie or an API key is, as this process has seen it, so that the rate limiter can be
 * asked before the database answers. It proves nothing; the session may be over, the key revoked.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct token_hash;

struct known {
	struct uuid id; /* of the session, or of the key */
	struct account_id account;
	int64_t rate_limit; /* of a key: requests a minute; 0: none of its own */
};

bool known_find(const struct token_hash *credential, struct known *ret);
void known_note(const struct token_hash *credential, const struct known *whose);
