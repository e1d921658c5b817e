/* One-time codes: see totp.h. */
#include "crypto/totp.h"

#include "base/arena.h"
#include "crypto/token.h"

#include <liboath/oath.h>

#define DRIFT_STEPS 1

const char *totp_base32(struct arena *a, const void *bytes, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const uint8_t *p = bytes;
	size_t len = (n * 8 + 4) / 5;
	char *text = arena_alloc(a, len + 1);

	for (size_t i = 0; i < len; i++) {
		size_t bit = i * 5, at = bit / 8;
		unsigned pair = (unsigned)(p[at] << 8) | (at + 1 < n ? p[at + 1] : 0);

		text[i] = alphabet[pair >> (11 - bit % 8) & 31];
	}
	text[len] = '\0';

	return text;
}

static void code_of_step(struct str secret, int64_t step, char ret[TOTP_DIGITS + 1])
{
	int err = oath_hotp_generate(secret.ptr, secret.len, (uint64_t)step, TOTP_DIGITS, false,
				     OATH_HOTP_DYNAMIC_TRUNCATION, ret);

	BUG_IF(err != OATH_OK);
}

bool totp_verify(struct str secret, struct str code, int64_t now_s, int64_t last_step,
		 int64_t *ret_step)
{
	int64_t now = now_s / TOTP_PERIOD_S;
	bool is_right = false;

	if (code.len != TOTP_DIGITS)
		return false;

	for (int64_t step = now - DRIFT_STEPS; step <= now + DRIFT_STEPS; step++) {
		char right[TOTP_DIGITS + 1];

		code_of_step(secret, step < 0 ? 0 : step, right);
		if (secret_equal(code.ptr, right, TOTP_DIGITS) && step > last_step) {
			is_right = true;
			*ret_step = step;
		}
		secret_wipe(right, sizeof(right));
	}

	return is_right;
}
