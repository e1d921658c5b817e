/*
 * Secrets at rest: AES-256-GCM under ENCRYPTION_KEY, by OpenSSL.
 *
 * aad ties a sealed value to its place ("signing_keys:<kid>"): moved to another row, it does not
 * open. Sealed: one byte of version, 12 of nonce, the ciphertext, 16 of tag.
 *
 * A column that holds what was sealed is named so ("secret_sealed"), and has a row in
 * identity/reseal.c, which seals it anew when the key changes; tests/closure/sealed.c looks.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

void seal_init(const uint8_t key[32]);
/* A second key that opens, and seals nothing, while one takes the other's place. */
void seal_also_open(const uint8_t key[32]);

struct str seal(struct arena *a, struct str plain, struct str aad);
/* False when it was not sealed under one of these keys for this aad, or was changed. */
bool unseal(struct arena *a, struct str sealed, struct str aad, struct str *ret) MUST_CHECK;
/* The same value sealed under seal_init()'s key; ptr NULL when it is already. False as unseal(). */
bool reseal(struct arena *a, struct str sealed, struct str aad, struct str *ret) MUST_CHECK;
