/*
 * One attempt at proving a second factor by something typed: a one-time code, a recovery code, or
 * where it serves the password. The one place that compares them.
 *
 *	mfa_proof_start(b, c, &p);        statements of a batch
 *	err = batch_run(b);
 *	if (!err)
 *		err = mfa_proof_check(c, &p);
 *	…
 *	mfa_proof_spend(b2, &p);          in the batch that does what it was proven for
 *
 * Attempts are counted by account and delayed like log-ins, before anything is compared. A code is
 * good once: what spends it is refused when another request was faster.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"
#include "crypto/token.h"
#include "identity/grant.h"

struct batch;
struct ctx;
struct rows;

struct mfa_proof {
	/* By the caller: code or password; NULL: not given. */
	const char *code;
	const char *password;
	const struct token_hash *demand; /* whose log-in it is for; NULL: of who has entered */
	bool of_setup; /* a code of the secret that was set up and is not enabled yet */

	/* By mfa_proof_start(): who it is (one row, or none) and what it has. */
	const struct rows *who, *counted, *factors;

	struct token_hash code_hash, code_hash_before; /* the latter under JWT_SECRET_PREVIOUS */
	bool has_before;
	int64_t step;     /* of a one-time code that was right */
	bool is_recovery; /* a recovery code was */
};

void mfa_proof_start(struct batch *b, struct ctx *c, struct mfa_proof *p);

/* ERR_AUTH_MFA_INVALID, with the event and the wait; ERR_RATE_LIMIT_EXCEEDED when it is not its
 * turn. */
int mfa_proof_check(struct ctx *c, struct mfa_proof *p) MUST_CHECK;

void mfa_proof_spend(struct batch *b, struct ctx *c, const struct mfa_proof *p);

/* Who continues a log-in, from the row of mfa_demand_enter: its second factor was proven. */
struct grantee mfa_grantee(const struct rows *demand);

/* How recovery codes are compared: capitals and digits alone. In c's arena. */
const char *mfa_plain_code(struct ctx *c, const char *typed);

/* The aad of an account's TOTP secret (crypto/seal.h), in c's arena. */
struct str mfa_secret_aad(struct ctx *c, struct account_id account);
