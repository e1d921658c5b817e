/* A table of fixed size; a new cookie takes the place of the one that was there. */
#include "identity/known_cookies.h"

#include "crypto/token.h"

#include <string.h>

#define KNOWN_MAX 2048 /* a power of two; 128 KiB, touched as it fills */

struct known {
	struct token_hash cookie;
	struct session_id session; /* nil: free */
	struct account_id account;
};

static struct known known[KNOWN_MAX];

/* The hash is of uniform bytes, so any of them choose a place. */
static struct known *place_of(const struct token_hash *cookie)
{
	return &known[((unsigned)cookie->bytes[0] << 8 | cookie->bytes[1]) % KNOWN_MAX];
}

bool known_cookie_find(const struct token_hash *cookie, struct session_id *ret_session,
		       struct account_id *ret_account)
{
	const struct known *k = place_of(cookie);

	if (uuid_is_nil(k->session.u) || memcmp(&k->cookie, cookie, sizeof(*cookie)) != 0)
		return false;

	*ret_session = k->session;
	*ret_account = k->account;

	return true;
}

void known_cookie_note(const struct token_hash *cookie, struct session_id session,
		       struct account_id account)
{
	*place_of(cookie) =
		(struct known){ .cookie = *cookie, .session = session, .account = account };
}
