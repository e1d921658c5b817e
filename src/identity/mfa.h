/*
 * Multi-factor authentication of an account: one-time codes, recovery codes, the second half of a
 * log-in, and proving it again before something dangerous (ROUTE_STEP_UP). Passkeys are factors
 * too: passkey.h.
 *
 * An account that has a factor gets no session without one (grant.h). Enabling the first one ends
 * the account's other sessions, which began without; so a session of such an account has always
 * been proven, and sessions.mfa_at says when last.
 */
#pragma once

#include "base/base.h"

struct ctx;
struct grant;
struct rows;

#define RECOVERY_CODES 10

struct mfa_code {
	const char *code; /* of an app, or a recovery code */
};

struct mfa_challenge {
	const char *token; /* the mfaToken */
	const char *code;
};

struct totp_disable {
	const char *code;     /* NULL: not given */
	const char *password; /* instead */
};

struct totp_setup {
	const char *secret; /* base32 */
	const char *url;    /* otpauth://… */
	const char *qr_svg;
};

struct recovery_codes {
	const char *v[RECOVERY_CODES]; /* "ABCD-EFGH-IJKL" */
};

/* What the account has: the shape Mfa. */
int mfa_state(struct ctx *c, const struct rows **ret) MUST_CHECK;

/*
 * A new secret, which counts for nothing until totp_enable() has seen a code of it.
 * ERR_RESOURCE_CONFLICT when one is enabled.
 */
int totp_set_up(struct ctx *c, struct totp_setup *ret) MUST_CHECK;
int totp_enable(struct ctx *c, const struct mfa_code *in, struct recovery_codes *ret) MUST_CHECK;
int totp_disable(struct ctx *c, const struct totp_disable *in) MUST_CHECK;

/* A new set of recovery codes in place of the old; ERR_RULE_VIOLATED when there is no factor. */
int recovery_codes_renew(struct ctx *c, struct recovery_codes *ret) MUST_CHECK;

/* The second half of a log-in: as account_log_in(). ERR_AUTH_MFA_INVALID. */
int mfa_log_in(struct ctx *c, const struct mfa_challenge *in, struct grant *ret) MUST_CHECK;

/* The present session has proven it just now. ERR_AUTH_MFA_INVALID. */
int mfa_step_up(struct ctx *c, const struct mfa_code *in) MUST_CHECK;
