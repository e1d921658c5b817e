/*
 * Which tokens this process has verified, and what they say. A table of fixed size: the digest
 * chooses a set of JWS_WAYS entries, and a new token takes the place in it that ends first. Nothing
 * is allocated.
 */
#include "crypto/jws_impl.h"

#include <string.h>

/* JWS_SETS is a power of two; 4096 tokens in all, 400 KiB touched as it fills. */
#define JWS_SETS 1024
#define JWS_WAYS 4

struct memory {
	struct jws_digest token;
	struct account_id account;
	struct session_id session;
	struct tenant_id tenant;
	int64_t issued_s, expires_s; /* expires_s 0: free */
};

static struct memory memories[JWS_SETS][JWS_WAYS];

/* The digest is of uniform bytes, so any of them choose a set. */
static struct memory *set_of(const struct jws_digest *token)
{
	return memories[((unsigned)token->bytes[0] << 8 | token->bytes[1]) % JWS_SETS];
}

bool jws_recall(const struct jws_digest *token, struct claims *ret)
{
	const struct memory *set = set_of(token);

	for (size_t i = 0; i < JWS_WAYS; i++) {
		if (set[i].expires_s == 0 || memcmp(&set[i].token, token, sizeof(*token)) != 0)
			continue;
		*ret = (struct claims){ .account = set[i].account,
					.session = set[i].session,
					.tenant = set[i].tenant,
					.issued_s = set[i].issued_s,
					.expires_s = set[i].expires_s };
		return true;
	}

	return false;
}

void jws_remember(const struct jws_digest *token, const struct claims *claims)
{
	struct memory *set = set_of(token);
	struct memory *first = set; /* to end */

	for (size_t i = 1; i < JWS_WAYS; i++) {
		if (set[i].expires_s < first->expires_s)
			first = &set[i];
	}

	*first = (struct memory){ .token = *token,
				  .account = claims->account,
				  .session = claims->session,
				  .tenant = claims->tenant,
				  .issued_s = claims->issued_s,
				  .expires_s = claims->expires_s };
}

void jws_forget_all(void)
{
	memset(memories, 0, sizeof(memories));
}
