/*
 * Any bytes as a percent-encoded text, hex, base64url, a time and a duration: what is taken is
 * well-formed and reads back.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_percent(struct arena *a, struct str text)
{
	struct str decoded;

	for (int plus = 0; plus < 2; plus++) {
		if (!str_percent_decode(a, text, plus, &decoded))
			continue;
		BUG_IF(decoded.len > text.len || !str_is_utf8(decoded));
	}
}

static void try_base64url(struct arena *a, struct str text)
{
	struct str bytes;

	if (str_unbase64url(a, text, &bytes))
		BUG_IF(!str_is(text, str_base64url(a, bytes.ptr, bytes.len)));
	BUG_IF(!str_unbase64url(a, str_of(str_base64url(a, text.ptr, text.len)), &bytes));
	BUG_IF(!str_eq(bytes, text));
}

static void try_times(struct str text)
{
	char back[RFC3339_SIZE];
	int64_t us, again;

	if (clock_parse_rfc3339(text, &us)) {
		clock_rfc3339(us, back);
		BUG_IF(!clock_parse_rfc3339(str_of(back), &again));
		BUG_IF(again > us || us - again >= US_PER_MS);
	}
	if (clock_parse_duration(text, &us))
		BUG_IF(us < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena *a = arena_new();

	try_percent(a, text);
	try_base64url(a, text);
	try_times(text);
	arena_free(a);

	return 0;
}
