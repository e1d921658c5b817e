/*
 * Coming and going over HTTP: sign-up, log-in, refresh, log-out, and the password.
 */
#include "identity/identity.h"

#include "base/config.h"
#include "http/api.h"
#include "identity/account.h"
#include "identity/captcha.h"
#include "identity/credential.h"
#include "identity/device.h"
#include "identity/grant_reply.h"
#include "identity/mail_reply.h"
#include "identity/session.h"
#include "identity/signup.h"

/*
 * Shapes
 */

/* clang-format off */
static const struct field sign_up_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct sign_up, email), .max = 254,
	  .about = "What the person will log in with", .example = "ann@example.com" },
	{ "password", T_PASSWORD, REQUIRED, offsetof(struct sign_up, password), .secret = true,
	  .about = "Not a common one, and not the email" },
	{ "firstName", T_STRING, OPTIONAL, offsetof(struct sign_up, first_name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Given name", .example = "Ann" },
	{ "lastName", T_STRING, OPTIONAL, offsetof(struct sign_up, last_name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Family name", .example = "Example" },
	{ "tenantName", T_STRING, OPTIONAL, offsetof(struct sign_up, tenant_name), .min = 1, .max = 200, .pattern = "line",
	  .about = "Name of the tenant that is founded; made of the person's name if absent", .example = "Blue" },
	{ "inviteToken", T_STRING, OPTIONAL, offsetof(struct sign_up, invite_token), .min = 1, .max = 128, .secret = true,
	  .about = "Of an invitation to this email: no tenant is founded, and one sits in the tenant that invites" },
	{ "captchaToken", T_STRING, OPTIONAL, offsetof(struct sign_up, captcha_token), .min = 1, .max = 4096, .secret = true,
	  .about = "What the CAPTCHA's widget gave, where one is wanted" },
};
static const struct shape sign_up_shape = SHAPE("SignUp", struct sign_up, sign_up_fields);

static const struct field log_in_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct log_in, email), .max = 254,
	  .about = "As at sign-up", .example = "ann@example.com" },
	{ "password", T_STRING, REQUIRED, offsetof(struct log_in, password), .min = 1, .max = 128, .secret = true,
	  .about = "As at sign-up" },
	{ "tenant", T_STRING, OPTIONAL, offsetof(struct log_in, tenant), .min = 1, .max = 253,
	  .about = "Slug, host name or id of the tenant to work in; the one used last if absent", .example = "blue" },
};
static const struct shape log_in_shape = SHAPE("LogIn", struct log_in, log_in_fields);

static const struct field refresh_fields[] = {
	{ "refreshToken", T_STRING, REQUIRED, offsetof(struct refresh, token), .min = 1, .max = 128, .secret = true,
	  .about = "What the last log-in or refresh gave" },
};
static const struct shape refresh_shape = SHAPE("Refresh", struct refresh, refresh_fields);

static const struct field given_fields[] = {
	{ "password", T_STRING, REQUIRED, offsetof(struct password_given, password), .min = 1, .max = 128, .secret = true,
	  .about = "The account's" },
};
static const struct shape given_shape = SHAPE("PasswordGiven", struct password_given, given_fields);

static const struct field password_fields[] = {
	{ "currentPassword", T_STRING, REQUIRED, offsetof(struct password_change, current), .min = 1, .max = 128, .secret = true,
	  .about = "The password until now" },
	{ "newPassword", T_PASSWORD, REQUIRED, offsetof(struct password_change, new), .secret = true,
	  .about = "Not a common one, and not the email" },
};
static const struct shape password_shape = SHAPE("PasswordChange", struct password_change, password_fields);
/* clang-format on */

/*
 * Handlers
 */

/* Without an invitation, which shows that the email is one's own, it may have to be verified first.
 */
static bool is_to_be_verified(const struct sign_up *in)
{
	return config()->email_verification == EMAIL_VERIFICATION_REQUIRED && !in->invite_token;
}

