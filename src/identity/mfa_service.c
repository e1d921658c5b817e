/* Multi-factor authentication: see mfa.h. */
#include "identity/mfa.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "crypto/totp.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_mfa.h"
#include "identity/grant.h"
#include "identity/hash.h"
#include "identity/hot.h"
#include "identity/letters.h"
#include "identity/mfa_proof.h"
#include "identity/qr.h"

#define URL_MAX             QR_TEXT_MAX
#define RECOVERY_CODE_BYTES 8 /* of whose base32 twelve characters are taken: 60 bits */

int mfa_state(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_mfa_state, NO_ARGS);

	return batch_run(b);
}

/* Counts an attempt of who has entered, or whose log-in it is, and looks at it. */
static int prove(struct ctx *c, struct mfa_proof *p)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	mfa_proof_start(b, c, p);
	err = batch_run(b);

	return err ? err : mfa_proof_check(c, p);
}

/*
 * Setting up
 */

/* In a URL: what RFC 3986 does not call unreserved is escaped. */
static void add_escaped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._~", *s))
			buf_char(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

/* As authenticator apps read it (github.com/google/google-authenticator/wiki/Key-Uri-Format). */
static const char *otpauth_url(struct ctx *c, const char *email, const char *secret)
{
	struct buf out;

	buf_init(&out, c->arena, URL_MAX);
	buf_str(&out, "otpauth://totp/");
	add_escaped(&out, config()->totp_issuer);
	buf_char(&out, ':');
	add_escaped(&out, email);
	buf_printf(&out, "?secret=%s&issuer=", secret);
	add_escaped(&out, config()->totp_issuer);
	buf_printf(&out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_PERIOD_S);
	BUG_IF(out.overflow); /* 254 bytes of email and twice 64 of our name, each escaped, fit */

	return out.data;
}

int totp_set_up(struct ctx *c, struct totp_setup *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	uint8_t secret[TOTP_SECRET_BYTES];
	const struct rows *account;
	struct str sealed;
	int err;

	err = batch_enter(c); /* whose secret it is, before it is sealed for them */
	if (err)
		return err;

	random_bytes(secret, sizeof(secret));
	sealed = seal(c->arena, (struct str){ (const char *)secret, sizeof(secret) },
		      mfa_secret_aad(c, c->actor.account));
	batch_add(b, NULL, &sql_mfa_totp_setup, ARGS(arg_bytes(sealed.ptr, sealed.len)));
	batch_add(b, &account, &sql_identity_password, NO_ARGS);
	err = batch_run(b);
	if (!err) {
		ret->secret = totp_base32(c->arena, secret, sizeof(secret));
		ret->url = otpauth_url(c, rows_get_text(account, "email"), ret->secret);
		ret->qr_svg = qr_svg(c->arena, ret->url).ptr;
	}
	secret_wipe(secret, sizeof(secret));

	return err;
}

/*
 * Recovery codes
 */

static const char *make_code(struct ctx *c)
{
	uint8_t bytes[RECOVERY_CODE_BYTES];
	const char *text;

	random_bytes(bytes, sizeof(bytes));
	text = totp_base32(c->arena, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));

	return arena_printf(c->arena, "%.4s-%.4s-%.4s", text, text + 4, text + 8);
}

/* A set of new ones in place of those there were. */
static void add_codes(struct batch *b, struct ctx *c, struct recovery_codes *ret)
{
	struct token_hash *hashes = arena_make_n(c->arena, struct token_hash, RECOVERY_CODES);
	struct token_hash *mark = arena_make(c->arena, struct token_hash);

	token_mark(mark);
	arena_holds_secret(c->arena);
	batch_add(b, NULL, &sql_mfa_recovery_remove, NO_ARGS);
	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		ret->v[i] = make_code(c);
		token_hash(str_of(mfa_plain_code(c, ret->v[i])), &hashes[i]);
		batch_add(b, NULL, &sql_mfa_recovery_create,
			  ARGS(arg_hash(&hashes[i]), arg_hash(mark)));
	}
}

