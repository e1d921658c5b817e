/* Hashes of tokens, codes and cookies as parameters of statements. */
#pragma once

#include "crypto/token.h"
#include "db/batch.h"

/* bytea, which the caller keeps until the batch has run; h NULL: SQL's NULL. */
static inline struct arg arg_hash(const struct token_hash *h)
{
	return h ? arg_bytes(h->bytes, sizeof(h->bytes)) : arg_null();
}
