/*
 * Logging in with a password: see account.h.
 *
 * Neither answer nor time tells whether an email has an account: the same statements run and one
 * Argon2id is computed either way, and attempts are counted by what was typed (attempt.h).
 */
#include "identity/account.h"

#include "base/ctx.h"
#include "base/str.h"
#include "crypto/password.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "identity/attempt.h"

/* The password was right: `compared` is its hash. */
static int succeed(struct ctx *c, const struct attempt *a, const struct rows *found,
		   const struct log_in *in, const char *compared, struct grant *ret)
{
	char anew[PASSWORD_HASH_SIZE];
	bool is_outdated = password_is_outdated(compared);
	struct session_id session;
	struct batch *b;

	if (is_outdated)
		password_hash(str_of(in->password), anew);

	b = attempt_succeed(c, a, found, &session);
	batch_add(b, NULL, &sql_identity_login_note,
		  ARGS(arg_text(compared), arg_text(is_outdated ? anew : NULL)));

	return attempt_grant(b, c, a, found, session, ret);
}

int account_log_in(struct ctx *c, const struct log_in *in, const char *user_agent,
		   struct grant *ret)
{
	struct attempt a = attempt_of(in->email, in->tenant, user_agent);
	const struct rows *found;
	const char *hash;
	bool is_right;
	int err;

	err = attempt_begin(c, &a, &found);
	if (err)
		return err;

	hash = rows_get_text(found, "password_hash");
	is_right = password_verify(str_of(in->password), hash);
	if (attempt_is_misplaced(&a, found))
		is_right = false;

	return is_right ? succeed(c, &a, found, in, hash, ret) : attempt_refuse(c, &a, found);
}
