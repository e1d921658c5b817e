/* Proving a second factor by something typed: see mfa_proof.h. */
#include "identity/mfa_proof.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "crypto/password.h"
#include "crypto/seal.h"
#include "crypto/totp.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_mfa.h"
#include "identity/hash.h"

const char *mfa_plain_code(struct ctx *c, const char *typed)
{
	char *plain = arena_strdup(c->arena, typed), *end = plain;

	for (; *typed; typed++) {
		if (*typed >= 'a' && *typed <= 'z')
			*end++ = (char)(*typed - 'a' + 'A');
		else if (*typed != ' ' && *typed != '-')
			*end++ = *typed;
	}
	*end = '\0';

	return plain;
}

struct str mfa_secret_aad(struct ctx *c, struct account_id account)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(account.u, id);

	return str_of(arena_printf(c->arena, "totp_factors:%s", id));
}

struct grantee mfa_grantee(const struct rows *demand)
{
	return (struct grantee){
		.account = { rows_get_uuid(demand, "account_id") },
		.tenant = { rows_get_uuid(demand, "active_tenant_id") },
		.user = { rows_get_uuid(demand, "seat_id") },
		.user_agent = rows_get_text(demand, "user_agent"),
		.has_proven_mfa = true,
	};
}

/* From here on in the batch the account acts. */
static void enter(struct batch *b, const struct mfa_proof *p, const struct rows **ret)
{
	if (p->demand)
		batch_add(b, ret, &sql_mfa_demand_enter, ARGS(arg_hash(p->demand)));
}

static struct arg arg_before(const struct mfa_proof *p)
{
	return arg_hash(p->has_before ? &p->code_hash_before : NULL);
}

void mfa_proof_start(struct batch *b, struct ctx *c, struct mfa_proof *p)
{
	p->code = p->code ? mfa_plain_code(c, p->code) : NULL;
	token_hash(str_of(p->code), &p->code_hash);
	p->has_before = token_hash_before(str_of(p->code), &p->code_hash_before);
	arena_holds_secret(c->arena);

	enter(b, p, &p->who);
	batch_add(b, &p->counted, &sql_mfa_attempt, NO_ARGS);
	batch_add(b, &p->factors, &sql_mfa_factors, ARGS(arg_hash(&p->code_hash), arg_before(p)));
}

/* A one-time code of the account's secret, which is the one that is enabled, or the one that is
 * about to be. */
static int compare_totp(struct ctx *c, struct mfa_proof *p, bool *ret_is_right)
{
	struct account_id account = { rows_get_uuid(p->factors, "account_id") };
	struct str sealed = rows_get_str(p->factors, "secret_sealed"), secret;

	*ret_is_right = false;
	if (!sealed.ptr || rows_get_bool(p->factors, "is_totp_enabled") == p->of_setup)
		return OK;
	if (!unseal(c->arena, sealed, mfa_secret_aad(c, account), &secret))
		return fail_internal(c, "a TOTP secret does not open: is ENCRYPTION_KEY another?");

	*ret_is_right = totp_verify(secret, str_of(p->code), clock_now_us() / US_PER_S,
				    rows_get_int(p->factors, "last_step"), &p->step);
	return OK;
}

static int compare(struct ctx *c, struct mfa_proof *p, bool *ret_is_right)
{
	int err;

	if (p->password) {
		*ret_is_right = password_verify(str_of(p->password),
						rows_get_text(p->factors, "password_hash"));
		return OK;
	}

	err = compare_totp(c, p, ret_is_right);
	if (err || *ret_is_right)
		return err;
	p->is_recovery = !p->of_setup && rows_get_bool(p->factors, "is_recovery_code");
	*ret_is_right = p->is_recovery;

	return OK;
}

static int refuse(struct ctx *c, const struct mfa_proof *p)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	enter(b, p, NULL);
	batch_add(b, NULL, &sql_mfa_refused, NO_ARGS);
	batch_account_event(b, c, "mfa.failed", ACTING_ACCOUNT, NULL);
	err = batch_run(b);

	return err ? err : fail(c, ERR_AUTH_MFA_INVALID, p->password ? "password" : "code", NULL);
}

int mfa_proof_check(struct ctx *c, struct mfa_proof *p)
{
	bool is_right;
	int err;

	if (rows_len(p->factors) == 0)
		return fail(c, ERR_AUTH_MFA_INVALID, "mfaToken",
			    "This mfaToken is over: log in again");
	if (rows_len(p->counted) == 0) {
		err = fail(c, ERR_RATE_LIMIT_EXCEEDED, NULL,
			   "Too many attempts to prove a second factor");
		c->fault.retry_after_s = rows_get_int(p->factors, "locked_s");
		return err;
	}

	err = compare(c, p, &is_right);
	if (err)
		return err;

	return is_right ? OK : refuse(c, p);
}

void mfa_proof_spend(struct batch *b, struct ctx *c, const struct mfa_proof *p)
{
	batch_add(b, NULL, &sql_mfa_forget, NO_ARGS);
	if (p->step)
		batch_add(b, NULL, &sql_mfa_totp_spend, ARGS(arg_int(p->step)));
	if (!p->is_recovery)
		return;

	batch_add(b, NULL, &sql_mfa_recovery_spend, ARGS(arg_hash(&p->code_hash), arg_before(p)));
	batch_account_event(b, c, "mfa.recoveryCodeUsed", ACTING_ACCOUNT, NULL);
}
