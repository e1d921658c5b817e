/* Ids: UUIDv7 made, read and written; and the kernel's randomness, which they need. */
#include "base/id.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/str.h"

#include <errno.h>
#include <sys/random.h>

#define UUID_TEXT_LEN (UUID_TEXT_SIZE - 1)

/* Where the text of byte i starts: 8-4-4-4-12. */
static const uint8_t text_at[16] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };
static const uint8_t hyphen_at[4] = { 8, 13, 18, 23 };

void random_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			BUG("the kernel has no random bytes");
		at += got;
		n -= (size_t)got;
	}
}

/*
 * Milliseconds and, in the 12 bits after them, the fraction of the millisecond (RFC 9562 section
 * 6.2 method 3). A clock that stands still or goes back is counted past, so that ids of one process
 * always rise; ids of several processes differ by 62 random bits.
 */
static uint64_t next_tick(void)
{
	static uint64_t last;
	uint64_t us = (uint64_t)clock_now_us();
	uint64_t tick = us / 1000 << 12 | us % 1000 * 4096 / 1000;

	last = tick > last ? tick : last + 1;

	return last;
}

struct uuid uuid_v7(void)
{
	uint64_t tick = next_tick();
	struct uuid u;

	for (int i = 0; i < 6; i++)
		u.bytes[i] = (uint8_t)(tick >> (52 - 8 * i));
	u.bytes[6] = (uint8_t)(0x70 | (tick >> 8 & 0x0f)); /* version 7 */
	u.bytes[7] = (uint8_t)tick;
	random_bytes(u.bytes + 8, 8);
	u.bytes[8] = (uint8_t)(0x80 | (u.bytes[8] & 0x3f)); /* variant of RFC 9562 */

	return u;
}

bool uuid_is_nil(struct uuid u)
{
	return uuid_eq(u, (struct uuid){ 0 });
}

bool uuid_eq(struct uuid a, struct uuid b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

void uuid_format(struct uuid u, char ret[UUID_TEXT_SIZE])
{
	for (size_t i = 0; i < ARRAY_LEN(text_at); i++) {
		ret[text_at[i]] = hex_digits[u.bytes[i] >> 4];
		ret[text_at[i] + 1] = hex_digits[u.bytes[i] & 0x0f];
	}
	for (size_t i = 0; i < ARRAY_LEN(hyphen_at); i++)
		ret[hyphen_at[i]] = '-';
	ret[UUID_TEXT_LEN] = '\0';
}

bool uuid_parse(struct str s, struct uuid *ret)
{
	struct uuid u;

	if (s.len != UUID_TEXT_LEN)
		return false;

	for (size_t i = 0; i < ARRAY_LEN(hyphen_at); i++)
		if (s.ptr[hyphen_at[i]] != '-')
			return false;
	for (size_t i = 0; i < ARRAY_LEN(text_at); i++) {
		int byte = hex_byte(s.ptr + text_at[i]);

		if (byte < 0)
			return false;
		u.bytes[i] = (uint8_t)byte;
	}
	*ret = u;

	return true;
}
