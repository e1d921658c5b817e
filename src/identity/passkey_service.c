/* Passkeys: see passkey.h. */
#include "identity/passkey.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/url.h"
#include "crypto/token.h"
#include "crypto/webauthn.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_mfa.h"
#include "gen/sql_passkeys.h"
#include "identity/hash.h"
#include "identity/hot.h"
#include "identity/letters.h"
#include "identity/mfa_proof.h"
#include "identity/oauth_providers.h"

const struct conflict passkey_conflicts[] = {
	{ "passkeys_credential_id_key", ERR_RESOURCE_CONFLICT, "credential",
	  "This passkey is registered already" },
	{ 0 },
};

/* Purposes of challenges, as passkey_challenges_purpose_check has them. */
#define TO_REGISTER "register"
#define TO_LOG_IN   "login"
#define TO_STEP_UP  "stepUp"

static struct arg arg_of(struct str bytes)
{
	return arg_bytes(bytes.ptr, bytes.len);
}

/*
 * What was asked for
 */

/* The relying party is the dashboard's host: its pages, and the API's own, use the passkeys. */
static const char *rp_id(struct ctx *c)
{
	return str_dup(c->arena, url_host(config()->app_url));
}

static struct webauthn_want want(struct ctx *c, struct str challenge, bool user_verified)
{
	const char **origins = arena_make_n(c->arena, const char *, 3);

	origins[0] = str_dup(c->arena, url_origin(config()->app_url));
	origins[1] = str_dup(c->arena, url_origin(config()->api_url));

	return (struct webauthn_want){ challenge, rp_id(c), origins, user_verified };
}

/* Adds a challenge for the account that acts, or for nobody yet. */
static void add_challenge(struct batch *b, struct ctx *c, const char *purpose,
			  struct passkey_options *ret)
{
	struct token_hash *hash = arena_make(c->arena, struct token_hash);
	uint8_t bytes[WEBAUTHN_CHALLENGE_BYTES];

	random_bytes(bytes, sizeof(bytes));
	token_hash((struct str){ (const char *)bytes, sizeof(bytes) }, hash);
	batch_add(b, NULL, &sql_passkeys_challenge, ARGS(arg_hash(hash), arg_text(purpose)));
	*ret = (struct passkey_options){
		.challenge = str_base64url(c->arena, bytes, sizeof(bytes)),
		.rp_id = rp_id(c),
	};
}

/* An answer, taken apart as far as it can be before anybody has looked whose it is. */
struct answer {
	struct str client_data, challenge;
	struct str id, authenticator_data, signature; /* of an assertion */
	struct token_hash challenge_hash;
};

static int decode(struct ctx *c, const char *text, const char *path, struct str *ret)
{
	if (str_unbase64url(c->arena, str_of(text), ret))
		return OK;

	return fail_issue(c, path, "invalid_string", "Invalid base64url");
}

static int read_client_data(struct ctx *c, const char *text, struct answer *ret)
{
	const char *path = "credential.response.clientDataJSON";
	int err;

	err = decode(c, text, path, &ret->client_data);
	if (err)
		return err;
	if (!webauthn_challenge(c->arena, ret->client_data, &ret->challenge))
		return fail_issue(c, path, "invalid_string", "Invalid client data");
	token_hash(ret->challenge, &ret->challenge_hash);

	return OK;
}

static int read_answer(struct ctx *c, const struct passkey_answer *in, struct answer *ret)
{
	const struct passkey_assertion *said = in->response;

	(void)decode(c, in->id, "credential.id", &ret->id);
	(void)decode(c, said->authenticator_data, "credential.response.authenticatorData",
		     &ret->authenticator_data);
	(void)decode(c, said->signature, "credential.response.signature", &ret->signature);
	(void)read_client_data(c, said->client_data, ret);

	return c->fault.err;
}

/* What was wrong with it is for the log: the person can do nothing with it. */
static int refuse(struct ctx *c, const char *why)
{
	int err = fail(c, ERR_AUTH_MFA_INVALID, "credential", "This passkey was not accepted");

	errdetail_log(c, "passkey: %s", why);

	return err;
}

/*
 * The account's passkeys
 */

int passkey_list(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_passkeys_list, NO_ARGS);

	return batch_run(b);
}

int passkey_rename(struct ctx *c, struct passkey_id id, const struct passkey_patch *in,
		   const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_passkeys_rename,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_text(in->name)));
	batch_account_event(b, c, "passkey.renamed", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}

int passkey_remove(struct ctx *c, struct passkey_id id)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *sessions;
	int err;

	batch_add(b, NULL, &sql_identity_account_lock, NO_ARGS);
	batch_add(b, NULL, &sql_passkeys_delete, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, NULL, &sql_identity_keep_a_way_in, ARGS(oauth_issuers(c)));
	batch_add(b, &sessions, &sql_identity_sessions_living, NO_ARGS);
	batch_account_event(b, c, "passkey.removed", ACTING_ACCOUNT, NULL);
	letters_add(
		b, c,
		&(struct letter_new){ .letter = "factorRemoved", .subject = c->actor.account.u });
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, sessions); /* it may have been the last factor */

	return OK;
}

