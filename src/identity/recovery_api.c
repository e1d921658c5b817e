/*
 * Verifying an email, resetting a password, changing an email, over HTTP.
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/mail_reply.h"
#include "identity/recovery.h"

/*
 * Shapes
 */

/* clang-format off */
static const struct field token_fields[] = {
	{ "token", T_STRING, REQUIRED, offsetof(struct token_given, token), .min = 1, .max = 128, .secret = true,
	  .about = "What the mail's link carries" },
};
static const struct shape token_shape = SHAPE("MailToken", struct token_given, token_fields);

static const struct field reset_fields[] = {
	{ "token", T_STRING, REQUIRED, offsetof(struct password_reset, token), .min = 1, .max = 128, .secret = true,
	  .about = "What the mail's link carries" },
	{ "password", T_PASSWORD, REQUIRED, offsetof(struct password_reset, password), .secret = true,
	  .about = "The new one; not a common one, and not the email" },
};
static const struct shape reset_shape = SHAPE("PasswordReset", struct password_reset, reset_fields);

static const struct field change_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct email_change, email), .max = 254,
	  .about = "The new one", .example = "ann@example.org" },
	{ "password", T_STRING, REQUIRED, offsetof(struct email_change, password), .min = 1, .max = 128, .secret = true,
	  .about = "The account's" },
};
static const struct shape change_shape = SHAPE("EmailChange", struct email_change, change_fields);

static const struct field confirmed_fields[] = {
	{ "changed", T_BOOL, REQUIRED, .about = "false: the other address has yet to confirm", .example = "true" },
};
static const struct shape confirmed_shape = REPLY_SHAPE("EmailChangeConfirmed", confirmed_fields);
/* clang-format on */

/*
 * Handlers
 */

static int ask(struct request *r, const char *letter)
{
	int err;

	err = mail_ask_check(r);
	if (!err)
		err = recovery_ask(r->ctx, letter, r->body);

	return err ? err : mail_reply(r);
}

static int forgot_password(struct request *r)
{
	return ask(r, "passwordReset");
}

static int resend_verification(struct request *r)
{
	return ask(r, "emailVerification");
}

static int reset_password(struct request *r)
{
	return recovery_reset_password(r->ctx, r->body);
}

static int verify_email(struct request *r)
{
	return recovery_verify_email(r->ctx, r->body);
}

static int change_email(struct request *r)
{
	int err;

	err = recovery_change_email(r->ctx, r->body);

	return err ? err : mail_reply(r);
}

static int confirm_email(struct request *r)
{
	struct jsonwrite w;
	bool is_changed;
	int err;

	err = recovery_confirm_email(r->ctx, r->body, &is_changed);
	if (err)
		return err;
	reply_begin(r, &w);
	jsonwrite_member_bool(&w, "changed", is_changed);

	return reply_end(r, &w);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ POST, "/email/verify", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &token_shape, .flags = ROUTE_NO_STORE, .errors = ERRORS(ERR_AUTH_TOKEN_EXPIRED),
	  .summary = "Verify an email", .about = "With the token of the mail, which is good once", .none = verify_email },

	{ POST, "/email/resend", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &mail_ask_shape, .reply = &mail_accepted_shape, .status = 202, .flags = ROUTE_SLOW,
	  .summary = "Send the verification mail again",
	  .about = "The answer is the same whether or not the email has an account that is to be verified", .handle = resend_verification },

	{ POST, "/password/forgot", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &mail_ask_shape, .reply = &mail_accepted_shape, .status = 202, .flags = ROUTE_SLOW,
	  .summary = "Ask for a mail to reset the password",
	  .about = "The answer is the same, and takes the same time, whether or not the email has an account", .handle = forgot_password },

	{ POST, "/password/reset", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &reset_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE, .errors = ERRORS(ERR_AUTH_TOKEN_EXPIRED),
	  .summary = "Reset the password", .about = "With the token of the mail, which is good once. Ends all sessions", .none = reset_password },

	{ POST, "/email/change", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &change_shape, .reply = &mail_accepted_shape, .status = 202, .flags = ROUTE_SLOW | ROUTE_NO_STORE | ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_AUTH_INVALID_CREDENTIALS),
	  .summary = "Change the email", .about = "Both addresses get a mail; the change is made when both have confirmed", .handle = change_email },

	{ POST, "/email/change/confirm", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &token_shape, .reply = &confirmed_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_TOKEN_EXPIRED, ERR_RESOURCE_CONFLICT, ERR_RESOURCE_NOT_FOUND),
	  .summary = "Confirm a change of email", .about = "With the token of either mail", .handle = confirm_email },

	{ 0 },
};
/* clang-format on */

const struct mount recovery_mount = { "recovery", routes, NULL,
				      "Verifying and changing the email, resetting the password" };
