/* Slugs: see slug.h. */
#include "base/slug.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"

#define SUFFIX_BYTES 4

/* What the letters U+00C0 to U+00FF (À to ÿ) are without their marks; "" is × and ÷. */
/* clang-format off */
static const char *const latin[64] = {
	"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
	"d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss",
	"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
	"d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y",
};
/* clang-format on */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool slug_is(struct str s)
{
	if (s.len == 0 || s.len > SLUG_MAX || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
		return false;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_plain(s.ptr[i]) && (s.ptr[i] != '-' || s.ptr[i - 1] == '-'))
			return false;
	}

	return true;
}

/* What the character at the start of s becomes: "" for none, NULL for a gap. *ret_len: its bytes.
 */
static const char *likeness(struct str s, char plain[2], size_t *ret_len)
{
	unsigned char first = (unsigned char)s.ptr[0];
	unsigned char second = s.len > 1 ? (unsigned char)s.ptr[1] : 0;

	*ret_len = 1;
	if (first == '\'')
		return ""; /* Ann's is anns */
	if (first < 0x80) {
		plain[0] = first >= 'A' && first <= 'Z' ? (char)(first | 0x20) : (char)first;
		plain[1] = '\0';
		return is_plain(plain[0]) ? plain : NULL;
	}
	if (first == 0xc3 && second >= 0x80) { /* U+00C0 to U+00FF in UTF-8 */
		*ret_len = 2;
		return latin[second & 0x3f];
	}

	return ""; /* a byte of something else */
}

const char *slug_make(struct arena *a, struct str text, const char *fallback)
{
	struct buf out;
	bool gap = false;
	size_t len;

	buf_init(&out, a, SLUG_MAX);
	for (size_t i = 0; i < text.len && !out.overflow; i += len) {
		char plain[2];
		const char *like =
			likeness((struct str){ text.ptr + i, text.len - i }, plain, &len);

		gap = gap || !like;
		if (!like || !*like)
			continue;
		buf_printf(&out, "%s%s", gap && out.len ? "-" : "", like);
		gap = false;
	}

	return out.len ? out.data : fallback;
}

const char *slug_vary(struct arena *a, const char *slug)
{
	uint8_t random[SUFFIX_BYTES];
	int room = SLUG_MAX - 1 - 2 * SUFFIX_BYTES;

	random_bytes(random, sizeof(random));
	while (room > 0 && strnlen(slug, (size_t)room) == (size_t)room && slug[room - 1] == '-')
		room--;

	return arena_printf(a, "%.*s-%s", room, slug, str_hex(a, random, sizeof(random)));
}
