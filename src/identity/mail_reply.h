/*
 * What several routes take and say whose work is a mail: the email that it goes to, and that it is
 * on its way, if it should be.
 */
#pragma once

#include "base/base.h"
#include "http/shape.h"

struct request;

extern const struct shape mail_ask_shape;      /* struct mail_ask, {email, tenant} */
extern const struct shape mail_accepted_shape; /* {message} */

/* 202, and says to look at one's mail. */
int mail_reply(struct request *r);
