/* API keys as text: see apikey.h. The form is GitHub's: a prefix, base62, a CRC-32 in base62. */
#include "crypto/apikey.h"

#include "base/id.h"
#include "crypto/token.h"

#include <assert.h>
#include <string.h>

#define RANDOM_LEN   32
#define CHECKSUM_LEN 6 /* 62^6 > 2^32 */

static const char live[] = APIKEY_PREFIX "live_", test[] = APIKEY_PREFIX "test_";
static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#define PREFIX_LEN (sizeof(live) - 1)
#define BASE       (sizeof(digits) - 1)

static_assert(sizeof(live) == sizeof(test), "both kinds are as long");
static_assert(APIKEY_TEXT_SIZE == PREFIX_LEN + RANDOM_LEN + CHECKSUM_LEN + 1, "all of a key");

/* CRC-32 of ISO 3309, as in zlib and PNG, bit by bit: a key is short. */
static uint32_t crc32(const char *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	while (n--) {
		crc ^= (uint8_t)*p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}

	return ~crc;
}

static void write_checksum(const char *text, char ret[CHECKSUM_LEN])
{
	uint32_t crc = crc32(text, PREFIX_LEN + RANDOM_LEN);

	for (size_t i = CHECKSUM_LEN; i--; crc /= BASE)
		ret[i] = digits[crc % BASE];
}

/* Bytes past the last whole multiple of 62 are thrown away, so that all digits are as likely. */
static void write_random(char *p, size_t n)
{
	uint8_t bytes[2 * RANDOM_LEN];
	size_t used = sizeof(bytes);

	while (n) {
		if (used == sizeof(bytes)) {
			random_bytes(bytes, sizeof(bytes));
			used = 0;
		}
		if (bytes[used] < UINT8_MAX / BASE * BASE) {
			*p++ = digits[bytes[used] % BASE];
			n--;
		}
		used++;
	}
	secret_wipe(bytes, sizeof(bytes));
}

void apikey_make(bool is_live, char ret[APIKEY_TEXT_SIZE])
{
	memcpy(ret, is_live ? live : test, PREFIX_LEN);
	write_random(ret + PREFIX_LEN, RANDOM_LEN);
	write_checksum(ret, ret + PREFIX_LEN + RANDOM_LEN);
	ret[APIKEY_TEXT_SIZE - 1] = '\0';
}

bool apikey_is_whole(struct str text)
{
	char checksum[CHECKSUM_LEN];

	if (text.len != APIKEY_TEXT_SIZE - 1 || !(str_starts(text, live) || str_starts(text, test)))
		return false;
	for (size_t i = PREFIX_LEN; i < text.len; i++)
		if (!memchr(digits, text.ptr[i], BASE))
			return false;
	write_checksum(text.ptr, checksum);

	return memcmp(text.ptr + PREFIX_LEN + RANDOM_LEN, checksum, CHECKSUM_LEN) == 0;
}
