/*
 * Any bytes as JSON: either refused with a reason and a place in the text, or a tree that is walked
 * whole, written out and read back as the same text.
 */
#include "base/arena.h"
#include "base/jsonread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every value; as deep as JSONREAD_DEPTH_MAX. */
static void walk(const struct json *j)
{
	const struct json *value;
	struct str key;
	int64_t integer;

	switch (json_kind(j)) {
	case JSON_NULL: break;
	case JSON_BOOL: (void)jsonread_bool(j); break;
	case JSON_INT:
	case JSON_DOUBLE:
		(void)jsonread_double(j);
		(void)!jsonread_i64(j, &integer);
		break;
	case JSON_STRING: BUG_IF(!str_is_utf8(jsonread_string(j))); break;
	case JSON_ARRAY:
		for (size_t i = 0; i < jsonread_len(j); i++)
			walk(jsonread_at(j, i));
		break;
	case JSON_OBJECT:
		for (size_t i = 0; jsonread_each(j, i, &key, &value); i++) {
			BUG_IF(!jsonread_member(j, key.ptr, &value));
			walk(value);
		}
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size }, once, twice;
	struct arena *a = arena_new();
	const struct json *json;
	const char *why = NULL;
	size_t at = SIZE_MAX;

	if (jsonread_parse(a, text, &json, &why, &at)) {
		walk(json);
		once = jsonread_text(a, json);
		BUG_IF(!jsonread_parse(a, once, &json, &why, &at));
		twice = jsonread_text(a, json);
		BUG_IF(!str_eq(once, twice));
	} else {
		BUG_IF(!why || at > size);
	}
	arena_free(a);

	return 0;
}
