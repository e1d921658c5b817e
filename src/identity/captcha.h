/*
 * A CAPTCHA, where CAPTCHA_SECRET is set: the token that the page's widget gave is shown to the
 * service that made it, by the protocol that Turnstile and hCaptcha share. Blocking: ROUTE_SLOW.
 */
#pragma once

#include "base/base.h"

struct ctx;

/*
 * token: as the client sent it, or NULL. OK where no CAPTCHA is wanted. ERR_VALIDATION_ERROR (path
 * "captchaToken") when it is missing or not solved; ERR_SERVICE_UNAVAILABLE when the service does
 * not say.
 */
int captcha_check(struct ctx *c, const char *token) MUST_CHECK;
