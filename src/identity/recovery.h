/*
 * What an account does by mail: showing that its email is its own, choosing another password,
 * another email. Whoever has the token of a mail acts as the account it was sent to, once.
 *
 * Asking answers alike, in the same time, whether or not there is an account: see letters.h.
 */
#pragma once

#include "base/base.h"

struct ctx;

struct mail_ask {
	const char *email;  /* lower case */
	const char *tenant; /* slug or id, where it has its own realm; NULL: the platform's */
	const char *captcha_token; /* NULL: not sent */
};

struct token_given {
	const char *token;
};

struct password_reset {
	const char *token;
	const char *password; /* 8…128 characters */
};

struct email_change {
	const char *email;    /* the new one, lower case */
	const char *password; /* the account's */
};

/* Has the letter (letters.c) sent to the email, if it should be. ERR_SERVICE_UNAVAILABLE where no
 * mail is sent at all. */
int recovery_ask(struct ctx *c, const char *letter, const struct mail_ask *in) MUST_CHECK;

/* Each is ERR_AUTH_TOKEN_EXPIRED for a token that was used, is over, or never was. */

int recovery_verify_email(struct ctx *c, const struct token_given *in) MUST_CHECK;

/* Ends all sessions and says so by mail. ERR_VALIDATION_ERROR (path "password") for a password that
 * others guess. */
int recovery_reset_password(struct ctx *c, const struct password_reset *in) MUST_CHECK;

/* Asks both addresses. ERR_AUTH_INVALID_CREDENTIALS for a wrong password; an email that another
 * account has is not told here: its owner gets no mail. */
int recovery_change_email(struct ctx *c, const struct email_change *in) MUST_CHECK;

/* *ret_is_changed: both have confirmed. ERR_RESOURCE_CONFLICT (path "email") when it was taken
 * meanwhile. */
int recovery_confirm_email(struct ctx *c, const struct token_given *in, bool *ret_is_changed)
	MUST_CHECK;
