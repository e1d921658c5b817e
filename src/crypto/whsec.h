/*
 * Secrets and signatures of webhooks as Standard Webhooks 1.0.0 has them: "whsec_" and base64 of 24
 * to 64 random bytes; "v1," and base64 of an HMAC-SHA256 over "<id>.<seconds>.<body>".
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

#define WHSEC_BYTES          32
#define WHSEC_TEXT_SIZE      51 /* 6 and 44 characters and a NUL */
#define WHSEC_SIGNATURE_SIZE 48 /* 3 and 44 characters and a NUL */

/* A new secret's text. */
void whsec_make(char ret[WHSEC_TEXT_SIZE]);

/* By the secret that text spells; false when it spells none. at_s: seconds since 1970, as they are
 * sent beside. */
bool whsec_sign(struct str secret, struct str id, int64_t at_s, struct str body,
		char ret[WHSEC_SIGNATURE_SIZE]) MUST_CHECK;
