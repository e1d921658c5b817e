/*
 * Argon2id by libsodium (10.8 ms here; Debian's libargon2, scalar, takes 18–24 ms), and which
 * passwords nobody may have.
 */
#include "crypto/password.h"

#include "crypto/token.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2; p is always 1 in libsodium. */
#define MEMORY_BYTES MIB(19)
#define PASSES       2

/* NIST SP 800-63B section 5.1.1.2: at least 8 characters; a bound that takes any passphrase. */
#define CHARS_MIN 8
#define CHARS_MAX 128

static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's text fits exactly");

static const char *const common_passwords[] = {
#include "crypto/common_passwords.def"
};

/* Lets libsodium choose the fastest code for this processor; later calls do nothing. */
static void sodium_ready(void)
{
	BUG_IF(sodium_init() < 0);
}

void password_hash(struct str password, char ret[PASSWORD_HASH_SIZE])
{
	sodium_ready();
	BUG_IF(crypto_pwhash_str_alg(ret, password.ptr, password.len, PASSES, MEMORY_BYTES,
				     crypto_pwhash_ALG_ARGON2ID13) != 0);
}

/* The hash of a password that nobody knows, made by the first who asks. */
static const char *hash_of_nobody(void)
{
	static char hash[PASSWORD_HASH_SIZE];
	char unknown[TOKEN_TEXT_SIZE];

	if (!hash[0]) {
		token_make(unknown);
		password_hash(str_of(unknown), hash);
		secret_wipe(unknown, sizeof(unknown));
	}

	return hash;
}

bool password_verify(struct str password, const char *hash)
{
	/* Asked for with and without a hash, so that the process's first look-up takes as long in
	 * both cases. */
	const char *nobody = hash_of_nobody();
	bool matches;

	matches = crypto_pwhash_str_verify(hash ? hash : nobody, password.ptr, password.len) == 0;
	return matches && hash;
}

bool password_is_outdated(const char *hash)
{
	return crypto_pwhash_str_needs_rehash(hash, PASSES, MEMORY_BYTES) != 0;
}

/* In either case: members are lower case, and sorted as strncasecmp() orders them. */
static int compare_common(const void *key, const void *element)
{
	const struct str *password = key;
	const char *member = *(const char *const *)element;
	size_t len = strlen(member);
	int order = strncasecmp(password->ptr, member, password->len);

	return order ? order : (password->len > len) - (password->len < len);
}

static bool is_common(struct str password)
{
	return bsearch(&password, common_passwords, ARRAY_LEN(common_passwords),
		       sizeof(common_passwords[0]), compare_common) != NULL;
}

static bool is_local_part(struct str password, const char *email)
{
	const char *at = strrchr(email, '@');

	return at && (size_t)(at - email) == password.len &&
	       strncasecmp(password.ptr, email, password.len) == 0;
}

const char *password_refused(struct str password, const char *email)
{
	size_t chars = str_chars(password);

	if (chars < CHARS_MIN)
		return "Password must be at least 8 characters";
	if (chars > CHARS_MAX)
		return "Password must be at most 128 characters";
	if (email && (str_is_nocase(password, email) || is_local_part(password, email)))
		return "Password must not be your email address";
	if (is_common(password))
		return "Password is too common: choose one that is harder to guess";

	return NULL;
}
