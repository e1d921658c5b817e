/* SHA-256 in pieces, by libsodium: see digest.h. */
#include "crypto/digest.h"

#include "base/arena.h"
#include "base/str.h"

#include <sodium.h>

struct digest {
	struct arena *arena;
	crypto_hash_sha256_state state;
};

struct digest *digest_new(struct arena *a)
{
	struct digest *d = arena_make(a, struct digest);

	d->arena = a;
	(void)crypto_hash_sha256_init(&d->state);

	return d;
}

void digest_add(struct digest *d, const void *p, size_t len)
{
	(void)crypto_hash_sha256_update(&d->state, p, len);
}

const char *digest_end(struct digest *d)
{
	unsigned char sum[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256_final(&d->state, sum);
	(void)crypto_hash_sha256_init(&d->state);

	return str_hex(d->arena, sum, sizeof(sum));
}
