/*
 * Passkeys: WebAuthn credentials of an account, as its second factor and as its only one.
 *
 * Each ceremony is two requests: options with a challenge, which is answered once within five
 * minutes, and the device's answer. A passkey that logs in by itself has verified the person (PIN,
 * finger), so it counts for both factors.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "base/id.h"
#include "base/list.h"
#include "base/str.h"
#include "identity/grant.h"

struct ctx;
struct rows;

#define PASSKEY_TIMEOUT_MS 300000

struct passkey_id {
	struct uuid u;
};

/* Members that a browser says beside those that are needed: taken, so that what toJSON() gives can
 * be sent as it is, and not looked at. */
struct passkey_beside {
	const char *text;
	int64_t number;
	struct str object;
};

/* What PublicKeyCredential.toJSON() gives (WebAuthn Level 3 section 5.1); bytes are base64url. */
struct passkey_attestation {
	const char *client_data, *attestation;
	struct list transports; /* const char * */
	struct passkey_beside beside;
};
struct passkey_assertion {
	const char *client_data, *authenticator_data, *signature;
	const char *user_handle; /* NULL: not said */
};
struct passkey_created {
	const char *id;
	const struct passkey_attestation *response;
	struct passkey_beside beside;
};
struct passkey_answer {
	const char *id;
	const struct passkey_assertion *response;
	struct passkey_beside beside;
};

struct passkey_new {
	const char *name;
	const struct passkey_created *credential;
};
struct passkey_patch {
	const char *name;
};
struct passkey_login_ask {
	const char *mfa_token; /* NULL: the passkey is the only factor */
};
struct passkey_login {
	const char *mfa_token;
	const struct passkey_answer *credential;
};
struct passkey_step_up {
	const struct passkey_answer *credential;
};

/* What the browser is asked to do. Everything lives in the ctx's arena. */
struct passkey_options {
	const char *challenge; /* base64url */
	const char *rp_id;
	const struct rows *owner; /* of a registration: id, email, name */
	const struct rows *known; /* the account's: credential_id, transports; NULL: nobody's yet */
	bool user_verified;       /* the device must verify the person */
};

extern const struct conflict passkey_conflicts[];

/* The account's, 25 at most: the shape Passkey. */
int passkey_list(struct ctx *c, const struct rows **ret) MUST_CHECK;
int passkey_rename(struct ctx *c, struct passkey_id id, const struct passkey_patch *in,
		   const struct rows **ret) MUST_CHECK;
int passkey_remove(struct ctx *c, struct passkey_id id) MUST_CHECK;

/*
 * Registering. An account's first factor ends its other sessions, as with totp_enable().
 * ERR_AUTH_MFA_INVALID when the device's answer is not what was asked for; the log says why.
 */
int passkey_register_options(struct ctx *c, struct passkey_options *ret) MUST_CHECK;
int passkey_register(struct ctx *c, const struct passkey_new *in, const struct rows **ret)
	MUST_CHECK;

/* A log-in: as account_log_in(), or the second half of one. ERR_AUTH_MFA_INVALID. */
int passkey_login_options(struct ctx *c, const struct passkey_login_ask *in,
			  struct passkey_options *ret) MUST_CHECK;
int passkey_log_in(struct ctx *c, const struct passkey_login *in, const char *user_agent,
		   struct grant *ret) MUST_CHECK;

/* As mfa_step_up(). */
int passkey_step_up_options(struct ctx *c, struct passkey_options *ret) MUST_CHECK;
int passkey_step_up(struct ctx *c, const struct passkey_step_up *in) MUST_CHECK;
