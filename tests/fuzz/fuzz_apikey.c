/* Any bytes as an API key and as the headers that one comes in: what is cut out lies within, and a
 * key that is whole is no longer so when any of its characters changes. */
#include "base/arena.h"
#include "crypto/apikey.h"
#include "identity/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_broken(struct arena *a, struct str key)
{
	char *text = str_dup(a, key);

	for (size_t i = 0; i < key.len; i++) {
		text[i] ^= 1;
		BUG_IF(apikey_is_whole((struct str){ text, key.len }));
		text[i] ^= 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const char *text = arena_strndup(a, (const char *)data, size);
	struct str keys[] = { str_of(text), api_key_text(text, NULL), api_key_text(NULL, text) };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		BUG_IF(keys[i].ptr &&
		       (keys[i].ptr < text || keys[i].ptr + keys[i].len > text + size));
		if (apikey_is_whole(keys[i]))
			try_broken(a, keys[i]);
	}
	arena_free(a);

	return 0;
}