static int sign_up(struct request *r)
{
	const struct sign_up *in = r->body;
	struct grant g;
	int err = in->invite_token ? OK : signup_check(r->ctx);

	if (err)
		return err;
	err = captcha_check(r->ctx, in->captcha_token);
	if (err)
		return err;
	if (is_to_be_verified(in)) {
		err = signup_later(r->ctx, in);
		return err ? err : mail_reply(r);
	}

	err = account_sign_up(r->ctx, in, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

static int log_in(struct request *r)
{
	struct grant g;
	int err;

	err = account_log_in(r->ctx, r->body, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

static int refresh(struct request *r)
{
	struct grant g;
	int err;

	err = session_refresh(r->ctx, r->body, &g);

	return err ? err : grant_reply(r, &g);
}

static int forget_cookie(struct request *r)
{
	reply_header(r, "Set-Cookie", session_cookie(r->ctx->arena, NULL, 0));
	return OK;
}

static int log_out(struct request *r)
{
	int err;

	err = session_log_out(r->ctx);

	return err ? err : forget_cookie(r);
}

static int log_out_all(struct request *r)
{
	int err;

	err = session_log_out_all(r->ctx);

	return err ? err : forget_cookie(r);
}

static int confirm_password(struct request *r)
{
	return account_confirm_password(r->ctx, r->body);
}

static int change_password(struct request *r)
{
	return account_change_password(r->ctx, r->body);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ POST, "/signup", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &sign_up_shape, .reply = &granted_shape, .status = 201, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .accepted = &mail_accepted_shape, .errors = ERRORS(ERR_RESOURCE_CONFLICT, ERR_RESOURCE_NOT_FOUND, ERR_AUTH_FORBIDDEN),
	  .summary = "Sign up", .about = "An account, with a tenant of its own that it owns; logged in at once. Where EMAIL_VERIFICATION "
	  "is required: 202 in any case, and a mail says how to go on", .handle = sign_up },

	{ POST, "/login", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &log_in_shape, .reply = &login_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_INVALID_CREDENTIALS, ERR_AUTH_EMAIL_UNVERIFIED, ERR_AUTH_FORBIDDEN),
	  .summary = "Log in", .about = "Sets the session's cookie, for dashboards, and gives tokens, for everyone else. An account with a "
	  "second factor gets an mfaToken to prove it with instead. After five "
	  "failures each attempt has to wait, twice as long each time, whether or not the email has an account",
	  .handle = log_in },

	{ POST, "/refresh", TIER_AUTH, PERM_PUBLIC, RATE_WRITE,
	  .body = &refresh_shape, .reply = &granted_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_TOKEN_EXPIRED, ERR_AUTH_TOKEN_REUSED),
	  .summary = "Refresh", .about = "A refresh token is good once; the same again revokes its session", .handle = refresh },

	{ POST, "/logout", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE, .flags = ROUTE_NO_STORE,
	  .summary = "Log out", .about = "Ends the session: cookie, access and refresh tokens", .none = log_out },

	{ POST, "/logout-all", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE, .flags = ROUTE_NO_STORE,
	  .summary = "Log out everywhere", .about = "Ends all sessions of the account", .none = log_out_all },

	{ POST, "/password/confirm", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &given_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_INVALID_CREDENTIALS),
	  .summary = "Give my password again", .about = "Routes that make a way to log in want a log-in, or this, of the last 15 minutes, of "
	  "accounts without a second factor", .none = confirm_password },

	{ POST, "/password/change", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &password_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE | ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_AUTH_INVALID_CREDENTIALS, ERR_RESOURCE_CONFLICT),
	  .summary = "Change the password", .about = "Ends all other sessions", .none = change_password },

	{ 0 },
};
/* clang-format on */

const struct mount auth_mount = { "auth", routes, account_conflicts,
				  "Signing up, logging in and out, new tokens for old ones" };
