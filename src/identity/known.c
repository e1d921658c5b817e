/* A table of fixed size; a new credential takes the place of the one that was there. */
#include "identity/known.h"

#include "crypto/token.h"

#include <string.h>

#define KNOWN_MAX 2048 /* a power of two; 144 KiB, touched as it fills */

static struct {
	struct token_hash credential;
	struct known whose; /* id nil: free */
} table[KNOWN_MAX];

/* The hash is of uniform bytes, so any of them choose a place. */
static size_t place_of(const struct token_hash *credential)
{
	return ((size_t)credential->bytes[0] << 8 | credential->bytes[1]) % KNOWN_MAX;
}

bool known_find(const struct token_hash *credential, struct known *ret)
{
	size_t i = place_of(credential);

	if (uuid_is_nil(table[i].whose.id) ||
	    memcmp(&table[i].credential, credential, sizeof(*credential)) != 0)
		return false;

	*ret = table[i].whose;
	return true;
}

void known_note(const struct token_hash *credential, const struct known *whose)
{
	size_t i = place_of(credential);

	table[i].credential = *credential;
	table[i].whose = *whose;
}
