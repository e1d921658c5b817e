/* Looking a password up in range files: see breached.h. */
#include "crypto/breached.h"

#include "crypto/token.h"

#include <openssl/evp.h>
#include <strings.h>

#define PREFIX_LEN     5
#define SHA1_BYTES     20
#define SHA1_DIGITS    (2 * SHA1_BYTES)
#define LINE_BYTES_MAX 64 /* 35 digits, a colon, a count */
#define PATH_BYTES_MAX 1100

static void hash_text(struct str password, char ret[SHA1_DIGITS + 1])
{
	uint8_t sha1[SHA1_BYTES];

	BUG_IF(EVP_Digest(password.ptr, password.len, sha1, NULL, EVP_sha1(), NULL) != 1);
	for (size_t i = 0; i < sizeof(sha1); i++)
		(void)snprintf(ret + 2 * i, 3, "%02X", sha1[i]);
	secret_wipe(sha1, sizeof(sha1));
}

/* "SUFFIX:3"; a count of 0 pads the file. */
static bool is_line_of(const char *line, const char *suffix)
{
	size_t len = strlen(suffix);

	return strncasecmp(line, suffix, len) == 0 && line[len] == ':' && line[len + 1] != '0';
}

bool password_is_breached(const char *folder, struct str password)
{
	char hash[SHA1_DIGITS + 1], path[PATH_BYTES_MAX], line[LINE_BYTES_MAX];
	bool is_there = false;
	FILE *file;

	hash_text(password, hash);
	(void)snprintf(path, sizeof(path), "%s/%.*s.txt", folder, PREFIX_LEN, hash);
	file = fopen(path, "re");
	while (file && !is_there && fgets(line, sizeof(line), file))
		is_there = is_line_of(line, hash + PREFIX_LEN);
	if (file)
		(void)fclose(file);
	secret_wipe(hash, sizeof(hash));

	return is_there;
}
