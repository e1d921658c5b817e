/* Any text as a list's cursor: refused, or read as one that is written and read back alike. */
#include "db/conn_impl.h"

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const char *text = arena_strndup(a, (const char *)data, size);
	struct cursor once, twice;

	if (cursor_decode(a, text, &once)) {
		BUG_IF(!cursor_decode(a, cursor_encode(a, &once), &twice));
		BUG_IF(strcmp(once.sort, twice.sort) != 0 || strcmp(once.value, twice.value) != 0);
		BUG_IF(!uuid_eq(once.id, twice.id));
	}
	arena_free(a);

	return 0;
}