int recovery_codes_renew(struct ctx *c, struct recovery_codes *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	add_codes(b, c, ret);
	batch_account_event(b, c, "mfa.recoveryCodesRenewed", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}

/*
 * Enabling and disabling
 */

int totp_enable(struct ctx *c, const struct mfa_code *in, struct recovery_codes *ret)
{
	struct mfa_proof p = { .code = in->code, .of_setup = true };
	const struct rows *sessions;
	struct str sealed;
	struct batch *b;
	int err;

	err = prove(c, &p);
	if (err)
		return err;

	sealed = rows_get_str(p.factors, "secret_sealed");
	b = batch_new(c, BATCH_IDENTITY);
	mfa_proof_spend(b, c, &p);
	batch_add(b, &sessions, &sql_identity_sessions_living, NO_ARGS);
	if (!rows_get_bool(p.factors, "mfa_enabled"))
		batch_add(b, NULL, &sql_identity_sessions_revoke,
			  ARGS(arg_bool(false), arg_text("second factor enabled")));
	batch_add(b, NULL, &sql_mfa_totp_enable, ARGS(arg_bytes(sealed.ptr, sealed.len)));
	batch_add(b, NULL, &sql_mfa_note, NO_ARGS);
	add_codes(b, c, ret);
	batch_account_event(b, c, "mfa.enabled", ACTING_ACCOUNT, NULL);
	letters_add(b, c,
		    &(struct letter_new){ .letter = "factorAdded", .subject = c->actor.account.u });
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, sessions);

	return OK;
}

int totp_disable(struct ctx *c, const struct totp_disable *in)
{
	struct mfa_proof p = { .code = in->code, .password = in->code ? NULL : in->password };
	const struct rows *sessions;
	struct batch *b;
	int err;

	if (!in->code && !in->password)
		return fail_issue(c, "code", "custom", "Give a code or the password");
	err = prove(c, &p);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	mfa_proof_spend(b, c, &p);
	batch_add(b, NULL, &sql_mfa_totp_remove, NO_ARGS);
	batch_add(b, &sessions, &sql_identity_sessions_living, NO_ARGS);
	batch_account_event(b, c, "mfa.disabled", ACTING_ACCOUNT, NULL);
	letters_add(
		b, c,
		&(struct letter_new){ .letter = "factorRemoved", .subject = c->actor.account.u });
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, sessions);

	return OK;
}

/*
 * Proving it
 */

int mfa_log_in(struct ctx *c, const struct mfa_challenge *in, struct grant *ret)
{
	struct session_id session = { uuid_v7() };
	struct token_hash demand;
	struct mfa_proof p = { .code = in->code, .demand = &demand };
	struct grantee who;
	struct batch *b;
	int err;

	token_hash(str_of(in->token), &demand);
	err = prove(c, &p);
	if (err)
		return err;

	who = mfa_grantee(p.who);
	b = batch_new(c, BATCH_IDENTITY);
	grant_act_as(b, &who, session);
	batch_add(b, NULL, &sql_mfa_demand_spend, ARGS(arg_hash(&demand)));
	mfa_proof_spend(b, c, &p);
	grant_start(b, c, &who, ret);
	batch_add(b, NULL, &sql_identity_seat_use, NO_ARGS);
	batch_account_event(b, c, "mfa.proven", ACTING_ACCOUNT, who.user_agent);
	err = batch_run(b);

	return err ? err : grant_sign(c, session, ret);
}

int mfa_step_up(struct ctx *c, const struct mfa_code *in)
{
	struct mfa_proof p = { .code = in->code };
	struct batch *b;
	int err;

	err = prove(c, &p);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	mfa_proof_spend(b, c, &p);
	batch_add(b, NULL, &sql_mfa_note, NO_ARGS);
	batch_account_event(b, c, "mfa.proven", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}
