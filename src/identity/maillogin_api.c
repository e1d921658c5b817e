/*
 * Logging in by a link or a code in a mail, over HTTP.
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/device.h"
#include "identity/grant_reply.h"
#include "identity/mail_reply.h"
#include "identity/maillogin.h"

/*
 * Shapes
 */

#define TENANT_ABOUT "Slug or id of the tenant to work in; the one used last if absent"

/* clang-format off */
static const struct field link_fields[] = {
	{ "token", T_STRING, REQUIRED, offsetof(struct link_given, token), .min = 1, .max = 128, .secret = true,
	  .about = "What the mail's link carries" },
	{ "tenant", T_STRING, OPTIONAL, offsetof(struct link_given, tenant), .min = 1, .max = 63,
	  .about = TENANT_ABOUT, .example = "blue" },
};
static const struct shape link_shape = SHAPE("MagicLink", struct link_given, link_fields);

static const struct field code_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct code_given, email), .max = 254,
	  .about = "Where the code was sent", .example = "ann@example.com" },
	{ "code", T_STRING, REQUIRED, offsetof(struct code_given, code), .min = 6, .max = 6, .secret = true, .example = "123456",
	  .about = "The six digits of the mail" },
	{ "tenant", T_STRING, OPTIONAL, offsetof(struct code_given, tenant), .min = 1, .max = 63,
	  .about = TENANT_ABOUT, .example = "blue" },
};
static const struct shape code_shape = SHAPE("EmailCode", struct code_given, code_fields);
/* clang-format on */

/*
 * Handlers
 */

static int ask_link(struct request *r)
{
	int err;

	err = mail_ask_check(r);
	if (!err)
		err = maillogin_ask_link(r->ctx, r->body);

	return err ? err : mail_reply(r);
}

static int ask_code(struct request *r)
{
	int err;

	err = mail_ask_check(r);
	if (!err)
		err = maillogin_ask_code(r->ctx, r->body);

	return err ? err : mail_reply(r);
}

static int by_link(struct request *r)
{
	struct grant g;
	int err;

	err = maillogin_by_link(r->ctx, r->body, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

static int by_code(struct request *r)
{
	struct grant g;
	int err;

	err = maillogin_by_code(r->ctx, r->body, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ POST, "/magic-link", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &mail_ask_shape, .reply = &mail_accepted_shape, .status = 202, .flags = ROUTE_SLOW, .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Ask for a link to log in",
	  .about = "The answer is the same whether or not the email has an account. Where MAGIC_LINK is on", .handle = ask_link },

	{ POST, "/magic-link/redeem", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &link_shape, .reply = &login_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_TOKEN_EXPIRED, ERR_RULE_VIOLATED, ERR_AUTH_FORBIDDEN),
	  .summary = "Log in by a link", .about = "With the token of the mail, which is good once", .handle = by_link },

	{ POST, "/email-otp", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &mail_ask_shape, .reply = &mail_accepted_shape, .status = 202, .flags = ROUTE_SLOW, .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Ask for a code to log in",
	  .about = "The answer is the same whether or not the email has an account. Where EMAIL_OTP is on", .handle = ask_code },

	{ POST, "/email-otp/redeem", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &code_shape, .reply = &login_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_INVALID_CREDENTIALS, ERR_AUTH_TOKEN_EXPIRED, ERR_RULE_VIOLATED, ERR_AUTH_FORBIDDEN),
	  .summary = "Log in by a code", .about = "A wrong one counts as a failed log-in", .handle = by_code },

	{ 0 },
};
/* clang-format on */

const struct mount maillogin_mount = { "log-in by mail", routes, NULL,
				       "Links and codes in mails that let one in" };
