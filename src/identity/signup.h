/*
 * Signing up, and what comes of it later where the email has to be verified first.
 */
#pragma once

#include "base/base.h"

struct ctx;
struct job_kind;
struct sign_up;

extern const struct job_kind signup_job; /* for the book of jobs */

/* What the tenant is called that somebody founds by signing up, in c's arena. */
const char *signup_tenant_name(struct ctx *c, const struct sign_up *in);

/* ERR_AUTH_FORBIDDEN where SIGN_UP is off; for whom nobody has invited. */
int signup_check(struct ctx *c) MUST_CHECK;

/*
 * Leaves everything that depends on whether the email has an account to a worker: it makes the
 * account and sends the mail to verify it, or tells its owner by mail. So answer and time are the
 * same. The password is hashed before; names and hash travel sealed. Then nobody is logged in.
 */
int signup_later(struct ctx *c, const struct sign_up *in) MUST_CHECK;
