/*
 * The text of API keys: "zk_live_" or "zk_test_", 32 random letters and digits, and a checksum of
 * six. Whoever finds one in a log or a repository knows what it is by its beginning, and by its end
 * whether it is whole, without asking anybody. It is stored as token_hash() (crypto/token.h).
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

#define APIKEY_TEXT_SIZE 47 /* 46 characters and a NUL */

/* What every key begins with, and nothing else that comes as a bearer token. */
#define APIKEY_PREFIX "zk_"

/* How much of a key may be shown later, so that people tell theirs apart. */
#define APIKEY_HINT_LEN 12

/* 190 random bits. is_live: made by an installation in production; it is only written on the key.
 */
void apikey_make(bool is_live, char ret[APIKEY_TEXT_SIZE]);

/* It has the form of a key and its checksum is right; whether there is such a key is another
 * question. */
bool apikey_is_whole(struct str text);
