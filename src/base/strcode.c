/* Percent escapes, hex and base64url: bytes as text and back. The other half of str.h. */
#include "base/str.h"

#include "base/arena.h"
#include "base/hex.h"

const char hex_digits[16] = { '0', '1', '2', '3', '4', '5', '6', '7',
			      '8', '9', 'a', 'b', 'c', 'd', 'e', 'f' };

/* clang-format off */
const uint8_t hex_values_plus_1[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5,
	['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
/* clang-format on */

bool str_percent_decode(struct arena *a, struct str s, bool plus_is_space, struct str *ret)
{
	char *out = arena_alloc(a, size_add(s.len, 1)); /* decoding never lengthens */
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '+' && plus_is_space)
			c = ' ';
		if (c == '%') {
			int byte = s.len - i > 2 ? hex_byte(s.ptr + i + 1) : -1;

			if (byte < 0)
				return false;
			c = (char)byte;
			i += 2;
		}
		out[len++] = c;
	}
	if (!str_is_utf8((struct str){ out, len })) /* refuses NUL too */
		return false;
	*ret = (struct str){ out, len };

	return true;
}

char *str_hex(struct arena *a, const void *bytes, size_t n)
{
	const unsigned char *in = bytes;
	char *out = arena_alloc(a, size_add(size_mul(n, 2), 1));

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex_digits[in[i] >> 4];
		out[2 * i + 1] = hex_digits[in[i] & 0x0f];
	}

	return out;
}

bool str_unhex(struct str hex, void *ret_bytes, size_t n)
{
	unsigned char *out = ret_bytes;

	if (hex.len != size_mul(n, 2))
		return false;

	for (size_t i = 0; i < n; i++) {
		int byte = hex_byte(hex.ptr + 2 * i);

		if (byte < 0)
			return false;
		out[i] = (unsigned char)byte;
	}

	return true;
}

static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *str_base64url(struct arena *a, const void *bytes, size_t n)
{
	const unsigned char *in = bytes;
	char *out = arena_alloc(a, size_add(size_mul(n, 4) / 3, 3));
	size_t len = 0;
	uint32_t bits = 0;
	unsigned held = 0; /* bits of the input that are not written yet */

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (held += 8; held >= 6; held -= 6)
			out[len++] = base64url_digits[bits >> (held - 6) & 0x3f];
	}
	if (held)
		out[len++] = base64url_digits[bits << (6 - held) & 0x3f];

	return out;
}

static int base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;

	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool str_unbase64url(struct arena *a, struct str s, struct str *ret)
{
	char *out = arena_alloc(a, size_add(s.len, 1));
	size_t len = 0;
	uint32_t bits = 0;
	unsigned held = 0; /* bits of the text that are not in a byte yet */

	for (size_t i = 0; i < s.len; i++) {
		int value = base64url_value(s.ptr[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[len++] = (char)(bits >> held & 0xff);
		}
	}
	/* Six bits over are a digit too many; bits over that are not zero spell the same bytes
	 * twice. */
	if (held == 6 || (bits & ((1U << held) - 1)))
		return false;
	*ret = (struct str){ out, len };

	return true;
}
