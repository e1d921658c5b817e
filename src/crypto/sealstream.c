/* Sealed streams: see sealstream.h. */
#include "crypto/sealstream.h"

#include "base/arena.h"
#include "crypto/seal.h"

#include <assert.h>
#include <sodium.h>

#define KEY_BYTES    crypto_secretstream_xchacha20poly1305_KEYBYTES
#define HEADER_BYTES crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define SEALED_BYTES (SEALSTREAM_HEAD_BYTES - HEADER_BYTES)

static_assert(crypto_secretstream_xchacha20poly1305_ABYTES == SEALSTREAM_EXTRA_BYTES,
	      "a tag byte and a MAC");
static_assert(HEADER_BYTES == 24, "as SEALSTREAM_HEAD_BYTES says");

struct sealstream {
	crypto_secretstream_xchacha20poly1305_state state;
};

struct sealstream *sealstream_begin(struct arena *a, struct str aad,
				    uint8_t ret_head[SEALSTREAM_HEAD_BYTES])
{
	struct sealstream *s = arena_make(a, struct sealstream);
	unsigned char key[KEY_BYTES];
	struct str sealed;

	BUG_IF(sodium_init() < 0);
	arena_holds_secret(a);
	crypto_secretstream_xchacha20poly1305_keygen(key);
	BUG_IF(crypto_secretstream_xchacha20poly1305_init_push(&s->state, ret_head + SEALED_BYTES,
							       key) != 0);
	sealed = seal(a, (struct str){ (const char *)key, sizeof(key) }, aad);
	BUG_IF(sealed.len != SEALED_BYTES);
	memcpy(ret_head, sealed.ptr, sealed.len);
	sodium_memzero(key, sizeof(key));

	return s;
}

void sealstream_push(struct sealstream *s, const void *plain, size_t len, bool is_last,
		     uint8_t *ret_sealed)
{
	unsigned char tag = is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
				    : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;

	BUG_IF(len > SEALSTREAM_CHUNK_BYTES);
	BUG_IF(crypto_secretstream_xchacha20poly1305_push(&s->state, ret_sealed, NULL, plain, len,
							  NULL, 0, tag) != 0);
}

struct sealstream *sealstream_open(struct arena *a, struct str aad,
				   const uint8_t head[SEALSTREAM_HEAD_BYTES])
{
	struct str sealed = { (const char *)head, SEALED_BYTES }, key;
	struct sealstream *s;

	BUG_IF(sodium_init() < 0);
	if (!unseal(a, sealed, aad, &key) || key.len != KEY_BYTES)
		return NULL;
	s = arena_make(a, struct sealstream);
	if (crypto_secretstream_xchacha20poly1305_init_pull(&s->state, head + SEALED_BYTES,
							    (const unsigned char *)key.ptr) != 0)
		return NULL;

	return s;
}

bool sealstream_pull(struct sealstream *s, const void *sealed, size_t len, uint8_t *ret_plain,
		     bool *ret_is_last)
{
	unsigned char tag;

	if (len < SEALSTREAM_EXTRA_BYTES || len > SEALSTREAM_CHUNK_BYTES + SEALSTREAM_EXTRA_BYTES)
		return false;
	if (crypto_secretstream_xchacha20poly1305_pull(&s->state, ret_plain, NULL, &tag, sealed,
						       len, NULL, 0) != 0)
		return false;
	*ret_is_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;

	return true;
}
