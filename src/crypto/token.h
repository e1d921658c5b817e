/*
 * Opaque tokens: 32 random bytes, shown once as base64url, kept as a keyed hash (HMAC-SHA256 under
 * JWT_SECRET), so that a copy of the database opens no session.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

#define TOKEN_TEXT_SIZE 44 /* 43 characters and a NUL */
#define TOKEN_HASH_SIZE 32

struct token_hash {
	uint8_t bytes[TOKEN_HASH_SIZE];
};

/* At start: the key, and the one that it takes the place of, or NULL; copied. */
void token_init(const char *secret, const char *previous);
void token_make(char ret[TOKEN_TEXT_SIZE]);
void token_hash(struct str token, struct token_hash *ret);

/* As it was under the previous key, for what outlives a key; false when there is none. */
bool token_hash_before(struct str token, struct token_hash *ret);
/* Says which key a hash is under without saying the key: for columns keyed_by. */
void token_mark(struct token_hash *ret);

/* Unkeyed SHA-256, for request digests and cache keys. */
void sha256(struct str data, uint8_t ret[32]);

bool secret_equal(const void *a, const void *b, size_t n); /* constant time */
void secret_wipe(void *p, size_t n);