/*
 * Registering
 */

int passkey_register_options(struct ctx *c, struct passkey_options *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	add_challenge(b, c, TO_REGISTER, ret);
	batch_add(b, &ret->owner, &sql_passkeys_owner, NO_ARGS);
	batch_add(b, &ret->known, &sql_passkeys_known, NO_ARGS);

	return batch_run(b);
}

/* A batch of its own: whatever becomes of the answer, the challenge is used up. */
static int take_challenge(struct ctx *c, const struct answer *a, const struct rows **ret_owner)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *taken;
	int err;

	batch_add(b, &taken, &sql_passkeys_challenge_take,
		  ARGS(arg_hash(&a->challenge_hash), arg_text(TO_REGISTER)));
	batch_add(b, ret_owner, &sql_passkeys_owner, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;

	return rows_len(taken) ? OK : refuse(c, "there is no such challenge");
}

static int store(struct ctx *c, const struct passkey_new *in,
		 const struct webauthn_credential *credential, bool is_first,
		 const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *sessions;
	int err;

	batch_add(b, &sessions, &sql_identity_sessions_living, NO_ARGS);
	if (is_first)
		batch_add(b, NULL, &sql_identity_sessions_revoke,
			  ARGS(arg_bool(false), arg_text("second factor enabled")));
	batch_add(b, ret, &sql_passkeys_create,
		  ARGS(arg_uuid(uuid_v7()), arg_of(credential->id), arg_of(credential->public_key),
		       arg_int(credential->algorithm), arg_int(credential->sign_count),
		       arg_texts(c, in->credential->response->transports), arg_text(in->name)));
	batch_add(b, NULL, &sql_mfa_note, NO_ARGS);
	batch_account_event(b, c, "passkey.added", ACTING_ACCOUNT, NULL);
	letters_add(b, c,
		    &(struct letter_new){ .letter = "factorAdded", .subject = c->actor.account.u });
	err = batch_run(b);
	if (err)
		return err;
	hot_drop(c, sessions);

	return OK;
}

int passkey_register(struct ctx *c, const struct passkey_new *in, const struct rows **ret)
{
	const struct passkey_attestation *said = in->credential->response;
	struct webauthn_credential credential;
	struct webauthn_want wanted;
	const struct rows *owner;
	struct str attestation;
	struct answer a = { 0 };
	const char *why;
	int err;

	(void)decode(c, said->attestation, "credential.response.attestationObject", &attestation);
	err = read_client_data(c, said->client_data, &a);
	if (err)
		return err;
	err = take_challenge(c, &a, &owner);
	if (err)
		return err;

	wanted = want(c, a.challenge, false);
	why = webauthn_register(c->arena, &wanted, a.client_data, attestation, &credential);
	if (why)
		return refuse(c, why);

	return store(c, in, &credential, !rows_get_bool(owner, "mfa_enabled"), ret);
}

/*
 * Verifying an answer
 */

/* Whose answer it is, and for what. */
struct assertion {
	const struct token_hash *demand; /* NULL: of who has entered, or of nobody yet */
	const char *purpose;
	bool user_verified;
	const struct rows *who; /* of the demand */
	const struct rows *passkey;
	int64_t sign_count;
};

static void enter(struct batch *b, const struct assertion *s, const struct rows **ret)
{
	if (s->demand)
		batch_add(b, ret, &sql_mfa_demand_enter, ARGS(arg_hash(s->demand)));
}

static int look_up(struct ctx *c, const struct answer *a, struct assertion *s)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *taken;
	int err;

	enter(b, s, &s->who);
	batch_add(b, &taken, &sql_passkeys_challenge_take,
		  ARGS(arg_hash(&a->challenge_hash), arg_text(s->purpose)));
	batch_add(b, &s->passkey, &sql_passkeys_find, ARGS(arg_of(a->id)));
	err = batch_run(b);
	if (err)
		return err;

	if (s->demand && rows_len(s->who) == 0)
		return refuse(c, "the mfaToken is over");
	if (rows_len(taken) == 0)
		return refuse(c, "there is no such challenge");
	if (rows_len(s->passkey) == 0)
		return refuse(c, "there is no such passkey");

	return OK;
}

/* The handle is the account's id, as it was given at registration. */
static bool handle_fits(struct ctx *c, const char *handle, const struct rows *passkey)
{
	struct uuid account = rows_get_uuid(passkey, "account_id");
	struct str bytes;

	if (!handle)
		return true;

	return str_unbase64url(c->arena, str_of(handle), &bytes) &&
	       bytes.len == sizeof(account.bytes) &&
	       memcmp(bytes.ptr, account.bytes, bytes.len) == 0;
}

