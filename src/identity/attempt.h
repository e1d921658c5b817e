/*
 * Attempts to log in: by a password, or by a code in a mail. Each is counted as failed before it is
 * looked at, by a hash of the email as it was typed, so that many at once count too and an email
 * without an account is locked out like any other.
 *
 *	err = attempt_begin(c, &a, &found);
 *	… is what was given right?
 *	err = attempt_refuse(c, &a, found);                  when not
 *
 *	b = attempt_succeed(c, &a, found, &session);         when it is
 *	… statements that hold it to be right still
 *	err = attempt_grant(b, c, &a, found, session, ret);
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "crypto/token.h"
#include "identity/grant.h"

struct batch;
struct ctx;
struct rows;

struct attempt {
	const char *email;
	struct token_hash email_hash;
	struct uuid tenant_id;   /* nil: not named, or named by slug */
	const char *tenant_slug; /* NULL: not named, or named by id */
	const char *user_agent;
};

/* tenant: slug or id, or NULL; strings are the caller's. */
struct attempt attempt_of(const char *email, const char *tenant, const char *user_agent);

/* It names a tenant where the account has no seat, or where there is no account. */
bool attempt_is_misplaced(const struct attempt *a, const struct rows *found);

/* Looks up what it needs without counting it, for what cannot be guessed. *ret_found as below. */
int attempt_find(struct ctx *c, const struct attempt *a, const struct rows **ret_found) MUST_CHECK;

/* *ret_found: always a row, of identity_login_find. ERR_RATE_LIMIT_EXCEEDED when it is not its
 * turn.
 */
int attempt_begin(struct ctx *c, const struct attempt *a, const struct rows **ret_found) MUST_CHECK;

/* ERR_AUTH_INVALID_CREDENTIALS, with the event that says so. */
int attempt_refuse(struct ctx *c, const struct attempt *a, const struct rows *found);

/* In the batch, the account acts with the new session, and its failures are forgotten. */
struct batch *attempt_succeed(struct ctx *c, const struct attempt *a, const struct rows *found,
			      struct session_id *ret);

/* Adds the grant and runs the batch. */
int attempt_grant(struct batch *b, struct ctx *c, const struct attempt *a, const struct rows *found,
		  struct session_id session, struct grant *ret) MUST_CHECK;
