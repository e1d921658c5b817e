/*
 * One-time codes from a shared secret (RFC 6238: HMAC-SHA1, steps of 30 seconds, six digits), by
 * liboath: what every authenticator app can do.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

#define TOTP_SECRET_BYTES 20 /* as long as the HMAC (RFC 4226 section 4, R6) */
#define TOTP_DIGITS       6
#define TOTP_PERIOD_S     30

/* The secret as apps take it: base32 without padding (RFC 4648 section 6), in the arena. */
const char *totp_base32(struct arena *a, const void *bytes, size_t n);

/*
 * Whether it is the code of the step that now_s (seconds since 1970) is in, of the one before or of
 * the one after, for clocks and fingers that are slow; and of no step up to last_step, for a code
 * is good once. *ret_step: whose it was. All three are computed whatever the code.
 */
bool totp_verify(struct str secret, struct str code, int64_t now_s, int64_t last_step,
		 int64_t *ret_step) MUST_CHECK;