static int note_refusal(struct ctx *c, const struct assertion *s, const char *why)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct account_id account = { rows_get_uuid(s->passkey, "account_id") };
	int err;

	batch_account_event(b, c, "passkey.refused", account, NULL);
	err = batch_run(b);

	return err ? err : refuse(c, why);
}

static int verify(struct ctx *c, const struct passkey_answer *in, struct assertion *s)
{
	struct webauthn_credential credential;
	struct webauthn_want wanted;
	struct answer a = { 0 };
	const char *why;
	int err;

	err = read_answer(c, in, &a);
	if (err)
		return err;
	err = look_up(c, &a, s);
	if (err)
		return err;

	credential = (struct webauthn_credential){
		.id = a.id,
		.public_key = rows_get_str(s->passkey, "public_key"),
		.algorithm = rows_get_int(s->passkey, "algorithm"),
		.sign_count = rows_get_int(s->passkey, "sign_count"),
	};
	wanted = want(c, a.challenge, s->user_verified);
	why = webauthn_verify(c->arena, &wanted, &credential, a.client_data, a.authenticator_data,
			      a.signature, &s->sign_count);
	if (!why && !handle_fits(c, in->response->user_handle, s->passkey))
		why = "the user handle is of another account";

	return why ? note_refusal(c, s, why) : OK;
}

static void add_use(struct batch *b, const struct assertion *s)
{
	batch_add(b, NULL, &sql_passkeys_use,
		  ARGS(arg_uuid(rows_get_uuid(s->passkey, "id")), arg_int(s->sign_count)));
}

/*
 * Logging in
 */

int passkey_login_options(struct ctx *c, const struct passkey_login_ask *in,
			  struct passkey_options *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *who;
	struct token_hash demand;
	int err;

	if (in->mfa_token) {
		token_hash(str_of(in->mfa_token), &demand);
		batch_add(b, &who, &sql_mfa_demand_enter, ARGS(arg_hash(&demand)));
	}
	add_challenge(b, c, TO_LOG_IN, ret);
	ret->user_verified = !in->mfa_token;
	if (in->mfa_token)
		batch_add(b, &ret->known, &sql_passkeys_known, NO_ARGS);
	err = batch_run(b);
	if (err)
		return err;
	if (in->mfa_token && rows_len(who) == 0)
		return fail(c, ERR_AUTH_MFA_INVALID, "mfaToken",
			    "This mfaToken is over: log in again");

	return OK;
}

/* Who logs in: whose first factor it was, or whom the passkey says. */
static struct grantee grantee_of(const struct assertion *s, const char *user_agent)
{
	if (s->demand)
		return mfa_grantee(s->who);

	return (struct grantee){
		.account = { rows_get_uuid(s->passkey, "account_id") },
		.tenant = { rows_get_uuid(s->passkey, "tenant_id") },
		.user = { rows_get_uuid(s->passkey, "user_id") },
		.user_agent = user_agent,
		.has_proven_mfa = true,
	};
}

int passkey_log_in(struct ctx *c, const struct passkey_login *in, const char *user_agent,
		   struct grant *ret)
{
	struct session_id session = { uuid_v7() };
	struct assertion s = { .purpose = TO_LOG_IN, .user_verified = !in->mfa_token };
	struct token_hash demand;
	struct grantee who;
	struct batch *b;
	int err;

	if (in->mfa_token) {
		token_hash(str_of(in->mfa_token), &demand);
		s.demand = &demand;
	}
	err = verify(c, in->credential, &s);
	if (err)
		return err;

	who = grantee_of(&s, user_agent);
	b = batch_new(c, BATCH_IDENTITY);
	grant_act_as(b, &who, session);
	if (s.demand)
		batch_add(b, NULL, &sql_mfa_demand_spend, ARGS(arg_hash(s.demand)));
	add_use(b, &s);
	grant_start(b, c, &who, ret);
	batch_add(b, NULL, &sql_identity_seat_use, NO_ARGS);
	batch_account_event(b, c, s.demand ? "mfa.proven" : "account.loggedIn", ACTING_ACCOUNT,
			    who.user_agent);
	err = batch_run(b);

	return err ? err : grant_sign(c, session, ret);
}

/*
 * Step-up
 */

int passkey_step_up_options(struct ctx *c, struct passkey_options *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	add_challenge(b, c, TO_STEP_UP, ret);
	batch_add(b, &ret->known, &sql_passkeys_known, NO_ARGS);

	return batch_run(b);
}

int passkey_step_up(struct ctx *c, const struct passkey_step_up *in)
{
	struct assertion s = { .purpose = TO_STEP_UP };
	struct batch *b;
	int err;

	err = verify(c, in->credential, &s);
	if (err)
		return err;

	b = batch_new(c, BATCH_IDENTITY);
	add_use(b, &s);
	batch_add(b, NULL, &sql_mfa_note, NO_ARGS);
	batch_account_event(b, c, "mfa.proven", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}
