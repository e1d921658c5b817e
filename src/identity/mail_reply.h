/*
 * What several routes take and say whose work is a mail: the email that it goes to, and that it is
 * on its way, if it should be.
 */
#pragma once

#include "base/base.h"
#include "http/shape.h"

struct request;

extern const struct shape mail_ask_shape;      /* struct mail_ask, {email, tenant, captchaToken} */
extern const struct shape mail_accepted_shape; /* {message} */

/* Of a body of that shape: its CAPTCHA, where one is wanted (captcha.h). */
int mail_ask_check(struct request *r) MUST_CHECK;

/* 202, and says to look at one's mail. */
int mail_reply(struct request *r);
