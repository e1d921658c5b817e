/*
 * Passwords: Argon2id by libsodium, with OWASP's parameters (m = 19 MiB, t = 2, p = 1).
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

#define PASSWORD_HASH_SIZE 128 /* crypto_pwhash_STRBYTES */

/* About 11 ms of CPU: routes that call these are in the slow pool. Aborts when memory is not to be
 * had. */
void password_hash(struct str password, char ret[PASSWORD_HASH_SIZE]);

/* hash NULL: works as long on a hash of nobody's and says false, so that time does not tell whether
 * an account exists. */
bool password_verify(struct str password, const char *hash);

/* The hash was made with other parameters than today's: make it anew at this log-in. */
bool password_is_outdated(const char *hash);

/* NULL when it may be used; else why not, for the person. email may be NULL. The list of common
 * passwords is built in. */
const char *password_refused(struct str password, const char *email);
