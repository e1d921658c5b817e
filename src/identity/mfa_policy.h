/*
 * Whether a tenant wants a second factor of its members. After the days of grace enter() refuses
 * who has none (AUTH_MFA_REQUIRED); setting one up needs no tenant, so nobody is locked out.
 */
#pragma once

#include "base/base.h"

struct ctx;
struct rows;

struct mfa_policy {
	bool required;
	int64_t grace_days; /* 0…90, from now */
};

/* The shape MfaPolicy. */
int mfa_policy_get(struct ctx *c, const struct rows **ret) MUST_CHECK;
int mfa_policy_set(struct ctx *c, const struct mfa_policy *in, const struct rows **ret) MUST_CHECK;
