/*
 * Files at rest: a stream of any length, sealed in chunks by libsodium's secretstream
 * (XChaCha20-Poly1305), under a key of its own that is sealed under ENCRYPTION_KEY (crypto/seal.h).
 *
 * Chunks that were changed, left out, moved, or cut off at the end do not open. A sealed stream is:
 * the head (the sealed key, secretstream's header), then the chunks.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;
struct sealstream;

#define SEALSTREAM_HEAD_BYTES  (61 + 24) /* the sealed key: 1 + 12 + 32 + 16; the header */
#define SEALSTREAM_CHUNK_BYTES KIB(64)   /* of plain text: all but the last are as long */
#define SEALSTREAM_EXTRA_BYTES 17        /* that a sealed chunk is longer */

/* Lives in the arena, which wipes it. aad: what the stream is, as in seal(). */
struct sealstream *sealstream_begin(struct arena *a, struct str aad,
				    uint8_t ret_head[SEALSTREAM_HEAD_BYTES]);

/* ret_sealed has room for len + SEALSTREAM_EXTRA_BYTES; len is at most SEALSTREAM_CHUNK_BYTES. */
void sealstream_push(struct sealstream *s, const void *plain, size_t len, bool is_last,
		     uint8_t *ret_sealed);

/* NULL when it was sealed under another key or as something else. */
struct sealstream *sealstream_open(struct arena *a, struct str aad,
				   const uint8_t head[SEALSTREAM_HEAD_BYTES]);

/* One sealed chunk; false when it was changed or is not the next. ret_plain has room for it. */
bool sealstream_pull(struct sealstream *s, const void *sealed, size_t len, uint8_t *ret_plain,
		     bool *ret_is_last) MUST_CHECK;
