/*
 * Secrets at rest: AES-256-GCM under ENCRYPTION_KEY, by OpenSSL.
 *
 * aad ties a sealed value to its place ("signing_keys:<kid>"): moved to another row, it does not
 * open. Sealed: one byte of version, 12 of nonce, the ciphertext, 16 of tag.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

void seal_init(const uint8_t key[32]);
struct str seal(struct arena *a, struct str plain, struct str aad);
/* False when it was not sealed under this key for this aad, or was changed. */
bool unseal(struct arena *a, struct str sealed, struct str aad, struct str *ret) MUST_CHECK;
