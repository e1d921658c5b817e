/*
 * Logging in by what a mail carries: a link, or a code of six digits. Each is off until MAGIC_LINK,
 * EMAIL_OTP say otherwise (ERR_RULE_VIOLATED). A second factor is asked for all the same (grant.h).
 */
#pragma once

#include "base/base.h"
#include "identity/grant.h"

struct ctx;
struct mail_ask;

struct link_given {
	const char *token;
	const char *tenant; /* slug or id of the tenant to work in; NULL: the one used last */
};

struct code_given {
	const char *email; /* lower case */
	const char *code;
	const char *tenant; /* as above */
};

int maillogin_ask_link(struct ctx *c, const struct mail_ask *in) MUST_CHECK;
int maillogin_ask_code(struct ctx *c, const struct mail_ask *in) MUST_CHECK;

/* ERR_AUTH_TOKEN_EXPIRED for one that was used, is over, or never was. */
int maillogin_by_link(struct ctx *c, const struct link_given *in, const char *user_agent,
		      struct grant *ret) MUST_CHECK;

/* ERR_AUTH_INVALID_CREDENTIALS for a wrong code; failures count as those of passwords do. */
int maillogin_by_code(struct ctx *c, const struct code_given *in, const char *user_agent,
		      struct grant *ret) MUST_CHECK;
